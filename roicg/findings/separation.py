"""Do tasks part? Per unit (features, ROIs, communities, edges …): what ablating or keeping a task's own set does, beside the others' sets.

1. Where every task is solved the published graphs and the right answers are used. Elsewhere each model is asked for its own
   answers, and its edges are attributed for them: an untrained model has an effect then, and no claim counts it.
2. Sets are chosen on split ``edges``: by share at the budget and in the manner that part the tasks best there, edges also
   greedily by exact runs. Everything that is told is measured on split ``eval``.
3. Random sets like each set give the null (``POOL`` sets each). Seeds are put together, not tested apart: the statistic is the
   mean gap over seeds, a draw takes a random set of every task and seed. Holm within the table.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from roicg.circuits.sets import Asked, KeptPhi, ask, edges_kept, feature_sites, features_kept, with_own_answers
from roicg.circuits.task_sets import (
    Direction,
    Sets,
    chosen_by_share,
    drawn_gaps,
    gaps,
    greedy_ablation,
    greedy_keeping,
    matrix,
    pools,
    shares,
)
from roicg.core.graph import ComputationalGraph
from roicg.core.partition import RoiPartition
from roicg.core.prompts import TaskPrompts
from roicg.core.settings import Study
from roicg.core.tables import Cell, Table, spread
from roicg.findings.finding import Finding, Measured, Row
from roicg.findings.replicas import replicas
from roicg.models.lens import Lens
from roicg.numerics.permutation import draws_needed, exceedance, holm
from roicg.places import Place, open_place

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore

CHOOSE_PAIRS, PAIRS = 32, 64
"""Pairs that a set is chosen on (split ``edges``) and told on (split ``eval``)."""
POOL = 40
PARTED = 0.95
"""Exact runs choose sets only where shares leave more to gain."""
FEATURE_BUDGETS = (0.025, 0.05, 0.1, 0.25)
EDGE_BUDGETS = (0.02, 0.05, 0.1, 0.2, 0.3)
DIRECTIONS: tuple[Direction, ...] = ("ablate", "keep")
DIGITS = 3
BY_USE = "by use"
KINDS = {"own": "ROIs", BY_USE: "ROIs by use", "random": "random groups", "components": "components"}


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """What sets are made of: ``share`` [task, group], the group and the stratum of every unit, φ to choose by and φ to tell; ``greedy``: chosen by exact runs, too."""

    name: str
    share: Float[np.ndarray, "task group"]
    group: Int[np.ndarray, " unit"]
    stratum: Int[np.ndarray, " unit"]
    budgets: tuple[float, ...]
    choose: KeptPhi
    tell: KeptPhi
    greedy: bool


def measure(place: Place, store: "Neo4jStore") -> list[Row]:
    """One row per unit, way of choosing and direction: the matrix, the sizes of the sets and the pools of its null."""
    from roicg import stages

    opened = open_place(place)
    graphs: dict[Any, ComputationalGraph] = stages.graphs_of(place)
    lens, tasks = opened.lens, opened.prompts
    solved = all(score.solved for score in graphs["own"].scores if score.split == "eval")
    if not solved:
        tasks = tuple(with_own_answers(lens, task) for task in tasks)
        graphs = _attributed_anew(place, lens, tasks, graphs)
    graphs = {**graphs, BY_USE: _by_use(place, lens, tasks)}
    choose, tell = ask(lens, tasks, "edges", CHOOSE_PAIRS), ask(lens, tasks, "eval", PAIRS)
    units = [*_node_units(lens, tasks, graphs, _communities(place, store), choose, tell), *_edge_units(graphs, choose, tell)]
    rng = np.random.default_rng([place.study.findings.seed, 5])
    return [row for unit in units for row in _rows(unit, [task.task for task in tasks], rng, solved=solved)]


def _attributed_anew(place: Place, lens: Lens, tasks: Sequence[TaskPrompts], graphs: dict[Any, ComputationalGraph]) -> dict[Any, ComputationalGraph]:
    from roicg.attribution.edges import attribute_edges

    found = attribute_edges(lens, tasks, {kind: graph.partition for kind, graph in graphs.items()}, place.study.attribution)
    return {kind: replace(graph, edges=found[kind].edges) for kind, graph in graphs.items()}


def _by_use(place: Place, lens: Lens, tasks: Sequence[TaskPrompts]) -> ComputationalGraph:
    """The graph between ROIs that are found by what features are used for, whatever the study's own are found by."""
    from roicg.attribution.edges import attribute_edges
    from roicg.build import choose_partitions, find_rois
    from roicg.core.graph import Checkpoint

    study = place.study.model_copy(update={"rois": place.study.rois.model_copy(update={"signature": "attribution"})})
    partition = choose_partitions(lens, tasks, find_rois(lens, tasks, study), ("own",), study, None)["own"]
    found = attribute_edges(lens, tasks, {BY_USE: partition}, study.attribution)[BY_USE]
    return ComputationalGraph(BY_USE, Checkpoint(place.model, 0, place.label, lens.weights_digest), found.partition, found.edges, found.port_groups, (), {})


