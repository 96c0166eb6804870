"""Ask the store, by catalogue queries only, for everything that the report shows.

1. ``house.slots``, ``house.published``: which graphs of the study are published, and how many edges they have.
2. Per checkpoint ``tasks.scores``; per graph ``structure.*`` and, per task, ``circuits.circuit`` and ``circuits.faithfulness``.
3. Per model and partition ``compare.emergence``; per study ``findings.tables``.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from roicg.core.errors import StoreError
from roicg.core.tables import Table
from roicg.report.data import (
    FAITHFUL,
    PARTITIONS,
    SELECTIONS,
    Books,
    CheckpointShown,
    Curve,
    Division,
    EdgeShown,
    Emergence,
    GraphShown,
    ModelShown,
    Point,
    ReportData,
    RoiShown,
    Score,
)

if TYPE_CHECKING:
    from roicg.core.settings import Study
    from roicg.store.protocol import GraphStore

Row = dict[str, Any]
EDGES_PER_CIRCUIT = 300
EDGES_IN_ALL = 60_000
FEWEST = 20


def collect(study: "Study | str", store: "GraphStore") -> ReportData:
    """Everything published of ``study`` (its settings, or its name alone); ``StoreError`` when that is nothing.

    With settings: their models, tasks and path, in their order. With a name: every model and task that is published, under ``ports``
    or else the first path by name.
    """
    name = study if isinstance(study, str) else study.study
    slots = [row for row in store.run("house.slots") if row["study"] == name and row["partition"] in PARTITIONS]
    if isinstance(study, str):
        path = min((row["path"] for row in slots), key=lambda path: (path != "ports", path), default="ports")
        wanted: dict[str, tuple[str, ...]] = {row["model"]: () for row in slots}
    else:
        path = study.attribution.path
        wanted = {model.name: tuple(task.name for task in study.tasks_of(model)) for model in study.models}
    slots = [row for row in slots if row["path"] == path and row["model"] in wanted]
    if not slots:
        raise StoreError(f"nothing of study {name!r} is published under path {path!r}; run it first: roicg run STUDY.yaml")
    asker = Asker(store, {row["slot"]: row["edges"] for row in store.run("house.published", study=name) if row["status"] == "published"}, 0)
    by_model = {model: sorted((r for r in slots if r["model"] == model), key=lambda r: (r["step"], r["label"])) for model in wanted}
    tasks = {model: wanted[model] or asker.tasks(rows[-1]) for model, rows in by_model.items() if rows}
    circuits = sum(len(rows) * len(tasks[model]) for model, rows in by_model.items() if rows)
    asker = replace(asker, shown=max(FEWEST, min(EDGES_PER_CIRCUIT, EDGES_IN_ALL // max(circuits, 1))))
    shown = tuple(_model(model, tasks[model], rows, asker) for model, rows in by_model.items() if rows)
    return ReportData(name, path, shown, tuple(_table(row) for row in asker.ask("findings.tables", study=name)))


@dataclass(frozen=True, slots=True)
class Asker:
    """The store, how many edges each slot's graph has, and how many of them a circuit shows."""

    store: "GraphStore"
    totals: dict[str, int]
    shown: int

    def ask(self, query: str, **params: Any) -> list[Row]:
        """Rows of a catalogue query."""
        return self.store.run(query, **params)

    def tasks(self, slot: Row) -> tuple[str, ...]:
        """Tasks of the slot's graph."""
        return tuple(self.ask("compare.node_set", slot=slot["slot"])[0]["tasks"])


def _model(name: str, tasks: tuple[str, ...], slots: list[Row], asker: Asker) -> ModelShown:
    checkpoints = []
    for (step, label), rows in groupby(slots, key=lambda row: (row["step"], row["label"])):
        here = {row["partition"]: row for row in rows}
        graphs = {kind: _graph(here[kind], tasks, asker) for kind in PARTITIONS if kind in here}
        scores = asker.ask("tasks.scores", slot=next(iter(graphs.values())).slot)
        checkpoints.append(CheckpointShown(label, step, tuple(_score(row) for row in scores if row["split"] == "eval" and row["task"] in tasks), graphs))
    emergence = {}
    for kind in PARTITIONS:
        slot = next((row["slot"] for row in slots if row["partition"] == kind), None)
        if slot is not None:
            found = asker.ask("compare.emergence", slot=slot, faithfulness=FAITHFUL)
            emergence[kind] = tuple(_emergence(row) for row in found if row["task"] in tasks)
    return ModelShown(name, tasks, tuple(checkpoints), emergence)


