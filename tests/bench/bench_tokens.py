"""Why do an untrained model's edges part tasks? Sets by exact runs as in the finding ``separation``, with edges from tokens never in a set.

Edges from tokens know the position that they read, before anything is learnt. ``make bench ARGS=tests/bench/bench_tokens.py`` trains what the home
does not hold of the study ``tasks``.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from roicg import stages
from roicg.circuits.sets import KeptPhi, ask, with_own_answers
from roicg.circuits.task_sets import Direction, gaps, greedy_ablation, greedy_keeping, matrix, shares
from roicg.core.study_file import load_study
from roicg.findings.separation import CHOOSE_PAIRS, DIRECTIONS, PAIRS
from roicg.findings.task_units import Unit, attributed_anew, edge_units
from roicg.places import Place, open_place
from roicg.server.home import home
from tests.bench.figures import Figure, keep
from tests.claims.claims import RESULTS, STUDIES

MODELS = {"multitask": (("multitask-s3", "multitask-s4", "multitask-s5"), "1200"), "parity": (("parity-s0", "parity-s1", "parity-s2"), "400")}
GREEDY: dict[Direction, Callable[[KeptPhi, np.ndarray], np.ndarray]] = {"ablate": greedy_ablation, "keep": greedy_keeping}


DONE: dict[Direction, str] = {"ablate": "ablated", "keep": "alone kept"}
UNIT, WAY = "edges between ROIs", "exact runs"


def test_what_tokens_tell() -> None:
    figures = []
    kept = json.loads((RESULTS / "tasks.json").read_text(encoding="utf-8"))["findings"]["separation"]
    for kind, (models, last) in MODELS.items():
        for label, state in ((last, "trained"), ("0", "untrained")):
            found = [gaps_at(model, label) for model in models]
            for direction in DIRECTIONS:
                told = [one[direction] for one in found]
                whole = [kept_gap(kept, model, label, direction) for model in models]
                note = f"mean of {len(told)} seeds, {spanned(told)}; with edges from tokens in the sets {np.mean(whole):.2f}, {spanned(whole)} (study tasks)"
                figures.append(Figure(f"gap, {kind}, {state}, sets {DONE[direction]}, edges from tokens always kept", float(np.mean(told)), note=note))
    keep("tokens", figures, "make bench ARGS=tests/bench/bench_tokens.py")
    assert all(np.isfinite(figure.value) for figure in figures)


def spanned(values: list[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}"


def kept_gap(kept: list[dict[str, Any]], model: str, label: str, direction: Direction) -> float:
    """Mean gap over tasks of the same sets in the kept rows of the study."""
    rows = next(one["rows"] for one in kept if (one["model"], one["label"]) == (model, label))
    row = next(row for row in rows if (row["unit"], row["chosen_by"], row["direction"]) == (UNIT, WAY, direction))
    return float(np.nan_to_num(gaps(np.array(json.loads(row["phi"]), dtype=np.float64), direction)).mean())


def gaps_at(model: str, label: str) -> dict[Direction, float]:
    """Mean gap over tasks where edges from tokens are in no set."""
    place = Place(load_study(STUDIES / "tasks.yaml"), model, label, home())
    opened, graphs = open_place(place), stages.graphs_of(place)
    lens, tasks = opened.lens, opened.prompts
    if not all(score.solved for score in graphs["own"].scores if score.split == "eval"):
        tasks = tuple(with_own_answers(lens, task) for task in tasks)
        graphs = attributed_anew(place, lens, tasks, graphs)
    own = graphs["own"]
    (unit,) = edge_units({"own": own}, ask(lens, tasks, "edges", CHOOSE_PAIRS), ask(lens, tasks, "eval", PAIRS))
    asked = among(unit, np.flatnonzero([own.partition.rois[source].kind != "tok" for source in own.edges.source]))
    sets = {direction: GREEDY[direction](asked.choose, asked.share) for direction in DIRECTIONS}
    return {direction: float(np.nan_to_num(gaps(matrix(asked.tell, sets[direction], direction), direction)).mean()) for direction in DIRECTIONS}


def among(unit: Unit, some: np.ndarray) -> Unit:
    """``unit`` with sets of ``some`` of its edges only; all others are always kept."""

    def kept_too(phi: KeptPhi) -> KeptPhi:
        def asked(kept: np.ndarray) -> np.ndarray:
            whole = np.ones((len(kept), unit.share.shape[1]), dtype=bool)
            whole[:, some] = kept
            return phi(whole)

        return asked

    return replace(
        unit,
        share=shares(unit.share[:, some]),
        group=np.arange(len(some)),
        stratum=unit.stratum[some],
        choose=kept_too(unit.choose),
        tell=kept_too(unit.tell),
    )