def _communities(place: Place, store: "Neo4jStore") -> list[list[str]]:
    """Communities of the mixture in the published ``own`` graph, as lists of ROI keys; none where the study looks for none."""
    key = f"{place.study.study}|{place.model}@{place.label}|own|{place.study.attribution.path}"
    return [row["rois"] for row in store.run("structure.communities", slot=key) if row["task"] == "(mixture)"]


def _node_units(
    lens: Lens, tasks: Sequence[TaskPrompts], graphs: dict[Any, ComputationalGraph], communities: list[list[str]], choose: Asked, tell: Asked
) -> Iterator[Unit]:
    from roicg.attribution.nodes import node_scores

    sites = feature_sites(lens)
    scores = node_scores(lens, tasks)
    score = np.stack([np.concatenate([scores[task.task][site.key] for site in sites]) for task in tasks])
    stratum = np.concatenate([np.full(site.n_features, i) for i, site in enumerate(sites)])
    phi = features_kept(choose), features_kept(tell)

    def unit(name: str, group: Int[np.ndarray, " unit"]) -> Unit:
        summed = np.stack([np.bincount(group, weights=row) for row in score])
        return Unit(name, shares(np.abs(summed)), group, stratum, FEATURE_BUDGETS, *phi, greedy=False)

    yield unit("single features", np.arange(score.shape[1]))
    for kind, name in KINDS.items():
        if kind in graphs:
            yield unit(name, _roi_of_feature(graphs[kind].partition))
    if communities:
        yield unit("communities", _community_of_feature(graphs["own"].partition, communities))


def _edge_units(graphs: dict[Any, ComputationalGraph], choose: Asked, tell: Asked) -> Iterator[Unit]:
    for kind, name in KINDS.items():
        if kind not in graphs:
            continue
        graph = graphs[kind]
        ports = [f"{graph.partition.rois[v].site}.{port}" for v, port in zip(graph.edges.target.tolist(), graph.edges.port, strict=True)]
        stratum = np.unique(ports, return_inverse=True)[1]
        phi = edges_kept(choose, graph), edges_kept(tell, graph)
        yield Unit(
            f"edges between {name}",
            shares(graph.edges.strength),
            np.arange(len(graph.edges)),
            stratum,
            EDGE_BUDGETS,
            *phi,
            greedy=kind in ("own", "components"),
        )


def _roi_of_feature(partition: RoiPartition) -> Int[np.ndarray, " unit"]:
    """Position of each feature's ROI among the ROIs of heads and neurons."""
    sites = [site for site in partition.sites if site.kind in ("attention", "mlp")]
    starts = np.cumsum([0, *(len(partition.of_site(site.key)) for site in sites)])
    return np.asarray(np.concatenate([start + partition.labels(site.key) for start, site in zip(starts, sites, strict=False)]))


def _community_of_feature(partition: RoiPartition, communities: list[list[str]]) -> Int[np.ndarray, " unit"]:
    """Community of each feature's ROI; features of ROIs in no community are one group more."""
    known = {roi: i for i, names in enumerate(communities) for roi in names}
    rois = [roi for site in partition.sites if site.kind in ("attention", "mlp") for roi in (partition.rois[i] for i in partition.of_site(site.key))]
    return np.asarray(np.array([known.get(roi.key, len(communities)) for roi in rois])[_roi_of_feature(partition)])


