"""Units made of some of another's: the rest is always kept."""

import numpy as np
from jaxtyping import Bool, Float

from roicg.findings.task_units import Unit, among

STRENGTH = np.array([[0.5, 0.3, 0.1, 0.1], [0.1, 0.1, 0.2, 0.6]])


def phi(kept: Bool[np.ndarray, "set edge"]) -> Float[np.ndarray, "set task"]:
    """A linear model: φ of a task is the share of what is kept."""
    return kept @ STRENGTH.T


UNIT = Unit("edges", STRENGTH, np.arange(4), np.array([0, 0, 1, 1]), (0.5,), phi, phi, greedy=True)


def test_what_is_not_among_some_is_always_kept() -> None:
    """Seen to fail with ``np.zeros`` for ``np.ones`` (the others then are never kept)."""
    some = among(UNIT, "some", np.array([1, 3]))
    found = some.tell(np.array([[False, False], [True, False], [True, True]]))
    np.testing.assert_allclose(found, [[0.6, 0.3], [0.9, 0.4], [1.0, 1.0]])
    np.testing.assert_allclose(some.choose(np.array([[False, True]])), [[0.7, 0.9]])


def test_shares_among_some_are_of_these_alone() -> None:
    """Seen to fail with ``unit.share[:, some]`` as it is."""
    some = among(UNIT, "some", np.array([1, 3]))
    np.testing.assert_allclose(some.share, [[0.75, 0.25], [1 / 7, 6 / 7]])
    assert some.group.tolist() == [0, 1]
    assert some.stratum.tolist() == [0, 1]
    assert (some.name, some.greedy, some.budgets) == ("some", True, (0.5,))
