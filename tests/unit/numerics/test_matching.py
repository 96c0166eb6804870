"""Laws of matching by signature: a copy is found again, random graphs are not, what all ROIs share is no agreement."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roicg.core.errors import LawError
from roicg.numerics.matching import MatchVerdict, agreement, cosines, in_order, judged, matched, signature_similarity

SIZES = (4, 4, 8, 6)
HALF = np.arange(12) % 2 == 0


def rois(seed: int, sizes: tuple[int, ...] = SIZES) -> tuple[np.ndarray, np.ndarray]:
    """(random signatures of very different lengths, their groups)."""
    rng = np.random.default_rng(seed)
    n = sum(sizes)
    return rng.standard_normal((n, 12)) * np.exp(rng.standard_normal((n, 1))), np.repeat(np.arange(len(sizes)), sizes)


def shuffled(group: np.ndarray, seed: int) -> np.ndarray:
    """An order that keeps every ROI in its group."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.permutation(np.flatnonzero(group == g)) for g in np.unique(group)])


def verdict(a: np.ndarray, b: np.ndarray, group_a: np.ndarray, group_b: np.ndarray, draws: int = 99) -> MatchVerdict:
    return judged(a, b, group_a, group_b, HALF, draws, 0)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_similarity_is_one_for_equal_rows_only(seed: int) -> None:
    """1 − |a − b|² / (|a|² + |b|²), written out; seen to fail with the cosine, which does not see lengths."""
    rows = rois(seed)[0][:5]
    found = signature_similarity(rows, rows)
    literal = [[1 - np.sum((a - b) ** 2) / (np.sum(a**2) + np.sum(b**2)) for b in rows] for a in rows]
    np.testing.assert_allclose(found, literal, atol=1e-12)
    np.testing.assert_allclose(signature_similarity(rows, -rows).diagonal(), -1.0)
    assert signature_similarity(rows, 2 * rows).diagonal() == pytest.approx(0.8)
    assert signature_similarity(np.zeros((1, 3)), np.zeros((1, 3))) == 0.0


def test_matches_are_the_best_of_all_pairings_within_groups() -> None:
    """Every pairing tried; seen to fail with groups put together."""
    (a, group_a), (b, group_b) = rois(1, (3, 4)), rois(2, (4, 3))
    pairs = matched(a, b, group_a, group_b)
    assert all(group_a[i] == group_b[j] for i, j in pairs)
    assert len(pairs) == 6
    similarity = signature_similarity(a, b)
    for g in (0, 1):
        here, there = np.flatnonzero(group_a == g), np.flatnonzero(group_b == g)
        block = similarity[np.ix_(here, there)]
        block = block if block.shape[0] <= block.shape[1] else block.T
        best = max(sum(block[i, j] for i, j in enumerate(order)) for order in permutations(range(block.shape[1]), block.shape[0]))
        assert sum(similarity[i, j] for i, j in pairs if group_a[i] == g) == pytest.approx(best)


def test_a_permuted_copy_is_found_again_while_matching_by_index_is_at_chance() -> None:
    """Seen to fail with the ROIs of each graph permuted in place of dealt out to both (p is 1 then)."""
    a, group = rois(3)
    order = shuffled(group, 0)
    assert sorted(matched(a, a[order], group, group)) == sorted((int(i), j) for j, i in enumerate(order))
    v = verdict(a, a[order], group, group)
    assert v.similarity == pytest.approx(1.0)
    assert v.p == v.twins_p == v.held_out_p == pytest.approx(0.01)
    assert (v.pairs, v.twins) == (22, 22)
    assert v.twins_dealt < 16
    assert v.held_out == pytest.approx(1.0)
    assert v.index_p > 0.05
    assert abs(v.index - v.chance) < 0.25


def test_a_noisy_copy_still_agrees() -> None:
    a, group = rois(4)
    rng = np.random.default_rng(0)
    v = verdict(a, a[shuffled(group, 1)] + 0.3 * np.abs(a).mean() * rng.standard_normal(a.shape), group, group)
    assert v.similarity < 0.99
    assert v.p <= 0.02


def test_random_graphs_do_not_agree_and_p_is_uniform() -> None:
    """Also of different sizes; seen to fail with the ROIs of each graph permuted, and with the half that decides judging too."""
    found = [verdict(*_mixed(rois(2 * seed), rois(2 * seed + 1, (4, 5, 6, 6))), draws=39) for seed in range(40)]
    for ps in ([v.p for v in found], [v.twins_p for v in found], [v.index_p for v in found], [v.held_out_p for v in found]):
        assert 0.35 < np.mean(ps) < 0.7
        assert sum(p <= 0.05 for p in ps) <= 6


