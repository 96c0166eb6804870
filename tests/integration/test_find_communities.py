"""Leiden in GDS on published graphs: known optima, planted blocks, its null, and no projection left behind."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from roicg.core.errors import LawError, QueryError, StoreError
from roicg.core.graph import ComputationalGraph
from roicg.numerics.agreement import adjusted_rand
from roicg.numerics.communities import attempt_seeds, best_of, leiden, modularity
from roicg.server.address import Address
from roicg.store.neo4j.analyses import find_communities
from roicg.store.neo4j.communities import ALL_EDGES
from roicg.store.neo4j.divisions import divisions, in_order, port_edges
from roicg.store.neo4j.projection import projected, require_memory
from roicg.store.neo4j.store import Neo4jStore
from tests.handmade import TASKS, graph_of, partition, reference_graph, slot_of
from tests.planted import known_graph, layered_graph, plain_graph, ring_of_cliques
from tests.published import empty

SEEDS = range(5)
"""Of four tries each: twenty."""
PAIR = {"sources": [0], "targets": [1], "strengths": [1.0]}


@pytest.fixture(scope="module")
def store(address: Address) -> Iterator[Neo4jStore]:
    with Neo4jStore(empty(address)) as opened:
        yield opened


def publish(store: Neo4jStore, graph: ComputationalGraph) -> int:
    return store.put(graph, slot_of(graph)).number


def strength_of(number: int, **changes: object) -> dict[str, object]:
    return {"number": number, "tasks": ["add"], "units": [1.0], "leave_out": ["rest", "tok"], "edges": ALL_EDGES} | changes


def gds_memberships(store: Neo4jStore, graph: ComputationalGraph, task: str, seeds: range = SEEDS) -> list[np.ndarray]:
    """Community of every ROI by GDS, the best of its tries, one array per seed."""
    values = strength_of(publish(store, graph), tasks=[task])
    pairs, n = store.run("gds.strengths", **values), len(graph.partition.rois)
    undirected = port_edges(graph, {task: 1.0}).undirected()
    return [best_of(undirected, 1.0, divisions(store.connection, pairs, n, 1.0, attempt_seeds(seed))) for seed in seeds]


@pytest.mark.parametrize(("name", "task", "best"), [("karate", "add", "Q_opt"), ("karate", "max", "Q_opt_weighted"), ("les_miserables", "max", "Q_best")])
def test_gds_reaches_the_known_modularity_as_leidenalg_does_and_never_passes_it(store: Neo4jStore, name: str, task: str, best: str) -> None:
    graph, case = known_graph(name)
    weighted = port_edges(graph, {task: 1.0}).undirected()
    by_gds = [modularity(weighted, membership) for membership in gds_memberships(store, graph, task)]
    by_leidenalg = [modularity(weighted, leiden(weighted, 1.0, seed)) for seed in SEEDS]
    assert max(by_gds) == pytest.approx(case[best], abs=1e-6)
    assert max(by_leidenalg) == pytest.approx(case[best], abs=1e-6)


@pytest.mark.parametrize(("name", "ari"), [("sbm_easy", 1.0), ("sbm_medium", 0.97)])
def test_gds_finds_planted_blocks(store: Neo4jStore, name: str, ari: float) -> None:
    """The medium one has a second optimum, 1.3e-6 below the planted one, that moves two of its 200 nodes; GDS finds that one."""
    graph, case = known_graph(name)
    undirected = port_edges(graph, {"add": 1.0}).undirected()
    membership = best_of(undirected, 1.0, gds_memberships(store, graph, "add", range(2, 3)))
    node = {roi.key: i for i, roi in enumerate(graph.partition.rois)}
    found = [membership[node[f"m{i}.n0"]] for i in range(len(case["labels"]))]
    assert adjusted_rand(np.array(found), np.array(case["labels"])) >= ari - 1e-9
    assert modularity(undirected, membership) == pytest.approx(case["Q_planted"], abs=1e-5)


def test_a_ring_of_cliques_shows_the_resolution_limit_and_gamma_recovers_the_cliques(store: Neo4jStore) -> None:
    """GDS joins cliques at γ = 1, where pairs of them have the larger modularity, and keeps them apart at γ = 4."""
    pairs = ring_of_cliques(20, 4)
    graph = plain_graph(pairs, [1.0] * len(pairs), "ring")
    publish(store, graph)
    joined, apart = (find_communities(store, graph.id, task="add", gamma=gamma, null_samples=2).communities for gamma in (1.0, 4.0))
    assert len(joined) < 15
    assert sorted(sorted(int(name[1:-3]) for name in names) for names in apart) == [list(range(4 * c, 4 * c + 4)) for c in range(20)]


def test_a_circuit_is_divided_by_its_edges_alone_and_judged_by_swaps(store: Neo4jStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The 30 strongest edges of a planted graph; the null of whole graphs would have nothing to draw from them."""
    graph = layered_graph(2, 1, "circuit")
    number = publish(store, graph)
    row = graph.edges.task_index("add")
    inside = graph.edges.rank[row] <= 30
    assert len(store.run("gds.strengths", **strength_of(number, edges=30))) == inside.sum() == 30
    monkeypatch.setattr("roicg.store.neo4j.communities.strength_null", None)
    result = find_communities(store, graph.id, task="add", edges=30, null_samples=20)
    ends = {graph.partition.rois[i].key for side in (graph.edges.source, graph.edges.target) for i in side[inside]}
    assert {name for names in result.communities for name in names} == ends
    assert result.nulls.configuration.sd > 0
    assert {row["edges"] for row in store.run("structure.communities", slot=slot_of(graph).key)} == {30}
    assert [row["modularity"] for row in store.run("compare.emergence", slot=slot_of(graph).key, communities_of="add")] == [None, None]


