"""Writers that are late or two at once, and answers that get lost: nobody ever sees a part of a graph (killed ones: test_crash)."""

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, replace

import neo4j
import pytest
from neo4j.exceptions import IncompleteCommit

from roicg.core.errors import PublishConflict, StoreError
from roicg.core.graph import ComputationalGraph
from roicg.server.address import Address
from roicg.store.neo4j import read, settled
from roicg.store.neo4j.driver import Rows, Transaction
from roicg.store.neo4j.publish import PublishRules
from roicg.store.neo4j.store import Neo4jStore
from roicg.store.neo4j.writer import writing
from roicg.store.stored import differences
from roicg.store.verify import verify
from tests.handmade import curves, reference_graph, slot_of
from tests.published import empty

pytestmark = pytest.mark.neo4j


@pytest.fixture
def store(address: Address) -> Iterator[Neo4jStore]:
    with Neo4jStore(empty(address)) as opened:
        yield opened


def scaled(factor: float) -> ComputationalGraph:
    graph = reference_graph(200)
    return replace(graph, edges=replace(graph.edges, weight=graph.edges.weight * factor))


def test_a_writer_that_was_silent_too_long_is_fenced_off(store: Neo4jStore) -> None:
    early, late, outcomes = scaled(1.0), scaled(3.0), []
    with Neo4jStore(store.address, rules=PublishRules(expiry_s=0)) as newer:

        def overtake(rows: int) -> None:
            if rows >= 30 and not outcomes:
                outcomes.append(newer.put(late, slot_of(late)).outcome)

        store.rules = PublishRules(batch=10, on_batch=overtake)
        with pytest.raises(PublishConflict, match="a newer writer has taken slot"):
            store.put(early, slot_of(early))
    assert outcomes == ["published"]
    assert differences(late, store.get(late.id)) == []
    assert verify(store) == []


def test_a_writer_that_lives_is_waited_for_and_then_named(store: Neo4jStore) -> None:
    graph = reference_graph(200)
    refused = []
    with Neo4jStore(store.address, rules=PublishRules(wait_s=0.0)) as second:

        def meanwhile(rows: int) -> None:
            if not refused:
                with pytest.raises(PublishConflict, match="is publishing in slot") as caught:
                    second.put(graph, slot_of(graph))
                refused.append(str(caught.value))

        store.rules = PublishRules(on_batch=meanwhile)
        assert store.put(graph, slot_of(graph)).outcome == "published"
    assert f":{os.getpid()})" in refused[0]
    assert store.put(graph, slot_of(graph)).outcome == "unchanged"


def test_two_writers_at_once_make_one_version(store: Neo4jStore) -> None:
    store.ensure_schema()
    graph, outcomes = reference_graph(200), []

    def write() -> None:
        with Neo4jStore(store.address) as mine:
            outcomes.append(mine.put(graph, slot_of(graph)).outcome)

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(outcomes) == ["published", "unchanged"]
    assert store.cypher("MATCH (v:GraphVersion) RETURN count(*) AS n") == [{"n": 1}]
    assert verify(store) == []


