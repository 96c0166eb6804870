"""Surrogates of a set of features in which there are no groups, and how far a measured value stands out from them."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

ABOVE_NULL = 5.0
"""The z that a finding must reach against each of its nulls: one constant for the whole project."""
SMALLEST_SPREAD = 1e-6
"""Floor of a null's standard deviation, so that z stays a finite number when all draws agree."""


def haar(n: int, rng: np.random.Generator) -> Float[np.ndarray, "n n"]:
    """A rotation (or reflection) drawn uniformly from O(n): QR of a Gaussian with the signs of R's diagonal (Mezzadri 2007)."""
    q, r = np.linalg.qr(rng.standard_normal((n, n)))
    return np.asarray(q * np.sign(np.diagonal(r)))


def rotated_correlation(corr: Float[np.ndarray, "n n"], rng: np.random.Generator) -> Float[np.ndarray, "n n"]:
    """Correlation in a random basis of feature space: QᵀCQ scaled back to a unit diagonal; keeps the spectrum, loses the features."""
    q = haar(len(corr), rng)
    turned = q.T @ corr @ q
    variance = np.maximum(np.diagonal(turned), 1e-300)
    turned = turned / np.sqrt(np.outer(variance, variance))
    turned = np.clip((turned + turned.T) / 2, -1.0, 1.0)
    np.fill_diagonal(turned, 1.0)
    return np.asarray(turned)


def shuffled_correlation(unit: Float[np.ndarray, "n column"], rng: np.random.Generator) -> Float[np.ndarray, "n n"]:
    """Correlation after the columns of every row are permuted on their own; ``unit`` has standardised rows."""
    mixed = rng.permuted(unit, axis=1)
    corr = np.clip((mixed @ mixed.T).astype(np.float64), -1.0, 1.0)
    np.fill_diagonal(corr, 1.0)
    return np.asarray(corr)


def z_and_p(observed: float, draws: Sequence[float]) -> tuple[float, float]:
    """z = (observed − mean) / sd and p = (1 + draws ≥ observed) / (1 + draws), one-sided; the sd has a floor of 1e-6."""
    values = np.asarray(draws, dtype=np.float64)
    spread = max(float(values.std(ddof=1)), SMALLEST_SPREAD)
    z = (observed - float(values.mean())) / spread
    return z, float((1 + np.sum(values >= observed)) / (1 + len(values)))
