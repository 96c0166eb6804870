"""Ways of choosing circuits of growing size: each gives a ladder, one kept set of edges per rung.

=============  ===============================================================================================
``weight``     the n strongest edges of the task
``connected``  grown from inputs to logits along strong edges, so that none of the n edges dangles
``greedy``     what survives backward elimination (greedy.py): measured, not attributed, and dear
``nodes``      all edges between the k ROIs of greatest |Σ_out weight|: node ablation, in edges so that it can be compared
``magnitude``  the n edges of greatest weight magnitude: no data
``random``     n edges drawn at random, several draws
others         the n strongest edges by another attribution of the same edges (``clean`` = EAP, ``inputs`` = EAP-IG, ``exact``)
=============  ===============================================================================================
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from roicg.core.graph import ComputationalGraph


@dataclass(frozen=True, slots=True)
class Ladder:
    """One selection: ``keep`` [draw, size, edge] with ``sizes`` edges kept at each rung."""

    selection: str
    sizes: tuple[int, ...]
    keep: Bool[np.ndarray, "draw size edge"]


def by_rank(selection: str, rank: Int[np.ndarray, " edge"], sizes: tuple[int, ...]) -> Ladder:
    """The edges of rank ≤ n, for each n of ``sizes``; rank 1 = first."""
    return Ladder(selection, sizes, rank[None, None] <= np.array(sizes)[None, :, None])


def by_score(selection: str, score: Float[np.ndarray, " edge"], sizes: tuple[int, ...]) -> Ladder:
    """The n edges of greatest ``score``; ties in the order of the table."""
    return by_rank(selection, _rank(np.argsort(-score, kind="stable")), sizes)


def at_random(total: int, sizes: tuple[int, ...], draws: int, seed: int) -> Ladder:
    """n edges at random, ``draws`` times; a draw's larger circuits hold its smaller ones."""
    ranks = np.stack([np.random.default_rng([seed, draw]).permutation(total) + 1 for draw in range(draws)])
    return Ladder("random", sizes, ranks[:, None] <= np.array(sizes)[None, :, None])


def by_nodes(graph: ComputationalGraph, task: str, sizes: Sequence[int]) -> Ladder:
    """Node ablation: the k ROIs of greatest |Σ_out weight| with every edge between them, tokens and logits always among them.

    Σ_out weight is what an ROI's clean value does to the metric, cancelling edges counted. Per wanted size the smallest k
    whose edges are at least as many; ``sizes`` of the ladder are the edges that are really kept. ROIs that tie go by key.
    """
    rois, edges = graph.partition.rois, graph.edges
    always = np.array([roi.kind in ("tok", "logits") for roi in rois])
    effect = np.abs(graph.outflow(task))
    order = sorted(np.flatnonzero(~always).tolist(), key=lambda i: (-effect[i], rois[i].key))
    place = np.zeros(len(rois), dtype=np.int64)
    place[order] = np.arange(1, len(order) + 1)
    needed = np.maximum(place[edges.source], place[edges.target])
    counts = np.cumsum(np.bincount(needed, minlength=len(order) + 1))
    chosen = sorted({int(np.searchsorted(counts, n)) for n in sizes})
    chosen = [k for k in chosen if counts[k] > 0 and (k == 0 or counts[k] > counts[k - 1])]
    return Ladder("nodes", tuple(int(counts[k]) for k in chosen), needed[None, None] <= np.array(chosen)[None, :, None])


def connected(graph: ComputationalGraph, task: str, sizes: tuple[int, ...]) -> Ladder:
    """Grow a circuit in which every ROI is fed and heard; see :func:`connected_order`."""
    return by_rank("connected", _rank(connected_order(graph, task)), sizes)


def connected_order(graph: ComputationalGraph, task: str) -> Int[np.ndarray, " edge"]:
    """Edges in the order in which a connected circuit takes them in.

    1. The circuit starts with the tokens and the logits.
    2. A single edge between two ROIs of the circuit counts with its strength; a new ROI counts with the mean strength of two edges, its
       strongest from the circuit and its strongest to the circuit. What counts most is taken in; ties by rank.
    3. Edges that can never be connected come last, by rank. One pass over the edges per step: E² in all, no run of the model.
    """
    edges, t = graph.edges, graph.edges.task_index(task)
    strength, rank = edges.strength[t], edges.rank[t]
    inside = np.array([roi.kind in ("tok", "logits") for roi in graph.partition.rois])
    free, order = np.ones(len(edges), dtype=bool), []
    while True:
        between = np.flatnonzero(free & inside[edges.source] & inside[edges.target])
        options = [(float(strength[e]), -int(rank[e]), [int(e)]) for e in between[np.argsort(rank[between])][:1]]
        options += _new_rois(edges.source, edges.target, strength, rank, inside)
        if not options:
            break
        taken = max(options)[2]
        order += taken
        free[taken] = False
        inside[edges.source[taken]] = inside[edges.target[taken]] = True
    rest = np.flatnonzero(free)
    return np.array([*order, *rest[np.argsort(rank[rest])]], dtype=np.int64)


def _new_rois(
    source: Int[np.ndarray, " edge"],
    target: Int[np.ndarray, " edge"],
    strength: Float[np.ndarray, " edge"],
    rank: Int[np.ndarray, " edge"],
    inside: Bool[np.ndarray, " roi"],
) -> list[tuple[float, int, list[int]]]:
    """For each ROI outside the circuit that can be fed and heard: mean strength, minus the better rank, its two edges."""
    entering, leaving = np.flatnonzero(inside[source] & ~inside[target]), np.flatnonzero(~inside[source] & inside[target])
    feeds = _first_of(target[entering], entering, rank)
    heard = _first_of(source[leaving], leaving, rank)
    both = sorted(feeds.keys() & heard.keys())
    return [((strength[feeds[i]] + strength[heard[i]]) / 2, -int(min(rank[feeds[i]], rank[heard[i]])), [feeds[i], heard[i]]) for i in both]


def _first_of(roi: Int[np.ndarray, " n"], chosen: Int[np.ndarray, " n"], rank: Int[np.ndarray, " edge"]) -> dict[int, int]:
    """Per ROI its strongest edge among ``chosen``."""
    return {int(roi[i]): int(chosen[i]) for i in np.argsort(-rank[chosen])}


def _rank(order: Int[np.ndarray, " edge"]) -> Int[np.ndarray, " edge"]:
    """Rank 1, 2, … of each edge from their order."""
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(1, len(order) + 1)
    return rank
