"""Landmarks: a random set that moves with the rows, and profiles whose products are the second-order similarity."""

import numpy as np
import pytest

from roicg.numerics import landmarks
from roicg.numerics.landmarks import content_order, landmark_profiles, nearest_groups
from roicg.numerics.similarity import correlation, rowabs


def rows(n: int = 60, columns: int = 50, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, columns))


def test_the_order_moves_with_the_rows_and_changes_with_the_seed() -> None:
    """Seen to fail with an order drawn of indices."""
    x, order = rows(), np.random.default_rng(1).permutation(60)
    assert np.array_equal(x[content_order(x, 3)], x[order][content_order(x[order], 3)])
    assert np.array_equal(np.sort(content_order(x, 3)), np.arange(60))
    assert not np.array_equal(content_order(x, 3), content_order(x, 4))


def test_the_first_of_the_order_are_a_fair_draw() -> None:
    """Of 60 rows each is among the first 20 in about a third of seeds."""
    x = rows()
    often = np.bincount(np.concatenate([content_order(x, seed)[:20] for seed in range(300)]), minlength=60)
    assert np.abs(often / 300 - 1 / 3).max() < 0.12


def test_equal_rows_keep_their_order() -> None:
    assert content_order(np.ones((5, 3)), 0).tolist() == [0, 1, 2, 3, 4]


def test_with_every_row_a_landmark_products_of_profiles_are_rowabs(monkeypatch: pytest.MonkeyPatch) -> None:
    """In blocks that do not divide the rows. Seen to fail without the landmark's own entry set to 0."""
    monkeypatch.setattr(landmarks, "BLOCK", 7)
    x = rows()
    chosen = content_order(x, 0)
    profiles = landmark_profiles(x, chosen)
    np.testing.assert_allclose(profiles @ profiles.T, rowabs(correlation(x)), atol=1e-5)


def test_a_row_joins_the_group_it_is_most_similar_to_on_average(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a literal loop. Seen to fail with the nearest single landmark in place of the group's mean."""
    monkeypatch.setattr(landmarks, "BLOCK", 7)
    x = rows(columns=30)
    chosen = content_order(x, 0)[:20]
    labels = np.random.default_rng(2).choice([3, 8, 11], 20)
    profiles = landmark_profiles(x, chosen).astype(np.float64)
    found = nearest_groups(profiles, chosen, labels)
    for row in range(60):
        if row in chosen:
            assert found[row] == labels[chosen.tolist().index(row)]
        else:
            means = {label: np.mean([profiles[row] @ profiles[c] for c in chosen[labels == label]]) for label in (3, 8, 11)}
            assert found[row] == max(means, key=means.__getitem__)
