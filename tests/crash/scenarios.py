"""The scenarios: each ends in an assertion that says what was published, and that nothing else is left."""

import gc
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import neo4j
import pytest

from roicg.core.graph import ComputationalGraph
from roicg.server.address import Address
from roicg.store.neo4j import collect
from roicg.store.neo4j.migrations import migrations
from roicg.store.neo4j.publish import PublishRules
from roicg.store.neo4j.store import Neo4jStore
from roicg.store.stored import differences
from roicg.store.verify import verify
from tests.crash.census import census, difference
from tests.crash.life import BATCH, WHOLE_LIFE, scaled
from tests.crash.nursery import Child
from tests.crash.proxy import CuttingProxy
from tests.handmade import own_graph, reference_graph, slot_of
from tests.published import empty

# Points of a life at which a writer is killed in `make test`: the acts, the statement, its number, before or after it.
POINTS = [
    ("schema creation", ("schema",), "schema.v013_roi_key", 1, "before"),
    ("between lock and stage", ("replace",), "publish.stage", 1, "before"),
    ("between stage and first batch", ("replace",), "publish.advance", 1, "before"),
    ("in a batch", ("replace",), "load.edges", 2, "after"),
    ("between last batch and reading back", ("replace",), "house.read_back", 1, "before"),
    ("in the flip", ("replace",), "publish.flip", 1, "after"),
    ("between flip and release", ("replace",), "publish.release", 1, "before"),
    ("in a partition that is new", ("own",), "load.features", 1, "after"),
    ("before a partition is whole", ("own",), "load.partition_complete", 1, "before"),
    ("in an analysis", ("curves",), "load.analysis", 1, "after"),
    ("in communities", ("communities",), "structure.record_communities", 1, "after"),
    ("in matches", ("own", "matches"), "compare.record_matches", 1, "after"),
    ("in the collection of what was superseded", ("gc",), "publish.collect_nodes", 1, "before"),
    ("before the version goes", ("gc",), "publish.collect_version", 1, "before"),
]


half_made = pytest.mark.filterwarnings("ignore:Exception ignored in. <(socket|function Bolt.__del__):pytest.PytestUnraisableExceptionWarning")
"""For tests that cut connections: one that breaks between its handshake and its first word is dropped by the driver (6.4) with its socket open."""


def child(address: Address, acts: Sequence[str], **spec: Any) -> Child:
    """A writer in a process of its own (see tests.crash.life)."""
    return Child(address, {"acts": list(acts), **spec})


def outcome(process: Child) -> dict[str, Any]:
    """What a child said that ended by itself."""
    assert process.wait() == 0, (process.returncode, process.said)
    said: dict[str, Any] = json.loads(process.said.splitlines()[-1])
    return said


def prepare(address: Address) -> Neo4jStore:
    """What stands before: the reference graph with other weights, its neighbour on the same partition, an own graph."""
    store = Neo4jStore(empty(address), rules=PublishRules(batch=BATCH))
    store.ensure_schema()
    for graph in (scaled(2.0), reference_graph(100), own_graph(100)):
        store.put(graph, slot_of(graph))
    return store


def undisturbed(address: Address, acts: Sequence[str] = WHOLE_LIFE) -> tuple[int, Counter[str]]:
    """How many statements these acts send on the prepared database, and what it holds after them and after gc."""
    with prepare(address) as store:
        said = outcome(child(address, acts))
        assert "error" not in said, said
        cleaned(store)
        return said["sent"], census(store)


def looks_whole(store: Neo4jStore) -> None:
    """What a reader finds, at any moment: the old version or the new one, to the last bit; no analysis in part; no damage."""
    graph = store.get("toy-200-reference")
    assert differences(scaled(2.0), graph) == [] or differences(scaled(1.0), graph) == []
    assert differences(reference_graph(100), store.get("toy-100-reference")) == []
    found = store.cypher(
        "MATCH (a:Analysis) WHERE EXISTS { (:Slot)-[:PUBLISHED]->()<-[:OF]-(a) } "
        "RETURN a.kind AS kind, count { (a)-[:FOUND]->(:Circuit) } AS circuits, count { (a)-[:FOUND]->(:Community) } AS communities"
    )
    for row in found:
        assert row["circuits"] == (16 if row["kind"] == "faithfulness" else 0), row
        assert (row["communities"] > 1) == (row["kind"] == "communities"), row
    store.rules = replace(store.rules, expiry_s=0)
    assert {finding.kind for finding in verify(store)} <= {"leftover"}, verify(store)


