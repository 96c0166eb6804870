"""The memory store and the rules it shares with the real one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from roicg.core.errors import PublishConflict, StoreError
from roicg.core.graph import ComputationalGraph
from roicg.store.memory import MemoryStore
from roicg.store.stored import REPRODUCED, differences, exact_sum, reproduces, same_sums, stored_form
from tests import strategies
from tests.handmade import curves, own_graph, reference_graph, slot_of

GRAPH = reference_graph(200)


def shifted(by: float) -> ComputationalGraph:
    """One weight moved by this share of the largest |weight|."""
    weight = GRAPH.edges.weight.copy()
    weight[0, 1] += by * np.abs(weight).max()
    return replace(GRAPH, edges=replace(GRAPH.edges, weight=weight))


def test_the_four_outcomes() -> None:
    store, slot = MemoryStore(), slot_of(GRAPH)
    outcomes = [store.put(graph, slot).outcome for graph in (GRAPH, GRAPH, shifted(0.9 * REPRODUCED))]
    assert outcomes == ["published", "unchanged", "reproduced"]
    with pytest.raises(PublishConflict, match="publish with replace"):
        store.put(shifted(1.1 * REPRODUCED), slot)
    assert store.put(shifted(1.1 * REPRODUCED), slot, replace=True).outcome == "replaced"
    assert differences(shifted(1.1 * REPRODUCED), store.get(GRAPH.id)) == []


def test_other_nodes_edges_or_tasks_are_no_reproduction() -> None:
    assert reproduces(GRAPH, GRAPH)
    assert not reproduces(own_graph(200), GRAPH)
    assert not reproduces(replace(GRAPH, edges=replace(GRAPH.edges, tasks=("add", "min"))), GRAPH)


def test_a_slot_shows_one_graph_and_forgets_the_former() -> None:
    store, slot = MemoryStore(), slot_of(GRAPH)
    store.put(GRAPH, slot)
    store.put(replace(GRAPH, id="other"), slot)
    assert store.ids() == ("other",)
    with pytest.raises(StoreError, match="no graph 'toy-200-reference'"):
        store.get(GRAPH.id)


def test_curves_are_counted_once_and_cypher_is_refused() -> None:
    store = MemoryStore()
    store.put(GRAPH, slot_of(GRAPH))
    assert [store.put_curves(GRAPH.id, curves(200)), store.put_curves(GRAPH.id, curves(200))] == [16, 0]
    with pytest.raises(StoreError, match="answers no Cypher"):
        store.run("house.published")


def test_a_foreign_slot_is_refused() -> None:
    with pytest.raises(StoreError, match="publish it under its own slot"):
        MemoryStore().put(GRAPH, slot_of(own_graph(200)))


@settings(max_examples=30, deadline=None)
@given(graph=strategies.graphs())
def test_what_is_read_is_what_was_written(graph: ComputationalGraph) -> None:
    store = MemoryStore()
    store.put(graph, strategies.slot_of(graph))
    assert differences(graph, store.get(graph.id)) == []
    assert stored_form(graph).content_hash == graph.content_hash
    assert store.put(graph, strategies.slot_of(graph)).outcome == "unchanged"


def test_differences_name_each_part() -> None:
    changed = {
        "scores": replace(GRAPH, scores=GRAPH.scores[:1]),
        "provenance": replace(GRAPH, provenance={"rule": "left"}),
        "checkpoint": replace(GRAPH, checkpoint=replace(GRAPH.checkpoint, weights_digest="x")),
        "edge rank": replace(GRAPH, edges=replace(GRAPH.edges, rank=GRAPH.edges.rank[:, ::-1])),
    }
    for name, other in changed.items():
        assert differences(GRAPH, other) == [name]
    assert differences(GRAPH, replace(GRAPH, port_groups=())) == ["port groups"]


def test_sums_are_exact_in_any_order_and_have_no_bound() -> None:
    assert exact_sum([1e16, 1.0, -1e16]) == exact_sum([1.0, 1e16, -1e16]) == 1.0
    beyond = exact_sum([1.7e308, 1.7e308])
    assert same_sums([beyond, 1.0], [beyond, 1.0])
    assert not same_sums([beyond, 1.0], [2.0, 1.0])
    assert not same_sums([1.0], [1.0, 1.0])