def test_what_all_rois_share_is_no_agreement_though_it_beats_random_pairing() -> None:
    """Two unrelated models of large and small ROIs whose entries all grow with their size: halves predict each other, twins there are none."""
    ps = []
    for seed in range(20):
        sides = []
        for side in (0, 1):
            rng = np.random.default_rng(100 * seed + side)
            size = np.exp(rng.standard_normal((sum(SIZES), 1)))
            sides.append((size * (1 + 0.3 * rng.standard_normal((sum(SIZES), 12))), np.repeat(np.arange(len(SIZES)), SIZES)))
        v = verdict(*_mixed(*sides), draws=39)
        ps.append((v.p, v.held_out_p))
    p, held_out = np.array(ps).T
    assert np.mean(held_out <= 0.05) > 0.9
    assert np.mean(p <= 0.05) < 0.2


def test_one_half_alone_is_not_held_out() -> None:
    a, group = rois(5)
    v = judged(a, a, group, group, np.ones(12, dtype=bool), 9, 0)
    assert (v.held_out, v.held_out_chance, v.held_out_p) == (None, None, None)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_twins_are_each_others_nearest_among_all(seed: int) -> None:
    """Written out; seen to fail with one direction only, and without the ROIs of the own graph."""
    (a, group_a), (b, group_b) = rois(seed, (4, 3)), rois(seed + 1, (3, 5))
    count = 0
    for g in (0, 1):
        both = np.concatenate([a[group_a == g], b[group_b == g]])
        similarity = signature_similarity(both, both)
        np.fill_diagonal(similarity, -9.0)
        nearest, n = similarity.argmax(axis=1), (group_a == g).sum()
        count += sum(bool(nearest[i] >= n and nearest[nearest[i]] == i) for i in range(n))
    assert judged(a, b, group_a, group_b, HALF, 2, 0).twins == count


def test_ties_are_no_twins_and_nothing_in_common_is_refused() -> None:
    """Two equal ROIs in one graph: neither is nearer to its copy than to the other."""
    a = np.repeat(np.eye(3, 12), 2, axis=0)
    group = np.zeros(6, dtype=int)
    assert verdict(a, a, group, group).twins == 0
    with pytest.raises(LawError, match="no group of ROIs in common"):
        verdict(a, a, group, group + 1)


def test_a_seed_repeats() -> None:
    (a, group_a), (b, group_b) = rois(6), rois(7)
    assert verdict(a, b, group_a, group_b) == verdict(a, b, group_a, group_b)


def _mixed(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    return one[0], other[0], one[1], other[1]


def test_pairs_are_judged_by_what_did_not_pair_them() -> None:
    """Planted: the partner of every ROI has its function. Right pairs are far above chance, in-order ones of a shuffled copy are not;
    seen to fail with a chance that pairs across groups."""
    function, group = rois(3)
    order = shuffled(group, 4)
    alike = cosines(function, 3 * function[order])
    right = [(int(i), j) for j, i in enumerate(order)]
    found = agreement(right, alike, group, group, 199, 0)
    assert (found.mean, found.p) == (pytest.approx(1.0), 1 / 200)
    literal = np.mean([np.mean([alike[i, j] for j in np.flatnonzero(group == group[i])]) for i in range(len(group))])
    assert found.chance == pytest.approx(literal)
    control = agreement(in_order(group, group), alike, group, group, 199, 0)
    assert control.p > 0.05
    with pytest.raises(LawError, match="no pairs"):
        agreement([], alike, group, group, 9, 0)


def test_pairs_in_order_stay_within_groups() -> None:
    """Seen to fail with groups put together."""
    assert in_order(np.array([0, 0, 0, 1, 1]), np.array([1, 1, 0, 0])) == [(0, 2), (1, 3), (3, 0), (4, 1)]


def test_cosines_see_direction_only() -> None:
    """Seen to fail with the similarity of signatures, which sees lengths."""
    rows = rois(5)[0][:4]
    found = cosines(rows, 2 * rows)
    np.testing.assert_allclose(found.diagonal(), 1.0)
    assert found[0, 1] == pytest.approx(rows[0] @ rows[1] / np.linalg.norm(rows[0]) / np.linalg.norm(rows[1]))
    assert cosines(np.zeros((1, 3)), np.ones((1, 3))) == 0.0
