import numpy as np
import pytest

from roicg.numerics.resampling import bootstrap_ratio, within_two_se


def test_the_interval_covers_the_true_ratio() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for seed in range(100):
        bottom = rng.normal(2.0, 1.0, 80)
        top = 0.5 * bottom + rng.normal(0, 0.5, 80)
        ratio, low, high = bootstrap_ratio(top[None], bottom, 200, seed)
        assert low <= ratio <= high
        hits += low <= 0.5 <= high
    assert 85 <= hits <= 100


def test_rows_are_resampled_too() -> None:
    bottom = np.ones(10)
    _, low, high = bootstrap_ratio(np.array([np.zeros(10), np.ones(10)]), bottom, 200, 0)
    assert (low, high) == (0.0, 1.0)


@pytest.mark.parametrize(("values", "within"), [([0.0, 0.0], True), ([1.0, -1.0, 0.1], True), ([1.0, 1.1, 0.9], False), ([1.0], False)])
def test_within_two_standard_errors_of_zero(values: list[float], within: bool) -> None:
    assert within_two_se(np.array(values)) is within