def cleaned(store: Neo4jStore) -> None:
    """gc removes exactly what it said it would, and then nothing is left of the dead."""
    store.rules = replace(store.rules, expiry_s=0)
    said = store.gc(grace_s=0, dry_run=True)
    done = store.gc(grace_s=0)
    assert done.versions == said.versions
    kinds = set(done.counts) - {"slots", "checkpoints", "models", "studies", "tasks"}  # counted one after the other, as they become bare
    assert kinds == set(said.counts) - {"slots"}, (done.counts, said.counts)
    assert all(done.counts[kind] == said.counts[kind] for kind in kinds), (done.counts, said.counts)
    assert not store.gc(grace_s=0)
    assert verify(store) == []
    store.rules = replace(store.rules, expiry_s=60)


def killed_writer(address: Address, seed: int, statements: int, expected: Counter[str], *, kills: int = 3) -> None:
    """A writer is killed at random statements of its life, again and again; the last one lives, and all is as if undisturbed."""
    rng = random.Random(seed)
    with prepare(address) as store:
        for _ in range(kills):
            at, when = rng.randint(1, statements), rng.choice(("before", "after"))
            print(f"  killed {when} statement {at} of {statements}")
            process = child(address, WHOLE_LIFE, at=at, when=when)
            assert process.wait() in (-signal.SIGKILL, 0), process.said  # 0: less was left to do than the first time
            looks_whole(store)
            if rng.random() < 0.5:
                cleaned(store)
        ends_as_undisturbed(store, expected)


def killed_at_points(address: Address, expected: Counter[str], points: Sequence[tuple[str, tuple[str, ...], str, int, str]] = POINTS) -> None:
    """A writer is killed at each of these points in turn, on one database that is cleaned after every other of them."""
    with prepare(address) as store:
        for i, (place, acts, query, at, when) in enumerate(points):
            if acts == ("schema",):
                store.cypher("MATCH (m:Migration) DETACH DELETE m", write=True)
            process = child(address, acts, query=query, at=at, when=when)
            assert process.wait() == -signal.SIGKILL, (place, process.said)
            looks_whole(store)
            if i % 2:
                cleaned(store)
            if place == "in matches":  # what gc will find to collect
                store.put(scaled(2.0), slot_of(scaled(2.0)), replace=True)
        ends_as_undisturbed(store, expected)


def ends_as_undisturbed(store: Neo4jStore, expected: Counter[str]) -> None:
    """A whole life, and gc: the database holds what it would hold had nothing happened."""
    said = outcome(child(store.address, WHOLE_LIFE))
    assert "error" not in said, said
    assert store.get("toy-200-reference").content_hash == scaled(1.0).content_hash
    cleaned(store)
    assert difference(census(store), expected) == []


def killed_first_writer(address: Address, seed: int, *, acts: Sequence[str] = ("publish", "curves")) -> None:
    """A writer is killed before anything was ever published: gc leaves nothing but the counter of numbers."""
    rng = random.Random(seed)
    with Neo4jStore(empty(address)) as store:
        store.ensure_schema()
        at = rng.randint(1, 40)
        print(f"  killed at statement {at}")
        process = child(address, acts, at=at)
        assert process.wait() == -signal.SIGKILL
        if not store.ids():
            cleaned(store)
            left = store.cypher("MATCH (n) WHERE NOT n:Migration RETURN labels(n)[0] AS kind")
            assert left in ([{"kind": "Sequence"}], [])
        assert outcome(child(address, acts))["acts"] in ([["publish", "published"], ["curves", 16]], [["publish", "unchanged"], ["curves", 16]])
        cleaned(store)


def two_writers(address: Address, seed: int, *, writers: int = 2) -> None:
    """Processes that publish the same graph in one slot at the same time: one publishes, the others find it published."""
    rng = random.Random(seed)
    with Neo4jStore(empty(address)) as store:
        store.ensure_schema()
        started = []
        for _ in range(writers):
            started.append(child(address, ("publish",)))
            time.sleep(rng.random() / 2)
        outcomes = sorted(outcome(process)["acts"][0][1] for process in started)
        assert outcomes == ["published"] + ["unchanged"] * (writers - 1)
        assert store.cypher("MATCH (v:GraphVersion) RETURN count(*) AS n") == [{"n": 1}]
        assert verify(store) == []


