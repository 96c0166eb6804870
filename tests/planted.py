"""Graphs with a known division into communities, as computational graphs that a store can hold."""

import json
from pathlib import Path

import numpy as np

from roicg.core.graph import ComputationalGraph
from roicg.core.partition import Roi, RoiPartition
from roicg.core.sites import transformer_sites
from tests.handmade import graph_of

DATA = Path(__file__).parent / "data" / "community"


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
    pairs = [tuple(sorted(edge[:2])) for edge in case["edges"]]
    n = 1 + max(v for _, v in pairs)
    edges = tuple((f"m{u}.n0", f"m{v}.n0", "in") for u, v in pairs)
    given = [float(edge[2]) if len(edge) > 2 else 1.0 for edge in case["edges"]]
    return graph_of(chain_partition((1,) * n), edges, np.array([[1.0] * len(edges), given]), 200, name), case


def layered_graph(groups: int, seed: int, name: str, sizes: tuple[int, ...] = (8, 8, 8)) -> ComputationalGraph:
    """Every layer reads all earlier ones, weights of random sign; with ``groups`` > 1 neuron i of a layer is of group i mod groups, and edges across groups are weak."""
    rng = np.random.default_rng(seed)
    layers = range(len(sizes))
    ends = [(a, i, b, j) for a in layers for i in range(sizes[a]) for b in layers for j in range(sizes[b]) if a < b]
    scale = np.array([1.0 if i % groups == j % groups else 0.2 for _, i, _, j in ends])
    weight = rng.standard_normal((2, len(ends))) * scale
    return graph_of(chain_partition(sizes), tuple((f"m{a}.n{i}", f"m{b}.n{j}", "in") for a, i, b, j in ends), weight, 200, name)
