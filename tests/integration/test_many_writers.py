"""Several processes' worth of writers in different slots of one model: numbers are never given twice, nothing is mixed up."""

import threading
from dataclasses import replace

import pytest

from roicg.server.address import Address
from roicg.store.neo4j.publish import PublishRules
from roicg.store.neo4j.store import Neo4jStore
from roicg.store.protocol import PublishResult
from roicg.store.verify import verify
from tests.handmade import STEPS, own_graph, reference_graph, slot_of
from tests.published import empty

pytestmark = pytest.mark.neo4j


def test_writers_of_different_slots_do_not_disturb_each_other(address: Address) -> None:
    graphs = [reference_graph(step) for step in STEPS] + [own_graph(step) for step in STEPS[1:]]
    graphs += [replace(graph, id=graph.id + "'", checkpoint=replace(graph.checkpoint, label=graph.checkpoint.label + "b")) for graph in graphs]
    results: list[PublishResult] = []

    def write(share: int) -> None:
        with Neo4jStore(address, rules=PublishRules(batch=6)) as mine:
            results.extend(mine.put(graph, slot_of(graph)) for graph in graphs[share::4])

    with Neo4jStore(empty(address)) as store:
        store.ensure_schema()
        threads = [threading.Thread(target=write, args=(share,)) for share in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(200)
        assert [result.outcome for result in results] == ["published"] * 10
        assert sorted(result.number for result in results) == list(range(1, 11))
        assert verify(store) == []
        assert store.cypher("MATCH (:Checkpoint)-[n:NEXT]->() RETURN count(n) AS n") == [{"n": 5}]
