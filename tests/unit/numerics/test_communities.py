"""Laws of modularity, Leiden and the block null; known divisions; a literal twin of the modularity."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roicg.core.errors import LawError
from roicg.numerics.communities import PortEdges, UndirectedGraph, against_null, block_null, leiden, modularity

DATA = Path(__file__).parents[2] / "data" / "community"


def known(name: str, weighted: bool = False) -> tuple[UndirectedGraph, dict]:
    case = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    pairs = np.array([edge[:2] for edge in case["edges"]])
    strength = np.array([float(edge[2]) if weighted else 1.0 for edge in case["edges"]])
    return UndirectedGraph(int(pairs.max()) + 1, pairs[:, 0], pairs[:, 1], strength), case


def literal_modularity(graph: UndirectedGraph, membership: np.ndarray, gamma: float) -> float:
    """Σ_ij (A_ij − γ k_i k_j / 2m) δ(c_i, c_j) / 2m, written out."""
    a = np.zeros((graph.n, graph.n))
    for u, v, s in zip(graph.source, graph.target, graph.strength, strict=True):
        a[u, v] += s
        a[v, u] += s
    k, two_m = a.sum(axis=1), a.sum()
    return float(sum(a[i, j] - gamma * k[i] * k[j] / two_m for i in range(graph.n) for j in range(graph.n) if membership[i] == membership[j]) / two_m)


def layered(rng: np.random.Generator, sizes: tuple[int, ...], planted: int = 0, noise: float = 0.2) -> PortEdges:
    """Every layer reads all earlier ones; with ``planted`` groups, edges inside a group are strong and the others weak."""
    layer = np.repeat(np.arange(len(sizes)), sizes)
    n = len(layer)
    source, target = (np.array(side) for side in zip(*[(u, v) for u in range(n) for v in range(n) if layer[u] < layer[v]], strict=True))
    weight = np.abs(rng.standard_normal((1, len(source))))
    if planted:
        group = np.arange(n) % planted
        weight *= np.where(group[source] == group[target], 1.0, noise)
    return PortEdges(n, source, target, layer[source] * len(sizes) + layer[target], weight)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.2, 3.0))
def test_modularity_is_the_literal_sum(seed: int, gamma: float) -> None:
    rng = np.random.default_rng(seed)
    graph = layered(rng, (3, 4, 2)).undirected()
    membership = rng.integers(0, 3, graph.n)
    assert modularity(graph, membership, gamma) == pytest.approx(literal_modularity(graph, membership, gamma), abs=1e-9)


def test_modularity_of_one_community_and_of_no_edges() -> None:
    graph, _ = known("karate")
    assert modularity(graph, np.zeros(graph.n, dtype=int)) == 0.0
    empty = UndirectedGraph(3, np.array([], dtype=int), np.array([], dtype=int), np.array([]))
    assert modularity(empty, np.arange(3)) == 0.0


@pytest.mark.parametrize(("weighted", "optimum"), [(False, "Q_opt"), (True, "Q_opt_weighted")])
def test_karate_reaches_the_optimum_and_never_passes_it(weighted: bool, optimum: str) -> None:
    graph, case = known("karate", weighted)
    found = [modularity(graph, leiden(graph, 1.0, seed)) for seed in range(10)]
    assert max(found) == pytest.approx(case[optimum], abs=1e-9)


def test_planted_blocks_are_found() -> None:
    for name in ("sbm_easy", "sbm_medium"):
        graph, case = known(name)
        labels, membership = np.array(case["labels"]), leiden(graph, 1.0, 0)
        assert len({*zip(labels.tolist(), membership.tolist(), strict=True)}) == len(set(labels.tolist())) == membership.max() + 1
        assert modularity(graph, labels) == pytest.approx(case["Q_planted"], abs=1e-9)


def test_a_higher_gamma_gives_more_communities_and_a_seed_repeats() -> None:
    graph, _ = known("karate")
    assert leiden(graph, 3.0, 1).max() > leiden(graph, 1.0, 1).max()
    np.testing.assert_array_equal(leiden(graph, 1.0, 7), leiden(graph, 1.0, 7))


def test_parallel_ports_cancel_and_tasks_mix_as_rms() -> None:
    edges = PortEdges(3, np.array([0, 0, 1]), np.array([1, 1, 2]), np.array([0, 1, 2]), np.array([[3.0, -3.0, 1.0], [1.0, 2.0, 0.0]]))
    graph = edges.undirected()
    assert list(zip(graph.source, graph.target, strict=True)) == [(0, 1), (1, 2)]
    np.testing.assert_allclose(graph.strength, [np.sqrt((0 + 9) / 2), np.sqrt(0.5)])
    only_first = PortEdges(3, edges.source, edges.target, edges.block, edges.weight[:1]).undirected()
    assert (only_first.source.tolist(), only_first.target.tolist(), only_first.strength.tolist()) == ([1], [2], [1.0])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_permutation_keeps_every_block_and_moves_tasks_together(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one = layered(rng, (4, 3, 5))
    edges = PortEdges(one.n, one.source, one.target, one.block, np.concatenate([one.weight, one.weight * 2]))
    mixed = edges.permuted(rng)
    for block in np.unique(edges.block):
        here = edges.block == block
        np.testing.assert_allclose(np.sort(mixed.weight[0, here]), np.sort(edges.weight[0, here]))
    np.testing.assert_allclose(mixed.weight[1], 2 * mixed.weight[0])
    assert not np.array_equal(mixed.weight, edges.weight)


def test_null_is_calibrated_on_random_graphs_and_passed_by_a_planted_one() -> None:
    above, ps = 0, []
    for seed in range(12):
        edges = layered(np.random.default_rng(seed), (6, 6, 6))
        graph = edges.undirected()
        verdict = against_null(modularity(graph, leiden(graph, 1.0, seed)), block_null(edges, 1.0, 39, seed))
        above += verdict.above_null
        ps.append(verdict.p)
    assert above == 0
    assert 0.2 < np.mean(ps) < 0.8
    edges = layered(np.random.default_rng(0), (8, 8, 8), planted=2)
    graph = edges.undirected()
    verdict = against_null(modularity(graph, leiden(graph, 1.0, 0)), block_null(edges, 1.0, 39, 0))
    assert verdict.above_null
    assert verdict.p == pytest.approx(1 / 40)


def test_null_repeats_by_seed() -> None:
    edges = layered(np.random.default_rng(5), (4, 4))
    np.testing.assert_array_equal(block_null(edges, 1.0, 5, 3), block_null(edges, 1.0, 5, 3))
    assert not np.array_equal(block_null(edges, 1.0, 5, 3), block_null(edges, 1.0, 5, 4))


def test_a_null_that_does_not_vary_tells_nothing() -> None:
    assert not against_null(0.5, np.full(20, 0.4)).above_null
    verdict = against_null(0.4, np.full(20, 0.4))
    assert (verdict.z, verdict.p) == (pytest.approx(0.0, abs=1e-6), 1.0)
    with pytest.raises(LawError, match="at least 2"):
        against_null(0.5, np.array([0.1]))
