"""Surrogates of a graph that keep what every node has and lose whom it is joined with: the configuration models.

1. *Strengths kept* (graphs that are near-complete between layers). The mask is the set of pairs that may be joined, whatever their
   strength. Under it the expected strengths are w̄_uv = x_u y_v, with x and y such that every node has its out-strength and its
   in-strength: iterative proportional fitting, from 1 on every pair of the mask.
2. A draw permutes the ratios w / w̄ over all pairs, multiplies them into w̄ and fits again, so that every out- and in-strength is
   the observed one (see ``TOLERANCE``) and the spread of the ratios stays. A ratio below ``LEAST_RATIO`` counts as that: zeros that
   were moved could leave a node without any pair to put its strength on.
3. *Degrees kept* (thresholded circuits and plain graphs, where the mask would be the graph itself). Two edges a→b, c→d become
   a→d, c→b if both are allowed and not there yet; the strength goes with the source. ``SWAPS`` tries per edge.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from roicg.core.errors import LawError

TOLERANCE = 1e-9
"""Fitting ends where no strength differs from the asked one by more, over the sum of all."""
LOOSEST = 1e-4
"""What is taken after ``MOST_ROUNDS``: a few edges with weights that span ten orders of magnitude converge slowly."""
MOST_ROUNDS = 5_000
LEAST_RATIO = 1e-3
SWAPS = 10

Ends = Int[np.ndarray, " edge"]
Strengths = Float[np.ndarray, " edge"]


def fitted(source: Ends, target: Ends, start: Strengths, out_strength: Float[np.ndarray, " node"], in_strength: Float[np.ndarray, " node"]) -> Strengths:
    """``start`` × x_source × y_target, with sums over the edges of each source and of each target as asked (Deming and Stephan 1940).

    ``start`` is positive; ``source`` and ``target`` may count different things. ``LawError`` when no fit is found: the sums contradict the mask.
    """
    total = float(out_strength.sum())
    fit = start * (total / start.sum())
    for _ in range(MOST_ROUNDS):
        fit = fit * _ratio(out_strength, np.bincount(source, fit, len(out_strength)))[source]
        sums = np.bincount(target, fit, len(in_strength))
        off = float(np.abs(sums - in_strength).max(initial=0.0)) / total
        if off <= TOLERANCE:
            break
        fit = fit * _ratio(in_strength, sums)[target]
    if off > LOOSEST:
        raise LawError(f"no graph on these {len(start)} edges has the asked strengths (off by {off:.1e} after {MOST_ROUNDS} rounds of fitting)")
    return np.asarray(fit)


def expected_strength(source: Ends, target: Ends, strength: Strengths) -> Strengths:
    """Step 1: what each edge would have if only the strengths of its ends counted."""
    return fitted(source, target, np.ones_like(strength), *_sums(source, target, strength))


def reweighted(source: Ends, target: Ends, strength: Strengths, expected: Strengths, rng: np.random.Generator) -> tuple[Ends, Strengths]:
    """Step 2: (the edge whose ratio each edge got, the drawn strengths)."""
    drawn = rng.permutation(len(strength))
    ratio = np.divide(strength, expected, out=np.zeros_like(strength), where=expected > 0)
    return drawn, fitted(source, target, expected * np.maximum(ratio, LEAST_RATIO)[drawn], *_sums(source, target, strength))


def swapped(source: Ends, target: Ends, rng: np.random.Generator, allowed: Bool[np.ndarray, "node node"] | None = None) -> tuple[Ends, Ends]:
    """Step 3: the drawn ends; every node keeps its out-degree and its in-degree.

    ``allowed[a, b]``: whether a may be joined to b (the layer mask). Without it the graph is plain: edges have no direction,
    and a node keeps its degree only.
    """
    ends = np.stack([source, target], axis=1).tolist()
    there = {_pair(a, b, allowed) for a, b in ends}
    tries = rng.integers(0, max(len(ends), 1), (SWAPS * len(ends), 2)).tolist()
    turns = (rng.random((len(tries), 2)) < 0.5) & (allowed is None)
    for (i, j), (turn_first, turn_second) in zip(tries, turns.tolist(), strict=True):
        a, b = ends[i][::-1] if turn_first else ends[i]
        c, d = ends[j][::-1] if turn_second else ends[j]
        new = {_pair(a, d, allowed), _pair(c, b, allowed)}
        if len({a, b, c, d}) < 4 or new & there or not (allowed is None or (allowed[a, d] and allowed[c, b])):
            continue
        there -= {_pair(a, b, allowed), _pair(c, d, allowed)}
        there |= new
        ends[i], ends[j] = [a, d], [c, b]
    drawn = np.array(ends, dtype=np.int64).reshape(-1, 2)
    return drawn[:, 0], drawn[:, 1]


def _pair(a: int, b: int, allowed: Bool[np.ndarray, "node node"] | None) -> tuple[int, int]:
    """The edge as a key: without direction in a plain graph."""
    return (a, b) if allowed is not None or a < b else (b, a)


def _sums(source: Ends, target: Ends, strength: Strengths) -> tuple[Float[np.ndarray, " node"], Float[np.ndarray, " node"]]:
    return np.bincount(source, strength), np.bincount(target, strength)


def _ratio(asked: Float[np.ndarray, " node"], have: Float[np.ndarray, " node"]) -> Float[np.ndarray, " node"]:
    """asked / have, 1 where there is nothing to scale."""
    return np.asarray(np.divide(asked, have, out=np.ones_like(asked), where=have > 0))
