"""A computational graph as rows of a bundle's tables, and back, bit for bit and through every law again."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from roicg.core.errors import LawError, StoreError
from roicg.core.graph import Checkpoint, ComputationalGraph, EdgeTable, PortGroupEffect, TaskScore
from roicg.core.partition import PARTITION_KINDS, Roi, RoiPartition, SiteQuality
from roicg.core.sites import Site
from roicg.store.bundle.columns import Row
from roicg.store.protocol import Slot
from roicg.store.stored import stored_form, to_json

PARTS = ("rois", "flows", "port_groups", "scores")
"""Tables with rows of graphs, besides ``graphs`` itself and the edges."""
NOWHERE = Checkpoint("", 0, "", "")


@dataclass(slots=True)
class GraphRows:
    """The rows of one graph, but for its edges."""

    head: Row
    parts: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in PARTS})


def graph_rows(graph: ComputationalGraph) -> GraphRows:
    """Everything but the edges; the checkpoint's names are its slots' affair, for one graph may be shown by several."""
    partition = graph.partition
    head = {
        "graph": graph.id,
        "content_hash": graph.content_hash,
        "weights_digest": graph.checkpoint.weights_digest,
        "partition": partition.kind,
        "settings": to_json(dict(partition.settings)),
        "sites": to_json([asdict(site) for site in partition.sites]),
        "quality": to_json({site: asdict(quality) for site, quality in partition.quality.items()}),
        "tasks": list(graph.edges.tasks),
        "provenance": to_json(dict(graph.provenance)),
    }
    mark = {"graph": graph.id}
    rois: list[Row] = [
        mark | {"index": i, "name": r.key, "site": r.site, "layer": r.layer, "kind": r.kind, "label": r.label, "is_rest": r.is_rest, "members": list(r.members)}
        for i, r in enumerate(partition.rois)
    ]
    groups = [mark | {"index": i} | asdict(group) for i, group in enumerate(graph.port_groups)]
    scores = [mark | {"index": i} | asdict(score) for i, score in enumerate(graph.scores)]
    return GraphRows(head, {"rois": rois, "flows": flow_rows(graph), "port_groups": groups, "scores": scores})


def flow_rows(graph: ComputationalGraph) -> list[Row]:
    """What the edges sum to at every ROI, for readers of the files; checked and not taken when a graph comes back."""
    stored = stored_form(graph)
    return [
        {"graph": graph.id, "roi": roi.key, "task": task, "inflow": inflow, "outflow": outflow}
        for task in stored.edges.tasks
        for roi, inflow, outflow in zip(stored.partition.rois, stored.inflow(task).tolist(), stored.outflow(task).tolist(), strict=True)
    ]


def edge_rows(graph: ComputationalGraph) -> Iterator[Row]:
    """One row per edge and task, in store order, task after task."""
    edges, names = stored_form(graph).edges, [roi.key for roi in graph.partition.rois]
    ends = [(names[u], names[v], port) for u, v, port in zip(edges.source.tolist(), edges.target.tolist(), edges.port, strict=True)]
    for t, task in enumerate(edges.tasks):
        numbers = zip(edges.weight[t].tolist(), edges.se[t].tolist(), edges.mean_abs[t].tolist(), edges.rank[t].tolist(), strict=True)
        for (source, target, port), (weight, se, mean_abs, rank) in zip(ends, numbers, strict=True):
            yield {"source": source, "target": target, "port": port, "task": task, "weight": weight, "se": se, "mean_abs": mean_abs, "rank": rank}


def graph_of(rows: GraphRows, edges: Iterator[Row], where: str) -> ComputationalGraph:
    """The graph that ``rows`` and ``edges`` are of, without a place; ``StoreError`` where they contradict each other or their hash."""
    head = rows.head
    try:
        partition = _partition(head, _in_order(rows.parts["rois"]))
        graph = ComputationalGraph(
            head["graph"],
            Checkpoint("", 0, "", head["weights_digest"]),
            partition,
            _edge_table(head["tasks"], partition, edges),
            tuple(PortGroupEffect(**_without_place(row)) for row in _in_order(rows.parts["port_groups"])),
            tuple(TaskScore(**_without_place(row)) for row in _in_order(rows.parts["scores"])),
            _json(dict[str, str], head["provenance"]),
        )
    except (LawError, ValidationError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{where}: graph {head['graph'][:40]!r} is not whole ({type(error).__name__}: {str(error).splitlines()[0][:300]})") from error
    if graph.content_hash != head["content_hash"]:
        raise StoreError(f"{where}: graph {head['graph'][:40]!r} has the content {graph.content_hash[:12]}, and {head['content_hash'][:12]} is written on it")
    if sorted(map(repr, flow_rows(graph))) != sorted(map(repr, rows.parts["flows"])):
        raise StoreError(f"{where}: the flows of graph {head['graph'][:40]!r} are not the sums of its edges")
    return graph


def placed(graph: ComputationalGraph, slot: Slot) -> ComputationalGraph:
    """``graph`` as the slot's model and checkpoint have it."""
    checkpoint = Checkpoint(slot.model, slot.step, slot.label, graph.checkpoint.weights_digest)
    return ComputationalGraph(graph.id, checkpoint, graph.partition, graph.edges, graph.port_groups, graph.scores, graph.provenance)


def _partition(head: Row, rows: Sequence[Row]) -> RoiPartition:
    if head["partition"] not in PARTITION_KINDS:
        raise ValueError(f"partition {head['partition']!r:.40} is none of {', '.join(PARTITION_KINDS)}")
    sites = _json(tuple[Site, ...], head["sites"])
    rois = tuple(Roi(r["name"], r["site"], r["layer"], r["kind"], tuple(r["members"]), r["is_rest"], r["label"]) for r in rows)
    quality = {site: SiteQuality(**figures) for site, figures in json.loads(head["quality"]).items()}
    return RoiPartition(head["partition"], sites, rois, json.loads(head["settings"]), quality)


def _edge_table(tasks: Sequence[str], partition: RoiPartition, rows: Iterator[Row]) -> EdgeTable:
    """Columns from rows; every task must bring the same edges."""
    index = {roi.key: i for i, roi in enumerate(partition.rois)}
    found: dict[str, list[Row]] = {task: [] for task in tasks}
    for row in rows:
        found[row["task"]].append(row)
    ends = [[(index[row["source"]], index[row["target"]], row["port"]) for row in found[task]] for task in tasks]
    for task, other in zip(tasks, ends, strict=True):
        if other != ends[0]:
            raise ValueError(f"task {task!r} has other edges than {tasks[0]!r}, or in another order")
    first = ends[0] if ends else []
    shape = (len(tasks), len(first))

    def column(name: str, kind: Any) -> np.ndarray:
        return np.array([[row[name] for row in found[task]] for task in tasks], dtype=kind).reshape(shape)

    source, target = (np.array([end[i] for end in first], dtype=np.int64) for i in range(2))
    weight, se, mean_abs = (column(name, np.float64) for name in ("weight", "se", "mean_abs"))
    return EdgeTable(tuple(tasks), source, target, tuple(end[2] for end in first), weight, se, mean_abs, column("rank", np.int64))


def _in_order(rows: list[Row]) -> list[Row]:
    ordered = sorted(rows, key=lambda row: row["index"])
    if [row["index"] for row in ordered] != list(range(len(ordered))):
        raise ValueError("rows are missing, or there twice")
    return ordered


def _without_place(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("graph", "index")}


def _json(kind: Any, text: str) -> Any:
    return TypeAdapter(kind).validate_json(text)