def _rows(unit: Unit, tasks: list[str], rng: np.random.Generator, *, solved: bool) -> Iterator[Row]:
    for direction in DIRECTIONS:
        by_share, gap = _best_by_share(unit, direction)
        ways = {"share": by_share}
        if unit.greedy and gap < PARTED:
            ways["exact runs"] = (greedy_ablation if direction == "ablate" else greedy_keeping)(unit.choose, unit.share)
        for chosen_by, sets in ways.items():
            values = matrix(unit.tell, sets, direction)
            null = pools(unit.tell, sets, unit.stratum, direction, POOL, rng)
            yield {
                "unit": unit.name,
                "chosen_by": chosen_by,
                "direction": direction,
                "tasks": json.dumps(tasks),
                "units": sets.shape[1],
                "sizes": json.dumps(sets.sum(axis=1).tolist()),
                "phi": _text(values),
                "null": _text(null),
                "solved": solved,
            }


def _best_by_share(unit: Unit, direction: Direction) -> tuple[Sets, float]:
    """The manner and budget whose sets part the tasks best on the split that is chosen on, and their mean gap there."""
    options = [
        chosen_by_share(unit.share, unit.group, how, max(1, round(budget * len(unit.group)))) for how in ("specific", "strongest") for budget in unit.budgets
    ]
    found = [np.nan_to_num(gaps(matrix(unit.choose, sets, direction), direction)).mean() for sets in options]
    best = int(np.argmax(found))
    return options[best], float(found[best])


def _text(values: Float[np.ndarray, "..."]) -> str:
    """JSON with as many digits as are told; what is no number is null."""
    return json.dumps(_plain(np.round(values, DIGITS).tolist()), allow_nan=False)


def _plain(values: Any) -> Any:
    return [_plain(one) for one in values] if isinstance(values, list) else None if math.isnan(values) else values


def tables(study: Study, measured: Sequence[Measured]) -> list[Table]:
    """Per direction one table of kinds of model × units, seeds put together, and for every kind the whole matrix of the unit that parts its tasks best."""
    found = [_table(study, measured, direction) for direction in DIRECTIONS]
    return [*found, *(matrix for direction in DIRECTIONS for name, together in replicas(study, measured) for matrix in _matrix(name, together, direction))]


def _matrix(name: str, together: Sequence[Measured], direction: Direction) -> Iterator[Table]:
    """φ of every task under every task's set; nothing for a kind whose tasks are not solved."""
    best: tuple[float, str, str] | None = None
    for unit, way in _units_of(together, direction):
        _, rows = _first(together, unit, way, direction)
        gap = float(np.nan_to_num(gaps(_values(rows), direction)).mean())
        if all(row["solved"] for row in rows) and (best is None or gap > best[0]):
            best = gap, unit, way
    if best is None:
        return
    tasks, rows = _first(together, best[1], best[2], direction)
    values, sizes = _values(rows), np.array([json.loads(str(row["sizes"])) for row in rows])
    lines = [(task, *(spread(values[:, s, t].tolist()) for t in range(len(tasks))), f"{sizes[:, s].min()}–{sizes[:, s].max()}") for s, task in enumerate(tasks)]
    verb = "ablated" if direction == "ablate" else "alone kept"
    title = f"φ of every task when one task's set is {verb}: {name}, {best[1]}, chosen by {best[2]}"
    note = "The unit with the greatest gap. Rows: whose set; columns: φ of the task on split eval, mean over seeds (least–greatest); size: units of the set."
    yield Table(f"matrix-{direction}-{name.replace('@', '-')}", title, ("set of", *tasks, "size"), tuple(lines), note)


def _values(rows: Sequence[Row]) -> Float[np.ndarray, "seed set task"]:
    return np.array([json.loads(str(row["phi"])) for row in rows], dtype=np.float64)


