"""Are ROIs the same ROIs elsewhere? The last checkpoint of every model matched by signature: with its own one before, and with other seeds.

1. The signature of an ROI is what flows in and out of it, task by task; graphs need no feature in common. p counts deals of all
   ROIs to the two graphs: only ROIs that are more alike than ROIs of one kind are make it small.
2. Do the pairs have the same function? The function is measured, by no edge and on split ``eval``: what ablating an ROI takes from
   each task. Two are alike by their cosine, and both may take most from the same task. Random pairings within sites are the chance.
3. The control is matching by index: neurons of two seeds have no common order, and ROIs are numbered by size. Where the truth is
   known (stitched models, whose parts have a task each) pairs must be of one part.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from roicg.core.graph import ComputationalGraph
from roicg.core.partition import RoiPartition
from roicg.core.settings import Study
from roicg.core.tables import Cell, Table, spread
from roicg.findings.finding import Finding, Measured, Row
from roicg.findings.replicas import by_model
from roicg.numerics.matching import agreement, cosines, in_order
from roicg.places import Place, labels, open_place

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore
    from roicg.store.signature import SignatureMatch

DRAWS = 200
PAIRS = 64
"""Pairs of prompts per task that functions are measured on."""
JUDGED = ("matched", "index")
SURE = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """The ROIs of one graph that can be matched (heads and neurons, no rest): position by name, site, function."""

    position: dict[str, int]
    site: Int[np.ndarray, " roi"]
    function: Float[np.ndarray, "roi task"]

    @classmethod
    def of(cls, place: Place, partition: RoiPartition) -> "_Side":
        """The functions are measured here."""
        from roicg.circuits.function import functions
        from roicg.circuits.sets import ask

        opened = open_place(place)
        found = functions(ask(opened.lens, opened.prompts, "eval", PAIRS), partition)
        rois = [roi for roi in partition.rois if roi.key in found and not roi.is_rest]
        sites = sorted(site.key for site in partition.sites)
        return cls(
            {roi.key: i for i, roi in enumerate(rois)},
            np.array([sites.index(roi.site) for roi in rois]),
            np.stack([found[roi.key] for roi in rois]),
        )


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
        match = match_by_signature(store, theirs.id, mine.id, draws=DRAWS, seed=place.study.findings.seed)
        judged = _judged(match, _Side.of(other, theirs.partition), _Side.of(place, mine.partition), place.study.findings.seed)
        rows.append({"relation": relation, "other": f"{other.model}@{other.label}", **asdict(match.verdict), **judged})
    return rows


def _last(study: Study, model: str) -> str:
    return labels(study, model)[-1][0]


def _earlier_seeds(place: Place) -> list[str]:
    """Models before this one in the study that differ from it in their seed alone."""
    everyone = [Measured(model.name, "", 0, ()) for model in place.study.models]
    kin = next(group for group in by_model(place.study, everyone) if any(one[0].model == place.model for one in group))
    names = [one[0].model for one in kin]
    return names[: names.index(place.model)]


def _judged(match: "SignatureMatch", a: _Side, b: _Side, seed: int) -> dict[str, float]:
    """Step 2 for each of ``JUDGED``: mean over pairs of the cosine and of "most from the same task", their chance and p."""
    pairs = {
        "matched": [(a.position[one], b.position[other]) for one, other, _ in match.pairs],
        "index": in_order(a.site, b.site),
    }
    same = a.function.argmax(axis=1)[:, None] == b.function.argmax(axis=1)[None, :]
    told: dict[str, float] = {}
    for what, alike in (("function", cosines(a.function, b.function)), ("task", same.astype(np.float64))):
        for how in JUDGED:
            one = agreement(pairs[how], alike, a.site, b.site, DRAWS, seed)
            told |= {f"{what}_{how}": one.mean, f"{what}_chance": one.chance, f"{what}_{how}_p": one.p}
    return told


def tables(study: Study, measured: Sequence[Measured]) -> list[Table]:
    """One line per pair of graphs: how alike they are, and whether pairs have the same function; both in short."""
    lines = [(f"{one.model}@{one.label}", row) for one in measured for row in one.rows]
    return [_alike(lines), _same_function(lines), _short_alike(lines), _short_function(study, measured)]


_Lines = Sequence[tuple[str, Row]]


def _head(graph: str, row: Row) -> tuple[Cell, ...]:
    return graph, row["other"], "the checkpoint before" if row["relation"] == "before" else "another seed"


def _alike(lines: _Lines) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for graph, row in lines:
        twins = f"{row['twins']} of {row['pairs']}, {_number(row['twins_dealt']):.1f} by chance"
        figures = [row[key] for key in ("similarity", "dealt", "p", "index", "chance", "index_p", "held_out", "held_out_p")]
        rows.append((*_head(graph, row), *figures[:3], twins, *figures[3:]))
    note = (
        f"own ROIs. similarity: mean over the matched pairs, dealt: the same when all ROIs are dealt to the two graphs anew ({DRAWS} deals), p: how often that is as much; "
        "twins: pairs that are each other's nearest; index: matched by number, beside random pairings of one kind; held out: matched by half of the tasks, compared on the others."
    )
    head = ("graph", "matched with", "which is", "similarity", "dealt", "p", "twins", "by index", "chance", "p by index", "held out", "p held out")
    return Table("matching", "Are ROIs the same ROIs elsewhere?", head, tuple(rows), note)


def _same_function(lines: _Lines) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for graph, row in lines:
        cells = [f"{_number(row[f'function_{how}']):.2f} (p {_number(row[f'function_{how}_p']):.3f})" for how in JUDGED]
        same = [f"{_number(row[f'task_{how}']):.0%} (p {_number(row[f'task_{how}_p']):.3f})" for how in JUDGED]
        chance = [f"{_number(row['function_chance']):.2f}", f"{_number(row['task_chance']):.0%}"]
        rows.append((*_head(graph, row), row["pairs"], cells[0], chance[0], *cells[1:], same[0], chance[1], *same[1:]))
    note = (
        f"Function of an ROI: what ablating it takes from each task (1 − φ, split eval, {PAIRS} pairs a task). alike: mean cosine over the matched pairs; same task: pairs that take "
        f"most from the same task. chance: random pairings within sites ({DRAWS} draws for p). by index (the i-th largest with the i-th largest) is the control."
    )
    head = ("graph", "matched with", "which is", "pairs", "alike", "chance", "by index", "same task", "chance", "by index")
    return Table("function", "Have matched ROIs the same function?", head, tuple(rows), note)


def _short_alike(lines: _Lines) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for relation, name in (("before", "the checkpoint before"), ("seed", "another seed")):
        here = [row for _, row in lines if row["relation"] == relation]
        if here:
            above = spread([_number(row["similarity"]) - _number(row["dealt"]) for row in here])
            rows.append((name, len(here), above, _sure(here, "p"), _sure(here, "index_p")))
    note = "pairs of graphs; similarity above that of ROIs dealt anew, mean (least–greatest); how many are above it at p < .05, and how many by index alone."
    return Table("matched", "Matching in short", ("matched with", "pairs of graphs", "above dealt", "p < .05", "by index p < .05"), tuple(rows), note)


def _short_function(study: Study, measured: Sequence[Measured]) -> Table:
    """Per kind of model: how far pairs are above chance, and in how many pairs of graphs."""
    rows: list[tuple[Cell, ...]] = []
    for models in by_model(study, measured):
        for relation, name in (("before", "the checkpoint before"), ("seed", "another seed")):
            here = [row for model in models for one in model for row in one.rows if row["relation"] == relation]
            if here:
                first = models[0][-1]
                above = [spread([_number(row[f"function_{how}"]) - _number(row["function_chance"]) for row in here]) for how in JUDGED]
                same = f"{_mean(here, 'task_matched'):.0%} ({_mean(here, 'task_chance'):.0%})"
                sure = [f"{_sure(here, f'function_{how}_p')}" for how in JUDGED]
                rows.append((f"{first.model}@{first.label} …", name, len(here), above[0], sure[0], above[1], sure[1], same))
    note = (
        "pairs of graphs of models that differ in their seed alone; by signature, by index: mean cosine of functions above that of random pairings within sites, "
        "mean (least–greatest), and in how many pairs of graphs at p < .05; same task: by signature, in brackets by chance."
    )
    head = ("models", "matched with", "pairs of graphs", "by signature", "p < .05", "by index", "p < .05", "same task")
    return Table("functions", "Function in short", head, tuple(rows), note)


def _sure(rows: Sequence[Row], key: str) -> str:
    return f"{sum(_number(row[key]) < SURE for row in rows)} of {len(rows)}"


def _mean(rows: Sequence[Row], key: str) -> float:
    return float(np.mean([_number(row[key]) for row in rows]))


def _number(cell: Any) -> float:
    return float(cell)


FINDING = Finding("matching", "Are ROIs of other checkpoints and seeds the same ROIs?", measure, tables, seconds=2.0, edition=2)
