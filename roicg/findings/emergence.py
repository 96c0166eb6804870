"""When did it appear? What every checkpoint's graph is like, and at which step it changes most, beside the accuracies.

1. Per checkpoint and task, on the reference partition: accuracy, edges at φ ≥ .9, path length, the greatest hub, every weight.
   Per checkpoint: ROIs and how many sites stand above their null, modularity with z, how far the weights of the model have moved.
2. A step of change is the later of two neighbouring checkpoints between which Σ |Δweight| of a graph is greatest (as in the query
   compare.which_changed_most). It is looked for from the first checkpoint on at which the task is fitted (accuracy ≥ .99 on cases
   that training draws): the graph of everything changes most at the very start, whatever is learnt later.
3. A task whose prompts are of held-out cases emerges at the first checkpoint where its accuracy is ≥ .5. Goal: the change of the
   recipe's graphs lies within a tenth of all steps of it. The mixture of all tasks and the weights themselves are the controls.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from roicg import stages
from roicg.core.graph import ComputationalGraph
from roicg.core.partition import PartitionKind
from roicg.core.settings import GeneratedPrompts, Study
from roicg.core.tables import Cell, Table, spread
from roicg.findings.finding import Finding, Measured, Row
from roicg.findings.portrait import FAITHFUL, least_share, over, portrait
from roicg.findings.replicas import by_model
from roicg.numerics.permutation import at_least
from roicg.places import Place, labels, open_place

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore

FITTED, EMERGED = 0.99, 0.5
TOLERANCE = 0.1
DIGITS = 5
PARTITION: PartitionKind = "reference"
CONTROLS = ("mixture", "parameters")
MARKS = ("emerged", "steepest")


def measure(place: Place, store: "Neo4jStore") -> list[Row]:
    """One row per task (kind ``task``), with all its weights, and one for the checkpoint (kind ``checkpoint``)."""
    rows, checkpoint = portrait(place, store, PARTITION)
    graph: ComputationalGraph = stages.graphs_of(place)[PARTITION]
    kept = [{"kind": "task", **row, "weights": weights_of(graph, str(row["task"]))} for row in rows]
    return [*kept, {"kind": "checkpoint", **checkpoint, "moved": moved(place)}]


def weights_of(graph: ComputationalGraph, task: str) -> str:
    """Weights of the edges of ``task`` in the order of the table, as JSON with as many digits as are kept."""
    return json.dumps([float(f"{value:.{DIGITS}g}") for value in graph.edges.weight[graph.edges.task_index(task)]])


def moved(place: Place) -> float | None:
    """Euclidean distance of all weights from those of the checkpoint before; None for the first."""
    before = None
    for (label, _), (after, _) in pairwise(labels(place.study, place.model)):
        if after == place.label:
            before = label
    if before is None:
        return None
    here, there = (open_place(one).lens for one in (place, place.at(before)))
    pairs = [(here.W_E, there.W_E), (here.W_U, there.W_U)]
    for a, b in zip(here.attentions, there.attentions, strict=True):
        pairs += [(getattr(a, name), getattr(b, name)) for name in ("W_Q", "W_K", "W_V", "W_O")]
    for m, n in zip(here.mlps, there.mlps, strict=True):
        pairs += [(m.W_in, n.W_in), (m.W_out, n.W_out)] if m is not None and n is not None else []
    return float(sum(float((x - y).double().square().sum()) for x, y in pairs) ** 0.5)


@dataclass(frozen=True, slots=True)
class Course:
    """One model over its checkpoints: steps, and per step the rows."""

    model: str
    steps: tuple[int, ...]
    tasks: tuple[Mapping[str, Row], ...]
    checkpoints: tuple[Row, ...]

    @classmethod
    def of(cls, measured: Sequence[Measured]) -> "Course":
        """From the checkpoints of one model."""
        ordered = sorted(measured, key=lambda one: one.step)
        tasks = tuple({str(row["task"]): row for row in one.rows if row["kind"] == "task"} for one in ordered)
        checkpoints = tuple(next(row for row in one.rows if row["kind"] == "checkpoint") for one in ordered)
        return cls(ordered[0].model, tuple(one.step for one in ordered), tasks, checkpoints)

    def accuracy(self, task: str) -> list[float]:
        """Accuracy of ``task`` at every step."""
        return [float(rows[task]["accuracy"] or 0.0) for rows in self.tasks]

    def changes(self, of: str) -> list[float]:
        """Change from each step to the next: of a task's graph (metric units), of the ``mixture`` (each task in shares), of the ``parameters``."""
        if of == "parameters":
            return [float(row["moved"] or 0.0) for row in self.checkpoints[1:]]
        names = list(self.tasks[0]) if of == "mixture" else [of]
        rows = [np.array([json.loads(str(rows[name]["weights"])) for name in names]) for rows in self.tasks]
        if of == "mixture":
            rows = [row / np.maximum(np.abs(row).sum(axis=1, keepdims=True), 1e-300) for row in rows]
        return [float(np.abs(after - before).sum()) for before, after in pairwise(rows)]

    def greatest_change(self, of: str, since: int) -> int | None:
        """The step that :meth:`changes` leads to where they are greatest, both steps from ``since`` on."""
        found = [(change, -step) for change, before, step in zip(self.changes(of), self.steps, self.steps[1:], strict=False) if before >= since]
        return -max(found)[1] if found else None

    def elsewhere(self, of: str, since: int, tolerance: float) -> float | None:
        """The greatest change that lies further than ``tolerance`` steps from the greatest, as a share of it: near 1 the greatest says little."""
        best = self.greatest_change(of, since)
        found = [(change, step) for change, before, step in zip(self.changes(of), self.steps, self.steps[1:], strict=False) if before >= since]
        far = [change for change, step in found if best is not None and abs(step - best) > tolerance]
        return max(far) / max(found)[0] if far and max(found)[0] > 0 else None

    def greatest_rise(self, task: str, since: int) -> int | None:
        """The step that the greatest rise of the accuracy on ``task`` leads to, both steps from ``since`` on."""
        accuracy = self.accuracy(task)
        found = [(accuracy[i + 1] - accuracy[i], -self.steps[i + 1]) for i in range(len(self.steps) - 1) if self.steps[i] >= since]
        return -max(found)[1] if found else None

    def chance(self, since: int, emerged: int, tolerance: float) -> float | None:
        """Share of the steps that :meth:`greatest_change` could name which lie within ``tolerance`` of ``emerged``."""
        possible = [after for before, after in pairwise(self.steps) if before >= since]
        return sum(abs(step - emerged) <= tolerance for step in possible) / len(possible) if possible else None


