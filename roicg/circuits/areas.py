"""Areas under φ(n), named apart: ours from zero edges, and the two of the Mechanistic Interpretability Benchmark (MIB)."""

from collections.abc import Sequence

import numpy as np

MIB = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""The fractions of all edges at which MIB measures (Mueller et al. 2025, arXiv:2504.13151, circuit localization track)."""


def circuit_sizes(total: int, fractions: Sequence[float]) -> tuple[int, ...]:
    """Rising, distinct numbers of edges for ``fractions`` of ``total``, at least one edge each."""
    return tuple(sorted({edges_of(total, fraction) for fraction in fractions}))


def edges_of(total: int, fraction: float) -> int:
    """How many of ``total`` edges a fraction is: rounded, at least one."""
    return min(total, max(1, round(fraction * total)))


def area_under(sizes: Sequence[int], phi: Sequence[float], total: int) -> float:
    """Trapezoid of φ over n/total from (0, 0) to the largest size, which should be ``total``."""
    return float(np.trapezoid([0.0, *phi], [0.0, *(n / total for n in sizes)]))


def mib_areas(sizes: Sequence[int], phi: Sequence[float], total: int) -> tuple[float | None, float | None]:
    """``cpr`` = ∫φ and ``cmd`` = ∫|1 − φ| by trapezoid over MIB's ten fractions, from the first of them; None where one of their sizes was not measured."""
    measured = dict(zip(sizes, phi, strict=True))
    wanted = [edges_of(total, fraction) for fraction in MIB]
    if not all(n in measured for n in wanted):
        return None, None
    values = np.array([measured[n] for n in wanted])
    return float(np.trapezoid(values, MIB)), float(np.trapezoid(np.abs(1 - values), MIB))
