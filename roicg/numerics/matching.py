"""Which ROI of one graph is which of another, where they have no feature in common: matching by signature.

1. Rows are signatures: an ROI's profile toward kinds of others that both graphs have. Similarity of two rows a and b is
   1 − |a − b|² / (|a|² + |b|²) = 2 ⟨a, b⟩ / (|a|² + |b|²): 1 only for equal rows, 0 for unrelated ones, −1 for opposite ones.
2. ROIs are matched within groups (sites), one to one, so that the sum of similarities is largest (Hungarian).
3. A match always finds something alike, so it is held against ROIs *exchanged between the graphs*: the ROIs of a group are put
   together and dealt out anew, as many to each graph as before, and matched again. If every ROI has its twin in the other
   graph, dealing separates twins, and what is left is less alike. Whatever both graphs share as a kind (flow in = flow out, many
   small ROIs and few large ones) stays in every draw and makes no match significant.
4. Twins: two ROIs of different graphs, each the other's nearest among all ROIs of the group in both graphs.
5. A weaker question: is the match better than a random pairing within groups? ROIs are matched by one half of the entries (tasks)
   and compared on the other half, both ways, among pairings at random. ROIs of one kind pass it, twins or not.
6. Matching by index (the i-th of a group with the i-th) is the control that must be at chance: its mean similarity among those of
   random pairings within groups.
7. Whatever pairs were matched by, something else may judge them (:func:`agreement`): how alike the two of a pair are in it, beside
   random pairings within groups.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from roicg.core.errors import LawError

ROUNDING = 1e-9
"""Similarities are compared after it: sums in another order differ in the last digits, and p counts ties."""

Rows = Float[np.ndarray, "roi entry"]
Pairs = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class MatchVerdict:
    """How much two graphs agree; every mean is over the ``pairs`` that were matched.

    ``similarity`` with ``dealt`` (its mean when ROIs are exchanged between the graphs) and ``p``; ``twins`` of at most ``pairs``
    with ``twins_dealt`` and ``twins_p``; ``index`` (matched by index) with ``chance`` (random pairings) and ``index_p``;
    ``held_out`` (on the half that did not decide) with ``held_out_chance`` and ``held_out_p``, None where there is one half only.
    All p are one-sided, (1 + draws ≥ observed) / (1 + draws).
    """

    pairs: int
    similarity: float
    dealt: float
    p: float
    twins: int
    twins_dealt: float
    twins_p: float
    index: float
    chance: float
    index_p: float
    held_out: float | None
    held_out_chance: float | None
    held_out_p: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """How alike the two ROIs of a pair are in what did not pair them: ``mean`` over pairs, ``chance`` and one-sided ``p`` among random pairings."""

    mean: float
    chance: float
    p: float


def signature_similarity(a: Rows, b: Rows) -> Float[np.ndarray, "one other"]:
    """Step 1 for every pair of rows; 0 where both are 0."""
    squares = np.sum(a**2, axis=1)[:, None] + np.sum(b**2, axis=1)[None, :]
    return np.asarray(np.divide(2 * a @ b.T, squares, out=np.zeros_like(squares), where=squares > 0))


def assigned(similarity: Float[np.ndarray, "one other"]) -> Pairs:
    """Step 2 for one group: pairs (row, column) of the largest sum, as many as the smaller side has."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(similarity, maximize=True)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True)]


def matched(a: Rows, b: Rows, group_a: Int[np.ndarray, " one"], group_b: Int[np.ndarray, " other"]) -> Pairs:
    """Step 2 in all groups; indices into ``a`` and ``b``."""
    pairs: Pairs = []
    for here, there in _members(group_a, group_b):
        pairs += [(int(here[i]), int(there[j])) for i, j in assigned(signature_similarity(a[here], b[there]))]
    return pairs


def judged(
    a: Rows, b: Rows, group_a: Int[np.ndarray, " one"], group_b: Int[np.ndarray, " other"], half: Bool[np.ndarray, " entry"], draws: int, seed: int
) -> MatchVerdict:
    """Steps 2 to 6; ``half`` divides the entries for step 5; ``LawError`` where no group has ROIs in both graphs."""
    groups = [(_pool(a[here], b[there]), len(here)) for here, there in _members(group_a, group_b)]
    if not groups:
        raise LawError("the graphs have no group of ROIs in common; nothing can be matched")
    rng = np.random.default_rng(seed)
    stay = [np.arange(len(pool)) for pool, _ in groups]
    similarity, twins = _matched_in(groups, stay)
    drawn = [_matched_in(groups, [rng.permutation(len(pool)) for pool, _ in groups]) for _ in range(draws)]
    cross = [pool[:n, n:] for pool, n in groups]
    pairs = sum(min(block.shape) for block in cross)
    index = sum(float(np.trace(block)) for block in cross) / pairs
    shuffled = [sum(_random_pairing(block, rng) for block in cross) / pairs for _ in range(draws)]
    held_out = _held_out([(a[here], b[there]) for here, there in _members(group_a, group_b)], half, draws, rng)
    dealt, twins_dealt = [one for one, _ in drawn], [float(count) for _, count in drawn]
    return MatchVerdict(
        pairs,
        similarity,
        float(np.mean(dealt)),
        _p(similarity, dealt),
        twins,
        float(np.mean(twins_dealt)),
        _p(twins, twins_dealt),
        index,
        sum(float(block.mean()) * min(block.shape) for block in cross) / pairs,
        _p(index, shuffled),
        *held_out,
    )


