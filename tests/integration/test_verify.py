"""The audit finds each kind of damage and names it; two Bolt implementations read the same."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Self

import neo4j
import pytest

from roicg.server.address import Address
from roicg.store.neo4j import verify as room
from roicg.store.neo4j.analyses import find_communities, match_rois
from roicg.store.neo4j.driver import Connection, Transaction
from roicg.store.neo4j.migrations import migrations
from roicg.store.neo4j.read import ReadBack
from roicg.store.neo4j.store import Neo4jStore
from roicg.store.verify import graph_tally, verify
from roicg.store.witness import witness
from tests.handmade import curves, own_graph, reference_graph, slot_of
from tests.published import empty

pytestmark = pytest.mark.neo4j

EDGE = "MATCH ()-[e:EDGE {graph: 1, source: 'm0.r0', target: 'logits', task: 'add'}]->() "
SWAP = "MATCH (r:ROI {key: '1|m0.r0'})-[i:IS]->(x), (q:ROI {key: '1|m0.r1'})-[j:IS]->(y) DELETE i, j CREATE (r)-[:IS]->(y), (q)-[:IS]->(x)"
MOVE = "MATCH (r:ROI {key: '1|tok'})-[i:IS]->(), (:ROI {key: '2|tok'})-[:IS]->(y) DELETE i CREATE (r)-[:IS]->(y)"
TWIN = (
    "CREATE (a)-[:EDGE {graph: e.graph, source: e.source, target: e.target, weight: e.weight, strength: e.strength, "
    "se: e.se, mean_abs: e.mean_abs, rank: e.rank"
)
DAMAGE = [
    ("edge deleted", EDGE + "DELETE e", {"content", "edge"}, "m0.r0→logits"),
    (
        "edge deleted for all tasks",
        "MATCH ()-[e:EDGE {graph: 1, source: 'm0.r0', target: 'logits'}]->() DELETE e",
        {"content", "rank", "flow", "edge"},
        "n_rows is 30, and 32",
    ),
    ("weight changed", EDGE + "SET e.weight = 0.5, e.strength = 0.5", {"content", "flow"}, "content_hash is"),
    ("strength changed", EDGE + "SET e.strength = 0.5", {"edge"}, "strength is not |weight|"),
    ("standard error changed", EDGE + "SET e.se = 0.5", {"content"}, "content_hash is"),
    ("rank gap", EDGE + "SET e.rank = 99", {"rank"}, "ranks of task add"),
    ("no rank", EDGE + "REMOVE e.rank", {"content", "edge"}, "rank is not 1 or more"),
    ("edge of another version", EDGE + "SET e.graph = 77", {"content", "edge"}, "name version 77"),
    ("flow changed", "MATCH (r:ROI {key: '1|m0.r0'})-[f:FLOW {task: 'add'}]->() SET f.inflow = 9.0", {"flow"}, "like that of m0.r0 for add"),
    ("port group gone", "MATCH (p:PortGroup {key: '1|m0.in|add'}) DETACH DELETE p", {"content"}, "n_port_groups is 9, and 10"),
    ("ROI cut off", "MATCH ()-[h:HAS_ROI]->(:ROI {key: '1|m0.rest'}) DELETE h", {"content", "edge", "loose"}, "node without version"),
    ("features moved", "MATCH (b:Block {name: 'm0.r1'})-[c:CONTAINS]->() WITH c LIMIT 1 DELETE c", {"feature"}, "holds 1 of its 2"),
    ("members changed", "MATCH (b:Block {name: 'm0.r1'}) SET b.members = [3, 5]", {"content", "feature"}, "exactly once"),
    (
        "second publication",
        "MATCH (s:Slot {key: 'hand|toy@200|reference|ports'}), (v:GraphVersion {number: 2}) CREATE (s)-[:PUBLISHED]->(v)",
        {"loose"},
        "several versions",
    ),
    ("publication gone", "MATCH (:Slot)-[p:PUBLISHED]->(:GraphVersion {number: 1}) DELETE p", {"loose"}, "no slot shows"),
    ("status changed", "MATCH (v:GraphVersion {number: 1}) SET v.status = 'superseded'", {"loose"}, "not published"),
    (
        "staged leftover",
        "CREATE (:GraphVersion {number: 9, id: 'x', status: 'staged', slot: 'y', rows_done: 3, run: 'gone'})",
        {"leftover"},
        "staged with 3 rows",
    ),
    ("analysis cut off", "MATCH (a:Analysis)-[o:OF]->() DELETE o", {"leftover", "loose"}, "analysis without version"),
    ("checksum edited", "MATCH (v:GraphVersion {number: 1}) SET v.content_hash = 'other'", {"content"}, "and other was written"),
    (
        "edge doubled at another port",
        "MATCH (a)-[e:EDGE {graph: 1, source: 'm0.r0', target: 'logits', task: 'add'}]->(b) " + TWIN + ", port: 'out', task: 'add'}]->(b)",
        {"content", "edge"},
        "(out) is not there once for every task",
    ),
    (
        "edge doubled without task",
        "MATCH (a)-[e:EDGE {graph: 1, source: 'm0.r0', target: 'logits', task: 'add'}]->(b) " + TWIN + ", port: 'in'}]->(b)",
        {"edge"},
        "their task is none of the version, like m0.r0 → logits (in, ?)",
    ),
    (
        "edge turned round",
        EDGE + "WITH e, properties(e) AS p, startNode(e) AS a, endNode(e) AS b DELETE e CREATE (b)-[f:EDGE]->(a) SET f = p",
        {"edge"},
        "other ends",
    ),
    ("edge beside every version", "CREATE (:Odd)-[:EDGE {graph: 1}]->(:Odd)", {"edge"}, "53 edges are there, 52 of them at the ROIs of a version"),
    ("wrong block", SWAP, {"content", "block"}, "ROI m0.r0 is not in its block of the version's partition, but in"),
    ("block of another partition", MOVE, {"block"}, "ROI tok is not in its block of the version's partition"),
    ("no partition", "MATCH (:GraphVersion {number: 1})-[u:USES]->() DELETE u", {"block", "leftover", "loose"}, "version that does not use one partition"),
    ("chain cut", "MATCH (:Checkpoint)-[n:NEXT]->() DELETE n", {"loose"}, "model whose checkpoints are no chain"),
    ("community emptied", "MATCH (:ROI)-[i:IN]->(:Community) WITH i LIMIT 1 DELETE i", {"loose"}, "community without all its ROIs"),
    ("schema file edited", "MATCH (m:Migration {number: 9}) SET m.checksum = 'other'", {"schema"}, "an applied file is never edited"),
    ("match without analysis", "MATCH ()-[m:MATCHES]->() WITH m LIMIT 1 SET m.analysis = 'gone'", {"loose"}, "match of ROIs"),
    ("dangling match", "MATCH (a:ROI {key: '1|m0.r0'}), (b:ROI {key: '2|m0.r0'}) CREATE (a)-[:MATCHES {analysis: 'none'}]->(b)", {"loose"}, "match of ROIs"),
]


class Undone(Connection):
    """A connection whose every query runs in one transaction, which is taken back at the end: damage without repair."""

    def __enter__(self) -> Self:
        self.session = self._session()
        self.open = self.session.begin_transaction()
        return self

    def __exit__(self, *ignored: object) -> None:
        self.open.rollback()
        self.session.close()
        self.close()

    def _managed(self, name: str, work: Callable[[Transaction], Any], allowed: tuple[str, ...], *, repeatable: bool = True, alone: bool = False) -> Any:
        return work(Transaction(self.open, allowed))  # type: ignore[arg-type]  # it has run() as well


@pytest.fixture(scope="module")
def store(address: Address) -> Iterator[Neo4jStore]:
    """One database for all."""
    with Neo4jStore(empty(address)) as opened:
        for graph in (reference_graph(200), own_graph(200), own_graph(100)):
            opened.put(graph, slot_of(graph))
        opened.put_curves("toy-200-reference", curves(200))
        find_communities(opened, "toy-200-reference", task="add", null_samples=2)
        match_rois(opened, "toy-100-own", "toy-200-own")
        yield opened


def test_an_undamaged_database_has_no_findings_and_both_readers_agree(store: Neo4jStore) -> None:
    assert verify(store, witness=True) == []
    tallies = witness(store.address, [1, 2])
    assert tallies == {1: graph_tally(reference_graph(200)), 2: graph_tally(own_graph(200))}
    assert tallies[1].checksum != tallies[2].checksum
    assert (tallies[1].rows, tallies[1].strength_sum) == (32, pytest.approx(abs(reference_graph(200).edges.weight).sum()))


@pytest.mark.parametrize(("damage", "kinds", "says"), [case[1:] for case in DAMAGE], ids=[case[0] for case in DAMAGE])
def test_damage_is_found_and_named(store: Neo4jStore, damage: str, kinds: set[str], says: str) -> None:
    with Neo4jStore(store.address) as audited, Undone(store.address) as connection:
        audited._connection = connection
        audited.cypher(damage, write=True)
        found = verify(audited)
    assert {finding.kind for finding in found} == kinds, found
    assert any(says in str(finding) for finding in found), found


def test_the_witness_sees_what_the_driver_does_not(store: Neo4jStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roicg.store.witness.witness", lambda address, numbers: {})
    assert {finding.kind for finding in verify(store, witness=True)} == {"witness"}


def test_an_edge_doubled_where_the_constraint_was_dropped_is_found_with_the_constraint(store: Neo4jStore) -> None:
    """Damage that cannot be taken back with a transaction: the schema is changed. Repaired by hand afterwards."""
    double = "MATCH (a)-[e:EDGE {graph: 1, source: 'm0.r0', target: 'logits', task: 'add'}]->(b) CREATE (a)-[f:EDGE]->(b) SET f = properties(e), f.twin = true"
    with neo4j.GraphDatabase.driver(store.address.uri, auth=(store.address.user, store.address.password)) as driver:
        driver.execute_query("DROP CONSTRAINT edge_unique", database_=store.address.database)
        try:
            store.cypher(double, write=True)
            found = verify(store)
        finally:
            store.cypher("MATCH ()-[e:EDGE {twin: true}]->() DELETE e", write=True)
            store.connection.define(next(migration.query for migration in migrations() if migration.makes == "edge_unique"))
    assert {finding.kind for finding in found} == {"schema", "content", "edge"}
    assert any("edge_unique (schema file 8) is not there" in finding.problem for finding in found)
    assert any("m0.r0→logits (in) is not there once for every task" in finding.problem for finding in found)
    assert any("33 edges leave its ROIs, 33 enter them, and 32 were written" in finding.problem for finding in found)
    assert verify(store) == []


def test_the_audit_of_a_database_that_is_written_to_finds_nothing(store: Neo4jStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version is replaced and collected between being listed and being read. Seen to fail without the look whether it is still shown."""
    gone = 3
    read = room.read_back

    def meanwhile(connection: Connection, number: int) -> ReadBack:
        if number == gone:
            store.put(replace(own_graph(100), id="toy-100-own, asked otherwise"), slot_of(own_graph(100)))
            store.gc(grace_s=0)
        return read(connection, number)

    monkeypatch.setattr(room, "read_back", meanwhile)
    assert verify(store) == []
    assert store.run("house.version", number=gone) == []
