"""Bootstrap intervals of a ratio of means."""

import numpy as np
from jaxtyping import Float


def bootstrap_ratio(
    numerator: Float[np.ndarray, "draw example"], denominator: Float[np.ndarray, " example"], draws: int, seed: int, level: float = 0.95
) -> tuple[float, float, float]:
    """mean(numerator) / mean(denominator) with its percentile interval; examples are resampled together, rows (repeated runs) too when there are several."""
    rng = np.random.default_rng(seed)
    n_rows, n = numerator.shape
    examples = rng.integers(0, n, size=(draws, n))
    if n_rows == 1:
        tops = numerator[0][examples].mean(1)
    else:
        rows = rng.integers(0, n_rows, size=(draws, n_rows))
        tops = numerator[rows[:, :, None], examples[:, None, :]].mean((1, 2))
    bottoms = denominator[examples].mean(1)
    safe = np.where(bottoms == 0, np.nan, bottoms)
    low, high = np.nanquantile(tops / safe, [(1 - level) / 2, (1 + level) / 2])
    return float(numerator.mean() / denominator.mean()), float(low), float(high)


def within_two_se(values: Float[np.ndarray, " example"]) -> bool:
    """Whether the mean of ``values`` is within 2 standard errors of 0 (all zero counts as within)."""
    if len(values) < 2:
        return bool(values.sum() == 0)
    return bool(abs(values.mean()) <= 2 * values.std(ddof=1) / np.sqrt(len(values)))
