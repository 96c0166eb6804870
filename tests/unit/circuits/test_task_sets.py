"""Sets of tasks with a known division: what is chosen, what its gaps are, and that chance has none."""

import numpy as np
import pytest

from roicg.circuits.task_sets import (
    chosen_by_share,
    drawn_gaps,
    gaps,
    greedy_ablation,
    greedy_keeping,
    matrix,
    pools,
    random_sets,
    shares,
    specificity,
)

OWNER = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, -1, -1, -1])
"""Twelve units: three of each task, three that all need."""
STRENGTH = np.stack([np.where(t == OWNER, 3.0, np.where(OWNER == -1, 2.0, 0.0)) for t in range(3)])


def phi(kept: np.ndarray) -> np.ndarray:
    """A task is whole as far as its own units and the common ones are kept."""
    return np.stack([kept[:, (t == OWNER) | (OWNER == -1)].mean(axis=1) for t in range(3)], axis=1)


def parted(kept: np.ndarray) -> np.ndarray:
    """The same without common needs."""
    return np.stack([kept[:, t == OWNER].mean(axis=1) for t in range(3)], axis=1)


def test_shares_sum_to_one_and_a_task_without_strength_has_none() -> None:
    strength = np.array([[1.0, 3.0], [0.0, 0.0]])
    np.testing.assert_array_equal(shares(strength), [[0.25, 0.75], [0.0, 0.0]])


def test_a_unit_is_specific_to_one_task_at_most() -> None:
    score = specificity(np.random.default_rng(0).random((4, 30)))
    assert ((score > 0).sum(axis=0) == 1).all()


def test_specific_sets_hold_own_units_strongest_sets_common_ones_too() -> None:
    share, units = shares(STRENGTH), np.arange(12)
    specific = chosen_by_share(share, units, "specific", 6)
    np.testing.assert_array_equal(specific, [t == OWNER for t in range(3)])
    strongest = chosen_by_share(share, units, "strongest", 6)
    np.testing.assert_array_equal(strongest, [(t == OWNER) | (OWNER == -1) for t in range(3)])


def test_groups_enter_whole_and_within_the_budget_except_the_first() -> None:
    """Seen to fail where a group that does not fit ends the choice: a smaller one after it may fit."""
    group = np.array([0, 0, 0, 0, 1, 1, 1, 2, 3, 3])
    share = np.array([[0.4, 0.3, 0.2, 0.1], [0.0, 0.0, 0.0, 0.0]])
    small, large = (chosen_by_share(share, group, "strongest", budget)[0] for budget in (2, 6))
    np.testing.assert_array_equal(np.flatnonzero(small), [0, 1, 2, 3])
    np.testing.assert_array_equal(np.flatnonzero(large), [0, 1, 2, 3, 7])
    assert not chosen_by_share(share, group, "strongest", 6)[1].any()


def test_gaps_are_one_for_parted_tasks_and_taken_within_the_column() -> None:
    sets = np.stack([t == OWNER for t in range(3)])
    for direction in ("ablate", "keep"):
        np.testing.assert_allclose(gaps(matrix(parted, sets, direction), direction), 1.0)
    fragile = np.array([[0.1, 0.9, 0.9], [0.1, 0.9, 0.9], [0.1, 0.9, 0.9]])
    np.testing.assert_allclose(gaps(fragile, "ablate"), 0.0, atol=1e-12)


def test_random_sets_hold_as_many_of_every_stratum() -> None:
    stratum = np.array([0] * 5 + [1] * 7)
    like = np.zeros(12, dtype=bool)
    like[[0, 6, 7]] = True
    sets = random_sets(like, stratum, 50, np.random.default_rng(0))
    assert (sets[:, :5].sum(axis=1) == 1).all()
    assert (sets[:, 5:].sum(axis=1) == 2).all()
    assert len({row.tobytes() for row in sets}) > 20


@pytest.mark.parametrize("direction", ["ablate", "keep"])
def test_random_sets_part_nothing(direction: str) -> None:
    sets, rng = np.stack([t == OWNER for t in range(3)]), np.random.default_rng(0)
    null = drawn_gaps(pools(parted, sets, np.zeros(12, dtype=int), direction, 60, rng), direction, 400, rng)
    assert null.shape == (400, 3)
    assert np.abs(null.mean(axis=0)).max() < 0.1
    assert (null < 0.9).mean() > 0.95


def test_greedy_sets_are_the_owners() -> None:
    """Seen to fail with the gap of keeping where that of ablating belongs."""
    share = shares(STRENGTH)
    np.testing.assert_array_equal(greedy_ablation(parted, share), [t == OWNER for t in range(3)])
    kept = greedy_keeping(phi, np.ones((3, 12)) / 12 + share)
    assert gaps(matrix(phi, kept, "keep"), "keep").min() > 0.3


def test_a_task_without_effect_gets_no_greedy_set_and_no_gap() -> None:
    def without(kept: np.ndarray) -> np.ndarray:
        values = parted(kept)
        values[:, 1] = np.nan
        return values

    ablated, kept = greedy_ablation(without, shares(STRENGTH)), greedy_keeping(without, shares(STRENGTH))
    np.testing.assert_array_equal(ablated, [t == OWNER if t != 1 else OWNER == 9 for t in range(3)])
    assert not kept[1].any()
    found = gaps(matrix(without, ablated, "ablate"), "ablate")
    assert np.isnan(found[1])
    np.testing.assert_allclose(found[[0, 2]], 1.0)
