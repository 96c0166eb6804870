"""What an intervention does, measured: the metric before and after on the same pairs, for every task that is asked.

A change is metric(changed run) − metric(clean run): ablating what raises the metric gives a negative change. Its standard
error is that of the paired difference. KL is that of the changed run to the clean one, in nats.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float

from roicg.circuits.intervene import Intervention, run_intervened
from roicg.core.partition import RoiPartition
from roicg.core.prompts import TaskPrompts
from roicg.models.batches import batches
from roicg.models.forward import logits_at
from roicg.models.lens import Lens
from roicg.models.metrics import accuracy, kl, metric
from roicg.models.pairs import PairRun, run_pair

BATCH = 128
"""A fixed number, so that sums never depend on free memory."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One intervention on one task: means over ``n`` pairs; ``before`` and ``after`` in metric units, ``kl`` in nats."""

    task: str
    n: int
    before: float
    after: float
    change: float
    se: float
    accuracy_before: float
    accuracy_after: float
    kl: float

    @property
    def is_clear(self) -> bool:
        """Whether the change is larger than 2 standard errors."""
        return abs(self.change) > 2 * self.se


def pair_runs(lens: Lens, task: TaskPrompts, split: Literal["edges", "eval"]) -> list[PairRun]:
    """Clean and corrupted runs of all pairs of ``split``, which every intervention on them shares."""
    return [run_pair(lens, batch, metric(task.metric)) for batch in batches(task.edges if split == "edges" else task.eval, BATCH, lens.device)]


@torch.no_grad()
def measure(
    lens: Lens, partition: RoiPartition, task: TaskPrompts, interventions: Sequence[Intervention], split: Literal["edges", "eval"] = "eval"
) -> tuple[Effect, ...]:
    """The effect of each intervention on ``task``; cost: one forward per intervention, and two for them all."""
    runs = pair_runs(lens, task, split)
    columns = [np.concatenate([_rows(run, partition, one) for run in runs], axis=1) for one in interventions]
    return tuple(_effect(task.task, column) for column in columns)


def _rows(run: PairRun, partition: RoiPartition, intervention: Intervention) -> Float[np.ndarray, "5 example"]:
    """Metric before and after, accuracy before and after, KL per pair."""
    answers, wrong = run.batch.answers, run.batch.wrong
    assert run.clean.final is not None
    clean, changed = (logits_at(run.lens, final, run.batch.positions) for final in (run.clean.final, run_intervened(run, partition, intervention)))
    after = run.metric(changed, answers, wrong)
    columns = (run.clean_metric, after, accuracy(clean, answers, wrong), accuracy(changed, answers, wrong), kl(changed, clean))
    return np.asarray(torch.stack([column.double() for column in columns]).cpu().numpy())


def _effect(task: str, rows: Float[np.ndarray, "5 example"]) -> Effect:
    before, after, accurate_before, accurate_after, divergence = (float(row.mean()) for row in rows)
    change = rows[1] - rows[0]
    return Effect(task, len(change), before, after, float(change.mean()), standard_error(change), accurate_before, accurate_after, divergence)


def standard_error(values: Float[np.ndarray, " example"]) -> float:
    """Standard error of the mean; 0 with a single example."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
