"""Graphs with a known division into communities, as computational graphs that a store can hold."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from roicg.core.graph import ComputationalGraph
from roicg.core.partition import Roi, RoiPartition
from roicg.core.sites import transformer_sites
from roicg.numerics.communities import PortEdges
from tests.handmade import graph_of

DATA = Path(__file__).parent / "data" / "community"
LAYERS = (12, 12, 12, 12, 12)
MEANS: Mapping[str, np.ndarray] = {
    "assortative": np.where(np.eye(3) > 0, 1.0, 0.15),
    "layered": np.where(np.roll(np.eye(4), 1, axis=1) > 0, 1.0, 0.1),  # A feeds B, B feeds C, C feeds D, D feeds A: every group has a telling edge
    "core-periphery": np.array([[1.0, 1.0], [1.0, 0.1]]),
}
"""Mean weight from a ROI of one group (row) to one of another; the groups are spread over all layers."""
METHODS = {"assortative": "communities", "layered": "roles", "core-periphery": "roles"}
"""The method that is meant for each."""


def chain_partition(sizes: tuple[int, ...]) -> RoiPartition:
    """One MLP layer per size, every neuron an ROI of its own."""
    sites = transformer_sites(len(sizes), 1, max(sizes))
    rois = [Roi(site.key, site.key, site.layer, site.kind, (0,)) for site in sites if site.kind != "mlp"]
    for layer, size in enumerate(sizes):
        rois += [Roi(f"m{layer}.n{i}", f"m{layer}", layer, "mlp", (i,)) for i in range(size)]
        if size < max(sizes):
            rois.append(Roi(f"m{layer}.rest", f"m{layer}", layer, "mlp", tuple(range(size, max(sizes))), is_rest=True))
    return RoiPartition("components", sites, tuple(rois), {"method": "by hand"})


def known_graph(name: str) -> tuple[ComputationalGraph, dict]:
    """A graph of ``tests/data/community``: node i is the ROI ``m{i}.n0``, weights are 1 for task add and the given ones for max."""
    case = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    given = [float(edge[2]) if len(edge) > 2 else 1.0 for edge in case["edges"]]
    return plain_graph([edge[:2] for edge in case["edges"]], given, name), case


def plain_graph(pairs: list, weights: list[float], name: str) -> ComputationalGraph:
    """A graph without layers: node i is the ROI ``m{i}.n0`` and reads those before it; weights are 1 for task add, the given ones for max."""
    ends = [sorted(pair) for pair in pairs]
    edges = tuple((f"m{u}.n0", f"m{v}.n0", "in") for u, v in ends)
    return graph_of(chain_partition((1,) * (1 + max(v for _, v in ends))), edges, np.array([[1.0] * len(edges), weights]), 200, name)


def ring_of_cliques(cliques: int, size: int) -> list[tuple[int, int]]:
    """Pairs of cliques that are joined to their two neighbours by one edge each (Fortunato and Barthélemy 2007); node i is in clique i // size."""
    pairs = [(c * size + i, c * size + j) for c in range(cliques) for i in range(size) for j in range(i + 1, size)]
    return pairs + [(c * size, (c + 1) % cliques * size + 1) for c in range(cliques)]


def layered_graph(groups: int, seed: int, name: str, sizes: tuple[int, ...] = (8, 8, 8)) -> ComputationalGraph:
    """Every layer reads all earlier ones, weights of random sign; with ``groups`` > 1 neuron i of a layer is of group i mod groups, and edges across groups are weak."""
    rng = np.random.default_rng(seed)
    layers = range(len(sizes))
    ends = [(a, i, b, j) for a in layers for i in range(sizes[a]) for b in layers for j in range(sizes[b]) if a < b]
    scale = np.array([1.0 if i % groups == j % groups else 0.2 for _, i, _, j in ends])
    weight = rng.standard_normal((2, len(ends))) * scale
    return graph_of(chain_partition(sizes), tuple((f"m{a}.n{i}", f"m{b}.n{j}", "in") for a, i, b, j in ends), weight, 200, name)


def planted(kind: str, seed: int, share: float | None = None, noise: float = 0.5) -> tuple[PortEdges, np.ndarray]:
    """(edges, group of every node): every layer of ``LAYERS`` reads all earlier ones, weights are ``MEANS`` times a log-normal, plus noise.

    Groups are equally large in every layer, or the first holds ``share`` of each.
    """
    rng, means = np.random.default_rng(seed), MEANS[kind]
    cut = [np.arange(size) % len(means) if share is None else (np.arange(size) >= share * size).astype(int) for size in LAYERS]
    group = np.concatenate([rng.permutation(groups) for groups in cut])
    source, target, block = layered_ends(LAYERS)
    mean = means[group[source], group[target]]
    weight = mean * np.exp(noise * rng.standard_normal(len(source))) + 0.3 * noise * means.mean() * rng.standard_normal(len(source))
    return PortEdges(len(group), source, target, np.zeros_like(source), block, weight[None]), group


def layered_ends(sizes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(source, target, block) where every layer reads all earlier ones."""
    layer = np.repeat(np.arange(len(sizes)), sizes)
    source, target = np.nonzero(layer[:, None] < layer[None, :])
    return source, target, layer[source] * len(sizes) + layer[target]


def planted_graph(kind: str, seed: int) -> tuple[ComputationalGraph, dict[str, int]]:
    """:func:`planted` as a graph for a store (both tasks weigh the same), and the group of every ROI by its name."""
    edges, group = planted(kind, seed)
    names = [f"m{layer}.n{i}" for layer, size in enumerate(LAYERS) for i in range(size)]
    ends = tuple((names[u], names[v], "in") for u, v in zip(edges.source.tolist(), edges.target.tolist(), strict=True))
    graph = graph_of(chain_partition(LAYERS), ends, np.concatenate([edges.weight, edges.weight]), 200, f"{kind}{seed}")
    return graph, dict(zip(names, group.tolist(), strict=True))
