"""Writers that are killed, late or two at once, and readers who look on: nobody ever sees a part of a graph."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from roicg.core.errors import PublishConflict
from roicg.core.graph import ComputationalGraph
from roicg.server.address import Address
from roicg.store.neo4j.publish import PublishRules
from roicg.store.neo4j.store import Neo4jStore
from roicg.store.stored import differences
from roicg.store.verify import verify
from tests.handmade import reference_graph, slot_of
from tests.published import empty

pytestmark = pytest.mark.neo4j

ROOT = Path(__file__).resolve().parents[2]
KILLED = """
import os, signal, sys
from roicg.server.address import Address
from roicg.store.neo4j.publish import PublishRules
from roicg.store.neo4j.store import Neo4jStore
from tests.handmade import reference_graph, slot_of

def die(rows):
    if rows >= int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)

address = Address(os.environ["URI"], os.environ["USER_NAME"], os.environ["PASSWORD"], os.environ["DATABASE"])
graph = reference_graph(200)
Neo4jStore(address, rules=PublishRules(batch=7, on_batch=die)).put(graph, slot_of(graph), replace=True)
"""


@pytest.fixture
def store(address: Address) -> Iterator[Neo4jStore]:
    with Neo4jStore(empty(address)) as opened:
        yield opened


def scaled(factor: float) -> ComputationalGraph:
    graph = reference_graph(200)
    return replace(graph, edges=replace(graph.edges, weight=graph.edges.weight * factor))


def run_killed(address: Address, rows: int) -> int:
    """Exit code of a child that publishes and ends itself by SIGKILL after so many rows."""
    names = {"URI": address.uri, "USER_NAME": address.user, "PASSWORD": address.password, "DATABASE": address.database, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-c", KILLED, str(rows)], env=os.environ | names, cwd=ROOT, timeout=120, check=False).returncode


def test_a_killed_writer_changes_nothing_that_is_seen_and_a_rerun_ends_as_if_undisturbed(store: Neo4jStore) -> None:
    before = scaled(2.0)
    store.put(before, slot_of(before))
    for rows in (10, 60):
        assert run_killed(store.address, rows) == -signal.SIGKILL
        assert differences(before, store.get(before.id)) == []
        store.rules = PublishRules(expiry_s=0)
        assert {finding.kind for finding in verify(store)} == {"leftover"}
        store.rules = PublishRules()
    graph = reference_graph(200)
    assert store.put(graph, slot_of(graph), replace=True).outcome == "replaced"
    assert store.get(graph.id).content_hash == graph.content_hash
    assert verify(store) == []


def test_gc_removes_what_a_killed_writer_left_once_its_heartbeat_has_expired(store: Neo4jStore) -> None:
    store.ensure_schema()
    assert run_killed(store.address, 40) == -signal.SIGKILL
    assert store.gc().numbers == ()
    store.rules = PublishRules(expiry_s=0)
    assert len(store.gc().versions) == 1
    left = store.cypher("MATCH (n) WHERE NOT n:Migration RETURN labels(n)[0] AS kind")
    assert left == [{"kind": "Sequence"}]


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


def test_readers_see_whole_versions_during_ten_flips(store: Neo4jStore) -> None:
    question = (
        "MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion) MATCH ()-[e:EDGE]->() "
        "WHERE e.graph = v.number AND e.task = 'add' AND e.rank >= 1 RETURN v.number AS number, count(*) AS n, sum(e.weight) AS total"
    )
    slot, total = slot_of(scaled(1.0)), float(scaled(1.0).edges.weight[0].sum())
    seen: set[tuple[int, int]] = set()
    odd: list[object] = []
    stop = threading.Event()
    store.put(scaled(1.0), slot)

    def look() -> None:
        with Neo4jStore(store.address) as reader:
            while not stop.is_set():
                rows = reader.cypher(question, slot=slot.key)
                if len(rows) != 1 or rows[0]["n"] != 16 or abs(rows[0]["total"] / total - rows[0]["number"]) > 1e-9:
                    odd.append(rows)
                seen.update((row["number"], row["n"]) for row in rows)

    thread = threading.Thread(target=look)
    thread.start()
    with contextlib.ExitStack() as stack:
        stack.callback(thread.join, 60)
        stack.callback(stop.set)
        for factor in range(2, 12):
            assert store.put(scaled(float(factor)), slot, replace=True).number == factor
    assert odd == []
    assert len(seen) > 2
