"""Roles: planted groups that modularity misses, a literal twin of the similarity, coordinates that mean it, and what the nulls keep."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roicg.numerics.agreement import normalised_mutual_information
from roicg.numerics.communities import PortEdges, Verdicts, against_null, leiden, modularity
from roicg.numerics.roles import (
    coordinates,
    joined,
    nearest_graph,
    neighbours,
    role_block_null,
    role_graph,
    role_similarity,
    role_strength_null,
    shift,
    strengths_kept,
)
from tests.planted import METHODS, layered_ends, planted


def random_edges(seed: int, sizes: tuple[int, ...] = (4, 3, 5), tasks: int = 2, ports: int = 2) -> PortEdges:
    """Signed weights without any structure; the first layers are joined to every later one, by every port."""
    rng = np.random.default_rng(seed)
    source, target, block = (np.tile(ends, ports) for ends in layered_ends(sizes))
    port = np.repeat(np.arange(ports), len(source) // ports)
    return PortEdges(sum(sizes), source, target, port, block * ports + port, rng.standard_normal((tasks, len(source))))


def literal_similarity(edges: PortEdges) -> np.ndarray:
    """The cosine over entries (task, port, other, direction) that both have, written out."""
    profiles: list[dict[tuple[int, int, int, str], float]] = [{} for _ in range(edges.n)]
    for task, row in enumerate(edges.weight):
        for u, v, port, weight in zip(edges.source.tolist(), edges.target.tolist(), edges.port.tolist(), row.tolist(), strict=True):
            profiles[u][task, port, v, "writes"] = weight
            profiles[v][task, port, u, "reads"] = weight
    found = np.eye(edges.n)
    for i, a in enumerate(profiles):
        for j, b in enumerate(profiles):
            common = sorted(a.keys() & b.keys())
            x, y = np.array([a[key] for key in common]), np.array([b[key] for key in common])
            if i != j and len(common) and x.any() and y.any():
                found[i, j] = x @ y / np.sqrt((x @ x) * (y @ y))
    return found


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_similarity_is_the_literal_cosine_over_common_entries(seed: int) -> None:
    """Seen to fail with the squares summed over all entries (the plain cosine), and with the ports of readers put together."""
    edges = random_edges(seed)
    np.testing.assert_allclose(role_similarity(edges), literal_similarity(edges), atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_cosine_of_coordinates_is_the_similarity_over_one_constant(seed: int) -> None:
    """Seen to fail without the shift: the similarity over common entries is not positive semidefinite."""
    similarity = role_similarity(random_edges(seed))
    rows = coordinates(similarity)
    length = np.linalg.norm(rows, axis=1)
    cosine = rows @ rows.T / np.outer(length, length)
    off = ~np.eye(len(similarity), dtype=bool)
    np.testing.assert_allclose(cosine[off] * (1 + shift(similarity)), similarity[off], atol=1e-7)


def test_nearest_others_are_joined_once_and_never_to_the_unlike() -> None:
    similarity = np.array([[1.0, 0.9, 0.5, -0.2], [0.9, 1.0, 0.4, -0.1], [0.5, 0.4, 1.0, 0.3], [-0.2, -0.1, 0.3, 1.0]])
    graph = nearest_graph(similarity, 1)
    assert {(u, v): s for u, v, s in zip(graph.source.tolist(), graph.target.tolist(), graph.strength.tolist(), strict=True)} == {
        (0, 1): 0.9,
        (0, 2): 0.5,
        (2, 3): 0.3,
    }
    assert len(nearest_graph(similarity, 3).strength) == 4
    assert [neighbours(n) for n in (0, 1, 2, 3, 8, 16, 100, 1000)] == [0, 0, 1, 2, 3, 4, 25, 50]


def test_rois_without_edges_have_no_role() -> None:
    edges = random_edges(0)
    alone = replace(edges, n=edges.n + 2)
    assert joined(alone).tolist() == list(range(edges.n))
    np.testing.assert_array_equal(role_graph(alone).strength, role_graph(edges).strength)


@pytest.mark.parametrize("kind", ["layered", "core-periphery"])
def test_planted_roles_are_found_and_above_both_nulls(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Where modularity finds next to nothing; seen to fail for core–periphery (NMI .03) with similarity over all entries in place of the common ones."""
    found = []
    for seed in range(5):
        edges, group = planted(kind, seed)
        communities, roles = (normalised_mutual_information(leiden(graph, 1.0, 0), group) for graph in (edges.undirected(), role_graph(edges)))
        found.append((communities, roles))
    with capsys.disabled():
        print(f" {kind}: NMI of communities at most {max(found)[0]:.2f}, of roles at least {min(r for _, r in found):.2f} (meant: {METHODS[kind]})", end="")
    assert all(roles >= 0.95 and communities < 0.6 for communities, roles in found)
    graph = role_graph(edges)
    observed = modularity(graph, leiden(graph, 1.0, 0))
    assert Verdicts(against_null(observed, role_block_null(edges, 1.0, 20, 0)), against_null(observed, role_strength_null(edges, 1.0, 20, 0))).above_null