def test_one_seed_gives_one_answer(store: Neo4jStore) -> None:
    graph = layered_graph(1, 3, "repeat")
    first, second = (gds_memberships(store, graph, "add", range(1)) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_planted_graph_is_above_its_null_and_asking_again_adds_nothing(store: Neo4jStore) -> None:
    graph = layered_graph(2, 0, "planted")
    publish(store, graph)
    result = find_communities(store, graph.id, task="add", null_samples=40)
    assert result.written
    assert result.nulls.above_null
    for null in (result.nulls.blocks, result.nulls.configuration):
        assert null.p == pytest.approx(1 / 41)
        assert result.modularity > null.mean + 5 * null.sd
    # Neuron i of every layer is of group i mod 2: both communities hold one parity only.
    assert [{int(name.split(".n")[1]) % 2 for name in names} for names in result.communities] in ([{0}, {1}], [{1}, {0}])
    again = find_communities(store, graph.id, task="add", null_samples=40)
    assert not again.written
    assert (again.analysis, again.communities, again.modularity, again.nulls) == (result.analysis, result.communities, result.modularity, result.nulls)
    rows = store.run("structure.communities", slot=slot_of(graph).key)
    assert [tuple(row["rois"]) for row in rows] == list(result.communities)
    drawn = store.run("draw.communities", slot=slot_of(graph).key)
    assert {(row["community"]["index"], row["roi"]["name"]) for row in drawn} == {(i, name) for i, names in enumerate(result.communities) for name in names}
    assert store.run("draw.communities", slot=slot_of(graph).key, kind="roles") == []
    nearest = result.nulls.counts
    shown = (result.modularity, result.nulls.nearest, nearest.mean, nearest.sd, nearest.z, nearest.p, True)
    names = ("modularity", "nearest_null", "null_mean", "null_sd", "z", "p", "above_null")
    assert {tuple(row[name] for name in names) for row in rows} == {shown}
    assert {(row["blocks_z"], row["configuration_z"]) for row in rows} == {(result.nulls.blocks.z, result.nulls.configuration.z)}
    assert store.run("gds.projections") == []


def test_random_graphs_are_not_above_their_null(store: Neo4jStore) -> None:
    for seed in range(2):
        graph = layered_graph(1, seed, f"random{seed}", (5, 5, 5))
        publish(store, graph)
        for task in ("add", None):
            result = find_communities(store, graph.id, task=task, null_samples=20, seed=seed)
            assert not result.nulls.above_null
            assert result.modularity > 0.0


@pytest.mark.parametrize("task", ["add", None])
def test_projected_strengths_are_those_of_the_null(store: Neo4jStore, task: str | None) -> None:
    """GDS divides what the null permutes: |Σ weight| over ports, rms over tasks in units of their effects."""
    graph = reference_graph(200)
    units = {"add": 1.0} if task else {"add": 0.73, "max": 1.302}
    twin = port_edges(graph, units).undirected()
    names = [roi.key for roi in graph.partition.rois]
    expected = {frozenset((names[u], names[v])): s for u, v, s in zip(twin.source, twin.target, twin.strength, strict=True)}
    assert frozenset(("a0.h0", "m0.r0")) in expected
    assert not any("tok" in pair or "m0.rest" in pair for pair in expected)
    if task is None:
        assert expected[frozenset(("m0.r0", "logits"))] == pytest.approx(np.sqrt(((0.9 / 0.73) ** 2 + (0.3 / 1.302) ** 2) / 2))
    values = strength_of(publish(store, graph), tasks=list(units), units=list(units.values()))
    rows = store.run("gds.strengths", **values)
    assert len(rows) == len(expected)
    assert {frozenset((names[row["source"]], names[row["target"]])): row["strength"] for row in rows} == pytest.approx(expected)


def test_every_order_of_the_pairs_is_the_same_graph_in_gds(store: Neo4jStore) -> None:
    pairs = [{"source": u, "target": w, "strength": s} for u, w, s in ((1, 7, 0.5), (2, 7, 1.5), (1, 2, 2.0))]
    for stride in (1, 2**30):
        columns = {f"{name}s": [row[name] for row in in_order(pairs, stride)] for name in ("source", "target", "strength")}
        with projected(store.connection, "gds.project_pairs", **columns) as projection:
            assert (projection.nodes, projection.relationships) == (3, 6)
            rows = store.cypher(
                "CALL gds.graph.relationshipProperty.stream($name, 'strength') YIELD sourceNodeId, targetNodeId, propertyValue "
                "RETURN sourceNodeId AS source, targetNodeId AS target, propertyValue AS strength",
                name=projection.name,
            )
        found = {(row["source"], row["target"]): row["strength"] for row in rows}
        assert found == {ends: row["strength"] for row in pairs for ends in ((row["source"], row["target"]), (row["target"], row["source"]))}
    orders = [[(row["source"], row["target"]) for row in in_order(pairs, stride)] for stride in (1, 2**30)]
    assert orders == [[(1, 2), (1, 7), (2, 7)], [(2, 7), (1, 2), (1, 7)]]


def test_parallel_ports_are_summed_before_the_absolute_value(store: Neo4jStore) -> None:
    graph = reference_graph(200)
    rows = store.run("gds.strengths", **strength_of(publish(store, graph), leave_out=["logits", "mlp"]))
    names = [roi.key for roi in graph.partition.rois]
    assert {names[row["target"]]: row["strength"] for row in rows} == pytest.approx({"a0.h0": abs(0.1 - 0.2 + 0.5), "a0.h1": 0.1})


def test_where_no_merge_pays_every_roi_is_alone(store: Neo4jStore) -> None:
    graph = reference_graph(200)
    publish(store, graph)
    result = find_communities(store, graph.id, task="max", gamma=1000.0, null_samples=10)
    assert {len(names) for names in result.communities} == {1}
    assert not result.nulls.above_null


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_no_projection_is_left_behind_by_an_error_in_the_middle(store: Neo4jStore, error: type[BaseException]) -> None:
    with pytest.raises(error), projected(store.connection, "gds.project_pairs", **PAIR) as projection:  # noqa: PT012 - the state before the error matters
        assert [row["projection"] for row in store.run("gds.projections")] == [projection.name]
        raise error
    assert store.run("gds.projections") == []


def test_an_error_inside_gds_leaves_nothing(store: Neo4jStore) -> None:
    with pytest.raises(StoreError, match=r"gds\.leiden"), projected(store.connection, "gds.project_pairs", **PAIR):
        store.run("gds.leiden", projection="no such projection", gamma=1.0, seed=0)
    assert store.run("gds.projections") == []


def test_an_error_after_gds_leaves_neither_projection_nor_analysis(store: Neo4jStore, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = reference_graph(100)
    publish(store, graph)

    def broken(*_: object) -> None:
        raise LawError("a null that cannot be drawn")

    monkeypatch.setattr("roicg.store.neo4j.communities.block_null", broken)
    with pytest.raises(LawError, match="cannot be drawn"):
        find_communities(store, graph.id, task="add")
    assert store.run("gds.projections") == []
    assert store.run("structure.communities", slot=slot_of(graph).key) == []


def test_a_projection_that_cannot_be_made_leaves_nothing(store: Neo4jStore) -> None:
    with pytest.raises(QueryError, match="needs the parameter targets"), projected(store.connection, "gds.project_pairs", sources=[1], strengths=[1.0]):
        pytest.fail("nothing can be projected without targets")
    assert store.run("gds.projections") == []


def test_too_much_for_the_memory_is_refused_before_anything_is_projected(store: Neo4jStore) -> None:
    require_memory(store.connection, 100, 1000)
    with pytest.raises(StoreError, match=r"may need [\d,]+ MiB .* and [\d,]+ MiB are free; give it more heap"):
        require_memory(store.connection, 10**9, 10**11)


def test_questions_without_an_answer_say_why(store: Neo4jStore) -> None:
    graph = reference_graph(200)
    publish(store, graph)
    with pytest.raises(LawError, match="no task 'sub' in this graph; it has add, max"):
        find_communities(store, graph.id, task="sub")
    with pytest.raises(StoreError, match="no graph 'nowhere' is published"):
        find_communities(store, "nowhere", task="add")
    nothing = graph_of(partition("components", {"m0.r0": tuple(range(12))}), (("tok", "logits", "in"),), np.zeros((len(TASKS), 1)), 200, "still")
    publish(store, nothing)
    with pytest.raises(StoreError, match="nothing to divide"):
        find_communities(store, nothing.id, task="max")
    balanced = reference_graph(100, "balanced")
    balanced = replace(balanced, port_groups=tuple(replace(group, effect=0.0) for group in balanced.port_groups))
    publish(store, balanced)
    with pytest.raises(StoreError, match="no task has an effect"):
        find_communities(store, balanced.id, task=None)
    with pytest.raises(StoreError, match="gamma > 0"):
        find_communities(store, graph.id, task="add", gamma=0.0)
    with pytest.raises(StoreError, match="name the task, and at least 1 edge"):
        find_communities(store, graph.id, task=None, edges=10)
