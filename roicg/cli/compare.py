"""``roicg compare``: what changed between two checkpoints of a model, or which ROIs of two models are alike. Every number starts from a query."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from roicg.cli.console import print_json, print_rows, say, working
from roicg.core.errors import QueryError

if TYPE_CHECKING:
    from roicg.store.protocol import GraphStore, Slot

COMMON = ("reference", "components")
"""Partitions whose node set is the same at every checkpoint; ``own`` is compared through ROI matches."""
ALIKE = {"jaccard": 0.3, "signature": 0.9}
"""From where on two ROIs count as one: a part of a ROI shares less than half of its features; ROIs of one site are alike by .6 and more."""
BY = Literal["jaccard", "signature"]
Found = dict[str, list[dict[str, Any]]]


def compare(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model of the study; or MODEL@STEP, to be matched with another model.")],
    before: Annotated[str, typer.Argument(metavar="STEP", help="The earlier checkpoint (label or step); or OTHER@STEP.")],
    after: Annotated[str | None, typer.Argument(metavar="STEP", help="The later one.")] = None,
    task: Annotated[str | None, typer.Option("--task", help="Only this task (default: every task of both).")] = None,
    partition: Annotated[
        str | None, typer.Option("--partition", help="reference (default) or components for edges, own for ROIs; of two models any, own by default.")
    ] = None,
    by: Annotated[BY, typer.Option("--by", help="What makes two ROIs of two checkpoints one: shared features, or signature.")] = "jaccard",
    edges: Annotated[int, typer.Option("--edges", min=1, help="Size of the circuits whose edges enter and leave.")] = 20,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Rows per table.")] = 10,
    study: Annotated[str | None, typer.Option("--study", help="Only where several studies have the model.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything as JSON, whole.")] = False,
) -> None:
    """Compare two checkpoints: edges that changed most, edges that entered and left the circuit, or ROIs and communities; or two models by signature."""
    from roicg.cli.slots import resolve
    from roicg.store.connect import connect

    if after is None and not ("@" in model and "@" in before):
        raise QueryError("name two checkpoints of one model (MODEL STEP STEP), or one of each of two models (MODEL@STEP OTHER@STEP)")
    kind = partition or ("reference" if after else "own")
    if after and kind not in (*COMMON, "own"):
        raise QueryError(f"--partition {kind!r} cannot be compared; use reference or components (the same ROIs at both), or own (ROI matches)")
    named = (f"{model}@{before}", f"{model}@{after}") if after else (model, before)
    with connect() as store, working("comparing …"):
        a, b = (resolve(store, name, partition=kind, study=study) for name in named)
        if a.key == b.key:
            raise QueryError(f"{named[0]} and {named[1]} are the same checkpoint {a.label}; give two different ones")
        if after is None:
            found = _models(store, a, b)
        elif kind == "own":
            found = _rois(store, a, b, by)
        else:
            found = _edges(store, a, b, task, edges)
    if as_json:
        print_json({"before": a.key, "after": b.key, **found})
        return
    ends = f"{model}, {a.label} → {b.label}" if after else f"{a.model}@{a.label} and {b.model}@{b.label}"
    for title, rows in found.items():
        print_rows(rows[:limit], title=f"{title} ({ends}, {kind})")
        if len(rows) > limit:
            say(f"… {len(rows) - limit} more rows; --limit {len(rows)} shows all")


def _edges(store: "GraphStore", a: "Slot", b: "Slot", task: str | None, edges: int) -> Found:
    common = sorted(_tasks(store, a) & _tasks(store, b))
    if task is not None and task not in common:
        raise QueryError(f"no task {task!r} in both graphs; they share {', '.join(common) or 'none'}")
    found: Found = {}
    for name in common if task is None else [task]:
        found[f"{name}: edges that changed most"] = store.run("compare.edge_drift", slot_a=a.key, slot_b=b.key, task=name, limit=200)
        low, high = sorted((a.step, b.step))
        events = store.run("compare.entry_and_exit", slot=b.key, task=name, edges=edges)
        found[f"{name}: edges that entered or left the circuit of {edges}"] = [row for row in events if low < row["step"] <= high]
    return found


def _rois(store: "GraphStore", a: "Slot", b: "Slot", by: BY) -> Found:
    query = {"jaccard": "compare.roi_matches", "signature": "compare.signature_matches"}[by]
    matches = store.run(query, slot_a=a.key, slot_b=b.key)
    if not matches:
        raise QueryError(
            f"the ROIs of {a.key} and {b.key} were not matched: a study matches neighbouring checkpoints when it is compared (`roicg run STUDY.yaml`); "
            f"any two are by `roicg compare {a.model}@{a.label} {b.model}@{b.label}`, by signature and for this answer only"
        )
    verdicts = [] if by == "jaccard" else [row for row in store.run("compare.agreement", slot=a.key) if row["other"] == b.key]
    return {f"{row['pairs']} pairs, on {', '.join(row['tasks'])}": _agreement(row, row["within"]) for row in verdicts} | {
        "ROIs that match": matches,
        f"ROIs born, died, split, merged: {by} at least {ALIKE[by]}": store.run("compare.births_deaths", slot_a=a.key, slot_b=b.key, by=by, least=ALIKE[by]),
        "Communities: where their features went": store.run("compare.community_flow", slot_a=a.key, slot_b=b.key),
        "Roles: where their features went": store.run("compare.community_flow", slot_a=a.key, slot_b=b.key, kind="roles"),
    }


def _models(store: "GraphStore", a: "Slot", b: "Slot") -> Found:
    """Matched now, from ``compare.profiles`` of both: nothing is written."""
    from roicg.store.signature import match_signatures

    match = match_signatures(store, a.key, b.key)
    pairs = [{"roi_a": one, "roi_b": other, "signature": alike} for one, other, alike in match.pairs]
    return {f"{len(pairs)} pairs, on {', '.join(match.tasks)}": _agreement(asdict(match.verdict), match.within), "ROIs matched one to one": pairs}


def _agreement(v: Mapping[str, Any], within: str) -> list[dict[str, Any]]:
    """A verdict (numerics.matching.MatchVerdict) as rows: what was measured, what it is by chance, and what chance is."""
    exchanged, permuted = "ROIs exchanged between the graphs", f"ROIs permuted within their {within}"
    rows: list[tuple[Any, ...]] = [
        ("by signature", v["similarity"], v["dealt"], v["p"], exchanged),
        ("twins among them", v["twins"], v["twins_dealt"], v["twins_p"], exchanged),
        ("by index", v["index"], v["chance"], v["index_p"], permuted),
    ]
    if v["held_out"] is not None:
        rows.append(("by half of the tasks", v["held_out"], v["held_out_chance"], v["held_out_p"], f"{permuted}; compared on the other tasks"))
    return [dict(zip(("matched", "similarity", "by_chance", "p", "chance_is"), row, strict=True)) for row in rows]


def _tasks(store: "GraphStore", slot: "Slot") -> set[str]:
    return {str(row["task"]) for row in store.run("structure.port_groups", slot=slot.key)}
