"""``roicg compare``: what changed between two checkpoints of a model. Every number comes from a query of the catalogue."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from roicg.cli.console import print_json, print_rows, say, working
from roicg.core.errors import QueryError

if TYPE_CHECKING:
    from roicg.store.protocol import GraphStore, Slot

COMMON = ("reference", "components")
"""Partitions whose node set is the same at every checkpoint; ``own`` is compared through ROI matches."""


def compare(
    model: Annotated[str, typer.Argument(help="A model of the study.")],
    before: Annotated[str, typer.Argument(metavar="STEP", help="The earlier checkpoint (label or step).")],
    after: Annotated[str, typer.Argument(metavar="STEP", help="The later one.")],
    task: Annotated[str | None, typer.Option("--task", help="Only this task (default: every task of both).")] = None,
    partition: Annotated[str, typer.Option("--partition", help="reference or components for edges, own for ROI matches.")] = "reference",
    edges: Annotated[int, typer.Option("--edges", min=1, help="Size of the circuits whose edges enter and leave.")] = 20,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Rows per table.")] = 10,
    study: Annotated[str | None, typer.Option("--study", help="Only where several studies have the model.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything as JSON, whole.")] = False,
) -> None:
    """Compare two checkpoints: edges that changed most, edges that entered and left the circuit, or ROIs that match."""
    if partition not in (*COMMON, "own"):
        raise QueryError(f"--partition {partition!r} cannot be compared; use reference or components (the same ROIs at both), or own (ROI matches)")
    from roicg.cli.slots import resolve
    from roicg.store.connect import connect

    with connect() as store, working("comparing …"):
        a, b = (resolve(store, f"{model}@{step}", partition=partition, study=study) for step in (before, after))
        if a.key == b.key:
            raise QueryError(f"{before} and {after} are the same checkpoint {a.label}; give two different ones")
        found = _rois(store, a, b) if partition == "own" else _edges(store, a, b, task, edges)
    if as_json:
        print_json({"before": a.key, "after": b.key, **found})
        return
    for title, rows in found.items():
        print_rows(rows[:limit], title=f"{title} ({model}, {a.label} → {b.label}, {partition})")
        if len(rows) > limit:
            say(f"… {len(rows) - limit} more rows; --limit {len(rows)} shows all")


def _edges(store: "GraphStore", a: "Slot", b: "Slot", task: str | None, edges: int) -> dict[str, list[dict[str, Any]]]:
    common = sorted(_tasks(store, a) & _tasks(store, b))
    if task is not None and task not in common:
        raise QueryError(f"no task {task!r} in both graphs; they share {', '.join(common) or 'none'}")
    found: dict[str, list[dict[str, Any]]] = {}
    for name in common if task is None else [task]:
        found[f"{name}: edges that changed most"] = store.run("compare.edge_drift", slot_a=a.key, slot_b=b.key, task=name, limit=200)
        low, high = sorted((a.step, b.step))
        events = store.run("compare.entry_and_exit", slot=b.key, task=name, edges=edges)
        found[f"{name}: edges that entered or left the circuit of {edges}"] = [row for row in events if low < row["step"] <= high]
    return found


def _rois(store: "GraphStore", a: "Slot", b: "Slot") -> dict[str, list[dict[str, Any]]]:
    matches = store.run("compare.roi_matches", slot_a=a.key, slot_b=b.key)
    if not matches:
        raise QueryError(f"the ROIs of {a.key} and {b.key} were not matched; run the study's comparison (`roicg run STUDY.yaml`), or use --partition reference")
    return {"ROIs that match": matches, "ROIs born, died, split, merged": store.run("compare.births_deaths", slot_a=a.key, slot_b=b.key)}


def _tasks(store: "GraphStore", slot: "Slot") -> set[str]:
    return {str(row["task"]) for row in store.run("structure.port_groups", slot=slot.key)}
