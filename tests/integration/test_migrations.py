"""The schema: made once and in order, adopted where it was before records were kept, refused where it is another."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from roicg.core.errors import StoreError
from roicg.server.address import Address
from roicg.store import registry
from roicg.store.neo4j import migrations as room
from roicg.store.neo4j.migrations import Migration, migrations
from roicg.store.neo4j.store import Neo4jStore
from roicg.store.registry import catalogue, load_query
from roicg.store.verify import verify
from tests.crash import scenarios
from tests.crash.census import census
from tests.handmade import reference_graph, slot_of

pytestmark = pytest.mark.neo4j

FIRST_PUBLISHED = range(2, 22)
"""The schema before records were kept: these files, without the constraint of the records themselves."""


def shape(store: Neo4jStore) -> list[dict[str, Any]]:
    columns = "name, state, type, entityType, labelsOrTypes, properties, owningConstraint"
    return store.cypher(f"SHOW INDEXES YIELD {columns} RETURN {columns} ORDER BY name")


@pytest.fixture
def bare(address: Address) -> Iterator[Address]:
    """A new database; afterwards it has its schema again."""
    scenarios.bare(address)
    yield address
    scenarios.bare(address)
    with Neo4jStore(address) as store:
        store.ensure_schema()


@pytest.fixture
def store(address: Address) -> Iterator[Neo4jStore]:
    """A database with the whole schema, and records of it that a test may change."""
    with Neo4jStore(address) as opened:
        opened.cypher("MATCH (m:Migration) DETACH DELETE m", write=True)
        opened.ensure_schema()
        yield opened
        opened.cypher("MATCH (m:Migration) DETACH DELETE m", write=True)


def test_the_first_published_schema_is_adopted_and_nothing_else_changes(bare: Address) -> None:
    graph = reference_graph(200)
    with Neo4jStore(bare) as before:
        for migration in migrations():
            if migration.number in FIRST_PUBLISHED:
                before.connection.define(migration.query)
        assert not before.schema().current
        assert str(before.schema()) == "no recorded schema; this roicg brings 21, which the next command that writes applies"
        before._has_schema = True  # as a roicg would publish that knows no records
        before.put(graph, slot_of(graph))
        counted, indexes = census(before), shape(before)
    with Neo4jStore(bare) as after:
        after.ensure_schema()
        assert [row["number"] for row in after.run("house.migrations")] == list(range(1, len(migrations()) + 1))
        assert census(after) == counted
        assert [row for row in shape(after) if row["name"] != "migration_number"] == indexes
        assert str(after.schema()) == f"schema {len(migrations())}"
        assert verify(after) == []
        recorded = after.run("house.migrations")
    with Neo4jStore(bare) as again:
        again.ensure_schema()
        assert again.run("house.migrations") == recorded


def test_several_processes_make_it_at_once_and_one_is_killed(bare: Address) -> None:
    scenarios.schema_by_several(bare, seed=0)


def test_a_reading_query_finds_the_index_that_it_names(bare: Address) -> None:
    """Seen to fail without the look for USING INDEX in `Neo4jStore.run`: Neo4j only warns, and scans every edge."""
    with Neo4jStore(bare) as store:
        assert store.run("house.slots") == []
        assert "edge_rank" not in {row["name"] for row in shape(store)}
        assert store.run("circuits.circuit", slot="none", task="add") == []
        assert {"edge_rank"} <= {row["name"] for row in shape(store) if row["state"] == "ONLINE"}


REFUSED = [
    (
        "edited file",
        "MATCH (m:Migration {number: 7}) SET m.checksum = 'other'",
        "schema file 7 .edge_rank. applied with another content .other. than schema.v007",
    ),
    ("renamed file", "MATCH (m:Migration {number: 7}) SET m.name = 'rank_of_edges'", "an applied file is never edited"),
    (
        "newer roicg",
        "CREATE (:Migration {number: 999, name: 'tomorrow', by: '9.0.0'})",
        r"schema 999 .tomorrow, by roicg 9.0.0., and this roicg knows \d+; use a newer",
    ),
    ("file left out", "MATCH (m:Migration {number: 5}) DELETE m", "schema file 6 .community_key. recorded, but not 5 .circuit_key."),
]


@pytest.mark.parametrize(("change", "says"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_another_schema_is_refused_by_readers_and_writers_before_anything_is_done(store: Neo4jStore, change: str, says: str) -> None:
    store.cypher(change, write=True)
    before = shape(store)
    with Neo4jStore(store.address) as reader, pytest.raises(StoreError, match=says):
        reader.ids()
    with Neo4jStore(store.address) as writer, pytest.raises(StoreError, match=says):
        writer.ensure_schema()
    assert [finding.kind for finding in verify(store)] == ["schema"]
    assert shape(store) == before


@pytest.fixture
def with_change(store: Neo4jStore, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Migration:
    """One more file, which changes data and is not the same when it is done twice."""
    folder = tmp_path / "schema"
    folder.mkdir()
    number = len(migrations()) + 1
    (folder / f"v{number:03d}_probe.cypher").write_text("// Makes a probe.\n// mode: write\n// return: n INTEGER\nCREATE (:Probe) RETURN 1 AS n\n")
    query = load_query(folder / f"v{number:03d}_probe.cypher", tmp_path)
    more = {**catalogue(), query.name: query}
    monkeypatch.setattr(registry, "catalogue", lambda: more)
    monkeypatch.setattr(room, "catalogue", lambda: more)
    return migrations()[-1]


def test_a_change_of_data_happens_once_however_many_do_it_at_once(store: Neo4jStore, with_change: Migration) -> None:
    """Seen to fail with the record made in a transaction of its own before the change."""
    problems: list[Exception] = []

    def work() -> None:
        try:
            with Neo4jStore(store.address) as mine:
                mine.ensure_schema()
        except StoreError as error:
            problems.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert problems == []
    assert store.cypher("MATCH (p:Probe) RETURN count(*) AS n") == [{"n": 1}]
    assert store.run("house.migrations")[-1]["name"] == "probe"
    store.cypher("MATCH (p:Probe) DELETE p", write=True)
    store.cypher("MATCH (m:Migration {number: $number}) DELETE m", write=True, number=with_change.number)