def agreement(
    pairs: Pairs, alike: Float[np.ndarray, "one other"], group_a: Int[np.ndarray, " one"], group_b: Int[np.ndarray, " other"], draws: int, seed: int
) -> Agreement:
    """Step 7; ``pairs`` are as many in every group as its smaller side has. ``LawError`` without pairs."""
    if not pairs:
        raise LawError("there are no pairs to be judged; the graphs have no group of ROIs in common")
    rng = np.random.default_rng(seed)
    blocks = [alike[np.ix_(here, there)] for here, there in _members(group_a, group_b)]
    drawn = [sum(_random_pairing(block, rng) for block in blocks) / len(pairs) for _ in range(draws)]
    mean = sum(float(alike[i, j]) for i, j in pairs) / len(pairs)
    return Agreement(mean, sum(float(block.mean()) * min(block.shape) for block in blocks) / len(pairs), _p(mean, drawn))


def in_order(group_a: Int[np.ndarray, " one"], group_b: Int[np.ndarray, " other"]) -> Pairs:
    """Matching by index: within each group the i-th with the i-th."""
    return [(int(i), int(j)) for here, there in _members(group_a, group_b) for i, j in zip(here, there, strict=False)]


def cosines(a: Rows, b: Rows) -> Float[np.ndarray, "one other"]:
    """Cosine of every row of ``a`` with every row of ``b``: alike in direction, whatever the length; 0 where one is 0."""
    lengths = np.linalg.norm(a, axis=1)[:, None] * np.linalg.norm(b, axis=1)[None, :]
    return np.asarray(np.divide(a @ b.T, lengths, out=np.zeros_like(lengths), where=lengths > 0))


def _held_out(
    groups: Sequence[tuple[Rows, Rows]], half: Bool[np.ndarray, " entry"], draws: int, rng: np.random.Generator
) -> tuple[float, float, float] | tuple[None, None, None]:
    """Step 5: (mean similarity on the half that did not decide, that of random pairings, p)."""
    if half.all() or not half.any():
        return None, None, None
    observed, pairs, judges = 0.0, 0, []
    for a, b in groups:
        for decides in (half, ~half):
            judge = signature_similarity(a[:, ~decides], b[:, ~decides])
            found = assigned(signature_similarity(a[:, decides], b[:, decides]))
            observed += sum(float(judge[i, j]) for i, j in found)
            pairs += len(found)
            judges.append(judge)
    drawn = [sum(_random_pairing(judge, rng) for judge in judges) / pairs for _ in range(draws)]
    return observed / pairs, float(np.mean(drawn)), _p(observed / pairs, drawn)


def _members(group_a: Int[np.ndarray, " one"], group_b: Int[np.ndarray, " other"]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Indices of every group that both graphs have."""
    return [(np.flatnonzero(group_a == group), np.flatnonzero(group_b == group)) for group in np.intersect1d(group_a, group_b)]


def _pool(a: Rows, b: Rows) -> Float[np.ndarray, "both both"]:
    """Similarities of the ROIs of one group in both graphs, those of the first one first."""
    both = np.concatenate([a, b])
    return signature_similarity(both, both)


def _matched_in(groups: Sequence[tuple[np.ndarray, int]], orders: Sequence[np.ndarray]) -> tuple[float, int]:
    """(mean similarity of matched pairs, twins) when the first so many of every order belong to the one graph."""
    total, pairs, twins = 0.0, 0, 0
    for (pool, n), order in zip(groups, orders, strict=True):
        block = pool[np.ix_(order[:n], order[n:])]
        found = assigned(block)
        total += sum(float(block[i, j]) for i, j in found)
        pairs += len(found)
        twins += _twins(pool[np.ix_(order, order)], n)
    return total / pairs, twins


def _twins(pool: Float[np.ndarray, "both both"], n: int) -> int:
    """Step 4: pairs of different graphs that are each other's nearest; a tie with one of the own graph is none."""
    others = np.round(pool, 9)
    np.fill_diagonal(others, -np.inf)
    best_of_own = np.concatenate([others[:n, :n].max(axis=1, initial=-np.inf), others[n:, n:].max(axis=1, initial=-np.inf)])
    cross = others[:n, n:]
    nearest = (cross >= cross.max(axis=1, keepdims=True)) & (cross >= cross.max(axis=0, keepdims=True))
    nearer = (cross > best_of_own[:n, None]) & (cross > best_of_own[None, n:])
    return int(min((nearest & nearer).any(axis=1).sum(), (nearest & nearer).any(axis=0).sum()))


def _random_pairing(block: Float[np.ndarray, "one other"], rng: np.random.Generator) -> float:
    """Sum of similarities of a random pairing of one group."""
    n = min(block.shape)
    return float(block[rng.permutation(block.shape[0])[:n], rng.permutation(block.shape[1])[:n]].sum())


def _p(observed: float, drawn: Sequence[float]) -> float:
    return (1 + sum(one >= observed - ROUNDING for one in drawn)) / (1 + len(drawn))
