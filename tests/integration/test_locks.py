"""What one transaction asked while another held the row does not count: pairs of steps that meet, in both orders.

Each test was seen to fail with the question asked before the row is written to (`MATCH (slot {key, run}) … SET`), as it first was.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import pytest

from roicg.core.graph import ComputationalGraph
from roicg.server.address import Address
from roicg.store.neo4j.driver import Connection, Rows, Transaction
from roicg.store.neo4j.rows import partition_id, partition_steps, version_row
from roicg.store.neo4j.store import Neo4jStore
from roicg.store.stored import to_json
from tests.handmade import own_graph, reference_graph, slot_of
from tests.published import empty

pytestmark = pytest.mark.neo4j

GRAPH = own_graph(200)
SLOT = slot_of(GRAPH)
Steps = Callable[[Transaction], object]


@pytest.fixture
def connection(address: Address) -> Iterator[Connection]:
    with Neo4jStore(empty(address)) as store:
        store.ensure_schema()
        yield store.connection


def while_held(connection: Connection, holding: Steps, waiting: Steps) -> Any:
    """What ``waiting`` finds in a transaction that had to wait for the one of ``holding``."""
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(connection.transaction("waiting", waiting)))
    with connection._session() as session, session.begin_transaction() as held:
        holding(Transaction(held, ("write", "read")))  # type: ignore[arg-type]  # it has run() as well
        thread.start()
        thread.join(0.5)
        assert thread.is_alive(), "it should have waited"
        held.commit()
    thread.join(60)
    return answers[0]


def lock(run: str, expiry_s: int = 60) -> Steps:
    return lambda tx: tx.run("publish.lock", slot=SLOT.key, **asdict(SLOT), run=run, expiry_s=expiry_s)


def taken(tx: Transaction) -> None:
    lock("late", expiry_s=0)(tx)
    tx.run("publish.fence", slot=SLOT.key, run="late")


def stage(tx: Transaction, graph: ComputationalGraph = GRAPH, run: str = "early") -> Rows:
    slot = slot_of(graph)
    partition = {"id": partition_id(slot, graph.partition), "kind": graph.partition.kind, "settings": to_json(dict(graph.partition.settings))}
    tx.run("load.tasks", study=slot.study, names=list(graph.edges.tasks))
    return tx.run("publish.stage", slot=slot.key, run=run, version=version_row(graph, graph.content_hash), partition=partition)


def staged(connection: Connection) -> int:
    connection.transaction("lock", lock("early"))
    return int(connection.transaction("stage", stage)[0]["number"])


def flip(number: int, run: str = "early") -> Steps:
    def steps(tx: Transaction) -> Rows:
        tx.run("publish.turn")
        return tx.run("publish.flip", slot=SLOT.key, number=number, run=run)

    return steps


def condemn(tx: Transaction) -> Rows:
    return tx.run("publish.condemn", expiry_s=0, grace_s=0)


def removal(kind: str) -> Steps:
    return lambda tx: tx.run(f"publish.collect_{kind}", batch=100)[0]["removed"]


def test_a_batch_that_waited_for_the_newer_writer_is_not_written(connection: Connection) -> None:
    own = {"slot": SLOT.key, "number": staged(connection), "id": GRAPH.id, "run": "early"}
    assert while_held(connection, taken, lambda tx: tx.run("publish.advance", **own, before=0, rows=5)) == []


def test_staging_that_waited_for_the_newer_writer_is_not_done(connection: Connection) -> None:
    connection.transaction("lock", lock("early"))
    assert while_held(connection, taken, stage) == []


def test_a_heart_that_beat_too_late_is_told(connection: Connection) -> None:
    connection.transaction("lock", lock("early"))
    assert while_held(connection, taken, lambda tx: tx.run("publish.beat", slot=SLOT.key, run="early")) == []


def test_what_gc_condemns_is_not_published_by_a_flip_that_waited(connection: Connection) -> None:
    number = staged(connection)
    assert while_held(connection, condemn, flip(number)) == []
    assert connection.read("publish.standing", graph_id=GRAPH.id) == []


def test_what_is_published_is_not_condemned_by_a_gc_that_waited(connection: Connection) -> None:
    number = staged(connection)
    assert while_held(connection, flip(number), condemn) == []


def test_blocks_of_a_partition_that_is_being_used_stay(connection: Connection) -> None:
    make_partition(connection)
    connection.transaction("lock", lock("early"))
    assert while_held(connection, stage, removal("blocks")) == 0
    assert connection.free("MATCH (p:Partition)-[:HAS_BLOCK]->() RETURN p.complete AS complete, count(*) AS n") == [{"complete": True, "n": 10}]


def test_a_writer_that_waited_for_gc_writes_the_blocks_again(connection: Connection) -> None:
    make_partition(connection)
    connection.transaction("lock", lock("early"))
    assert while_held(connection, removal("blocks"), stage)[0]["partition_complete"] is False


def test_features_that_are_being_put_into_a_block_stay(connection: Connection) -> None:
    make_partition(connection)
    connection.free("MATCH (:Block)-[c:CONTAINS]->() DELETE c", write=True)
    (features,) = (step for step in partition_steps(GRAPH, SLOT) if step.query == "load.features")
    assert while_held(connection, lambda tx: tx.run(features.query, rows=features.rows, **features.fixed), removal("features")) == 0


def test_a_slot_and_a_checkpoint_that_a_writer_takes_stay(connection: Connection) -> None:
    lock_and_release(connection)
    assert while_held(connection, lock("early"), removal("slots")) == 0
    connection.free("MATCH (s:Slot) DETACH DELETE s", write=True)
    assert while_held(connection, lock("early"), removal("checkpoints")) == 0


def test_a_lock_that_was_given_up_and_taken_again_stays(connection: Connection) -> None:
    connection.transaction("lock", lock("early"))
    connection.free("MATCH (s:Slot) SET s.heartbeat = datetime('2020-01-01')", write=True)
    assert while_held(connection, lock("late"), lambda tx: tx.run("publish.collect_locks", expiry_s=60)[0]["removed"]) == 0


def test_tasks_of_a_version_that_is_being_staged_stay(connection: Connection) -> None:
    connection.transaction("lock", lock("early"))
    connection.write("load.tasks", study=SLOT.study, names=list(GRAPH.edges.tasks))
    assert while_held(connection, stage, removal("tasks")) == 0


def test_no_analysis_is_added_to_what_was_superseded_while_it_waited(connection: Connection) -> None:
    connection.transaction("flip", flip(staged(connection)))
    second = staged(connection)
    analysis = {"graph_id": GRAPH.id, "id": "one", "kind": "faithfulness", "params": "{}"}
    assert while_held(connection, flip(second), lambda tx: tx.run("load.analysis", **analysis)) == []


def make_partition(connection: Connection) -> None:
    """All blocks and features of a partition that no version uses."""
    graph = GRAPH
    connection.free("CREATE (:Partition {id: $id, complete: true})", {"id": partition_id(SLOT, graph.partition)}, write=True)
    for step in partition_steps(graph, SLOT):
        connection.write(step.query, rows=step.rows, **step.fixed)


def lock_and_release(connection: Connection) -> None:
    connection.transaction("lock", lock("before"))
    connection.write("publish.release", slot=SLOT.key, run="before")


def test_other_slots_are_not_waited_for(connection: Connection) -> None:
    """A writer in one slot holds no row that a writer in another needs for long: only the counter, while it stages or flips."""
    number = staged(connection)
    other = reference_graph(100)
    own = {"slot": SLOT.key, "number": number, "id": GRAPH.id, "run": "early"}
    with connection._session() as session, session.begin_transaction() as held:
        Transaction(held, ("write", "read")).run("publish.advance", **own, before=0, rows=5)  # type: ignore[arg-type]
        with Neo4jStore(connection.address) as second:
            assert second.put(other, slot_of(other)).outcome == "published"
        held.rollback()