def _table(study: Study, measured: Sequence[Measured], direction: Direction) -> Table:
    groups = [(name, together) for name, together in replicas(study, measured) if any(one.rows for one in together)]
    asked = [(name, together, unit, way) for name, together in groups for unit, way in _units_of(together, direction)]
    tests = sum(len(_first(together, unit, way, direction)[0]) for _, together, unit, way in asked)
    rng = np.random.default_rng([study.findings.seed, 7])
    found = [(name, unit, way, _summary(together, unit, way, direction, draws_needed(tests), rng)) for name, together, unit, way in asked]
    adjusted = iter(holm([p for *_, summary in found for p in summary.p]))
    rows = []
    for name, unit, way, summary in found:
        worst = max((next(adjusted) for _ in summary.p), default=None)
        rows.append((name, unit, way, summary.size, summary.own, summary.others, summary.gap, summary.range, summary.null, worst, summary.solved))
    verb = "ablated" if direction == "ablate" else "alone kept"
    note = (
        f"φ of a task when its own set is {verb}, and when another task's set is: means over tasks, in brackets the least and greatest seed. Sets chosen on "
        f"split edges, φ on split eval ({PAIRS} pairs a task). null: mean gap of random sets of equal size site by site, {POOL} per task and seed; p: the "
        f"largest of the tasks' p of the mean gap over seeds ({draws_needed(tests)} draws, Holm over {tests} tests). unsolved: asked for its own answers, no claim."
    )
    head = ("model", "unit", "chosen by", "size", "φ own", "φ others'", "gap", "gaps of seeds", "null", "p", "solved")
    return Table(f"separation-{direction}", f"Do tasks part? Sets of one task {verb}", head, tuple(rows), note)


@dataclass(frozen=True, slots=True)
class _Summary:
    size: str
    own: Cell
    others: Cell
    gap: Cell
    range: str
    null: Cell
    p: tuple[float, ...]
    solved: bool


def _units_of(together: Sequence[Measured], direction: Direction) -> list[tuple[str, str]]:
    return list(dict.fromkeys((str(row["unit"]), str(row["chosen_by"])) for one in together for row in one.rows if row["direction"] == direction))


def _first(together: Sequence[Measured], unit: str, way: str, direction: Direction) -> tuple[list[str], list[Row]]:
    """Tasks, and the row of every seed."""
    rows = [row for one in together for row in one.rows if (row["unit"], row["chosen_by"], row["direction"]) == (unit, way, direction)]
    return json.loads(str(rows[0]["tasks"])), rows


def _summary(together: Sequence[Measured], unit: str, way: str, direction: Direction, draws: int, rng: np.random.Generator) -> _Summary:
    tasks, rows = _first(together, unit, way, direction)
    values = _values(rows)
    nulls = [np.array(json.loads(str(row["null"])), dtype=np.float64) for row in rows]
    per_seed = gaps(values, direction)
    effect = ~np.isnan(per_seed).any(axis=0)
    sizes = [size for row in rows for size in json.loads(str(row["sizes"]))]
    size = f"{min(sizes)}–{max(sizes)} of {rows[0]['units']}" if min(sizes) < max(sizes) else f"{sizes[0]} of {rows[0]['units']}"
    solved = all(bool(row["solved"]) for row in rows)
    if not effect.any():
        return _Summary(size, None, None, None, "no effect", None, (), solved)
    own = np.diagonal(values, axis1=1, axis2=2)
    others = (values.sum(axis=1) - own) / (len(tasks) - 1)
    drawn = np.mean([drawn_gaps(null, direction, draws, rng) for null in nulls], axis=0)[:, effect]
    mean = per_seed.mean(axis=0)[effect]
    p = tuple(exceedance(float(gap), column) for gap, column in zip(mean, drawn.T, strict=True))
    seeds = per_seed[:, effect].mean(axis=1)
    spread = f"{seeds.min():.2f}–{seeds.max():.2f}" if len(seeds) > 1 else "one model"
    return _Summary(size, float(own[:, effect].mean()), float(others[:, effect].mean()), float(mean.mean()), spread, float(drawn.mean()), p, solved)


FINDING = Finding("separation", "Do sets of features or edges belong to one task and spare the others?", measure, tables, seconds=110.0)
