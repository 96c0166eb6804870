"""The multi-task models that the quality figures are of: seeds to choose on, seeds to report, and what is asked of each."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from roicg.core.prompts import TaskPrompts
from roicg.core.settings import Study
from roicg.core.study_file import load_study
from roicg.places import Opened, Place, open_place
from tests.bench.figures import CHOICES, FIGURES, Figure

ROOT = Path(__file__).parents[2]
SEEDS = {CHOICES: (0, 1, 2), FIGURES: (3, 4, 5)}


@cache
def study() -> Study:
    return load_study(Path(__file__).parent / "evaluation.yaml")


@cache
def opened(seed: int) -> Opened:
    """One trained model with its prompts; trained first where it is not (about 90 s), and kept under ``.roicg/bench``."""
    return open_place(Place(study(), f"multitask-s{seed}", "1200", ROOT / ".roicg" / "bench"))


def asked(which: str, prompts: Sequence[TaskPrompts]) -> list[TaskPrompts]:
    """The prompts that edges are compared on: split edges for choices, split eval for figures."""
    return [task if which == CHOICES else replace(task, edges=task.eval, eval=task.edges) for task in prompts]


def least(name: str, values: Sequence[float], goal: float | None) -> Figure:
    """The least of ``values`` against a lower bound, with their mean beside it."""
    met = "" if goal is None else f", at least {goal:g} in {sum(v >= goal for v in values)} of {len(values)}"
    return Figure(name, min(values), goal, at_most=False, note=f"least of {len(values)}; mean {sum(values) / len(values):.3f}{met}")


def mean(name: str, values: Sequence[float], note: str = "", goal: float | None = None, *, at_most: bool = False) -> Figure:
    """The mean of ``values`` with their range beside it."""
    return Figure(name, sum(values) / len(values), goal, at_most, f"mean of {len(values)}, {min(values):.3g} to {max(values):.3g}{'; ' if note else ''}{note}")
