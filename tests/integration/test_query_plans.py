"""How the server means to answer: by what it looks things up in a database as large as that of a training run.

The planner counts: with a handful of graphs a scan is the quickest way, and what it takes then says nothing of the day when there are many.
"""

from collections.abc import Iterator
from typing import Any

import neo4j
import pytest

from roicg.server.address import Address
from roicg.store.connect import connect
from roicg.store.registry import catalogue
from tests.published import empty

ROOMS = ("circuits", "structure", "tasks", "compare", "draw", "gds")
EDGE_QUERIES = sorted(name for name, query in catalogue().items() if (name.split(".")[0] in ROOMS or name == "house.provenance") and ":EDGE" in query.text)
VERSIONS, ROIS, EDGES = 20, 8, 900
"""Few ROIs with many edges, as with several tasks and ports: where an ROI has hundreds, all ROIs are soon fewer than its edges."""
# Nodes and relationships as publishing makes them, with the properties that have an index.
NODES = """
CREATE (p:Partition {id: 'p'})
WITH p UNWIND range(1, $versions) AS number
CREATE (:Slot {key: 'slot ' + number})-[:PUBLISHED]->(v:GraphVersion {number: number, id: 'g' + number, slot: 'slot ' + number})-[:USES]->(p)
CREATE (v)-[:HAS_PORT_GROUP]->(:PortGroup {key: v.id + '/logits.in', task: 'a'})
WITH v UNWIND range(1, $rois) AS i
CREATE (v)-[:HAS_ROI]->(:ROI {key: v.id + '/' + i, name: 'r' + i, index: i, kind: 'mlp'})
"""
EDGES_OF_ALL = """
MATCH (v:GraphVersion)-[:HAS_ROI]->(r) WITH v, collect(r) AS rois
UNWIND range(1, $edges) AS i
WITH v, i, rois[i % $rois] AS u, rois[i * 5 % $rois] AS w
CREATE (u)-[:EDGE {graph: v.number, task: 'a', rank: i, source: u.name, target: w.name, port: 'p' + i, weight: 1.0, strength: 1.0}]->(w)
"""


@pytest.fixture(scope="module")
def session(address: Address) -> Iterator[neo4j.Session]:
    with connect(empty(address)) as store:
        store.ensure_schema()
    with (
        neo4j.GraphDatabase.driver(address.uri, auth=(address.user, address.password)) as driver,
        driver.session(database=address.database) as opened,
    ):
        opened.run(NODES, versions=VERSIONS, rois=ROIS).consume()
        opened.run(EDGES_OF_ALL, rois=ROIS, edges=EDGES).consume()
        opened.run("CALL db.prepareForReplanning(60)").consume()  # indexes are counted anew, and no plan of before is taken
        yield opened
    empty(address)


@pytest.mark.parametrize("name", EDGE_QUERIES)
def test_edges_are_found_by_an_index_and_never_by_a_scan(session: neo4j.Session, name: str) -> None:
    """One slot's answer must not wait for the edges of all other checkpoints.

    A plan may begin at an index or at the rows of a GDS procedure: its nodes are the ROIs of one projection, thus of one version.
    """
    query = catalogue()[name]
    operators = operators_of(session.run("EXPLAIN " + query.text, {field.name: field.default for field in query.params}).consume().plan)
    assert not [operator for operator in operators if "Scan" in operator]
    assert [operator for operator in operators if "IndexSeek" in operator or operator == "ProcedureCall"], operators


def operators_of(plan: Any) -> list[str]:
    """The names of all steps of a plan."""
    return [plan["operatorType"].removesuffix("@neo4j"), *(name for child in plan.get("children", []) for name in operators_of(child))]
