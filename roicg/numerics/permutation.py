"""p-values of permutation tests, and their correction for asking several at once."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float


def exceedance(observed: float, null: Float[np.ndarray, " draw"]) -> float:
    """One-sided p = (1 + draws ≥ observed) / (1 + draws) (Phipson & Smyth 2010): never 0, valid whatever the null's shape."""
    return float((1 + np.sum(null >= observed)) / (1 + len(null)))


def holm(p: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down adjustment (1979), in the order given: below .05 means significant at a family-wise error of .05."""
    order = np.argsort(p, kind="stable")
    adjusted, least = np.empty(len(p)), 0.0
    for place, i in enumerate(order):
        least = max(least, min(1.0, (len(p) - place) * p[i]))
        adjusted[i] = least
    return tuple(adjusted.tolist())


def at_least(hits: int, chances: Sequence[float]) -> float:
    """Probability of ``hits`` or more among independent events of these probabilities (Poisson binomial, by convolution)."""
    count = np.ones(1)
    for chance in chances:
        count = np.convolve(count, [1 - chance, chance])
    return float(min(1.0, count[hits:].sum()))


def draws_needed(tests: int) -> int:
    """Draws that a table of ``tests`` tests asks for: 40 × tests and at least 999, so that Holm's smallest p can be well below .05."""
    return max(999, 40 * tests)