def zombie(address: Address, seed: int, statements: int, *, query: str | None = None) -> None:
    """A writer is stopped (not killed) at a random statement, its lock expires, another publishes, the first wakes up: it gives up.

    ``query``: before the second of that name; with house.rois the first looks at what stands and the second reads back.
    Stopped within a transaction it holds its rows until the server ends that transaction (here after 3 s); the other waits for it.
    """
    rng = random.Random(seed)
    at, when = (rng.randint(4, statements), rng.choice(("before", "after"))) if query is None else (2, "before")
    print(f"  stopped {when} statement {at}{f' of {query}' if query else ''}")
    with prepare(address) as store:
        late = scaled(3.0)
        process = child(address, ("replace",), at=at, when=when, signal="STOP", write_timeout_s=3.0, **({"query": query} if query else {}))
        stopped = process.wait_until_stopped()
        store.rules = replace(store.rules, expiry_s=1)
        time.sleep(1.1)
        assert store.put(late, slot_of(late), replace=True).outcome in ("replaced", "unchanged")
        assert differences(late, store.get(late.id)) == []
        if stopped:
            os.kill(process.pid, signal.SIGCONT)
        said = outcome(process)
        shown = store.get(late.id)
        if "error" in said:
            assert said["error"][0] in ("PublishConflict", "StoreError"), said
            assert differences(late, shown) == []
        else:  # it was stopped before it took the slot, or after its flip
            assert differences(scaled(1.0), shown) == [] or differences(late, shown) == []
        cleaned(store)


def readers_during_flips(address: Address, seed: int, *, flips: int = 10, readers: int = 2) -> None:
    """Readers in a loop during ten flips and the collection of what they replace: every answer is of one whole version."""
    question = (
        "MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion) MATCH ()-[e:EDGE]->() "
        "WHERE e.graph = v.number AND e.task = 'add' AND e.rank >= 1 RETURN v.number AS number, count(*) AS n, sum(e.weight) AS total"
    )
    slot, total = slot_of(scaled(1.0)), float(scaled(1.0).edges.weight[0].sum())
    seen: set[int] = set()
    odd: list[object] = []
    stop = threading.Event()

    def look(first: bool) -> None:
        with Neo4jStore(address) as reader:
            while not stop.is_set():
                if first:
                    rows = reader.cypher(question, slot=slot.key)
                    whole = len(rows) == 1 and rows[0]["n"] == 16 and abs(rows[0]["total"] / total - rows[0]["number"]) < 1e-9
                    seen.update(row["number"] for row in rows)
                else:
                    rows = reader.run("circuits.circuit", slot=slot.key, task="add", edges=16)
                    factors = {round(row["weight"] / w, 6) for row in rows if (w := weights[row["source"], row["target"], row["port"]])}
                    whole = len(rows) == 16 and len(factors) == 1
                if not whole:
                    odd.append(rows)

    graph = scaled(1.0)
    names = [roi.key for roi in graph.partition.rois]
    ends = zip(graph.edges.source.tolist(), graph.edges.target.tolist(), graph.edges.port, graph.edges.weight[0].tolist(), strict=True)
    weights = {(names[u], names[v], port): w for u, v, port, w in ends}
    with Neo4jStore(empty(address)) as store:
        store.put(graph, slot)
        threads = [threading.Thread(target=look, args=(i % 2 == 0,)) for i in range(readers)]
        for thread in threads:
            thread.start()
        try:
            for factor in range(2, flips + 2):
                assert store.put(scaled(float(factor)), slot, replace=True).number == factor
                if factor % 4 == 0:
                    store.gc(grace_s=1)  # longer than any of these questions
            time.sleep(1.1)
            assert store.gc(grace_s=1).versions
            assert store.cypher("MATCH (v:GraphVersion) RETURN count(*) AS n") == [{"n": 1}]
        finally:
            stop.set()
            for thread in threads:
                thread.join(120)
    assert odd == [], odd[0]
    assert len(seen) > 2


