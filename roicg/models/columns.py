"""The columns of a signature: (example, position), all positions of all clean prompts of split ``rois``, in the order of batches.

Both signatures (activation, attribution) have the same columns: task by task, by rising length, examples in file order,
positions within an example. Above ``MAX_COLUMNS`` a subset is drawn once from (count, seed), the same for every site.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Int

from roicg.core.errors import PromptError
from roicg.core.prompts import TaskPrompts
from roicg.models.batches import batches

MAX_COLUMNS = 8192
"""Enough for every tested case (4,096 examples are steady) and small enough for the many surrogates of the nulls."""
BATCH = 256
"""Prompts that are run at once; the order of columns does not depend on it."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """What each column is: ``task`` indexes ``tasks``, ``position`` counts from 0, ``token`` is the clean prompt's token id there."""

    tasks: tuple[str, ...]
    task: Int[np.ndarray, " column"]
    position: Int[np.ndarray, " column"]
    token: Int[np.ndarray, " column"]

    def __len__(self) -> int:
        return len(self.task)


def kept_columns(prompts: Sequence[TaskPrompts], seed: int) -> list[Int[np.ndarray, " kept"]]:
    """For each task which of its (example, position) columns are kept, as rising indices; ``PromptError`` when no task has a prompt."""
    counts = [sum(len(pair.clean) for pair in task.rois.pairs) for task in prompts]
    total = sum(counts)
    if total == 0:
        raise PromptError("no task has a prompt in split rois, so there is nothing to find ROIs from; give more prompts, or a larger n")
    kept = np.arange(total)
    if total > MAX_COLUMNS:
        kept = np.sort(np.random.default_rng([seed, total]).choice(total, MAX_COLUMNS, replace=False))
    starts = np.cumsum([0, *counts])
    return [kept[(kept >= start) & (kept < end)] - start for start, end in pairwise(starts.tolist())]


def signature_columns(prompts: Sequence[TaskPrompts], seed: int) -> Columns:
    """Task, position and token of every kept column."""
    parts = [
        [np.full(len(kept), index), *_place_and_token(task, kept)] for index, (task, kept) in enumerate(zip(prompts, kept_columns(prompts, seed), strict=True))
    ]
    task, position, token = (np.concatenate([part[i] for part in parts]).astype(np.int64) for i in range(3))
    return Columns(tuple(one.task for one in prompts), task, position, token)


def _place_and_token(task: TaskPrompts, kept: Int[np.ndarray, " kept"]) -> tuple[Int[np.ndarray, " kept"], Int[np.ndarray, " kept"]]:
    tokens = [batch.clean.numpy() for batch in batches(task.rois, BATCH)]
    if not tokens:
        return kept, kept
    places = [np.tile(np.arange(part.shape[1]), len(part)) for part in tokens]
    return np.concatenate(places)[kept], np.concatenate([part.ravel() for part in tokens])[kept]
