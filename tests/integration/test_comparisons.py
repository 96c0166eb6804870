"""Matches by features and by signature, and drift, between published graphs: literal twins, asking twice, and why two slots cannot be compared."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from roicg.core.errors import StoreError
from roicg.core.graph import ComputationalGraph
from roicg.server.address import Address
from roicg.store.neo4j.analyses import edge_drift, find_communities, match_by_signature, match_rois
from roicg.store.neo4j.store import Neo4jStore
from tests.handmade import REFERENCE, WEIGHTS, graph_of, own_graph, partition, reference_graph, slot_of
from tests.planted import layered_graph
from tests.profiles import profile_rows
from tests.published import empty


@pytest.fixture(scope="module")
def store(address: Address) -> Iterator[Neo4jStore]:
    with Neo4jStore(empty(address)) as opened:
        for graph in (reference_graph(100), reference_graph(200), own_graph(100), own_graph(200), reference_graph(100, "other"), own_graph(100, "other")):
            opened.put(graph, slot_of(graph))
        yield opened


def literal_jaccards(a: ComputationalGraph, b: ComputationalGraph) -> dict[tuple[str, str], float]:
    """|shared| / |either| over features (site, index) of every pair of ROIs that are not rest and share one."""
    features = [{roi.key: {(roi.site, i) for i in roi.members} for roi in graph.partition.rois if not roi.is_rest} for graph in (a, b)]
    return {(x, y): len(f & g) / len(f | g) for x, f in features[0].items() for y, g in features[1].items() if f & g}


def test_matches_are_the_jaccards_and_asking_again_in_any_order_adds_nothing(store: Neo4jStore) -> None:
    expected = literal_jaccards(own_graph(100), own_graph(200))
    result = match_rois(store, "toy-200-own", "toy-100-own")
    assert result.written
    assert (result.graph_a, result.graph_b) == ("toy-100-own", "toy-200-own")
    assert {(a, b): jaccard for a, b, jaccard in result.matches} == pytest.approx(expected)
    again = match_rois(store, "toy-100-own", "toy-200-own")
    assert again == replace(result, written=False)
    rows = store.run("compare.roi_matches", slot_a="hand|toy@100|own|ports", slot_b="hand|toy@200|own|ports")
    assert {(row["roi_a"], row["roi_b"]): row["jaccard"] for row in rows} == pytest.approx(expected)
    assert len(rows) == len(expected)
    assert store.run("gds.projections") == []


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        ("toy-100-own", "toy-100-own", "given twice"),
        ("toy-100-own", "other-100-own", "share no features"),
        ("toy-100-own", "toy-200-reference", "has the partition reference"),
        ("toy-100-own", "nowhere", "no graph 'nowhere' is published"),
    ],
)
def test_matching_says_why_not(store: Neo4jStore, a: str, b: str, why: str) -> None:
    with pytest.raises(StoreError, match=why):
        match_rois(store, a, b)
    assert store.run("gds.projections") == []


@pytest.mark.parametrize("graph", [reference_graph(200), own_graph(100)], ids=["reference", "own"])
def test_profiles_are_the_literal_sums(store: Neo4jStore, graph: ComputationalGraph) -> None:
    """Seen to fail with the port left out of what is summed over, and with rest among those that have a profile."""
    found, expected = store.run("compare.profiles", slot=slot_of(graph).key), profile_rows(graph.partition, graph.edges)
    assert [{**row, "weight": 0} for row in found] == [{**row, "weight": 0} for row in expected]
    assert [row["weight"] for row in found] == pytest.approx([row["weight"] for row in expected])


def test_matches_by_signature_are_kept_once_with_their_verdict(store: Neo4jStore) -> None:
    """Of two models: their hand-made graphs are equal, so every ROI is its own image."""
    found = match_by_signature(store, "toy-100-reference", "other-100-reference", draws=19)
    assert all(a == b for a, b, _ in found.pairs)
    assert len(found.pairs) == 5
    assert match_by_signature(store, "toy-100-reference", "other-100-reference", draws=19) == found
    slots = {"slot_a": "hand|toy@100|reference|ports", "slot_b": "hand|other@100|reference|ports"}
    rows = store.run("compare.signature_matches", **slots)
    assert [(row["roi_a"], row["roi_b"], row["signature"]) for row in rows] == list(found.pairs)
    assert len(store.run("compare.signature_matches", **slots, all=True)) == len(found.pairs) + len(found.nearest)
    (row,) = store.run("compare.agreement", slot="hand|other@100|reference|ports")
    assert row["other"] == "hand|toy@100|reference|ports"
    assert {name: row[name] for name in ("pairs", "similarity", "p", "twins", "index", "held_out")} == {
        name: getattr(found.verdict, name) for name in ("pairs", "similarity", "p", "twins", "index", "held_out")
    }
    assert store.run("house.loose") == []
    with pytest.raises(StoreError, match="given twice"):
        match_by_signature(store, "toy-100-reference", "toy-100-reference")
    with pytest.raises(StoreError, match="no graph 'nowhere' is published"):
        match_by_signature(store, "toy-100-reference", "nowhere")


def test_random_graphs_do_not_agree_by_signature(store: Neo4jStore) -> None:
    graphs = [layered_graph(1, seed, f"stranger{seed}", (6, 6)) for seed in range(2)]
    for graph in graphs:
        store.put(graph, slot_of(graph))
    assert match_by_signature(store, graphs[0].id, graphs[1].id, draws=99).verdict.p > 0.05


def test_features_flow_from_community_to_community_as_counted_literally(store: Neo4jStore) -> None:
    """On own ROIs, whose features differ at both steps; every feature that both divisions hold flows once."""
    results = [find_communities(store, f"toy-{step}-own", task="add", null_samples=2, leave_out=("rest",)) for step in (100, 200)]
    held = []
    for step, result in zip((100, 200), results, strict=True):
        members = {roi.key: {(roi.site, i) for i in roi.members} for roi in own_graph(step).partition.rois}
        held.append([set().union(*(members[name] for name in names)) for names in result.communities])
    rows = store.run("compare.community_flow", slot_a="hand|toy@100|own|ports", slot_b="hand|toy@200|own|ports", communities_of="add")
    expected = {(i, j): len(a & b) for i, a in enumerate(held[0]) for j, b in enumerate(held[1]) if a & b}
    assert {(row["community_a"], row["community_b"]): row["shared"] for row in rows} == expected
    total = sum(len(b) for b in held[1])
    for row in rows:
        a, b = held[0][row["community_a"]], held[1][row["community_b"]]
        assert (row["share_a"], row["share_b"], row["chance"]) == pytest.approx((row["shared"] / len(a), row["shared"] / len(b), len(b) / total))


def test_drift_is_the_difference_of_the_weights_of_both_graphs(store: Neo4jStore) -> None:
    rows = edge_drift(store, "hand|toy@100|reference|ports", "hand|toy@200|reference|ports", task="max", limit=100)
    expected = {edge: tasks[1][2] - tasks[1][1] for edge, tasks in WEIGHTS.items()}
    assert {(row["source"], row["target"], row["port"]): row["drift"] for row in rows} == pytest.approx(expected)
    sizes = [abs(row["drift"]) for row in rows]
    assert sizes == sorted(sizes, reverse=True)


def test_an_edge_that_one_graph_lacks_counts_as_zero_there(store: Neo4jStore) -> None:
    edges = (("tok", "m0.r0", "in"), ("m0.r0", "logits", "in"))
    few = graph_of(partition("reference", REFERENCE), edges, np.array([[0.3, 0.9], [0.1, 0.2]]), 0, "toy")
    store.put(few, slot_of(few))
    rows = edge_drift(store, slot_of(few).key, "hand|toy@200|reference|ports", task="add", limit=3)
    assert [(row["source"], row["target"], row["weight_a"], row["weight_b"], row["rank_a"]) for row in rows] == [
        ("a0.h0", "m0.r0", 0.0, 0.6, None),
        ("tok", "a0.h0", 0.0, 0.5, None),
        ("m0.r1", "logits", 0.0, -0.4, None),
    ]


@pytest.mark.parametrize(
    ("slot_b", "task", "why"),
    [
        ("hand|toy@200|reference|inputs", "add", "path ports, .* by inputs; weights of different paths are not comparable"),
        ("hand|other@100|reference|ports", "add", "different models"),
        ("hand|toy@200|own|ports", "add", "the partition own has other ROIs at every checkpoint"),
        ("hand|toy@200|components|ports", "add", "different ROIs"),
        ("hand|toy@200|reference|ports", "sub", "no task 'sub'; it has add, max"),
        ("hand|toy@300|reference|ports", "add", "nothing is published in slot"),
    ],
)
def test_drift_says_why_two_slots_cannot_be_compared(store: Neo4jStore, slot_b: str, task: str, why: str) -> None:
    by_inputs = replace(reference_graph(200), id="by inputs", provenance={**reference_graph(200).provenance, "path": "inputs"})
    store.put(by_inputs, slot_of(by_inputs, path="inputs"))
    heads = reference_graph(200, kind="components")
    store.put(heads, slot_of(heads))
    with pytest.raises(StoreError, match=why):
        edge_drift(store, "hand|toy@100|reference|ports", slot_b, task=task)


def test_what_changed_most_is_found_in_sequences_longer_than_are_read_at_once(store: Neo4jStore) -> None:
    """Twenty checkpoints, each with some of the edges: they enter, stay and leave. A literal twin; seen to fail without the edges that leave,
    and with parts of the sequence that do not overlap."""
    rng = np.random.default_rng(3)
    rois, known = partition("reference", REFERENCE), tuple(WEIGHTS)
    graphs = []
    for step in range(20):
        kept = tuple(edge for edge in known if rng.random() < 0.7)
        graph = graph_of(rois, kept, rng.normal(size=(2, len(kept))).round(2), 100, "long")
        at = replace(graph.checkpoint, step=step, label=str(step), weights_digest=f"long {step}")
        graphs.append(replace(graph, id=f"long-{step}", checkpoint=at))
        store.put(graphs[-1], slot_of(graphs[-1]))
    names = [roi.key for roi in rois.rois]
    seen = []
    for graph in graphs:
        edges, row = graph.edges, graph.edges.task_index("add")
        ends = [(names[u], names[v], port) for u, v, port in zip(edges.source, edges.target, edges.port, strict=True)]
        seen.append({end: (edges.weight[row, e], edges.rank[row, e] <= 5) for e, end in enumerate(ends)})
    expected = {}
    for step in range(1, 20):
        a, b = seen[step - 1], seen[step]
        pairs = [(a.get(end, (0.0, False)), b.get(end, (0.0, False))) for end in {*a, *b}]
        change, strength = (float(sum(abs(y[0] - sign * x[0]) if sign else abs(x[0]) + abs(y[0]) for x, y in pairs)) for sign in (1, 0))
        expected[step] = (change, change / strength, sum(x[1] and y[1] for x, y in pairs) / sum(x[1] or y[1] for x, y in pairs))
    rows = store.run("compare.which_changed_most", slot=slot_of(graphs[7]).key, task="add", edges=5)
    assert {row["to_step"]: (row["change"], row["relative"], row["overlap"]) for row in rows} == {step: pytest.approx(row) for step, row in expected.items()}
    assert [row["change"] for row in rows] == sorted((row["change"] for row in rows), reverse=True)
