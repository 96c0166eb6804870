"""Do tasks part past tokens in models that nobody has looked at? The claim of README on five fresh seeds, beside tasks that are none.

The unit ``edges between ROIs, past tokens`` was added to the finding ``separation`` after its seeds (3 to 5) had been seen. What is asked of fresh
ones was written down, and committed, before any of them was trained:

1. *Placebo*: four tasks that are one (``max``, four draws of its cases) must not part, trained or untrained: mean gaps within ``PLACEBO`` of 0,
   and no task that stands out from random sets (Holm over the model's tasks and both directions).
2. *Untrained*: tasks whose prompts differ in shape part a little before anything is learnt. That gap is told, and is not what training adds.
3. *Claim*: in each of the seeds training adds to the gap, ablated and kept.
"""

from typing import Any

import numpy as np

from roicg import stages
from roicg.circuits.sets import ask, with_own_answers
from roicg.circuits.task_sets import Direction
from roicg.core.settings import Study
from roicg.core.study_file import load_study
from roicg.findings.finding import Measured
from roicg.findings.separation import CHOOSE_PAIRS, DIRECTIONS, PAIRS, Summary, summarise, unit_rows
from roicg.findings.task_units import attributed_anew, edge_units
from roicg.numerics.permutation import draws_needed, holm
from roicg.places import Place, open_place
from roicg.server.home import home
from tests.bench.bench_tokens import DONE, UNIT, WAY, mean_gap, phi_of
from tests.bench.figures import Figure, keep
from tests.claims.claims import STUDIES

SEEDS = range(6, 11)
LABELS = {"trained": "1200", "untrained": "0"}
PLACEBO = 0.05


def test_tasks_part_in_fresh_seeds() -> None:
    figures = []
    gaps: dict[tuple[str, str, Direction], np.ndarray] = {}
    for kind, study in {"four tasks": fresh(), "placebo": fresh(placebo=True)}.items():
        for state, label in LABELS.items():
            together = [measured(Place(study, model.name, label, home())) for model in study.models]
            draws = draws_needed(2 * len(study.models[0].tasks or study.tasks))
            found = {direction: summarise(together, UNIT, WAY, direction, draws, np.random.default_rng([8])) for direction in DIRECTIONS}
            assert {summary.solved for summary in found.values()} == {state == "trained"}
            for direction, (summary, adjusted) in zip(DIRECTIONS, corrected(found), strict=True):
                gaps[kind, state, direction] = np.array([gap_of(one, direction) for one in together])
                figures += told(f"{kind}, {state}, edges past tokens {DONE[direction]}", gaps[kind, state, direction], summary, adjusted, kind)
    for direction in DIRECTIONS:
        added = gaps["four tasks", "trained", direction] - gaps["four tasks", "untrained", direction]
        name = f"what training adds to the gap of four tasks, edges past tokens {DONE[direction]}, least of {len(added)} seeds"
        figures.append(Figure(name, float(added.min()), 0.0, at_most=False, note=f"mean {added.mean():.2f}, to {added.max():.2f}"))
    keep("fresh_seeds", figures, "make bench ARGS=tests/bench/bench_fresh_seeds.py")


def fresh(*, placebo: bool = False) -> Study:
    """The four tasks of the study ``tasks`` in fresh seeds; as ``placebo`` four draws of one task in their place."""
    study = load_study(STUDIES / "tasks.yaml")
    model = study.model("multitask-s3").model_dump(mode="json")
    tasks = [task.model_dump(mode="json") for task in study.tasks if task.name in model["tasks"]]
    if placebo:
        one = next(task for task in tasks if task["name"] == "max")
        tasks = [{**one, "name": f"max-{seed}", "prompts": {**one["prompts"], "seed": seed}} for seed in range(len(tasks))]
    settings: dict[str, Any] = {**study.model_dump(mode="json"), "study": "fresh-placebo" if placebo else "fresh", "tasks": tasks, "partitions": ["own"]}
    settings["models"] = [
        {**model, "name": f"multitask-s{seed}", "source": {**model["source"], "seed": seed}, "tasks": [task["name"] for task in tasks]} for seed in SEEDS
    ]
    settings["circuits"] = {**settings["circuits"], "partitions": ["own"]}
    return Study.model_validate(settings)


def measured(place: Place) -> Measured:
    """The rows that the finding ``separation`` has of the unit, by the same steps."""
    opened, graph = open_place(place), stages.graphs_of(place)["own"]
    lens, tasks, graphs = opened.lens, opened.prompts, {"own": graph}
    solved = all(score.solved for score in graph.scores if score.split == "eval")
    if not solved:
        tasks = tuple(with_own_answers(lens, task) for task in tasks)
        graphs = attributed_anew(place, lens, tasks, graphs)
    units = edge_units(graphs, ask(lens, tasks, "edges", CHOOSE_PAIRS), ask(lens, tasks, "eval", PAIRS))
    unit = next(unit for unit in units if unit.name == UNIT)
    rng = np.random.default_rng([place.study.findings.seed, 5])
    rows = tuple(unit_rows(unit, [task.task for task in tasks], rng, solved=solved))
    print(place.study.study, place.model, place.label, {(row["direction"], row["chosen_by"]): row["phi"] for row in rows}, flush=True)
    return Measured(place.model, place.label, graph.checkpoint.step, rows)


def gap_of(one: Measured, direction: Direction) -> float:
    (row,) = (row for row in one.rows if (row["chosen_by"], row["direction"]) == (WAY, direction))
    return mean_gap(phi_of(row), direction)


def corrected(found: dict[Direction, Summary]) -> list[tuple[Summary, list[float]]]:
    """Each direction's summary with its p after Holm's correction over both directions."""
    adjusted = iter(holm([p for summary in found.values() for p in summary.p]))
    return [(summary, [float(next(adjusted)) for _ in summary.p]) for summary in found.values()]


def told(what: str, gaps: np.ndarray, summary: Summary, adjusted: list[float], kind: str) -> list[Figure]:
    """The gap, and how many tasks stand out from random sets; a placebo has a goal for both."""
    placebo = kind == "placebo"
    null = f"random sets {summary.null:.2f}" if isinstance(summary.null, float) else "no effect"
    least = f"p {min(adjusted):.3g} to {max(adjusted):.3g} after Holm's correction" if adjusted else "no effect"
    value = float(gaps.mean())
    return [
        Figure(f"gap, {what}", abs(value) if placebo else value, PLACEBO if placebo else None, note=f"{gaps.min():.2f} to {gaps.max():.2f} over seeds; {null}"),
        Figure(f"tasks that stand out, {what}", sum(p <= 0.05 for p in adjusted), 0 if placebo else None, note=f"of {len(adjusted)}; {least}"),
    ]