def first_at(steps: Sequence[int], values: Sequence[float], least: float) -> int | None:
    """The first step with a value of at least ``least``."""
    return next((step for step, value in zip(steps, values, strict=True) if value >= least), None)


def kin(study: Study) -> list[tuple[str, str, tuple[str, ...]]]:
    """(task of trained cases, task of held-out cases, all tasks of the same recipe) for every recipe that is asked both ways."""
    recipes: dict[str, dict[str, str]] = {}
    for task in study.tasks:
        if isinstance(task.prompts, GeneratedPrompts):
            recipes.setdefault(task.prompts.recipe, {})[task.prompts.cases] = task.name
    return [(names["trained"], names["held_out"], tuple(names.values())) for names in recipes.values() if {"trained", "held_out"} <= names.keys()]


def tables(study: Study, measured: Sequence[Measured]) -> list[Table]:
    """The steps of change per model and graph, and the course of every kind of model."""
    courses = [[Course.of(one) for one in together] for together in by_model(study, measured)]
    return [*_change_tables(study, courses), *(_course_table(study, together) for together in courses)]


@dataclass(frozen=True, slots=True)
class _Change:
    """When the graph ``of`` changes most in one model, beside the two steps it is held against; ``chance``: of lying near either."""

    model: str
    of: str
    fitted: int | None
    step: int | None
    marks: dict[str, int | None]
    chance: dict[str, float | None]
    elsewhere: float | None
    total: int

    @classmethod
    def seen_in(cls, course: Course, of: str, trained: str, held_out: str) -> "_Change":
        """From the accuracies on the cases that training draws and on those it never draws, and the changes of the graph ``of``."""
        fitted, emerged = first_at(course.steps, course.accuracy(trained), FITTED), first_at(course.steps, course.accuracy(held_out), EMERGED)
        marks = {"emerged": emerged, "steepest": None if fitted is None else course.greatest_rise(held_out, fitted)}
        total = course.steps[-1]
        near = {name: None if fitted is None or mark is None else course.chance(fitted, mark, TOLERANCE * total) for name, mark in marks.items()}
        step, elsewhere = (None, None) if fitted is None else (course.greatest_change(of, fitted), course.elsewhere(of, fitted, TOLERANCE * total))
        return cls(course.model, of, fitted, step, marks, near, elsewhere, total)

    def off(self, mark: str) -> float | None:
        """Change less the mark over all steps; None where there is either not."""
        at = self.marks[mark]
        return None if self.step is None or at is None else (self.step - at) / self.total

    def row(self) -> tuple[Cell, ...]:
        """As the table tells it."""
        found: list[Cell] = [self.model, _named(self.of), self.fitted, self.step, self.elsewhere, self.marks["emerged"]]
        for mark in MARKS:
            off = self.off(mark)
            found += [None if off is None else f"{off:+.0%}", None if off is None else abs(off) <= TOLERANCE, self.chance[mark]]
        return (*found[:9], self.marks["steepest"], *found[9:])


def _named(of: str) -> str:
    return f"{of} (control)" if of in CONTROLS else of


