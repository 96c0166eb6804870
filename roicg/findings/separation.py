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
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from roicg.circuits.sets import ask, with_own_answers
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
)
from roicg.core.graph import ComputationalGraph
from roicg.core.settings import Study
from roicg.core.tables import Cell, Table, spread
from roicg.findings.finding import Finding, Measured, Row
from roicg.findings.replicas import replicas
from roicg.findings.task_units import BY_USE, Unit, attributed_anew, by_use, communities_at, edge_units, node_units
from roicg.numerics.permutation import draws_needed, exceedance, holm
from roicg.places import Place, open_place

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore

CHOOSE_PAIRS, PAIRS = 32, 64
"""Pairs that a set is chosen on (split ``edges``) and told on (split ``eval``)."""
POOL = 40
PARTED = 0.95
"""Exact runs choose sets only where shares leave more to gain."""
DIRECTIONS: tuple[Direction, ...] = ("ablate", "keep")
DIGITS = 3


def measure(place: Place, store: "Neo4jStore") -> list[Row]:
    """One row per unit, way of choosing and direction: the matrix, the sizes of the sets and the pools of its null."""
    from roicg import stages

    opened = open_place(place)
    graphs: dict[Any, ComputationalGraph] = stages.graphs_of(place)
    lens, tasks = opened.lens, opened.prompts
    solved = all(score.solved for score in graphs["own"].scores if score.split == "eval")
    if not solved:
        tasks = tuple(with_own_answers(lens, task) for task in tasks)
        graphs = attributed_anew(place, lens, tasks, graphs)
    graphs = {**graphs, BY_USE: by_use(place, lens, tasks)}
    choose, tell = ask(lens, tasks, "edges", CHOOSE_PAIRS), ask(lens, tasks, "eval", PAIRS)
    units = [*node_units(lens, tasks, graphs, communities_at(place, store), choose, tell), *edge_units(graphs, choose, tell)]
    rng = np.random.default_rng([place.study.findings.seed, 5])
    return [row for unit in units for row in unit_rows(unit, [task.task for task in tasks], rng, solved=solved)]


def unit_rows(unit: Unit, tasks: list[str], rng: np.random.Generator, *, solved: bool) -> Iterator[Row]:
    """The rows of one unit: for each direction its sets by share and, where that leaves more to gain, by exact runs."""
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
    """φ of every task under every task's set; nothing for a kind whose tasks are not solved.

    The unit told for a seed is the one that parts the tasks best in the other seeds, so that no figure is picked on itself.
    """
    every = {unit: _first(together, *unit, direction) for unit in _units_of(together, direction)}
    asked = {unit: (tasks, rows) for unit, (tasks, rows) in every.items() if len(rows) == len(together)}
    if not all(row["solved"] for _, rows in asked.values() for row in rows) or not asked:
        return
    of_seed = {unit: np.nan_to_num(gaps(_values(rows), direction)).mean(axis=1) for unit, (_, rows) in asked.items()}
    seeds = range(len(together))
    chosen = [max(asked, key=lambda unit: float(np.mean([of_seed[unit][other] for other in seeds if other != seed or len(seeds) == 1]))) for seed in seeds]
    tasks, rows = asked[chosen[0]][0], [asked[unit][1][seed] for seed, unit in enumerate(chosen)]
    values, sizes = _values(rows), np.array([json.loads(str(row["sizes"])) for row in rows])
    lines = [(task, *(spread(values[:, s, t].tolist()) for t in range(len(tasks))), f"{sizes[:, s].min()}–{sizes[:, s].max()}") for s, task in enumerate(tasks)]
    verb = "ablated" if direction == "ablate" else "alone kept"
    title = f"φ of every task when one task's set is {verb}: {name}"
    parted = spread([float(of_seed[unit][seed]) for seed, unit in enumerate(chosen)])
    told = "; ".join(f"{unit} chosen by {way} ({chosen.count((unit, way))} of {len(chosen)})" for unit, way in dict.fromkeys(chosen))
    how = "For each seed the unit with the greatest gap in the other seeds" if len(chosen) > 1 else "One model: the unit with the greatest gap of those shown"
    note = f"{how}: {told}. Gap {parted}. Rows: whose set; columns: φ of the task on split eval, mean over seeds (least–greatest); size: units of the set."
    yield Table(f"matrix-{direction}-{name.replace('@', '-')}", title, ("set of", *tasks, "size"), tuple(lines), note)


def _values(rows: Sequence[Row]) -> Float[np.ndarray, "seed set task"]:
    return np.array([json.loads(str(row["phi"])) for row in rows], dtype=np.float64)


def _table(study: Study, measured: Sequence[Measured], direction: Direction) -> Table:
    groups = [(name, together) for name, together in replicas(study, measured) if any(one.rows for one in together)]
    asked = [(name, together, unit, way) for name, together in groups for unit, way in _units_of(together, direction)]
    tests = sum(len(_first(together, unit, way, direction)[0]) for _, together, unit, way in asked)
    rng = np.random.default_rng([study.findings.seed, 7])
    found = [(name, unit, way, summarise(together, unit, way, direction, draws_needed(tests), rng)) for name, together, unit, way in asked]
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
class Summary:
    """One line of the table: cells, and p of every task that has an effect, before Holm's correction."""

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


def summarise(together: Sequence[Measured], unit: str, way: str, direction: Direction, draws: int, rng: np.random.Generator) -> Summary:
    """``unit`` chosen by ``way`` over the seeds ``together``; raises IndexError where no seed has such a row."""
    tasks, rows = _first(together, unit, way, direction)
    values = _values(rows)
    nulls = [np.array(json.loads(str(row["null"])), dtype=np.float64) for row in rows]
    per_seed = gaps(values, direction)
    effect = ~np.isnan(per_seed).any(axis=0)
    sizes = [size for row in rows for size in json.loads(str(row["sizes"]))]
    size = f"{min(sizes)}–{max(sizes)} of {rows[0]['units']}" if min(sizes) < max(sizes) else f"{sizes[0]} of {rows[0]['units']}"
    solved = all(bool(row["solved"]) for row in rows)
    if not effect.any():
        return Summary(size, None, None, None, "no effect", None, (), solved)
    own = np.diagonal(values, axis1=1, axis2=2)
    others = (values.sum(axis=1) - own) / (len(tasks) - 1)
    drawn = np.mean([drawn_gaps(null, direction, draws, rng) for null in nulls], axis=0)[:, effect]
    mean = per_seed.mean(axis=0)[effect]
    p = tuple(exceedance(float(gap), column) for gap, column in zip(mean, drawn.T, strict=True))
    seeds = per_seed[:, effect].mean(axis=1)
    spread = f"{seeds.min():.2f}–{seeds.max():.2f}" if len(seeds) > 1 else "one model"
    return Summary(size, float(own[:, effect].mean()), float(others[:, effect].mean()), float(mean.mean()), spread, float(drawn.mean()), p, solved)


FINDING = Finding("separation", "Do sets of features or edges belong to one task and spare the others?", measure, tables, seconds=130.0, edition=2)
