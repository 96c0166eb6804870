"""What publishing means on a real server: once, again, nearly the same, other, replaced, under another slot, interrupted."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import neo4j
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from roicg.core.errors import PublishConflict, QueryError, StoreError, StoreUnreachable
from roicg.core.graph import ComputationalGraph
from roicg.core.partition import PARTITION_KINDS
from roicg.server.address import Address
from roicg.store.connect import connect
from roicg.store.memory import MemoryStore
from roicg.store.neo4j.migrations import migrations
from roicg.store.neo4j.publish import PublishRules
from roicg.store.neo4j.store import Neo4jStore
from roicg.store.stored import differences
from roicg.store.verify import verify
from tests import strategies
from tests.handmade import curves, own_graph, reference_graph, slot_of
from tests.published import empty

pytestmark = pytest.mark.neo4j


@pytest.fixture(scope="module")
def opened(address: Address) -> Iterator[Neo4jStore]:
    with connect(address) as store:
        store.ensure_schema()
        yield store


@pytest.fixture
def store(opened: Neo4jStore) -> Neo4jStore:
    empty(opened.address)
    opened.rules = PublishRules()
    return opened


def scaled(graph: ComputationalGraph, factor: float) -> ComputationalGraph:
    return replace(graph, edges=replace(graph.edges, weight=graph.edges.weight * factor))


def counts(store: Neo4jStore) -> dict[str, int]:
    nodes = store.cypher("MATCH (n) WHERE NOT n:Migration RETURN labels(n)[0] AS kind, count(*) AS n")
    edges = store.cypher("MATCH ()-[e]->() RETURN type(e) AS kind, count(*) AS n")
    return {row["kind"]: row["n"] for row in nodes + edges}


def test_a_second_publication_writes_nothing_and_says_so(store: Neo4jStore) -> None:
    graph = reference_graph(200)
    first = store.put(graph, slot_of(graph))
    before = counts(store)
    second = store.put(graph, slot_of(graph))
    assert (first.outcome, second.outcome) == ("published", "unchanged")
    assert (first.number, first.content_hash, first.edges) == (second.number, second.content_hash, second.edges)
    assert counts(store) == before
    assert before["EDGE"] == 16 * 2
    assert before["FLOW"] == 8 * 2
    assert before["Feature"] == 12 - 2 + 4  # rest is derivable; tok, two heads and logits hold one each
    assert differences(graph, store.get(graph.id)) == []
    assert store.ids() == (graph.id,)
    assert verify(store) == []


def test_what_stands_is_left_at_a_look_only_while_nobody_is_at_work_and_nothing_is_left_over(store: Neo4jStore) -> None:
    """A dead writer's lock, its staged version and a superseded one whose time is over are still taken care of; a superseded one that is
    still read is not touched. Seen to fail with each of the three conditions left out of publish/stands.cypher."""
    graph = reference_graph(200)
    slot = slot_of(graph)
    store.put(graph, slot)
    asked = store.cypher("MATCH (s:Slot) RETURN s.asked AS asked")
    assert store.put(graph, slot).outcome == "unchanged"
    assert store.cypher("MATCH (s:Slot) RETURN s.asked AS asked") == asked, "nothing was written"
    store.cypher("MATCH (s:Slot) SET s.run = 'dead', s.heartbeat = datetime.realtime() - duration({hours: 1})", write=True)
    assert store.put(graph, slot).outcome == "unchanged"
    assert store.cypher("MATCH (s:Slot) RETURN s.run AS run") == [{"run": None}]
    left = "CREATE (:GraphVersion {number: 9000, id: 'left', slot: $slot, status: $status, superseded: datetime.realtime() - duration({seconds: $age})})"
    there = "MATCH (v:GraphVersion {number: 9000}) RETURN count(v) AS n"
    for status, age, n in (("staged", 0, 0), ("superseded", 3600, 0), ("superseded", 10, 1)):
        store.cypher(left, write=True, slot=slot.key, status=status, age=age)
        assert store.put(graph, slot).outcome == "unchanged"
        assert store.cypher(there) == [{"n": n}], (status, age)


def test_within_rounding_the_published_graph_stays(store: Neo4jStore) -> None:
    graph = reference_graph(200)
    first = store.put(graph, slot_of(graph))
    again = store.put(scaled(graph, 1 + 9e-5), slot_of(graph))
    assert (again.outcome, again.number, again.content_hash) == ("reproduced", first.number, graph.content_hash)


def test_other_content_is_refused_unless_replaced_and_replacing_supersedes(store: Neo4jStore) -> None:
    graph = reference_graph(200)
    first = store.put(graph, slot_of(graph))
    assert store.put_curves(graph.id, curves(200)) == 16
    other = scaled(graph, 1.01)
    with pytest.raises(PublishConflict, match="publish with replace"):
        store.put(other, slot_of(graph))
    assert differences(graph, store.get(graph.id)) == []
    after = store.put(other, slot_of(graph), replace=True)
    assert (after.outcome, after.number) == ("replaced", first.number + 1)
    assert differences(other, store.get(graph.id)) == []
    assert {row["number"]: row["status"] for row in store.run("house.published")} == {1: "superseded", 2: "published"}
    assert verify(store) == []
    assert store.put_curves(graph.id, curves(200)) == 16
    assert store.gc().numbers == ()
    assert store.gc(grace_s=0).numbers == (first.number,)
    assert counts(store)["Analysis"] == 1
    assert counts(store)["Circuit"] == 16
    assert counts(store)["EDGE"] == 32
    assert verify(store) == []


def test_one_graph_id_in_two_slots_is_one_version(store: Neo4jStore) -> None:
    graph = reference_graph(200)
    twin = replace(graph, checkpoint=replace(graph.checkpoint, label="final"))
    first, second = store.put(graph, slot_of(graph)), store.put(twin, slot_of(twin))
    assert (second.outcome, second.number) == ("published", first.number)
    assert store.put(twin, slot_of(twin)).outcome == "unchanged"
    assert counts(store)["GraphVersion"] == 1
    replaced = store.put(scaled(graph, 1.01), slot_of(graph), replace=True)
    shown = store.cypher("MATCH (s:Slot)-[:PUBLISHED]->(v:GraphVersion) RETURN s.key AS slot, v.number AS number")
    assert {row["slot"]: row["number"] for row in shown} == dict.fromkeys((slot_of(graph).key, slot_of(twin).key), replaced.number)
    assert verify(store) == []


def test_another_graph_takes_the_slot_and_what_the_old_one_used_goes_with_it(store: Neo4jStore) -> None:
    old, new = own_graph(200), replace(own_graph(200), id="another question", partition=replace(own_graph(100).partition))
    slot = slot_of(old)
    store.put(old, slot)
    assert store.put(new, slot).outcome == "published"
    assert store.ids() == ("another question",)
    with pytest.raises(StoreError, match="no graph 'toy-200-own' is published"):
        store.get(old.id)
    assert len(store.gc(grace_s=0).versions) == 1
    assert counts(store)["Partition"] == 1
    assert verify(store) == []


def test_checkpoints_form_a_chain_and_share_features(store: Neo4jStore) -> None:
    for step in (200, 0, 100):
        graph = reference_graph(step)
        store.put(graph, slot_of(graph))
    chain = store.cypher("MATCH (a:Checkpoint)-[:NEXT]->(b:Checkpoint) RETURN a.step AS a, b.step AS b ORDER BY a")
    assert [(row["a"], row["b"]) for row in chain] == [(0, 100), (100, 200)]
    assert (counts(store)["Feature"], counts(store)["Partition"], counts(store)["SCORED"]) == (14, 1, 6)


def test_curves_are_added_once(store: Neo4jStore) -> None:
    graph = reference_graph(0)
    store.put(graph, slot_of(graph))
    assert store.put_curves(graph.id, curves(0)) == 4
    assert store.put_curves(graph.id, curves(0)) == 0
    rows = store.cypher("MATCH (c:Circuit) RETURN DISTINCT c.reason AS reason, c.faithfulness AS phi, c.n_edges AS n")
    assert rows == [{"reason": "no_effect", "phi": None, "n": None}]
    with pytest.raises(StoreError, match="publish the graph first"):
        store.put_curves("nothing", curves(0))


def test_ctrl_c_leaves_a_staged_version_that_nobody_sees_and_the_next_publication_removes(store: Neo4jStore) -> None:
    def interrupt(rows: int) -> None:
        if rows >= 25:
            raise KeyboardInterrupt

    graph = reference_graph(200)
    store.rules = PublishRules(batch=5, on_batch=interrupt)
    with pytest.raises(KeyboardInterrupt):
        store.put(graph, slot_of(graph))
    assert store.ids() == ()
    assert [finding.kind for finding in verify(store)] == ["leftover"]
    store.rules = PublishRules(batch=5)
    assert store.put(graph, slot_of(graph)).outcome == "published"
    assert counts(store)["GraphVersion"] == 1
    assert verify(store) == []


def test_a_graph_in_a_foreign_slot_is_refused_before_anything_is_written(store: Neo4jStore) -> None:
    graph = reference_graph(200)
    with pytest.raises(StoreError, match="publish it under its own slot"):
        store.put(graph, slot_of(own_graph(200)))
    assert counts(store) == {}


def test_the_schema_is_applied_twice_without_change(store: Neo4jStore) -> None:
    def shape() -> list[dict[str, object]]:
        return store.cypher("SHOW INDEXES YIELD name, state, type, entityType, labelsOrTypes, properties RETURN * ORDER BY name")

    with Neo4jStore(store.address) as again:
        before = shape()
        again.ensure_schema()
    assert shape() == before
    assert {row["state"] for row in before} == {"ONLINE"}
    assert {"edge_rank", "edge_unique", "roi_key"} <= {row["name"] for row in before}
    constraints = {row["name"] for row in store.cypher("SHOW CONSTRAINTS YIELD name RETURN name")}
    made = {migration.makes for migration in migrations()}
    assert constraints == {name for name in made if not name.startswith(("edge_rank", "version_id", "version_slot"))}
    assert made <= {row["name"] for row in before}


def test_only_reading_queries_run_and_the_server_itself_refuses_a_write(store: Neo4jStore) -> None:
    with pytest.raises(QueryError, match="does not only read"):
        store.run("publish.collect_version", number=1)
    with pytest.raises(QueryError, match="only reading is allowed"):
        store.cypher("CREATE (:Mine)")
    assert store.cypher("CREATE (m:Mine) RETURN 1 AS n", write=True) == [{"n": 1}]


def test_nobody_at_the_address_and_wrong_credentials_say_what_to_do(store: Neo4jStore) -> None:
    with pytest.raises(StoreUnreachable, match="roicg db start"), Neo4jStore(replace(store.address, uri="bolt://127.0.0.1:9")) as nobody:
        nobody.ids()
    with pytest.raises(StoreUnreachable, match="ROICG_NEO4J_PASSWORD"), Neo4jStore(replace(store.address, password="wrong")) as refused:
        refused.ids()


@settings(
    max_examples=8, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(graph=strategies.graphs())
def test_what_is_read_is_what_was_written_and_what_memory_keeps(opened: Neo4jStore, graph: ComputationalGraph) -> None:
    memory, slot = MemoryStore(), strategies.slot_of(graph)
    assert opened.put(graph, slot).outcome == memory.put(graph, slot).outcome
    assert differences(graph, opened.get(graph.id)) == []
    assert differences(memory.get(graph.id), opened.get(graph.id)) == []
    assert opened.put(graph, slot).outcome == "unchanged"


def test_every_kind_of_partition_is_as_it_was_written(store: Neo4jStore) -> None:
    """Seen to fail for directions, whose features are derivable, while house.thin listed the kinds itself."""
    kinds = [kind for kind in PARTITION_KINDS if kind not in ("own", "reference")]
    for kind in kinds:
        graph = reference_graph(0, kind=kind)
        store.put(graph, slot_of(graph))
    assert len(kinds) > 2
    assert verify(store) == []


def test_a_deprecation_of_the_server_is_a_warning_when_asked_to_be_strict(address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROICG_STRICT", "1")
    with Neo4jStore(address) as strict, pytest.raises(neo4j.warnings.Neo4jDeprecationWarning):
        strict.cypher("MATCH (n) RETURN id(n) LIMIT 1")


def test_books_are_kept_on_the_version(store: Neo4jStore) -> None:
    graph = reference_graph(200)
    number = store.put(graph, slot_of(graph)).number
    version = store.run("house.version", number=number)[0]["version"]
    assert (version["n_edges"], version["n_rows"], version["n_rois"], version["steps"], version["rule"]) == (16, 32, 8, 5, "gauss-legendre")
    assert np.allclose(version["weight_sums"], graph.edges.weight.sum(axis=1))


def test_an_answer_does_not_come_from_within_a_flip(store: Neo4jStore) -> None:
    """A slot met without its version, here for a twentieth of a second: readers wait. Seen to fail with two equal looks enough."""
    graph = reference_graph(200)
    store.put(graph, slot_of(graph))
    key = slot_of(graph).key
    assert len(store.run("circuits.circuit", slot=key, task="add", edges=5)) == 5  # so that it is planned, and takes milliseconds
    store.cypher("MATCH (:Slot {key: $key})-[p:PUBLISHED]->(v) DELETE p", write=True, key=key)
    begin = "MATCH (slot:Slot {key: $key}), (v:GraphVersion {slot: $key, status: 'published'}) CREATE (slot)-[:PUBLISHED]->(v)"
    store.cypher(f"EXPLAIN {begin}", write=True, key=key)
    later = threading.Timer(0.05, lambda: store.cypher(begin, write=True, key=key))
    later.start()
    try:
        assert len(store.run("circuits.circuit", slot=key, task="add", edges=5)) == 5
    finally:
        later.join()
    store.cypher("MATCH (:Slot {key: $key})-[p:PUBLISHED]->(v) DELETE p", write=True, key=key)
    assert store.run("circuits.circuit", slot=key, task="add", edges=5) == []  # damage, not an instant: it is answered, and verify tells
    assert verify(store) != []
