import numpy as np
import pytest

from roicg.core.errors import StudyError
from roicg.numerics.quadrature import RULES, quadrature


@pytest.mark.parametrize("rule", sorted(RULES))
@pytest.mark.parametrize("steps", [1, 2, 3, 5, 7, 10, 20, 33, 40])
def test_weights_sum_to_one_exactly(rule: str, steps: int) -> None:
    points, weights = quadrature(rule, steps)
    assert weights.sum() == 1.0
    assert ((points >= 0) & (points <= 1)).all()


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 8])
def test_gauss_legendre_is_exact_up_to_degree_2m_minus_1(steps: int) -> None:
    points, weights = quadrature("gauss-legendre", steps)
    for degree in range(2 * steps):
        assert weights @ points**degree == pytest.approx(1 / (degree + 1), rel=1e-12)


@pytest.mark.parametrize(("rule", "order"), [("left", 1), ("right", 1), ("midpoint", 2)])
def test_error_falls_with_the_order_of_the_rule(rule: str, order: int) -> None:
    def error(steps: int) -> float:
        points, weights = quadrature(rule, steps)
        return float(abs(weights @ np.exp(points) - (np.e - 1)))

    assert error(20) / error(40) == pytest.approx(2**order, rel=0.05)


def test_an_unknown_rule_is_named_with_the_known_ones() -> None:
    with pytest.raises(StudyError, match=r"simpson.*gauss-legendre"):
        quadrature("simpson", 3)
