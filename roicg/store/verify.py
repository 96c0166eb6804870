"""Read everything published again and name what is wrong with it."""

import hashlib
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from roicg.core.errors import LawError
from roicg.core.graph import ComputationalGraph
from roicg.store.stored import check_ranks, exact_sum, same_sums

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: ``kind`` groups them, ``where`` names the version, slot or node."""

    kind: str
    where: str
    problem: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem} [{self.kind}]"


@dataclass(frozen=True, slots=True)
class Tally:
    """Figures of one version that two readers must agree on: rows, exactly rounded sums, and a checksum of all strengths."""

    rows: int
    weight_sum: float
    strength_sum: float
    checksum: str


def tally(rows: Iterable[Mapping[str, Any]]) -> Tally:
    """Tally of edge rows (task, source, target, port, weight, strength); independent of their order, in one pass.

    The checksum is the sum of the rows' sha256 as whole numbers: equal for the same rows, however often each is there.
    """
    weights, strengths, total = array("d"), array("d"), 0
    for row in rows:
        line = f"{row['task']}|{row['source']}|{row['target']}|{row['port']}|{float(row['strength']).hex()}"
        total += int.from_bytes(hashlib.sha256(line.encode()).digest())
        weights.append(row["weight"])
        strengths.append(row["strength"])
    return Tally(len(weights), exact_sum(weights), exact_sum(strengths), f"{total % 2**256:064x}")


def graph_tally(graph: ComputationalGraph) -> Tally:
    """Tally of a graph in memory."""
    names, edges = [roi.key for roi in graph.partition.rois], graph.edges
    ends = [(names[u], names[v], port) for u, v, port in zip(edges.source.tolist(), edges.target.tolist(), edges.port, strict=True)]
    return tally(
        {"task": task, "source": source, "target": target, "port": port, "weight": weight, "strength": abs(weight)}
        for task, row in zip(edges.tasks, edges.weight.tolist(), strict=True)
        for (source, target, port), weight in zip(ends, row, strict=True)
    )


def check_against(graph: ComputationalGraph, version: Mapping[str, Any]) -> list[Finding]:
    """What in ``graph``, as read, is not what was noted on its ``version`` when it was written."""
    where = f"version {version['number']} (graph {version['id'][:12]}, slot {version['slot']})"
    found = []
    figures: dict[str, int | str | list[float]] = {
        "n_rois": len(graph.partition.rois),
        "n_edges": len(graph.edges),
        "n_rows": len(graph.edges) * len(graph.edges.tasks),
        "n_port_groups": len(graph.port_groups),
        "weight_sums": [exact_sum(row.tolist()) for row in graph.edges.weight],
        "strength_sums": [exact_sum(row.tolist()) for row in graph.edges.strength],
        "content_hash": graph.content_hash,
    }
    for name, read in figures.items():
        equal = same_sums(read, version[name]) if isinstance(read, list) else read == version[name]
        if not equal:
            found.append(Finding("content", where, f"{name} is {_short(read)}, and {_short(version[name])} was written"))
    try:
        check_ranks(graph)
    except LawError as error:
        found.append(Finding("rank", where, str(error)))
    return found


def verify(store: "Neo4jStore", *, witness: bool = False) -> list[Finding]:
    """Findings about everything in the database, empty when all is well; ``witness`` reads it a second time through py2neo."""
    from roicg.store.neo4j.verify import verify as verify_database

    return verify_database(store, witness=witness)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else text[:37] + "..."
