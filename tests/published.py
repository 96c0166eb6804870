"""A database that holds the hand-made graphs and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager

import neo4j

from roicg.server.address import Address
from roicg.store.neo4j.store import Neo4jStore
from tests.handmade import STEPS, curves, own_graph, reference_graph, slot_of


def empty(address: Address) -> Address:
    """Remove every node, relationship and GDS projection; constraints, indexes and the records of them stay."""
    with neo4j.GraphDatabase.driver(address.uri, auth=(address.user, address.password)) as driver, driver.session(database=address.database) as session:
        session.run("CALL gds.graph.list() YIELD graphName CALL gds.graph.drop(graphName, false) YIELD graphName AS dropped RETURN dropped").consume()
        session.run("MATCH (n) WHERE NOT n:Migration CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS").consume()
    return address


@contextmanager
def handmade_store(address: Address) -> Iterator[Neo4jStore]:
    """A store with ``reference_graph`` at every step (with curves) and ``own_graph`` at steps 100 and 200."""
    with Neo4jStore(empty(address)) as store:
        for step in STEPS:
            graph = reference_graph(step)
            store.put(graph, slot_of(graph))
            store.put_curves(graph.id, curves(step))
        for step in STEPS[1:]:
            graph = own_graph(step)
            store.put(graph, slot_of(graph))
        yield store
