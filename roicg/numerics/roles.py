"""Role communities: ROIs that read from and write to the same others with the same signs, joined with each other or not.

Modularity looks for ROIs that are joined among themselves. In a layered graph (A feeds B feeds C) or one with a core and a
periphery the groups are not: their members are alike in whom they are joined *with*.

1. Profile of an ROI: its signed weights, one entry per (task, port, other ROI, reads or writes), tasks in their units.
2. Similarity = cosine of two profiles over the entries that *both* could have: ROIs of different layers do not have the same
   possible neighbours, and counting what one of them cannot have as 0 would find the layers.
3. Coordinates: factor of similarity + c·1, with c so large that it is positive semidefinite. Their cosine is the similarity over
   1 + c, so a search for nearest neighbours by cosine (GDS) finds those of step 2.
4. Every ROI is joined to its n/4 nearest others (at most 50) of similarity > 0, with the similarity as strength: in either
   direction, once.
5. Leiden on that graph. The draws of both nulls go through all steps: ``blocks`` permutes weights within (source site, target
   site, port); ``configuration`` keeps every ROI's out-strength and its in-strength per port (numerics/rewiring.py).
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int

from roicg.numerics.communities import PortEdges, UndirectedGraph, null_modularities
from roicg.numerics.rewiring import expected_strength, reweighted

SHARE = 4
"""One in so many ROIs is a neighbour. Fewer (√n) cut planted groups into pieces, all of them weaken the contrast."""
FEWEST, MOST = 3, 50
"""More would find the same planted groups of hundreds of ROIs, and cost GDS the square."""
ROUNDING = 1e-9
"""A similarity below is none."""


def neighbours(n: int) -> int:
    """How many nearest others each of ``n`` ROIs is joined to."""
    return min(max(FEWEST, n // SHARE), MOST, max(n - 1, 0))


def role_similarity(edges: PortEdges) -> Float[np.ndarray, "node node"]:
    """Steps 1 and 2: from −1 to 1, diagonal 1; 0 where two ROIs have no possible neighbour in common, or one has no weight there."""
    n = edges.n
    product, square = np.zeros((n, n)), np.zeros((n, n))
    for port in np.unique(edges.port):
        here = edges.port == port
        source, target = edges.source[here], edges.target[here]
        could = np.zeros((n, n))
        could[source, target] = 1.0
        for weight in edges.weight[:, here]:
            joined = np.zeros((n, n))
            joined[source, target] = weight
            for profile, possible in ((joined, could), (joined.T, could.T)):
                product += profile @ profile.T
                square += profile**2 @ possible.T
    scale = np.sqrt(square * square.T)
    similarity = np.clip(np.divide(product, scale, out=np.zeros_like(product), where=scale > 0.0), -1.0, 1.0)
    np.fill_diagonal(similarity, 1.0)
    return np.asarray((similarity + similarity.T) / 2)


def shift(similarity: Float[np.ndarray, "node node"]) -> float:
    """c of step 3: what is added to the diagonal."""
    return max(-float(np.linalg.eigvalsh(similarity)[0]), 0.0)


def coordinates(similarity: Float[np.ndarray, "node node"]) -> Float[np.ndarray, "node node"]:
    """Step 3: one row per ROI, whose cosine with another row is their similarity over 1 + :func:`shift`."""
    values, vectors = np.linalg.eigh(similarity)
    return np.asarray(vectors * np.sqrt(np.maximum(values + shift(similarity), 0.0)))


def nearest_graph(similarity: Float[np.ndarray, "node node"], most: int) -> UndirectedGraph:
    """Step 4, exactly, for ``most`` neighbours of each; ties go to the first ROI."""
    n = len(similarity)
    others = similarity.copy()
    np.fill_diagonal(others, -np.inf)
    found = np.argsort(-others, axis=1, kind="stable")[:, :most]
    one, other = np.repeat(np.arange(n), found.shape[1]), found.ravel()
    pairs = np.unique(np.minimum(one, other) * n + np.maximum(one, other))
    low, high = pairs // n, pairs % n
    kept = similarity[low, high] > ROUNDING
    return UndirectedGraph(n, low[kept], high[kept], similarity[low, high][kept])


def role_graph(edges: PortEdges) -> UndirectedGraph:
    """Steps 1, 2 and 4: the graph whose communities are roles; ROIs without edges are joined to none."""
    return nearest_graph(role_similarity(edges), neighbours(len(joined(edges))))


def joined(edges: PortEdges) -> Int[np.ndarray, " some"]:
    """The ROIs that have edges."""
    return np.unique(np.concatenate([edges.source, edges.target]))


def role_block_null(edges: PortEdges, gamma: float, draws: int, seed: int) -> Float[np.ndarray, " draw"]:
    """Modularities of the role graphs of ``edges`` with weights permuted within blocks."""
    return null_modularities(lambda rng: role_graph(edges.permuted(rng)), gamma, draws, seed)


def role_strength_null(edges: PortEdges, gamma: float, draws: int, seed: int) -> Float[np.ndarray, " draw"]:
    """Modularities of the role graphs of ``edges`` drawn anew with the strengths of all ROIs kept."""
    draw = strengths_kept(edges)
    return null_modularities(lambda rng: role_graph(draw(rng)), gamma, draws, seed)


def strengths_kept(edges: PortEdges) -> Callable[[np.random.Generator], PortEdges]:
    """Draws of ``edges`` in which every ROI has its out-strength and its in-strength per port; an edge's strength is the rms over tasks.

    Signs and the division among tasks move with the ratio that an edge is given (edges of strength 0 have none: +1 in every task).
    """
    strength = np.sqrt(np.mean(edges.weight**2, axis=0))
    direction = np.divide(edges.weight, strength, out=np.ones_like(edges.weight), where=strength > 0)
    reader = edges.target + edges.n * edges.port
    expected = expected_strength(edges.source, reader, strength)

    def draw(rng: np.random.Generator) -> PortEdges:
        drawn, new = reweighted(edges.source, reader, strength, expected, rng)
        return replace(edges, weight=direction[:, drawn] * new)

    return draw
