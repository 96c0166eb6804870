"""Communities of a weighted graph of ROIs, and the nulls that tell them from chance.

1. Edges come per port, with one signed weight per task. Parallel ports from u to v are summed; the strength of a pair is
   |Σ weight| for one task, the root mean square over tasks for several. Direction is forgotten.
2. Leiden maximises the modularity Q(γ) of that graph.
3. Null ``blocks``: weights are permuted within blocks of edges with the same (source site, target site, port); all tasks of an
   edge move together. The layered shape and every block's weights stay, only *which* ROIs they join is lost; hubs are lost too.
4. Null ``configuration``: every ROI keeps its strength, what joins it to whom is lost. On near-complete graphs strengths are drawn
   anew on the pairs that are joined; on plain graphs and thresholded circuits edges are swapped (numerics/rewiring.py). On a
   near-complete graph swaps would have nothing to swap.
5. Every draw goes through 1 and 2, with as many tries as the observed graph: the best of more tries would be larger. z and p of
   the observed Q per null; above null = both z ≥ ``ABOVE_NULL``, and the nulls must vary.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from roicg.core.errors import LawError
from roicg.numerics.nulls import ABOVE_NULL, SMALLEST_SPREAD, z_and_p
from roicg.numerics.rewiring import expected_strength, reweighted, swapped

LEIDEN_ITERATIONS = 2
TRIES = 4
"""Leiden stops at local optima: the best of so many tries counts, in GDS and in the null alike."""
DIGITS = 12
"""Modularities are compared after rounding: sums in another order differ in the last digits, and p counts ties."""


@dataclass(frozen=True, slots=True)
class UndirectedGraph:
    """Every pair once, no self-loops; nodes are 0 … n−1. Communities forget which end is ``source``; the null keeps both sums."""

    n: int
    source: Int[np.ndarray, " pair"]
    target: Int[np.ndarray, " pair"]
    strength: Float[np.ndarray, " pair"]


@dataclass(frozen=True, slots=True)
class PortEdges:
    """Directed edges per port; ``port`` numbers ports, ``block`` (source site, target site, port); ``weight`` is signed, each task in its own unit."""

    n: int
    source: Int[np.ndarray, " edge"]
    target: Int[np.ndarray, " edge"]
    port: Int[np.ndarray, " edge"]
    block: Int[np.ndarray, " edge"]
    weight: Float[np.ndarray, "task edge"]

    def undirected(self) -> UndirectedGraph:
        """The graph whose communities are asked for; pairs of strength 0 are left out."""
        pairs = self.pairs()
        kept = pairs.strength > 0
        return UndirectedGraph(self.n, pairs.source[kept], pairs.target[kept], pairs.strength[kept])

    def pairs(self) -> UndirectedGraph:
        """All pairs that have an edge, also those of strength 0."""
        low, high = np.minimum(self.source, self.target), np.maximum(self.source, self.target)
        pairs, first, place = np.unique(low * self.n + high, return_index=True, return_inverse=True)
        summed = np.zeros((len(self.weight), len(pairs)))
        for row, weight in zip(summed, self.weight, strict=True):
            np.add.at(row, place, weight)
        return UndirectedGraph(self.n, self.source[first], self.target[first], np.sqrt(np.mean(summed**2, axis=0)))

    def allowed(self) -> Bool[np.ndarray, "node node"]:
        """The layer mask: ``[source, target]`` where the graph has an edge, whatever its weight."""
        mask = np.zeros((self.n, self.n), dtype=bool)
        mask[self.source, self.target] = True
        return mask

    def permuted(self, rng: np.random.Generator) -> "PortEdges":
        """The same edges with their weights permuted within each block."""
        home, drawn = np.argsort(self.block, kind="stable"), np.lexsort((rng.random(len(self.block)), self.block))
        weight = np.empty_like(self.weight)
        weight[:, home] = self.weight[:, drawn]
        return replace(self, weight=weight)


@dataclass(frozen=True, slots=True)
class NullVerdict:
    """How an observed modularity stands to one null: ``p`` is one-sided, (1 + draws ≥ observed) / (1 + draws)."""

    mean: float
    sd: float
    z: float
    p: float

    @property
    def above_null(self) -> bool:
        """A null that does not vary (each block holds one weight) can tell nothing, so nothing is above it."""
        return self.z >= ABOVE_NULL and self.sd > SMALLEST_SPREAD


@dataclass(frozen=True, slots=True)
class Verdicts:
    """How an observed modularity stands to both nulls."""

    blocks: NullVerdict
    configuration: NullVerdict

    @property
    def nearest(self) -> str:
        """The null that counts: the one with the smaller z; ``blocks`` or ``configuration``."""
        return "blocks" if self.blocks.z <= self.configuration.z else "configuration"

    @property
    def counts(self) -> NullVerdict:
        """The verdict against that null."""
        return self.blocks if self.nearest == "blocks" else self.configuration

    @property
    def above_null(self) -> bool:
        """Whether the modularity stands above both."""
        return self.blocks.above_null and self.configuration.above_null


def modularity(graph: UndirectedGraph, membership: Int[np.ndarray, " node"], gamma: float = 1.0) -> float:
    """Q(γ) = Σ_c (inside_c / m − γ (degree_c / 2m)²), Newman–Girvan with resolution (Reichardt and Bornholdt 2006); 0 without edges."""
    total = float(graph.strength.sum())
    if total == 0.0:
        return 0.0
    groups = int(membership.max()) + 1
    here, there = membership[graph.source], membership[graph.target]
    inside = float(graph.strength[here == there].sum())
    degree = np.bincount(here, graph.strength, groups) + np.bincount(there, graph.strength, groups)
    return round(inside / total - gamma * float(np.sum((degree / (2 * total)) ** 2)), DIGITS)


def leiden(graph: UndirectedGraph, gamma: float, seed: int) -> Int[np.ndarray, " node"]:
    """Community of every node by Leiden (leidenalg, the objective of :func:`modularity`), the best of ``TRIES``; equal for equal seeds."""
    import igraph
    import leidenalg

    inner = igraph.Graph(graph.n, np.stack([graph.source, graph.target], axis=1).tolist())
    strength = graph.strength.tolist()

    def attempt(number: int) -> Int[np.ndarray, " node"]:
        found = leidenalg.find_partition(
            inner,
            leidenalg.RBConfigurationVertexPartition,
            weights=strength,
            resolution_parameter=gamma,
            n_iterations=LEIDEN_ITERATIONS,
            seed=number,
        )
        return np.asarray(found.membership, dtype=np.int64)

    return best_of(graph, gamma, [attempt(number) for number in attempt_seeds(seed)])


def attempt_seeds(seed: int) -> list[int]:
    """``TRIES`` different seeds, each from 1 to 2³¹ − 2, from one."""
    return [int(number) for number in np.random.default_rng(seed).integers(1, 2**31 - 1, TRIES)]


def best_of(graph: UndirectedGraph, gamma: float, memberships: list[Int[np.ndarray, " node"]]) -> Int[np.ndarray, " node"]:
    """The membership of the largest modularity, the first of equals."""
    return max(memberships, key=lambda membership: modularity(graph, membership, gamma))


def null_modularities(draw: Callable[[np.random.Generator], UndirectedGraph], gamma: float, draws: int, seed: int) -> Float[np.ndarray, " draw"]:
    """Best modularity that Leiden finds in each of ``draws`` graphs."""
    rng = np.random.default_rng(seed)
    found = np.empty(draws)
    for i in range(draws):
        graph = draw(rng)
        found[i] = modularity(graph, leiden(graph, gamma, int(rng.integers(2**31))), gamma)
    return found


def block_null(edges: PortEdges, gamma: float, draws: int, seed: int) -> Float[np.ndarray, " draw"]:
    """Modularities of graphs whose weights are permuted within blocks (step 3)."""
    return null_modularities(lambda rng: edges.permuted(rng).undirected(), gamma, draws, seed)


def strength_null(graph: UndirectedGraph, gamma: float, draws: int, seed: int) -> Float[np.ndarray, " draw"]:
    """Modularities of graphs on the same pairs (of strength 0 too: they may be joined) with the out- and in-strength of every node (step 4)."""
    expected = expected_strength(graph.source, graph.target, graph.strength)

    def draw(rng: np.random.Generator) -> UndirectedGraph:
        return replace(graph, strength=reweighted(graph.source, graph.target, graph.strength, expected, rng)[1])

    return null_modularities(draw, gamma, draws, seed)


def swap_null(graph: UndirectedGraph, gamma: float, draws: int, seed: int, allowed: Bool[np.ndarray, "node node"] | None = None) -> Float[np.ndarray, " draw"]:
    """Modularities of graphs with the same degrees, edges swapped where ``allowed`` (None: anywhere, whatever their direction)."""

    def draw(rng: np.random.Generator) -> UndirectedGraph:
        return UndirectedGraph(graph.n, *swapped(graph.source, graph.target, rng, allowed), graph.strength)

    return null_modularities(draw, gamma, draws, seed)


def against_null(observed: float, null: Float[np.ndarray, " draw"]) -> NullVerdict:
    """z and p of ``observed``; ``LawError`` for fewer than two draws."""
    if len(null) < 2:
        raise LawError(f"a null of {len(null)} draws has no spread; at least 2 are needed")
    z, p = z_and_p(observed, null.tolist())
    return NullVerdict(float(null.mean()), float(null.std(ddof=1)), z, p)
