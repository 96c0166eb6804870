"""The gate that keeps readers from writing is the server's: access mode, not a look at the text. And no question runs for ever."""

import time
from collections.abc import Callable, Iterator

import neo4j
import pytest
from typer.testing import CliRunner, Result

from roicg.cli.main import app
from roicg.core.errors import QueryError, StoreError, StoreUnreachable
from roicg.server.address import Address
from roicg.store.neo4j.store import Neo4jStore
from roicg.store.registry import catalogue
from tests.carried import publish_a_little
from tests.crash.census import census

pytestmark = pytest.mark.neo4j
PROJECT = "CALL gds.graph.project('sneaky', 'ROI', 'EDGE') YIELD graphName "

WRITES = [
    "CREATE (n:X)",
    "MERGE (n:X {a: 1})",
    "MATCH (n) SET n.x = 1",
    "MATCH (n:Slot) WITH n LIMIT 1 SET n = {}",
    "MATCH (n) SET n:Extra",
    "MATCH (n) REMOVE n:ROI",
    "MATCH (n) REMOVE n.key",
    "MATCH (n) DETACH DELETE n",
    "MATCH ()-[e:EDGE]->() DELETE e",
    "FOREACH (i IN [1] | CREATE (:X))",
    "UNWIND [1] AS i CALL (i) { CREATE (:X) } RETURN i",
    "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 1 ROWS",
    "LOAD CSV FROM 'file:///etc/passwd' AS row CREATE (:X)",
    "CREATE INDEX sneaky IF NOT EXISTS FOR (n:X) ON (n.a)",
    "CREATE CONSTRAINT sneaky IF NOT EXISTS FOR (n:X) REQUIRE n.a IS UNIQUE",
    "DROP CONSTRAINT study_key IF EXISTS",
    "DROP INDEX edge_rank IF EXISTS",
    "CALL db.createLabel('X')",
    "CALL db.createProperty('x')",
    "CALL db.createRelationshipType('X')",
    "CREATE USER eve SET PASSWORD 'password1'",
    "ALTER CURRENT USER SET PASSWORD FROM 'a' TO 'password1'",
    "DROP USER neo4j",
    "CREATE DATABASE sneaky",
    "DROP DATABASE neo4j",
    "STOP DATABASE neo4j",
    PROJECT + "CALL gds.degree.write('sneaky', {writeProperty: 'd'}) YIELD nodePropertiesWritten RETURN nodePropertiesWritten",
    "PROFILE CREATE (n:X)",
    "CYPHER runtime=slotted CREATE (n:X)",
    "/* only reading */ CREATE (n:X)",
    "MATCH (n) RETURN n UNION CREATE (n:X) RETURN n",
]
OTHERWISE = [
    PROJECT + "CALL gds.graph.export('sneaky', {dbName: 'x'}) YIELD dbName RETURN dbName",
    PROJECT + "CALL gds.beta.graph.export.csv('sneaky', {exportName: 'x'}) YIELD exportName RETURN exportName",
    "RETURN 1; CREATE (n:X)",
]


@pytest.fixture(scope="module")
def store(address: Address) -> Iterator[Neo4jStore]:
    from tests.published import empty

    with Neo4jStore(empty(address)) as opened:
        publish_a_little(opened)
        yield opened


