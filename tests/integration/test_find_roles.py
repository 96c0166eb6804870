"""Roles in GDS on published graphs: planted groups, nearest neighbours as computed literally, nulls, and no projection left behind."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from roicg.core.graph import ComputationalGraph
from roicg.numerics.agreement import normalised_mutual_information
from roicg.numerics.communities import leiden, modularity
from roicg.numerics.roles import coordinates, joined, nearest_graph, neighbours, role_graph, role_similarity, shift
from roicg.server.address import Address
from roicg.store.neo4j.analyses import find_communities, find_roles
from roicg.store.neo4j.divisions import port_edges
from roicg.store.neo4j.projection import projected
from roicg.store.neo4j.store import Neo4jStore
from tests.handmade import graph_of, partition, reference_graph, slot_of
from tests.planted import layered_graph, planted_graph
from tests.published import empty


@pytest.fixture(scope="module")
def store(address: Address) -> Iterator[Neo4jStore]:
    with Neo4jStore(empty(address)) as opened:
        yield opened


def publish(store: Neo4jStore, graph: ComputationalGraph) -> int:
    return store.put(graph, slot_of(graph)).number


def agreement(communities: tuple[tuple[str, ...], ...], group: dict[str, int]) -> float:
    """NMI of communities (of ROI names) with the planted groups."""
    found = {name: i for i, names in enumerate(communities) for name in names}
    assert found.keys() == group.keys()
    return normalised_mutual_information(np.array([found[name] for name in group]), np.array(list(group.values())))


@pytest.mark.parametrize("kind", ["assortative", "layered", "core-periphery"])
def test_planted_groups_are_found_by_the_method_that_is_meant_for_them(store: Neo4jStore, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    graph, group = planted_graph(kind, 0)
    publish(store, graph)
    results = {"communities": find_communities(store, graph.id, task="add", null_samples=10), "roles": find_roles(store, graph.id, task="add", null_samples=10)}
    found = {method: agreement(result.communities, group) for method, result in results.items()}
    best = max(found, key=lambda method: found[method])
    with capsys.disabled():
        print(f" {kind}: NMI of communities {found['communities']:.3f}, of roles {found['roles']:.3f}", end="")
    assert found[best] >= 0.95
    assert results[best].nulls.above_null
    if kind != "assortative":
        assert best == "roles"
        assert found["communities"] < 0.6
    assert store.run("gds.projections") == []


@pytest.mark.parametrize(("name", "task"), [("planted", "add"), ("hand", None)])
def test_gds_joins_the_nearest_others_with_their_similarity(store: Neo4jStore, name: str, task: str | None) -> None:
    """Seen to fail with GDS's own (1 + cosine) / 2 as strength, and without the shift in the projection."""
    graph = planted_graph("layered", 1)[0] if name == "planted" else reference_graph(200)
    edges = port_edges(graph, {"add": 1.0} if task else {"add": 0.73, "max": 1.302})
    similarity, here, keys = role_similarity(edges), joined(edges), [roi.key for roi in graph.partition.rois]
    literal = nearest_graph(similarity, neighbours(len(here)))
    expected = {frozenset((keys[u], keys[v])): s for u, v, s in zip(literal.source, literal.target, literal.strength, strict=True)}
    inner = similarity[np.ix_(here, here)]
    rows = [{"roi": keys[i], "coordinates": row.tolist()} for i, row in zip(here.tolist(), coordinates(inner), strict=True)]
    with projected(store.connection, "gds.project_coordinates", number=publish(store, graph), rows=rows) as points:
        assert points.nodes == len(here)
        store.run("gds.join_nearest", points=points.name, neighbours=neighbours(len(here)), seed=0)
        found = store.run("gds.nearest", points=points.name, shift=shift(inner))
    assert len(found) == len(expected)
    assert {frozenset((keys[row["source"]], keys[row["target"]])): row["strength"] for row in found} == pytest.approx(expected, abs=1e-7)


def test_gds_and_leidenalg_agree_and_asking_again_adds_nothing(store: Neo4jStore) -> None:
    graph, _ = planted_graph("layered", 2)
    publish(store, graph)
    result = find_roles(store, graph.id, task="add", null_samples=10)
    twin = role_graph(port_edges(graph, {"add": 1.0}))
    assert result.written
    assert result.modularity == pytest.approx(modularity(twin, leiden(twin, 1.0, 0)), abs=1e-6)
    assert find_roles(store, graph.id, task="add", null_samples=10) == replace(result, written=False)
    rows = store.run("structure.roles", slot=slot_of(graph).key)
    assert [tuple(row["rois"]) for row in rows] == list(result.communities)
    assert {(row["modularity"], row["z"], row["above_null"]) for row in rows} == {(result.modularity, result.nulls.counts.z, True)}
    assert store.run("structure.communities", slot=slot_of(graph).key) == []
    assert [row["communities"] for row in store.run("structure.modularity_by_checkpoint", slot=slot_of(graph).key, kind="roles")] == [4]
    assert store.run("gds.projections") == []


def test_random_graphs_are_not_above_their_nulls(store: Neo4jStore) -> None:
    for seed in range(2):
        graph = layered_graph(1, seed, f"no roles {seed}", (5, 5, 5))
        publish(store, graph)
        assert not find_roles(store, graph.id, task=None if seed else "add", null_samples=10, seed=seed).nulls.above_null


def test_where_no_roi_is_like_another_there_are_no_roles(store: Neo4jStore) -> None:
    """Two that are read, with opposite signs; no error, and nothing of modularity."""
    two = partition("components", {"m0.r0": tuple(range(6)), "m0.r1": tuple(range(6, 12))})
    graph = graph_of(two, (("m0.r0", "logits", "in"), ("m0.r1", "logits", "in")), np.array([[1.0, -1.0], [1.0, -1.0]]), 200, "opposite")
    publish(store, graph)
    result = find_roles(store, graph.id, task="add", null_samples=4)
    assert (result.communities, result.modularity, result.nulls.above_null) == ((), 0.0, False)
    assert store.run("gds.projections") == []