def cut_connection(address: Address, seed: int, expected: Counter[str], *, cuts: int = 6) -> None:
    """The connection is cut at random bytes, requests and answers lost alike: everything is written once, and said to be."""
    rng = random.Random(seed)
    with prepare(address) as store:
        graph = scaled(1.0)
        with CuttingProxy(address, rng, cuts) as proxied, Neo4jStore(proxied.address, rules=PublishRules(batch=BATCH)) as far:
            far.ensure_schema()
            proxied.sharpen()
            assert far.put(graph, slot_of(graph), replace=True).outcome == "replaced"
            print(f"  {proxied.cut} cuts: {', '.join(proxied.log)}")
            assert proxied.cut > 0
        gc.collect()  # connections that the driver left half made go here, not in another test
        assert differences(graph, store.get(graph.id)) == []
        cleaned(store)
        assert difference(census(store), expected) == []


def killed_in_projection(address: Address, seed: int) -> None:
    """A process is killed between making a projection and dropping it: gc drops what is older than any question."""
    rng = random.Random(seed)
    at, when = rng.randint(1, 3), rng.choice(("before", "after"))
    print(f"  killed {when} division {at}")
    with prepare(address) as store:
        assert child(address, ("communities",), query="gds.leiden", at=at, when=when).wait() == -signal.SIGKILL
        assert len(store.run("gds.projections")) == 1
        assert store.cypher("MATCH (a:Analysis) RETURN count(*) AS n") == [{"n": 0}]
        old, collect.PROJECTION_S = collect.PROJECTION_S, 0
        try:
            assert store.gc(dry_run=True).counts["projections"] == 1
            assert store.gc().counts["projections"] == 1
        finally:
            collect.PROJECTION_S = old
        assert store.run("gds.projections") == []


def two_slots(address: Address, seed: int) -> None:
    """One graph published in two slots (two labels of one step) at the same time: one version, which both show."""
    rng = random.Random(seed)
    graph = scaled(1.0)
    graphs = [graph, replace(graph, checkpoint=replace(graph.checkpoint, label="final"))]
    results = []

    def write(one: ComputationalGraph, pause: float) -> None:
        time.sleep(pause)
        with Neo4jStore(address, rules=PublishRules(batch=BATCH)) as mine:
            results.append(mine.put(one, slot_of(one)))

    with Neo4jStore(empty(address)) as store:
        store.ensure_schema()
        threads = [threading.Thread(target=write, args=(one, rng.random() / 10)) for one in graphs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(240)
        assert [result.outcome for result in results] == ["published", "published"]
        assert len({result.number for result in results}) == 1
        assert len(store.cypher("MATCH (s:Slot)-[:PUBLISHED]->(v:GraphVersion) RETURN s.key AS slot")) == 2
        store.rules = replace(store.rules, expiry_s=0)
        assert {finding.kind for finding in verify(store)} <= {"leftover"}
        cleaned(store)
        assert store.cypher("MATCH (v:GraphVersion) RETURN count(*) AS n") == [{"n": 1}]


def bare(address: Address) -> None:
    """A database without nodes, constraints and indexes, as a new server has it."""
    with neo4j.GraphDatabase.driver(empty(address).uri, auth=(address.user, address.password)) as driver:
        for row in driver.execute_query("SHOW CONSTRAINTS YIELD name RETURN name", database_=address.database).records:
            driver.execute_query("DROP CONSTRAINT $name IF EXISTS", name=row["name"], database_=address.database)
        for row in driver.execute_query("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name", database_=address.database).records:
            driver.execute_query("DROP INDEX $name IF EXISTS", name=row["name"], database_=address.database)
        driver.execute_query("MATCH (m:Migration) DETACH DELETE m", database_=address.database)


def schema_by_several(address: Address, seed: int, *, writers: int = 3) -> None:
    """Processes make the schema of a new database at the same time, one of them is killed: the others, or the next, complete it once."""
    rng = random.Random(seed)
    bare(address)
    at = rng.randint(4, 30)
    print(f"  one of {writers} killed at statement {at}")
    started = [child(address, ("schema",), **({"at": at} if i == 0 else {})) for i in range(writers)]
    assert started[0].wait() in (-signal.SIGKILL, 0), started[0].said
    assert [said for process in started[1:] if "error" in (said := outcome(process))] == []
    with Neo4jStore(address) as store:
        assert store.schema().current
        store.ensure_schema()
        rows = store.run("house.migrations")
        assert [(row["number"], row["checksum"]) for row in rows] == [(migration.number, migration.checksum) for migration in migrations()]
        assert {migration.makes for migration in migrations()} <= {row["name"] for row in store.run("house.indexes") if row["state"] == "ONLINE"}
        assert verify(store) == []
