"""Sparse parity, eight tasks of three bits each: ``b0 … b23 task``, answer = the parity of the task's own three bits.

Every bit belongs to exactly one task (``POSITIONS``), so what a task must read is known beforehand: three token positions,
disjoint from those of every other task. Asked at the task's token. Tokens: 0 and 1, then one token per task.

Prompts are of all bits alike (``PARITY``). Training draws a quarter of ones (``TRAINED``): then each bit alone tells a little of
the parity, which gradients find in thousands of steps; of even bits it tells nothing, and nothing is learnt in as many.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Int

from roicg.models.recipes.space import Space

TASKS, BITS = 8, 24
N_VOCAB, N_CTX = 2 + TASKS, BITS + 1
POSITIONS: tuple[tuple[int, ...], ...] = tuple(tuple(sorted(row)) for row in np.random.default_rng(0).permutation(BITS).reshape(TASKS, 3).tolist())
"""Task → its three positions."""


def _decode(task: int, *, sparse: bool = False) -> Callable[[Int[np.ndarray, " n"]], tuple[Int[np.ndarray, "n 25"], Int[np.ndarray, " n"]]]:
    def decode(number: Int[np.ndarray, " n"]) -> tuple[Int[np.ndarray, "n 25"], Int[np.ndarray, " n"]]:
        bits = (number & number >> BITS if sparse else number)[:, None] >> np.arange(BITS) & 1
        prompts = np.concatenate([bits, np.full((len(number), 1), 2 + task)], axis=1)
        return prompts, bits[:, POSITIONS[task]].sum(axis=1) % 2

    return decode


PARITY: dict[str, Space] = {str(task): Space(f"parity.{task}", 2**BITS, _decode(task), (0, 1)) for task in range(TASKS)}
"""Task ``0`` … ``7`` → all 2²⁴ settings of the bits."""
TRAINED: dict[str, Space] = {str(task): Space(f"parity.{task}.trained", 2 ** (2 * BITS), _decode(task, sparse=True), (0, 1)) for task in range(TASKS)}
"""The same with each bit 1 where both of two drawn bits are."""
