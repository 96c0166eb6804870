"""Four tasks for one small model: ``[task x1 x2 x3 x4 q]``, asked at the last position.

=============  ==================  ============  =================================================
task           x1 x2 x3 x4         q             answer
=============  ==================  ============  =================================================
``add``        a b _ _             =             (a + b) mod 23
``max``        four values         =             the greatest
``induction``  k v l w   (k ≠ l)   k or l        v or w: what followed q
``other``      a b _ _   (a ≠ b)   a or b        the one of the two that q is not
=============  ==================  ============  =================================================

Tokens: 0..22 values, then one token per task, ``=`` and the blank ``_``.
"""

import numpy as np
from jaxtyping import Int

from roicg.models.recipes.space import Space, held_out

P = 23
"""Number of values, and the modulus."""
TASKS = ("add", "max", "induction", "other")
HELD_OUT_TASK = "add"
EQUALS, BLANK = P + len(TASKS), P + len(TASKS) + 1
N_VOCAB, N_CTX = BLANK + 1, 6

Numbers = Int[np.ndarray, " n"]
Cases = tuple[Int[np.ndarray, "n 6"], Numbers]


def _prompts(task: str, *columns: Numbers | int) -> Int[np.ndarray, "n 6"]:
    length = next(len(column) for column in columns if isinstance(column, np.ndarray))
    return np.stack([np.broadcast_to(column, length) for column in (P + TASKS.index(task), *columns)], axis=1)


def _two_different(number: Numbers) -> tuple[Numbers, Numbers]:
    """Number below P·(P − 1) → two different values."""
    first, step = number // (P - 1), number % (P - 1)
    return first, (first + 1 + step) % P


def add(number: Numbers) -> Cases:
    """(a + b) mod 23."""
    a, b = number // P, number % P
    return _prompts("add", a, b, BLANK, BLANK, EQUALS), (a + b) % P


def greatest(number: Numbers) -> Cases:
    """The greatest of four values."""
    values = [number // P**place % P for place in range(4)]
    return _prompts("max", *values, EQUALS), np.max(values, axis=0)


def induction(number: Numbers) -> Cases:
    """What followed the queried key."""
    second, number = number % 2 == 1, number // 2
    v, w, number = number % P, number // P % P, number // P**2
    k, other = _two_different(number)
    return _prompts("induction", k, v, other, w, np.where(second, other, k)), np.where(second, w, v)


def other(number: Numbers) -> Cases:
    """The one of two that was not queried."""
    second, number = number % 2 == 1, number // 2
    a, b = _two_different(number)
    return _prompts("other", a, b, BLANK, BLANK, np.where(second, b, a)), np.where(second, a, b)


_VALUES = tuple(range(P))
MULTITASK: dict[str, Space] = {
    "add": Space("multitask.add", P * P, add, _VALUES),
    "max": Space("multitask.max", P**4, greatest, _VALUES),
    "induction": Space("multitask.induction", 2 * P**2 * P * (P - 1), induction, _VALUES),
    "other": Space("multitask.other", 2 * P * (P - 1), other, _VALUES),
}


def is_held_out(key: str, share: float) -> bool:
    """Whether the case ``key`` belongs to the share of ``add`` kept from training (other tasks hold nothing out)."""
    return key.split(" ", 1)[0] == str(P + TASKS.index(HELD_OUT_TASK)) and held_out(key, share)
