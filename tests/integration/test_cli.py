"""The command line against a real server: what it prints is what the database holds."""

import json
from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from roicg.circuits.select import circuit_edges
from roicg.cli.main import app
from roicg.server.address import Address
from roicg.store.neo4j.store import Neo4jStore
from tests.handmade import STEPS, curves, own_graph, reference_graph, slot_of

pytestmark = pytest.mark.neo4j


@pytest.fixture
def roicg(clean_database: Address, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """``roicg WORD …`` on an empty database, named by the environment as a user would."""
    monkeypatch.setenv("ROICG_NEO4J_URI", clean_database.uri)
    monkeypatch.setenv("ROICG_NEO4J_USER", clean_database.user)
    monkeypatch.setenv("ROICG_NEO4J_PASSWORD", clean_database.password)
    return lambda *words: CliRunner().invoke(app, list(words))


@pytest.fixture
def published(clean_database: Address) -> None:
    """The hand-made graphs of three steps with their curves, and one on its own ROIs."""
    with Neo4jStore(clean_database) as store:
        for step in STEPS:
            graph = reference_graph(step)
            store.put(graph, slot_of(graph))
            store.put_curves(graph.id, curves(step))
        store.put(own_graph(200), slot_of(own_graph(200)))


def test_an_analysts_session(roicg: Callable[..., Result], published: None) -> None:
    status = json.loads(roicg("status", "--json").stdout)
    assert [row["status"] for row in status["graphs"]] == ["published"] * 4
    assert status["schema"]["recorded"] == status["schema"]["known"] > 20

    graph = reference_graph(200)
    words = ("circuit", "toy@200", "--task", "add", "--partition", "reference")
    rows = json.loads(roicg(*words, "--edges", "9", "--json").stdout)
    kept = circuit_edges(graph, "add", 9)
    assert [row["weight"] for row in rows] == graph.edges.weight[0, kept].tolist()
    assert json.loads(roicg(*words, "--faithfulness", "0.9", "--json").stdout) == rows
    exported = json.loads(roicg(*words, "--edges", "9", "--export", "json").stdout)
    assert exported["edges"] == rows
    assert {roi["name"]: tuple(roi["members"]) for roi in exported["rois"]} == {roi.key: roi.members for roi in graph.partition.rois}

    asked = json.loads(roicg("query", "circuits.circuit", "-p", "slot=toy@200:reference", "-p", "task=add", "-p", "edges=3", "--json").stdout)
    assert [row["rank"] for row in asked] == [1, 2, 3]

    compared = json.loads(roicg("compare", "toy", "0", "200", "--task", "add", "--json").stdout)
    first = compared["add: edges that changed most"][0]
    assert (first["source"], first["target"], first["drift"]) == ("m0.r0", "logits", pytest.approx(0.86))


def test_the_server_keeps_typed_cypher_from_writing(roicg: Callable[..., Result]) -> None:
    roicg("cypher", "CREATE (:Kept)", "--write")
    before = json.loads(roicg("cypher", "MATCH (n) RETURN count(n) AS n", "--json").stdout)[0]["n"]
    for statement in ("CREATE (:Stray)", "MATCH (n) DETACH DELETE n", "CALL { CREATE (:Stray) } RETURN 1 AS x", "CREATE INDEX x FOR (s:Stray) ON (s.y)"):
        refused = roicg("cypher", statement)
        assert refused.exit_code == 7, statement
        assert refused.stderr.count("\n") == 1
    assert json.loads(roicg("cypher", "MATCH (n) RETURN count(n) AS n", "--json").stdout)[0]["n"] == before
    assert roicg("cypher", "CREATE (:Stray)", "--write").exit_code == 0
    assert json.loads(roicg("cypher", "MATCH (n:Stray) RETURN count(n) AS n", "--json").stdout) == [{"n": 1}]


def test_a_mistake_in_typed_cypher_is_one_sentence(roicg: Callable[..., Result]) -> None:
    result = roicg("cypher", "MATCH (n RETURN n")
    assert result.exit_code == 7
    assert "the database refuses" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_empty_database_is_said_and_no_error(roicg: Callable[..., Result]) -> None:
    assert json.loads(roicg("gc", "--json").stdout) == {"dry_run": False, "removed": [], "counts": {}}
    assert json.loads(roicg("status", "--json").stdout)["graphs"] == []
    assert "published are: none (run a study first)" in roicg("circuit", "toy@200", "--task", "add", "--edges", "3").stderr


def test_nobody_at_the_address_is_one_sentence(roicg: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROICG_NEO4J_URI", "bolt://127.0.0.1:9")
    result = roicg("status")
    assert result.exit_code == 7
    assert "no database answers at bolt://127.0.0.1:9" in result.stderr
