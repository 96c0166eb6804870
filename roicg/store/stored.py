"""The form in which a graph comes back, and when two answers to one question count as the same.

What a store returns is ``stored_form(graph)``: edges sorted by source, target and port, columns in float64 and int64,
settings and provenance as plain JSON values. Nothing else changes, no bit of any number does.
"""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from roicg.core.errors import LawError, PublishConflict
from roicg.core.graph import ComputationalGraph, EdgeTable
from roicg.store.protocol import Outcome

REPRODUCED = 1e-4
"""Two answers agree when no weight differs by more than this share of the largest |weight|: other machines round otherwise."""


def to_json(value: Any) -> str:
    """Canonical JSON text: sorted keys, floats by shortest repr (bits survive), tuples as lists."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def exact_sum(values: Iterable[float]) -> float:
    """Exactly rounded sum, the same in any order of ``values``; nan where it leaves the range of floats."""
    try:
        return math.fsum(values)
    except OverflowError:
        return math.nan


def same_sums(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether two lists of exact sums are equal, out of range counting as equal to itself."""
    return len(a) == len(b) and all(x == y or (math.isnan(x) and math.isnan(y)) for x, y in zip(a, b, strict=True))


def edge_order(edges: EdgeTable) -> np.ndarray:
    """Positions of ``edges`` sorted by source, target, port: the order of rows in the store."""
    return np.lexsort((np.array(edges.port, dtype=str), edges.target, edges.source))


def stored_form(graph: ComputationalGraph) -> ComputationalGraph:
    """``graph`` as a store gives it back: same content hash, edges in store order."""
    edges = graph.edges
    order = edge_order(edges)
    table = EdgeTable(
        edges.tasks,
        edges.source[order].astype(np.int64),
        edges.target[order].astype(np.int64),
        tuple(edges.port[i] for i in order),
        edges.weight[:, order].astype(np.float64),
        edges.se[:, order].astype(np.float64),
        edges.mean_abs[:, order].astype(np.float64),
        edges.rank[:, order].astype(np.int64),
    )
    partition = replace(graph.partition, settings=json.loads(to_json(dict(graph.partition.settings))), quality=dict(graph.partition.quality))
    return replace(graph, edges=table, partition=partition, provenance=dict(graph.provenance))


def differences(written: ComputationalGraph, read: ComputationalGraph) -> list[str]:
    """Names of the parts in which ``read`` is not ``stored_form(written)``, to the last bit; empty when all came back.

    More than the content hash covers, and faster: equal parts have equal hashes.
    """
    a, b = stored_form(written), stored_form(read)
    parts: dict[str, tuple[object, object]] = {
        "id": (a.id, b.id),
        "checkpoint": (a.checkpoint, b.checkpoint),
        "sites": (a.partition.sites, b.partition.sites),
        "ROIs": (a.partition.rois, b.partition.rois),
        "partition kind": (a.partition.kind, b.partition.kind),
        "partition settings": (to_json(a.partition.settings), to_json(b.partition.settings)),
        "partition quality": (repr(sorted(a.partition.quality.items())), repr(sorted(b.partition.quality.items()))),
        "tasks": (a.edges.tasks, b.edges.tasks),
        "ports": (a.edges.port, b.edges.port),
        "port groups": (repr(a.port_groups), repr(b.port_groups)),
        "scores": (repr(a.scores), repr(b.scores)),
        "provenance": (a.provenance, b.provenance),
    }
    for name in ("source", "target", "weight", "se", "mean_abs", "rank"):
        parts[f"edge {name}"] = (getattr(a.edges, name).tobytes(), getattr(b.edges, name).tobytes())
    return [name for name, (ours, theirs) in parts.items() if ours != theirs]


def check_ranks(graph: ComputationalGraph) -> None:
    """``LawError`` unless each task's ranks are 1 … number of edges: every circuit size is one comparison of ranks."""
    expected = np.arange(1, len(graph.edges) + 1)
    for task, ranks in zip(graph.edges.tasks, graph.edges.rank, strict=True):
        if not np.array_equal(np.sort(ranks), expected):
            raise LawError(f"graph {graph.id[:12]}: the ranks of task {task} are not 1 to {len(expected)}, each once")


def reproduces(new: ComputationalGraph, old: ComputationalGraph) -> bool:
    """Whether ``new`` has the nodes, edges and tasks of ``old`` and its weights within :data:`REPRODUCED` of the largest."""
    new, old = stored_form(new), stored_form(old)
    same_nodes = new.partition.sites == old.partition.sites and new.partition.rois == old.partition.rois
    if not same_nodes or new.edges.tasks != old.edges.tasks or new.edges.port != old.edges.port:
        return False
    if not (np.array_equal(new.edges.source, old.edges.source) and np.array_equal(new.edges.target, old.edges.target)):
        return False
    largest = float(np.max(old.edges.strength, initial=0.0))
    return bool(np.max(np.abs(new.edges.weight - old.edges.weight), initial=0.0) <= REPRODUCED * largest)


def judge(new: ComputationalGraph, old: ComputationalGraph | None, *, same_hash: bool, replace: bool) -> Outcome:
    """What publishing ``new`` means when ``old`` (same id) stands already (None: nothing does); ``PublishConflict`` if it may not."""
    if same_hash:
        return "unchanged"
    if old is None:
        return "published"
    if reproduces(new, old):
        return "reproduced"
    if not replace:
        raise PublishConflict(
            f"graph {new.id[:12]} is published with content {old.content_hash[:12]}, and now {new.content_hash[:12]} was computed for the same question; "
            "look for a source of chance, or publish with replace to take the new one"
        )
    return "replaced"