def _graph(row: Row, tasks: tuple[str, ...], asker: Asker) -> GraphShown:
    slot, ask = row["slot"], asker.ask
    edges = {task: tuple(_edge(r) for r in ask("circuits.circuit", slot=slot, task=task, edges=asker.shown)) for task in tasks}
    curves = [curve for task in tasks for curve in _curves(task, ask("circuits.faithfulness", slot=slot, task=task))]
    return GraphShown(
        slot=slot,
        label=row["label"],
        partition=row["partition"],
        n_edges=asker.totals.get(slot, 0),
        rois=tuple(_roi(r) for r in ask("structure.rois", slot=slot)),
        edges=edges,
        curves=tuple(curves),
        divisions=_divisions(ask("structure.communities", slot=slot)),
        books=tuple(_books(r) for r in ask("structure.port_groups", slot=slot) if r["task"] in tasks),
    )


def _curves(task: str, rows: list[Row]) -> list[Curve]:
    """One curve per selection; of several analyses that of most examples (then the first id), never a mixture of them."""
    if not rows:
        return []
    chosen = min(rows, key=lambda row: (-row["n_examples"], row["analysis"]))["analysis"]
    curves = []
    for selection in SELECTIONS:
        mine = [row for row in rows if row["analysis"] == chosen and row["selection"] == selection]
        if mine:
            points = [
                Point(row["n_edges"], phi, *(finite(row.get(name)) for name in ("low", "high", "complement", "features", "parameters")))
                for row in mine
                if row["n_edges"] is not None and (phi := finite(row["faithfulness"])) is not None
            ]
            first = mine[0]
            points.sort(key=lambda point: point.n_edges)
            area = finite(first["area"])
            mib = (finite(first.get("cpr_mib")), finite(first.get("cmd_mib")))
            curves.append(Curve(task, selection, first["total"], tuple(points), area, first["reason"], first["n_examples"], first["solved"], *mib))
    return curves


def _divisions(rows: list[Row]) -> tuple[Division, ...]:
    divisions = []
    for _, group in groupby(rows, key=lambda row: (row["task"], row["gamma"], row["analysis"])):
        found = list(group)
        r = found[0]
        null = (finite(r["null_mean"]), finite(r["null_sd"]), finite(r["z"]), finite(r["p"]), bool(r["above_null"]))
        divisions.append(Division(r["task"], r["gamma"], r["modularity"], *null, tuple(tuple(row["rois"]) for row in found)))
    return tuple(divisions)


def _roi(row: Row) -> RoiShown:
    z = smallest((row["z_rotation"], row["z_shuffle"]))
    return RoiShown(row["roi"], row["site"], row["kind"], row["size"], row["label"] or row["roi"], bool(row["is_rest"]), row["above_null"], z)


def _edge(row: Row) -> EdgeShown:
    return EdgeShown(row["rank"], row["source"], row["target"], row["port"], row["weight"], finite(row["se"]))


def _books(row: Row) -> Books:
    return Books(row["task"], row["port_group"], row["effect"], row["gap"], row["steps"], bool(row["complete"]), bool(row["saturated"]))


def _score(row: Row) -> Score:
    return Score(row["task"], row["metric"], row["n"], row["clean"], row["corrupted"], row["accuracy"], bool(row["solved"]))


def _table(row: Row) -> tuple[str, Table]:
    return row["finding"], Table(row["name"], row["title"], tuple(row["columns"]), tuple(tuple(json.loads(cells)) for cells in row["rows"]), row["note"])


def _emergence(row: Row) -> Emergence:
    null = (finite(row["modularity"]), finite(row["null_mean"]), finite(row["z"]), finite(row["p"]), row["above_null"])
    return Emergence(row["label"], row["task"], row["accuracy"], bool(row["solved"]), row["least_edges"], row["edges"], finite(row["area"]), *null)


def finite(value: float | None) -> float | None:
    """``value``, or None where it is missing, infinite or not a number: JSON and sentences have no word for those."""
    return None if value is None or not math.isfinite(value) else float(value)


def smallest(values: Iterable[float | None]) -> float | None:
    """The smallest finite value, None if there is none."""
    return min((value for value in map(finite, values) if value is not None), default=None)
