"""One edge: is there an edge whose removal takes one task and spares another, where removing a node takes both?

For every ordered pair of tasks each edge between ROIs is ablated on split ``edges``; the one is chosen that takes most accuracy of
the first task while the second keeps at least ``SPARED`` of its own (where none does, the one of the greatest difference). What
it does, and what ablating the ROI at either end does, is told on split ``eval``, beside the mean over all edges.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from roicg.core.graph import ComputationalGraph
from roicg.core.settings import Study
from roicg.core.tables import Cell, Table, spread
from roicg.findings.finding import Finding, Measured, Row
from roicg.findings.replicas import replicas
from roicg.places import Place, open_place

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore

SPARED = 0.97
Accuracies = Mapping[str, Sequence[float]]
"""Task → accuracy after each intervention."""


def measure(place: Place, store: "Neo4jStore") -> list[Row]:
    """One row per ordered pair of tasks."""
    from roicg import stages
    from roicg.circuits.effects import measure as measure_effects
    from roicg.circuits.intervene import Intervention

    opened = open_place(place)
    graph: ComputationalGraph = stages.graphs_of(place)["own"]
    keys = [roi.key for roi in graph.partition.rois]
    ends = [(keys[u], keys[v], port) for u, v, port in zip(graph.edges.source.tolist(), graph.edges.target.tolist(), graph.edges.port, strict=True)]
    nodes = [roi.key for roi in graph.partition.rois if roi.kind in ("attention", "mlp")]
    asked: list[Intervention] = [Intervention("ablate", edges=(end,)) for end in ends] + [Intervention("ablate", rois=(key,)) for key in nodes]
    chosen_on: dict[str, list[float]] = {}
    told: dict[str, list[float]] = {}
    before: dict[str, float] = {}
    for task in opened.prompts:
        chosen_on[task.task] = [effect.accuracy_after for effect in measure_effects(opened.lens, graph.partition, task, asked, "edges")]
        effects = measure_effects(opened.lens, graph.partition, task, asked)
        told[task.task], before[task.task] = [effect.accuracy_after for effect in effects], effects[0].accuracy_before
    place_of = {key: len(ends) + i for i, key in enumerate(nodes)}
    names = list(told)
    return [_row(hurt, spare, ends, chosen_on, told, before, place_of) for hurt in names for spare in names if hurt != spare]


def _row(
    hurt: str,
    spare: str,
    ends: Sequence[tuple[str, str, str]],
    chosen_on: Accuracies,
    told: Accuracies,
    before: Mapping[str, float],
    place_of: Mapping[str, int],
) -> Row:
    lost, kept = (np.array(chosen_on[task][: len(ends)]) for task in (hurt, spare))
    allowed = kept >= SPARED
    score = np.where(allowed, 1.0 - lost, -1.0) if allowed.any() else kept - lost
    best = int(np.argmax(score))
    source, target, port = ends[best]
    row: dict[str, Cell] = {"hurt": hurt, "spare": spare, "source": source, "target": target, "port": port}
    for role, task in (("hurt", hurt), ("spare", spare)):
        row |= {f"{role}_before": before[task], f"{role}_edge": told[task][best], f"{role}_mean": float(np.mean(told[task][: len(ends)]))}
        for end, key in (("source", source), ("target", target)):
            row[f"{role}_{end}"] = told[task][place_of[key]] if key in place_of else None
    return row


def tables(study: Study, measured: Sequence[Measured]) -> list[Table]:
    """One line per kind of model and ordered pair of tasks."""
    rows: list[tuple[Cell, ...]] = []
    for name, together in replicas(study, measured):
        pairs = dict.fromkeys((str(row["hurt"]), str(row["spare"])) for one in together for row in one.rows)
        for hurt, spare in pairs:
            here = [row for one in together for row in one.rows if (row["hurt"], row["spare"]) == (hurt, spare)]
            edges = sorted({f"{row['source']} → {row['target']} ({row['port']})" for row in here})
            figures = [_pair(here, column) for column in ("before", "edge", "source", "target", "mean")]
            rows.append((name, hurt, spare, ", ".join(edges), *figures))
    note = (
        f"accuracy of the task to take / of the task to spare, split eval, mean over seeds (least–greatest): before, without the one edge, without its source, without its "
        f"target, mean over all single edges. The edge is the one that takes most on split edges while the other keeps ≥ {SPARED}."
    )
    head = ("model", "takes", "spares", "edge", "before", "without the edge", "without its source", "without its target", "any edge")
    return [Table("one-edge", "Is there one edge that takes a task and spares another?", head, tuple(rows), note)]


def _pair(rows: Sequence[Row], column: str) -> str:
    parts = ([float(value) for row in rows if isinstance(value := row[f"{role}_{column}"], int | float)] for role in ("hurt", "spare"))
    return " / ".join(spread(values) for values in parts)


FINDING = Finding("one_edge", "Is there one edge whose removal takes one task and spares another?", measure, tables)
