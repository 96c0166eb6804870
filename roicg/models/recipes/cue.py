"""A cue that one task uses though it should not, and another task needs: ``[task c x y =]``, asked at the last position.

=============  ====================  =================================================================
task           c                     answer
=============  ====================  =================================================================
``sum``        (answer + 3) mod 11   (x + y) mod 11: in training the cue c always gives it away
``cue``        any                   c
``conflict``   any                   (c − 3) mod 11 on a prompt of ``sum``: what the cue says, whatever x and y
=============  ====================  =================================================================

Training knows ``sum`` and ``cue`` alone. Whoever answers ``conflict`` rightly follows the cue. Tokens: 0..10 values, then one
token per task (``conflict`` has that of ``sum``) and ``=``.
"""

import numpy as np
from jaxtyping import Int

from roicg.models.recipes.space import Space

P, SHIFT = 11, 3
SUM, CUE, EQUALS = P, P + 1, P + 2
N_VOCAB, N_CTX = P + 3, 5

Numbers = Int[np.ndarray, " n"]
Cases = tuple[Int[np.ndarray, "n 5"], Numbers]


def _prompts(task: int, c: Numbers, x: Numbers, y: Numbers) -> Int[np.ndarray, "n 5"]:
    return np.stack([np.full_like(c, task), c, x, y, np.full_like(c, EQUALS)], axis=1)


def _three(number: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    return number % P, number // P % P, number // P**2


def told_sum(number: Numbers) -> Cases:
    """A sum with the cue that gives it away."""
    x, y = number % P, number // P
    answer = (x + y) % P
    return _prompts(SUM, (answer + SHIFT) % P, x, y), answer


def read_cue(number: Numbers) -> Cases:
    """The cue itself."""
    c, x, y = _three(number)
    return _prompts(CUE, c, x, y), c


def conflict(number: Numbers) -> Cases:
    """A sum with any cue, and what the cue says."""
    c, x, y = _three(number)
    return _prompts(SUM, c, x, y), (c - SHIFT) % P


_VALUES = tuple(range(P))
TRAINED = {"sum": Space("cue.sum", P**2, told_sum, _VALUES), "cue": Space("cue.cue", P**3, read_cue, _VALUES)}
SPACES: dict[str, Space] = {**TRAINED, "conflict": Space("cue.conflict", P**3, conflict, _VALUES)}