def test_a_large_periphery_is_divided_at_gamma_one_and_whole_below() -> None:
    """Modularity likes groups of one size (the resolution limit from the other side): three quarters of all ROIs become two groups."""
    edges, group = planted("core-periphery", 0, share=0.25)
    graph = role_graph(edges)
    assert normalised_mutual_information(leiden(graph, 1.0, 0), group) < 0.8
    assert normalised_mutual_information(leiden(graph, 0.7, 0), group) == pytest.approx(1.0)


def test_random_graphs_are_not_above_their_nulls_in_20_of_20() -> None:
    above = []
    for seed in range(20):
        edges = random_edges(seed, (5, 5, 5), tasks=1, ports=1)
        graph = role_graph(edges)
        observed = modularity(graph, leiden(graph, 1.0, seed))
        nulls = Verdicts(against_null(observed, role_block_null(edges, 1.0, 20, seed)), against_null(observed, role_strength_null(edges, 1.0, 20, seed)))
        above.append(nulls.above_null)
    assert above == [False] * 20


def test_signs_make_roles() -> None:
    """Two groups of writers with weights of one size and opposite signs; seen to fail with strengths in place of weights."""
    source, target, block = layered_ends((8, 6))
    sign = np.where(np.arange(8) % 2, 1.0, -1.0)
    edges = PortEdges(14, source, target, np.zeros_like(source), block, sign[source][None] * np.random.default_rng(0).uniform(0.8, 1.2, (1, len(source))))
    found = leiden(role_graph(edges), 1.0, 0)[:8]
    assert normalised_mutual_information(found, np.arange(8) % 2) == pytest.approx(1.0)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_draws_keep_strengths_per_port_and_the_division_among_tasks(seed: int) -> None:
    """Out-strength of every ROI, in-strength of every ROI and port, exactly; an edge's tasks are those of one observed edge, scaled.

    Seen to fail without the port in the sums, and with directions that stay where they are.
    """
    edges = random_edges(seed)
    edges = replace(edges, weight=edges.weight * (np.arange(edges.weight.shape[1]) % 7 > 0))  # some of strength 0, which may be joined too
    drawn = strengths_kept(edges)(np.random.default_rng(seed))
    before, after = (np.sqrt(np.mean(weight**2, axis=0)) for weight in (edges.weight, drawn.weight))
    for ends in (edges.source, edges.target + edges.n * edges.port):
        np.testing.assert_allclose(np.bincount(ends, after), np.bincount(ends, before), rtol=1e-5, atol=1e-7 * before.sum())
    observed, found = (np.round(weight / np.maximum(strength, 1e-12), 6).T.tolist() for weight, strength in ((edges.weight, before), (drawn.weight, after)))
    assert sorted(found) == sorted([1.0, 1.0] if not any(direction) else direction for direction in observed)
    assert sum(one == other for one, other in zip(found, observed, strict=True)) < len(found) / 2
