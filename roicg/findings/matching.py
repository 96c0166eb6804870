"""Are ROIs the same ROIs elsewhere? The last checkpoint of every model matched by signature: with its own one before, and with other seeds.

The signature of an ROI is what flows in and out of it, task by task; graphs need no feature in common. p counts deals of all ROIs
to the two graphs: only ROIs that are more alike than ROIs of one kind are make it small. Neurons of two seeds have no common
order, so matching by index has nothing to go by and is the control.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from roicg.core.graph import ComputationalGraph
from roicg.core.settings import Study
from roicg.core.tables import Cell, Table, spread
from roicg.findings.finding import Finding, Measured, Row
from roicg.findings.replicas import by_model
from roicg.places import Place, labels

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore

DRAWS = 200


def measure(place: Place, store: "Neo4jStore") -> list[Row]:
    """At the last checkpoint one row per graph that it is matched with, which is published first where it is not; elsewhere none."""
    from roicg import stages
    from roicg.store.neo4j.analyses import match_by_signature

    steps = [label for label, _ in labels(place.study, place.model)]
    if place.label != steps[-1]:
        return []
    others = [("before", place.at(label)) for label in steps[-2:-1]]
    others += [("seed", Place(place.study, model, _last(place.study, model), place.home, place.device)) for model in _earlier_seeds(place)]
    mine: ComputationalGraph = stages.graphs_of(place)["own"]
    rows: list[Row] = []
    for relation, other in others:
        stages.publish_stage(other, store)
        theirs: ComputationalGraph = stages.graphs_of(other)["own"]
        verdict = match_by_signature(store, theirs.id, mine.id, draws=DRAWS, seed=place.study.findings.seed).verdict
        rows.append({"relation": relation, "other": f"{other.model}@{other.label}", **asdict(verdict)})
    return rows


def _last(study: Study, model: str) -> str:
    return labels(study, model)[-1][0]


def _earlier_seeds(place: Place) -> list[str]:
    """Models before this one in the study that differ from it in their seed alone."""
    everyone = [Measured(model.name, "", 0, ()) for model in place.study.models]
    kin = next(group for group in by_model(place.study, everyone) if any(one[0].model == place.model for one in group))
    names = [one[0].model for one in kin]
    return names[: names.index(place.model)]


def tables(study: Study, measured: Sequence[Measured]) -> list[Table]:
    """One line per pair of graphs."""
    lines: list[tuple[Cell, ...]] = []
    for one in measured:
        for row in one.rows:
            what = "the checkpoint before" if row["relation"] == "before" else "another seed"
            twins = f"{row['twins']} of {row['pairs']}, {_short(row['twins_dealt'])} by chance"
            figures = [row[key] for key in ("similarity", "dealt", "p", "index", "chance", "index_p", "held_out", "held_out_p")]
            lines.append((f"{one.model}@{one.label}", row["other"], what, *figures[:3], twins, *figures[3:]))
    note = (
        f"own ROIs. similarity: mean over the matched pairs, dealt: the same when all ROIs are dealt to the two graphs anew ({DRAWS} deals), p: how often that is as much; "
        "twins: pairs that are each other's nearest; index: matched by number, beside random pairings of one kind; held out: matched by half of the tasks, compared on the others."
    )
    head = ("graph", "matched with", "which is", "similarity", "dealt", "p", "twins", "by index", "chance", "p by index", "held out", "p held out")
    return [Table("matching", "Are ROIs the same ROIs elsewhere?", head, tuple(lines), note), _summary(measured)]


def _summary(measured: Sequence[Measured]) -> Table:
    rows = []
    for relation, name in (("before", "the checkpoint before"), ("seed", "another seed")):
        here = [row for one in measured for row in one.rows if row["relation"] == relation]
        if here:
            small = sum(_number(row["p"]) < 0.05 for row in here)
            by_index = sum(_number(row["index_p"]) < 0.05 for row in here)
            rows.append(
                (
                    name,
                    len(here),
                    spread([_number(row["similarity"]) - _number(row["dealt"]) for row in here]),
                    f"{small} of {len(here)}",
                    f"{by_index} of {len(here)}",
                )
            )
    note = "pairs of graphs; similarity above that of ROIs dealt anew, mean (least–greatest); how many are above it at p < .05, and how many by index alone."
    return Table("matched", "Matching in short", ("matched with", "pairs of graphs", "above dealt", "p < .05", "by index p < .05"), tuple(rows), note)


def _number(cell: Any) -> float:
    return float(cell)


def _short(cell: Any) -> str:

    return f"{float(cell):.1f}"


FINDING = Finding("matching", "Are ROIs of other checkpoints and seeds the same ROIs?", measure, tables, seconds=1.0)
