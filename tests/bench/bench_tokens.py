"""Why do the edges past tokens of an untrained model part tasks? The same sets, the same model, every task asked under one task's name.

A prompt names its task by a token. Past tokens (unit ``edges between ROIs, past tokens`` of the finding ``separation``) nothing else tells an
untrained model which task it is asked for, where the prompts of tasks are alike. ``make bench ARGS=tests/bench/bench_tokens.py`` makes the untrained
models of the study ``tasks`` that the home does not hold.
"""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from roicg import stages
from roicg.circuits.sets import KeptPhi, ask, with_own_answers
from roicg.circuits.task_sets import Direction, gaps, greedy_ablation, greedy_keeping, matrix
from roicg.core.prompts import PromptSet, TaskPrompts
from roicg.core.study_file import load_study
from roicg.findings.finding import Row
from roicg.findings.separation import CHOOSE_PAIRS, DIRECTIONS, PAIRS
from roicg.findings.task_units import attributed_anew, edge_units
from roicg.places import Place, open_place
from roicg.server.home import home
from tests.bench.figures import Figure, keep
from tests.claims.claims import RESULTS, STUDIES

MODELS = {"multitask": ("multitask-s3", "multitask-s4", "multitask-s5"), "parity": ("parity-s0", "parity-s1", "parity-s2")}
NAME_AT = {"multitask": 0, "parity": -1}
"""Where a prompt names its task."""
GREEDY: dict[Direction, Callable[[KeptPhi, np.ndarray], np.ndarray]] = {"ablate": greedy_ablation, "keep": greedy_keeping}
DONE: dict[Direction, str] = {"ablate": "ablated", "keep": "alone kept"}
UNIT, WAY = "edges between ROIs, past tokens", "exact runs"


def test_what_names_tell() -> None:
    figures = []
    for kind, models in MODELS.items():
        named = {model: gaps_at(model, None) for model in models}
        unnamed = {model: gaps_at(model, NAME_AT[kind]) for model in models}
        for direction in DIRECTIONS:
            for model in models:  # the bench asks what the study asked
                assert named[model][direction] == pytest.approx(kept_gap(model, direction), abs=5e-3)
            for state, found in (("own names", named), ("one name", unnamed)):
                told = [one[direction] for one in found.values()]
                note = f"mean of {len(told)} seeds, {min(told):.2f} to {max(told):.2f}"
                figures.append(Figure(f"gap, {kind}, untrained, edges past tokens {DONE[direction]}, asked under {state}", float(np.mean(told)), note=note))
    keep("tokens", figures, "make bench ARGS=tests/bench/bench_tokens.py")


def kept_gap(model: str, direction: Direction) -> float:
    """Mean gap over tasks of the same sets in the kept rows of the study."""
    kept = json.loads((RESULTS / "tasks.json").read_text(encoding="utf-8"))["findings"]["separation"]
    rows = next(one["rows"] for one in kept if (one["model"], one["label"]) == (model, "0"))
    row = next(row for row in rows if (row["unit"], row["chosen_by"], row["direction"]) == (UNIT, WAY, direction))
    return mean_gap(phi_of(row), direction)


def phi_of(row: Row) -> np.ndarray:
    """φ [set of, measured on] of a row of the finding."""
    return np.array(json.loads(str(row["phi"])), dtype=np.float64)


def mean_gap(phi: np.ndarray, direction: Direction) -> float:
    return float(np.nan_to_num(gaps(phi, direction)).mean())


def gaps_at(model: str, name_at: int | None) -> dict[Direction, float]:
    """Mean gap over the tasks of an untrained model, asked for its own answers; every task under the name of the first where ``name_at`` is given."""
    place = Place(load_study(STUDIES / "tasks.yaml"), model, "0", home())
    opened, graphs = open_place(place), stages.graphs_of(place)
    lens, tasks = opened.lens, opened.prompts
    if name_at is not None:
        tasks = tuple(under_one_name(task, name_at, tasks[0].edges.pairs[0].clean[name_at]) for task in tasks)
    tasks = tuple(with_own_answers(lens, task) for task in tasks)
    own = attributed_anew(place, lens, tasks, {"own": graphs["own"]})
    units = edge_units(own, ask(lens, tasks, "edges", CHOOSE_PAIRS), ask(lens, tasks, "eval", PAIRS))
    unit = next(unit for unit in units if unit.name == UNIT)
    return {direction: mean_gap(matrix(unit.tell, GREEDY[direction](unit.choose, unit.share), direction), direction) for direction in DIRECTIONS}


def under_one_name(task: TaskPrompts, at: int, name: int) -> TaskPrompts:
    def renamed(tokens: tuple[int, ...]) -> tuple[int, ...]:
        found = list(tokens)
        found[at] = name
        return tuple(found)

    def asked(prompts: PromptSet) -> PromptSet:
        return replace(prompts, pairs=tuple(replace(pair, clean=renamed(pair.clean), corrupted=renamed(pair.corrupted)) for pair in prompts.pairs))

    return replace(task, rois=asked(task.rois), edges=asked(task.edges), eval=asked(task.eval))
