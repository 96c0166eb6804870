"""p-values: never 0, as rare as they say, and Holm's steps by hand."""

from itertools import product

import numpy as np
import pytest

from roicg.numerics.permutation import at_least, draws_needed, exceedance, holm


def test_exceedance_counts_ties_and_the_observed_itself() -> None:
    null = np.array([0.0, 1.0, 2.0, 3.0])
    assert exceedance(3.0, null) == 2 / 5
    assert exceedance(4.0, null) == 1 / 5
    assert exceedance(-1.0, null) == 1.0


def test_under_the_null_p_is_uniform() -> None:
    """Seen to fail without the observed value among the draws: p of 0 comes up."""
    rng = np.random.default_rng(0)
    p = np.array([exceedance(rng.standard_normal(), rng.standard_normal(99)) for _ in range(4000)])
    for level in (0.05, 0.2, 0.5):
        assert abs((p <= level).mean() - level) < 0.02
    assert p.min() >= 0.01


def test_holm_by_hand() -> None:
    np.testing.assert_allclose(holm([0.04, 0.01, 0.03]), [0.06, 0.03, 0.06])
    np.testing.assert_allclose(holm([0.5, 0.9]), [1.0, 1.0])
    assert holm([]) == ()


def test_draws_grow_with_the_table() -> None:
    assert (draws_needed(3), draws_needed(50)) == (999, 2000)


@pytest.mark.parametrize("chances", [(), (0.3,), (0.2, 0.7, 0.5), (1.0, 0.0, 0.4, 0.4)])
def test_at_least_is_the_sum_over_all_outcomes(chances: tuple[float, ...]) -> None:
    """Every outcome written out; seen to fail with more than ``hits`` for at least as many."""
    for hits in range(len(chances) + 1):
        literal = sum(
            float(np.prod([chance if came else 1 - chance for came, chance in zip(outcome, chances, strict=True)]))
            for outcome in product((False, True), repeat=len(chances))
            if sum(outcome) >= hits
        )
        assert at_least(hits, chances) == pytest.approx(literal)
