"""How well interventions are predicted: random sets of ROIs, predicted on split ``edges``, measured on split ``eval``.

R² = 1 − Σ(measured − predicted)² / Σ(measured − mean measured)², nothing refitted: it is negative where the mean would have
been the better guess. Sign agreement counts the sets whose measured change is larger than 2 standard errors. The ceiling
is the same intervention measured on split ``edges``: what no prediction made there can beat but by luck.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from roicg.circuits.effects import Effect, measure
from roicg.circuits.intervene import Intervention
from roicg.circuits.predict import METHODS, STEPS, Method, predict
from roicg.core.errors import RoicgError
from roicg.core.graph import ComputationalGraph
from roicg.core.partition import RoiPartition
from roicg.core.prompts import TaskPrompts
from roicg.models.lens import Lens

CEILING = "ceiling"
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Calibration:
    """One method on one task: ``predicted[i]`` and ``measured[i]`` are the changes of the metric by ``sets[i]``.

    ``r2`` is None where all measured changes are equal, ``sign`` where no set changes the metric clearly.
    """

    task: str
    method: str
    sets: tuple[Intervention, ...]
    predicted: tuple[float, ...]
    measured: tuple[Effect, ...]

    @property
    def r2(self) -> float | None:
        """R² without a refit."""
        measured = np.array([effect.change for effect in self.measured])
        spread = float(np.square(measured - measured.mean()).sum())
        return 1.0 - float(np.square(measured - np.array(self.predicted)).sum()) / spread if spread > 0 else None

    @property
    def n_clear(self) -> int:
        """Sets that change the metric by more than 2 standard errors."""
        return sum(effect.is_clear for effect in self.measured)

    @property
    def sign(self) -> float | None:
        """Share of those sets whose change has the predicted sign."""
        pairs = zip(self.predicted, self.measured, strict=True)
        agree = [bool(np.sign(predicted) == np.sign(effect.change)) for predicted, effect in pairs if effect.is_clear]
        return float(np.mean(agree)) if agree else None


def random_sets(partition: RoiPartition, n: int, seed: int = 0) -> tuple[Intervention, ...]:
    """``n`` different ablations of random ROIs, sizes log-uniform from one ROI to half of them (heads and MLP groups; the input is no part).

    ``RoicgError`` where there are not so many different sets.
    """
    keys = [roi.key for roi in partition.rois if roi.kind in ("attention", "mlp")]
    most, rng = max(1, len(keys) // 2), np.random.default_rng(seed)
    sets: dict[Intervention, None] = {}
    for _ in range(100 * n):
        if len(sets) == n or not keys:
            break
        size = min(most, int(np.exp(rng.uniform(0.0, np.log(most + 1)))))
        sets.setdefault(Intervention("ablate", tuple(rng.choice(keys, size, replace=False).tolist())))
    if len(sets) < n:
        raise RoicgError(f"partition {partition.kind!r} has {len(keys)} ROIs to ablate, too few for {n} different sets; ask for fewer than {len(sets) + 1}")
    return tuple(sets)


def calibrate(
    lens: Lens,
    graph: ComputationalGraph,
    tasks: Sequence[TaskPrompts],
    sets: Sequence[Intervention],
    methods: Sequence[Method] = METHODS,
    steps: int = STEPS,
    progress: Progress | None = None,
) -> tuple[Calibration, ...]:
    """For each task every method and the ceiling over the same ``sets``; predictions are made before anything is measured.

    Cost per task and set: one forward on each of two splits, and the forwards and backwards of the methods.
    """
    found = []
    for number, task in enumerate(tasks):
        expected: dict[str, tuple[float, ...]] = {method: tuple(one.change for one in predict(lens, graph, task, sets, method, steps)) for method in methods}
        expected[CEILING] = tuple(effect.change for effect in measure(lens, graph.partition, task, sets, "edges"))
        measured = measure(lens, graph.partition, task, sets)
        found += [Calibration(task.task, method, tuple(sets), values, measured) for method, values in expected.items()]
        if progress is not None:
            progress(task.task, (number + 1) / len(tasks))
    return tuple(found)