@pytest.fixture
def roicg(store: Neo4jStore, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("ROICG_NEO4J_URI", store.address.uri)
    monkeypatch.setenv("ROICG_NEO4J_USER", store.address.user)
    monkeypatch.setenv("ROICG_NEO4J_PASSWORD", store.address.password)
    return lambda *words: CliRunner().invoke(app, list(words))


@pytest.fixture(scope="module")
def before(store: Neo4jStore) -> tuple[object, ...]:
    return everything(store)


def everything(store: Neo4jStore) -> tuple[object, ...]:
    """The data, the schema and the users."""
    with neo4j.GraphDatabase.driver(store.address.uri, auth=(store.address.user, store.address.password)) as driver:
        users = [record["user"] for record in driver.execute_query("SHOW USERS YIELD user", database_="system").records]
    names = sorted(row["name"] for row in store.cypher("SHOW INDEXES YIELD name") + store.cypher("SHOW CONSTRAINTS YIELD name"))
    labels = [row["label"] for row in store.cypher("CALL db.labels() YIELD label RETURN label ORDER BY label")]
    return census(store), users, names, labels


@pytest.mark.parametrize("text", WRITES)
def test_no_way_to_write_goes_through_the_reading_door(store: Neo4jStore, before: tuple[object, ...], text: str) -> None:
    """Seen to fail, each of them, in WRITE access mode: most wrote, the others were refused for another reason."""
    with pytest.raises(QueryError, match="only reading is allowed here"):
        store.cypher(text)
    assert everything(store) == before


@pytest.mark.parametrize("text", OTHERWISE)
def test_what_the_access_mode_lets_through_the_server_refuses_by_itself(store: Neo4jStore, before: tuple[object, ...], text: str) -> None:
    """GDS's exports, which write files, are off until a server names a folder for them; two statements are no statement."""
    try:
        with pytest.raises(StoreError):
            store.cypher(text)
        assert everything(store) == before
    finally:
        store.cypher("CALL gds.graph.drop('sneaky', false) YIELD graphName RETURN graphName")


@pytest.mark.parametrize("text", WRITES[:3])
def test_the_command_line_says_it_in_a_sentence(roicg: Callable[..., Result], text: str) -> None:
    refused = roicg("cypher", text)
    assert refused.exit_code == 7
    assert "only reading is allowed here" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_queries_of_the_catalogue_write_only_where_roicg_itself_runs_them(store: Neo4jStore, roicg: Callable[..., Result], before: tuple[object, ...]) -> None:
    for name in [name for name, query in catalogue().items() if query.mode != "read"]:
        with pytest.raises(QueryError, match="only"):
            store.run(name)
        with pytest.raises(QueryError, match="only read queries may run"):
            store.connection.read(name)
        assert roicg("query", name).exit_code == 7
    assert everything(store) == before


def test_who_asks_for_writing_gets_it(store: Neo4jStore, roicg: Callable[..., Result]) -> None:
    assert roicg("cypher", "CREATE (:X)", "--write").exit_code == 0
    assert roicg("cypher", "MATCH (x:X) DELETE x", "--write").exit_code == 0


def test_statements_with_transactions_of_their_own_run_alone(clean_database: Address) -> None:
    """Typed or of the catalogue, reading or writing; seen to fail inside a transaction, where the server refuses them."""
    with Neo4jStore(clean_database) as store:
        assert store.cypher("UNWIND [1, 2] AS x CALL (x) { RETURN 2 * x AS y } IN TRANSACTIONS OF 1 ROW RETURN sum(y) AS y") == [{"y": 6}]
        store.cypher("UNWIND range(1, 9) AS i CALL (i) { CREATE (:Scratch {i: i}) } IN TRANSACTIONS OF 2 ROWS", write=True)
        assert store.cypher("MATCH (n:Scratch) RETURN count(n) AS n") == [{"n": 9}]
        publish_a_little(store)
        asked = {"slot": store.run("house.published")[0]["slot"], "task": "add"}
        assert store.run("compare.which_changed_most", **asked) == store.connection.read("compare.which_changed_most", **asked)
        with pytest.raises(QueryError, match=r"which_changed_most makes transactions of its own, so that it can be part of none"):
            store.connection.reading("several", lambda tx: tx.run("compare.which_changed_most", **asked))


def test_a_question_may_be_given_a_time(store: Neo4jStore, roicg: Callable[..., Result]) -> None:
    """The server looks every two seconds; without the limit this takes minutes."""
    began = time.monotonic()
    stopped = roicg("cypher", "UNWIND range(1, 2000000000) AS i RETURN sum(i * i % 7)", "--timeout", "0.5")
    assert stopped.exit_code == 7
    assert "ran out of its time limit and was stopped" in stopped.stderr
    assert time.monotonic() - began < 30
    assert roicg("cypher", "RETURN 1 AS one", "--timeout", "30").exit_code == 0
    assert roicg("query", "house.slots", "--timeout", "30").exit_code == 0
    assert roicg("query", "house.slots", "--timeout", "0").exit_code == 2
    with Neo4jStore(store.address) as limited:
        limited.limit(0.5)
        with pytest.raises(StoreError, match="time limit"):
            limited.cypher("UNWIND range(1, 2000000000) AS i RETURN sum(i * i % 7)")
        assert limited.run("house.slots")


@pytest.mark.parametrize("password", ["", "neo4j", "wrong-password"])
def test_nobody_comes_in_without_the_password(store: Neo4jStore, password: str) -> None:
    address = Address(store.address.uri, store.address.user, password, store.address.database)
    with pytest.raises(StoreUnreachable) as refused, Neo4jStore(address) as opened:
        opened.ids()
    assert store.address.password not in str(refused.value)
    with neo4j.GraphDatabase.driver(store.address.uri) as driver, pytest.raises(neo4j.exceptions.AuthError):
        driver.execute_query("RETURN 1")
