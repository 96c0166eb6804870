"""Comparisons of two published graphs: ROIs by the features they share or by signature, edges on a common node set."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from roicg.core.errors import StoreError
from roicg.core.ids import NUMERICS, digest
from roicg.store.neo4j.adding import is_new
from roicg.store.neo4j.driver import Connection, Transaction
from roicg.store.neo4j.projection import projected, refuse_beyond
from roicg.store.neo4j.settled import standing_version
from roicg.store.signature import SignatureMatch, match_signatures
from roicg.store.stored import to_json

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore

KIND = "matches"
BY_SIGNATURE = "signatures"
COMMON = ("reference", "components")
"""Partitions that mean the same ROIs at every checkpoint of a model."""


@dataclass(frozen=True, slots=True)
class MatchResult:
    """Matches between the ROIs of two graphs as (a, b, Jaccard), best first; ``graph_a`` is the earlier one. ``written``: False if they were there already."""

    analysis: str
    graph_a: str
    graph_b: str
    matches: tuple[tuple[str, str, float], ...]
    written: bool


def match_rois(store: "Neo4jStore", graph_a: str, graph_b: str) -> MatchResult:
    """Match the ROIs of two checkpoints of one model, each on its ``own`` partition, by the Jaccard of their features (GDS node similarity).

    The earlier checkpoint counts as ``a`` in whatever order they are given, so that asking twice writes once. Rest ROIs hold
    dead features and match nothing. ``StoreError``: not published, not ``own``, not one model, twice the same graph.
    """
    store.ensure_schema()
    connection = store.connection
    ends = sorted((_own_version(connection, graph_id) for graph_id in (graph_a, graph_b)), key=lambda end: (end["step"], end["id"]))
    a, b = ends
    if a["number"] == b["number"]:
        raise StoreError(f"graph {graph_a!r} was given twice; name the graphs of two checkpoints")
    if (a["study"], a["model"]) != (b["study"], b["model"]):
        raise StoreError(f"{a['study']}|{a['model']} and {b['study']}|{b['model']} share no features; ROIs are matched between checkpoints of one model")
    for row in connection.read("gds.memory_similar", numbers=[a["number"], b["number"]]):
        refuse_beyond(row, f"matches by the features of {a['id']} and {b['id']}")
    with projected(connection, "gds.project_features", numbers=[a["number"], b["number"]]) as projection:
        values = {"projection": projection.name, "number_a": a["number"], "number_b": b["number"]}
        rows = connection.read("gds.similar_rois", **values) if projection.relationships else []
    params = to_json({"metric": "jaccard"})
    analysis = digest(KIND, params, a["id"], a["number"], b["id"], b["number"])

    def write(tx: Transaction) -> bool:
        fresh = is_new(tx, {end["id"]: end["number"] for end in ends}, analysis, kind=KIND, params=params)
        if fresh and rows:
            tx.run("compare.record_matches", analysis=analysis, number_a=a["number"], number_b=b["number"], rows=rows)
        return fresh

    written = connection.transaction("compare.record_matches", write)
    return MatchResult(analysis, a["id"], b["id"], tuple((row["a"], row["b"], row["jaccard"]) for row in rows), written)


def match_by_signature(store: "Neo4jStore", graph_a: str, graph_b: str, *, draws: int = 200, seed: int = 0) -> SignatureMatch:
    """Match the ROIs of two published graphs by signature (:mod:`roicg.store.signature`) and keep the pairs with their verdict, once.

    Of any two models with a task in common, on any partitions. ``StoreError``: not published, twice the same graph, nothing in common.
    """
    store.ensure_schema()
    connection = store.connection
    standing = [_standing(connection, graph_id) for graph_id in (graph_a, graph_b)]
    if graph_a == graph_b:
        raise StoreError(f"graph {graph_a!r} was given twice; name two graphs")
    slots = [end["slots"][0] for end in standing]
    match = match_signatures(store, *slots, draws=draws, seed=seed)
    params = to_json({"draws": draws, "seed": seed, "numerics": NUMERICS})
    numbers = [end["number"] for end in standing]
    analysis = digest(BY_SIGNATURE, params, graph_a, numbers[0], graph_b, numbers[1])
    rows = [{"a": a, "b": b, "signature": s, "assigned": True} for a, b, s in match.pairs]
    rows += [{"a": a, "b": b, "signature": s, "assigned": False} for a, b, s in match.nearest]
    verdict = {**asdict(match.verdict), "within": match.within, "tasks": list(match.tasks)}

    def write(tx: Transaction) -> None:
        if is_new(tx, dict(zip((graph_a, graph_b), numbers, strict=True)), analysis, kind=BY_SIGNATURE, params=params):
            tx.run("compare.record_signatures", analysis=analysis, number_a=numbers[0], number_b=numbers[1], rows=rows, verdict=verdict)

    connection.transaction("compare.record_signatures", write)
    return match


def edge_drift(store: "Neo4jStore", slot_a: str, slot_b: str, *, task: str, limit: int = 20) -> list[dict[str, Any]]:
    """Rows of ``compare.edge_drift``: the edges of ``task`` that changed most from ``slot_a`` to ``slot_b``.

    ``StoreError`` says why two slots cannot be compared: other models, other paths, no common node set, or a task one lacks.
    """
    a, b = (_node_set(store, slot) for slot in (slot_a, slot_b))
    if a["model"] != b["model"]:
        raise StoreError(f"{slot_a} and {slot_b} are of different models, which have no ROI in common; compare checkpoints of one model")
    if a["path"] != b["path"]:
        raise StoreError(f"{slot_a} has edges by the path {a['path']}, {slot_b} by {b['path']}; weights of different paths are not comparable, use one path")
    odd = next((end["partition"] for end in (a, b) if end["partition"] not in COMMON), None)
    if odd is not None:
        raise StoreError(f"the partition {odd} has other ROIs at every checkpoint; compare slots with partition {' or '.join(COMMON)}")
    if a["node_set"] != b["node_set"]:
        raise StoreError(
            f"{slot_a} and {slot_b} stand on different ROIs (partition {a['partition']}, {b['partition']}); run both with one reference checkpoint"
        )
    for slot, end in ((slot_a, a), (slot_b, b)):
        if task not in end["tasks"]:
            raise StoreError(f"{slot} has no task {task!r}; it has {', '.join(end['tasks'])}")
    return store.run("compare.edge_drift", slot_a=slot_a, slot_b=slot_b, task=task, limit=limit)


def _standing(connection: Connection, graph_id: str) -> dict[str, Any]:
    standing = standing_version(connection, graph_id)
    if standing is None:
        raise StoreError(f"no graph {graph_id!r} is published; `roicg query house.published` lists what is")
    return standing


def _own_version(connection: Connection, graph_id: str) -> dict[str, Any]:
    version: dict[str, Any] = connection.read("house.version", number=_standing(connection, graph_id)["number"])[0]["version"]
    if version["partition_kind"] != "own":
        raise StoreError(f"graph {graph_id!r} has the partition {version['partition_kind']}; ROIs are matched between graphs with the partition own")
    return version


def _node_set(store: "Neo4jStore", slot: str) -> dict[str, Any]:
    rows = store.run("compare.node_set", slot=slot)
    if not rows:
        raise StoreError(f"nothing is published in slot {slot!r}; `roicg query house.slots` lists the slots")
    return rows[0]
