"""Quadrature rules on [0, 1]: points of the path from corrupted (t = 0) to clean (t = 1), weights that sum to exactly 1."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from roicg.core.errors import StudyError

Points = tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]]


def quadrature(rule: str, steps: int) -> Points:
    """Points and weights of ``rule`` with ``steps`` points; weights sum to 1 exactly (in floating point).

    ``left`` is k/m for k = 0..m−1 (published EAP-IG: corrupted end in, clean end out), ``right`` is (k+1)/m, ``midpoint``
    (k+½)/m; ``gauss-legendre`` is exact for polynomials up to degree 2m−1.
    """
    if rule not in RULES:
        raise StudyError(f"no quadrature rule {rule!r}; rules are {', '.join(sorted(RULES))}")
    points, weights = RULES[rule](steps)
    weights = weights.copy()
    for attempt in range(4 * steps):
        missing = 1.0 - float(weights.sum())
        if missing == 0.0:
            break
        weights[(steps // 2 + attempt) % steps] += missing
    return points, weights


def _gauss_legendre(steps: int) -> Points:
    points, weights = np.polynomial.legendre.leggauss(steps)
    return (points + 1) / 2, weights / 2


def _shifted(shift: float) -> Callable[[int], Points]:
    return lambda steps: ((np.arange(steps) + shift) / steps, np.full(steps, 1 / steps))


RULES: dict[str, Callable[[int], Points]] = {
    "gauss-legendre": _gauss_legendre,
    "midpoint": _shifted(0.5),
    "left": _shifted(0.0),
    "right": _shifted(1.0),
}
