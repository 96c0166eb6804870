import numpy as np
import pytest

from roicg.numerics.nulls import haar, rotated_correlation, shuffled_correlation, z_and_p
from roicg.numerics.similarity import correlation, standardise


def test_haar_is_orthogonal_with_fair_signs() -> None:
    rng = np.random.default_rng(0)
    q = haar(30, rng)
    np.testing.assert_allclose(q.T @ q, np.eye(30), atol=1e-12)
    first = [haar(3, rng)[0, 0] for _ in range(300)]
    assert abs(np.mean(first)) < 0.12  # without the sign correction the mean is about -.5


def test_rotation_in_two_dimensions_keeps_a_unit_diagonal_and_the_determinant_sign() -> None:
    corr = np.array([[1.0, 0.8], [0.8, 1.0]])
    turned = rotated_correlation(corr, np.random.default_rng(1))
    np.testing.assert_allclose(np.diag(turned), 1.0)
    assert np.linalg.eigvalsh(turned).min() > 0


def test_rotation_of_uncorrelated_features_changes_nothing() -> None:
    np.testing.assert_allclose(rotated_correlation(np.eye(8), np.random.default_rng(0)), np.eye(8), atol=1e-12)


def test_shuffling_removes_correlation_and_keeps_each_row() -> None:
    x = np.random.default_rng(0).standard_normal((1, 4000)) + 0.1 * np.random.default_rng(1).standard_normal((20, 4000))
    assert np.abs(correlation(x)[0, 1:]).min() > 0.9
    shuffled = shuffled_correlation(standardise(x), np.random.default_rng(2))
    assert np.abs(shuffled - np.eye(20)).max() < 0.1


def test_z_and_p_by_hand() -> None:
    z, p = z_and_p(3.0, [0.0, 1.0, 2.0])
    assert z == pytest.approx(2.0)
    assert p == pytest.approx(0.25)
    assert z_and_p(1.0, [0.0, 1.0, 2.0])[1] == pytest.approx(0.75)


def test_z_is_finite_when_all_draws_agree() -> None:
    assert z_and_p(0.5, [0.5, 0.5]) == (0.0, 1.0)
    assert np.isfinite(z_and_p(1.0, [0.0, 0.0])[0])