def _change_tables(study: Study, courses: Sequence[Sequence[Course]]) -> list[Table]:
    found = []
    for trained, held_out, names in kin(study):
        asked = (*names, *CONTROLS)
        changes = [_Change.seen_in(one, of, trained, held_out) for some in courses for one in some if held_out in one.tasks[0] for of in asked]
        note = (
            f"fitted: first checkpoint with accuracy ≥ {FITTED} on {trained}; change: the later of the two neighbouring checkpoints from the fitted one on between which "
            "Σ |Δweight| of the graph is greatest (reference partition; mixture: all tasks in shares; parameters: distance of the weights); elsewhere: the greatest change further than "
            f"10 % of all steps from it, as a share of it; emerged: first checkpoint with accuracy ≥ {EMERGED} on {held_out} (cases that training never draws); off: change less emerged over all steps, goal within 10 %; by chance: share of "
            f"all those checkpoints that lie so near; steepest: the later of the two between which accuracy on {held_out} rises most, from the fitted one on, and how far off it the change is."
        )
        head = ("model", "graph", "fitted", "change", "elsewhere", "emerged", "off", "within 10 %", "by chance", "steepest", "off", "within 10 %", "by chance")
        found.append(Table(f"change-{held_out}", f"When does {held_out} appear?", head, tuple(one.row() for one in changes), note))
        found.append(_hits(held_out, asked, changes))
        found += [_curves(held_out, asked, together) for together in courses if held_out in together[0].tasks[0]]
    return found


def _hits(held_out: str, asked: Sequence[str], changes: Sequence[_Change]) -> Table:
    """In how many models each graph changes most near each mark, with the probability of as many or more by chance."""
    rows: list[tuple[Cell, ...]] = []
    for of in asked:
        cells: list[Cell] = []
        for mark in MARKS:
            told = [(off, chance) for one in changes if one.of == of and (off := one.off(mark)) is not None and (chance := one.chance[mark]) is not None]
            hits = sum(abs(off) <= TOLERANCE for off, _ in told)
            cells += [f"{hits} of {len(told)}", at_least(hits, [chance for _, chance in told])]
        rows.append((_named(of), *cells))
    note = (
        f"models in which the graph's greatest change lies within 10 % of all steps of the first accuracy ≥ {EMERGED} on {held_out} (emerged), and of the steepest rise of that accuracy; "
        "p: of as many or more when every model's change is at a random one of its checkpoints from the fitted one on. p of the graphs are not independent, and not corrected."
    )
    return Table(f"hits-{held_out}", f"Does the graph change when {held_out} appears?", ("graph", "near emerged", "p", "near steepest", "p"), tuple(rows), note)


def _curves(held_out: str, graphs: Sequence[str], together: Sequence[Course]) -> Table:
    """How much each graph changes from checkpoint to checkpoint, in shares of its own greatest change of all."""
    steps = together[0].steps
    shares = {of: [np.array(course.changes(of)) / max(course.changes(of)) for course in together] for of in graphs}
    rows = [(f"{steps[i]}–{steps[i + 1]}", *(spread([float(share[i]) for share in shares[of]]) for of in graphs)) for i in range(len(steps) - 1)]
    note = f"Σ |Δweight| between neighbouring checkpoints over the greatest of the whole training; mean over {len(together)} seeds (least–greatest)."
    head = ("steps", *map(_named, graphs))
    return Table(f"changes-{held_out}-{together[0].model}", f"How much changes when, around {held_out}?", head, tuple(rows), note)


def _course_table(study: Study, together: Sequence[Course]) -> Table:
    kept = next((names for _, _, names in kin(study)), tuple(together[0].tasks[0]))
    names = [name for name in together[0].tasks[0] if name in kept] + [name for name in together[0].tasks[0] if name not in kept]
    rows = [
        (step, *(spread([course.accuracy(name)[i] for course in together]) for name in names), *_shape(together, names[0], i))
        for i, step in enumerate(together[0].steps)
    ]
    note = (
        f"accuracy per task on split eval; edges: share of the edges of {names[0]}'s graph at φ ≥ {FAITHFUL} (– where none is enough); hub: share of its strength that "
        "passes its greatest hub; path: edges from input to logits; ROIs of the MLPs and how many sites stand above their null; Q of the mixture's communities "
        f"with z against its null. Mean over {len(together)} seeds, least and greatest in brackets."
    )
    head = ("step", *names, "edges", "hub", "path", "ROIs", "above null", "Q", "z")
    return Table(f"course-{together[0].model}", "What every checkpoint is like", head, tuple(rows), note)


def _shape(together: Sequence[Course], task: str, i: int) -> tuple[Cell, ...]:
    rows, checkpoints = [course.tasks[i][task] for course in together], [course.checkpoints[i] for course in together]
    above = f"{sum(int(row['above_null'] or 0) for row in checkpoints)} of {sum(int(row['sites'] or 0) for row in checkpoints)}"
    shape = (over(row["hub_share"] for row in rows), over(row["length"] for row in rows), over(row["rois"] for row in checkpoints))
    return (over(map(least_share, rows)), *shape, above, over(row["modularity"] for row in checkpoints), over(row["z"] for row in checkpoints))


FINDING = Finding("emergence", "What is every checkpoint's graph like, and when does it change most?", measure, tables)
