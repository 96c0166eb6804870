"""A study with one of everything that can be published, to be carried from one database to another."""

from dataclasses import replace
from typing import Any

from roicg.core.graph import ComputationalGraph
from roicg.core.tables import Table
from roicg.store.neo4j.analyses import find_communities, find_roles, match_by_signature, match_rois
from roicg.store.neo4j.store import Neo4jStore
from roicg.store.protocol import Slot
from tests.handmade import STEPS, curves, own_graph, reference_graph, slot_of

STUDY = "hand"
TABLES = (
    Table("first", "One", ("what", "n", "share"), (("a|b", 1, 0.5), ('ö "x"\n', None, -0.0)), "control: none; 1 seed"),
    Table("second", "Two", ("yes",), ((True,),), "nothing beside it"),
)


def publish_everything(store: Neo4jStore) -> None:
    """Graphs of three steps on two partitions, curves, communities, roles, matches by features and by signature, two findings."""
    for step in STEPS:
        graph = reference_graph(step)
        store.put(graph, slot_of(graph))
        store.put_curves(graph.id, curves(step))
    for step in STEPS[1:]:
        store.put(own_graph(step), slot_of(own_graph(step)))
    asked: dict[str, Any] = {"task": None, "null_samples": 3}
    find_communities(store, "toy-200-reference", **asked)
    find_roles(store, "toy-100-reference", **asked)
    match_rois(store, "toy-100-own", "toy-200-own")
    match_by_signature(store, "toy-200-reference", "toy-100-reference", draws=5)
    store.put_tables(STUDY, "separation", TABLES)
    store.put_tables(STUDY, "cue", TABLES[:1])


def publish_a_little(store: Neo4jStore) -> None:
    """The same study with two graphs, curves of one and one finding."""
    for graph in (reference_graph(200), own_graph(100)):
        store.put(graph, slot_of(graph))
    store.put_curves("toy-200-reference", curves(200))
    store.put_tables(STUDY, "separation", TABLES)


def ask_again(store: Neo4jStore) -> dict[str, bool]:
    """Every analysis of :func:`publish_everything` asked again: whether it was written a second time."""
    asked: dict[str, Any] = {"task": None, "null_samples": 3}
    before = len(store.cypher("MATCH (a:Analysis) RETURN a.id AS id"))
    written = {
        "curves": any(store.put_curves(f"toy-{step}-reference", curves(step)) for step in STEPS),
        "communities": find_communities(store, "toy-200-reference", **asked).written,
        "roles": find_roles(store, "toy-100-reference", **asked).written,
        "matches": match_rois(store, "toy-100-own", "toy-200-own").written,
    }
    match_by_signature(store, "toy-200-reference", "toy-100-reference", draws=5)
    return written | {"any": len(store.cypher("MATCH (a:Analysis) RETURN a.id AS id")) != before}


def neighbour(step: int) -> tuple[ComputationalGraph, Slot]:
    """The same graph as the study's, in a slot of another study: one version, shown twice."""
    graph = reference_graph(step)
    return graph, replace(slot_of(graph), study="neighbour")


def stranger(step: int) -> tuple[ComputationalGraph, Slot]:
    """A graph of the other study that nobody shares."""
    graph = own_graph(step, model="other")
    return graph, replace(slot_of(graph), study="neighbour")
