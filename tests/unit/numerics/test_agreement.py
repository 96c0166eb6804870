import math

import numpy as np
import pytest

from roicg.numerics.agreement import adjusted_rand, jaccard, jaccard_table, normalised_mutual_information, variation_of_information

A = np.array([0, 0, 0, 1, 1, 1])
RENAMED = np.array([7, 7, 7, 2, 2, 2])
CROSSED = np.array([0, 1, 0, 1, 0, 1])


def test_renaming_groups_is_full_agreement() -> None:
    assert adjusted_rand(A, RENAMED) == 1.0
    assert normalised_mutual_information(A, RENAMED) == pytest.approx(1.0)
    assert variation_of_information(A, RENAMED) == pytest.approx(0.0, abs=1e-12)


def test_variation_of_information_by_hand() -> None:
    assert variation_of_information(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])) == pytest.approx(2 * math.log(2))
    assert variation_of_information(np.zeros(8, dtype=int), np.arange(8)) == pytest.approx(math.log(8))
    assert variation_of_information(np.array([], dtype=int), np.array([], dtype=int)) == 0.0


def test_variation_of_information_is_a_metric() -> None:
    rng = np.random.default_rng(0)
    a, b, c = (rng.integers(0, 4, 50) for _ in range(3))
    assert variation_of_information(a, b) == pytest.approx(variation_of_information(b, a))
    assert variation_of_information(a, c) <= variation_of_information(a, b) + variation_of_information(b, c) + 1e-12


def test_labels_of_different_items_are_refused() -> None:
    with pytest.raises(ValueError, match="same items"):
        variation_of_information(A, A[:3])


def test_unrelated_groups_agree_little() -> None:
    assert adjusted_rand(A, CROSSED) < 0.1
    assert normalised_mutual_information(A, CROSSED) < 0.1


def test_jaccard_by_hand() -> None:
    assert jaccard({1, 2, 3}, {2, 3, 4}) == 0.5
    assert jaccard(set(), set()) == 1.0
    assert jaccard({1}, set()) == 0.0


def test_jaccard_of_every_pair_of_groups_by_hand() -> None:
    """{0,1,2} and {3,4} against {0,1,2,3} and {4}."""
    assert jaccard_table(np.array([5, 5, 5, 1, 1]), np.array([0, 0, 0, 0, 9])).tolist() == [[1 / 5, 1 / 2], [3 / 4, 0.0]]


@pytest.mark.parametrize("seed", range(30))
def test_indices_are_scikit_learns_to_the_bit(seed: int) -> None:
    """Random, equal, single and all-single groups of names that are no counts from 0.

    Seen to fail with fp and fn exchanged in one term, and with the information added up in another order.
    """
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    kinds = [rng.integers(-3, rng.integers(1, 9), n) * 7, np.zeros(n, dtype=int), np.arange(n), rng.integers(0, 2, n)]
    for first in kinds:
        for second in kinds:
            assert adjusted_rand(first, second) == adjusted_rand_score(first, second)
            assert normalised_mutual_information(first, second) == normalized_mutual_info_score(first, second)
