"""Modular addition as one token per number: ``a b =`` with ``=`` the token p, answer (a + b) mod p."""

import numpy as np
from jaxtyping import Int

from roicg.core.errors import PromptError
from roicg.models.recipes.space import Space


def modadd(p: int = 113) -> Space:
    """All p² sums modulo ``p`` (≥ 2)."""
    if p < 2:
        raise PromptError(f"modadd needs a modulus of at least 2, given {p}; its vocabulary has p + 1 tokens")

    def decode(number: Int[np.ndarray, " n"]) -> tuple[Int[np.ndarray, "n 3"], Int[np.ndarray, " n"]]:
        a, b = number // p, number % p
        return np.stack([a, b, np.full_like(a, p)], axis=1), (a + b) % p

    return Space(f"modadd.{p}", p * p, decode, tuple(range(p)))