def test_every_answer_to_a_commit_gets_lost_once_and_all_is_written_once(store: Neo4jStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was committed although nobody heard so is seen when it is tried again: batches, flip, link, analyses, collection.

    Seen to fail with `publish.standing` left out of the flip: "a newer writer has taken slot …; has published nothing", though it had.
    """
    commit, lost = neo4j.Transaction.commit, []

    def lossy(self: neo4j.Transaction) -> None:
        commit(self)
        if len(lost) % 2 == 0:
            lost.append(True)
            raise IncompleteCommit("the answer got lost")
        lost.append(False)

    graph = scaled(1.0)
    twin = replace(graph, checkpoint=replace(graph.checkpoint, label="final"))
    store.rules = PublishRules(batch=7)
    store.ensure_schema()
    monkeypatch.setattr(neo4j.Transaction, "commit", lossy)
    monkeypatch.setattr("roicg.store.neo4j.driver._FIRST_PAUSE_S", 0.001)
    first = store.put(graph, slot_of(graph))
    assert (first.outcome, store.put(twin, slot_of(twin)).outcome) == ("published", "published")
    store.put_curves(graph.id, curves(200))
    replaced = store.put(scaled(2.0), slot_of(graph), replace=True)
    assert replaced.outcome == "replaced"
    assert store.gc(grace_s=0).numbers == (first.number,)
    monkeypatch.undo()
    assert sum(lost) > 30
    assert differences(scaled(2.0), store.get(graph.id)) == []
    assert store.cypher("MATCH (v:GraphVersion) RETURN count(*) AS n") == [{"n": 1}]
    assert verify(store) == []


def test_a_writer_of_this_process_that_ended_without_giving_its_slot_back_is_not_waited_for(store: Neo4jStore) -> None:
    """As after a server that died: the release was lost with it. Seen to fail with the process number alone: 60 s of waiting."""
    graph = reference_graph(200)
    with writing() as gone:
        store.ensure_schema()
        store.connection.write("publish.lock", slot=slot_of(graph).key, **asdict(slot_of(graph)), run=gone, expiry_s=60)
        store.rules = PublishRules(wait_s=0.0)
        with pytest.raises(PublishConflict, match="is publishing in slot"):
            store.put(graph, slot_of(graph))
    assert store.put(graph, slot_of(graph)).outcome == "published"


def test_questions_are_answered_while_another_model_is_published_without_end(store: Neo4jStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with every slot counted: the answer never settled."""
    graph = reference_graph(200)
    store.put(graph, slot_of(graph))
    run = Transaction.run

    def publishing(tx: Transaction, name: str, /, **params: object) -> Rows:
        rows = run(tx, name, **params)
        if name == "circuits.circuit":
            with Neo4jStore(store.address) as other:
                other.put(reference_graph(100, model="another"), slot_of(reference_graph(100, model="another")))
                other.cypher("MATCH (s:Slot {model: 'another'})-[p:PUBLISHED]->() DELETE p", write=True)
                other.cypher("MATCH (v:GraphVersion {model: 'another'}) SET v.status = 'superseded', v.id = 'old'", write=True)
        return rows

    monkeypatch.setattr(Transaction, "run", publishing)
    monkeypatch.setattr(settled, "TRIES", 3)
    assert len(store.run("circuits.circuit", slot=slot_of(graph).key, task="add", edges=5)) == 5


def test_two_collect_at_once(store: Neo4jStore) -> None:
    """Both remove what they find; rows that the other removed under their hands are no error."""
    for factor in range(1, 5):
        store.put(scaled(float(factor)), slot_of(scaled(1.0)), replace=True)
    problems: list[Exception] = []

    def work() -> None:
        try:
            with Neo4jStore(store.address) as mine:
                mine.gc(grace_s=0)
        except StoreError as error:
            problems.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert problems == []
    assert store.cypher("MATCH (v:GraphVersion) RETURN count(*) AS n") == [{"n": 1}]
    assert verify(store) == []


def test_a_clock_that_was_set_back_does_not_hold_a_slot_for_ever(store: Neo4jStore) -> None:
    """Seen to fail with `heartbeat < now - expiry`: the slot was held until the clock had caught up."""
    graph = reference_graph(200)
    store.ensure_schema()
    store.connection.write("publish.lock", slot=slot_of(graph).key, **asdict(slot_of(graph)), run="elsewhere:1:x", expiry_s=60)
    store.cypher("MATCH (s:Slot) SET s.heartbeat = datetime.realtime() + duration({hours: 1})", write=True)
    store.rules = PublishRules(wait_s=0.0)
    assert store.gc(dry_run=True).counts["locks"] == 1
    assert store.put(graph, slot_of(graph)).outcome == "published"


def test_what_was_published_meanwhile_is_judged_again_before_the_flip(store: Neo4jStore) -> None:
    """Two labels of one checkpoint, with other content: the second is refused, although nothing stood when it began."""
    early = scaled(1.0)
    late = replace(scaled(3.0), checkpoint=replace(early.checkpoint, label="final"))
    outcomes = []
    with Neo4jStore(store.address) as other:

        def meanwhile(rows: int) -> None:
            if not outcomes:
                outcomes.append(other.put(late, slot_of(late)).outcome)

        store.rules = PublishRules(batch=10, on_batch=meanwhile)
        with pytest.raises(PublishConflict, match="publish with replace"):
            store.put(early, slot_of(early))
    assert outcomes == ["published"]
    assert differences(late, store.get(late.id)) == []
    assert store.gc(grace_s=0).counts["edges"] == 32
    assert verify(store) == []


@pytest.mark.parametrize(("page_s", "expiry_s", "beats"), [(0.11, 1, 8), (0.0, 60, 0)])
def test_the_heart_beats_while_a_graph_is_read_back(store: Neo4jStore, page_s: float, expiry_s: int, beats: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading a large graph back takes longer than a lock lasts; a small one is read between two beats. Seen to fail without the beat between pages."""
    monkeypatch.setattr(read, "PAGE", 4)
    seen: list[str] = []
    send = Transaction.send

    def slowly(self: Transaction, name: str, *args: object, **more: object) -> object:
        seen.append(name)
        if name == "house.read_back":
            time.sleep(page_s)
        return send(self, name, *args, **more)

    monkeypatch.setattr(Transaction, "send", slowly)
    store.rules = PublishRules(expiry_s=expiry_s)
    graph = reference_graph(200)
    store.put(graph, slot_of(graph))
    assert (seen.count("house.read_back"), seen.count("publish.beat")) == (2 * 4, beats)
