"""A computational graph as rows for the database, in an order that depends on nothing but the graph."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, overload

from roicg.core.graph import ComputationalGraph
from roicg.core.partition import RoiPartition
from roicg.core.sites import Site
from roicg.store.protocol import Slot
from roicg.store.stored import exact_sum, stored_form, to_json

DERIVABLE = ("components", "singletons", "directions")
"""Partition kinds whose features are not written as nodes: their blocks say all, and directions are no features that others share."""

EDGE_COLUMNS = ("target", "port", "task", "weight", "se", "mean_abs", "rank")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """Rows of one loading query; ``fixed`` are its parameters besides the rows."""

    query: str
    rows: Sequence[Row]
    fixed: Row


def partition_id(slot: Slot, partition: RoiPartition) -> str:
    """Id in the database: models of one shape share no partition, for its features are theirs."""
    return f"{slot.study}|{slot.model}|{partition.id}"


def version_row(graph: ComputationalGraph, content_hash: str) -> Row:
    """The plain figures of a version; sums are exactly rounded, so that they do not depend on the order of rows."""
    given = dict(graph.provenance)
    edges = graph.edges
    return {
        "id": graph.id,
        "content_hash": content_hash,
        "weights_digest": graph.checkpoint.weights_digest,
        "rule": given.get("rule", ""),
        "steps": int(given["steps"]) if given.get("steps", "").isdecimal() else None,
        "baseline": given.get("baseline", ""),
        "dtype": given.get("dtype", ""),
        "dropped_strength": float(given.get("dropped_strength", 0.0)),
        "n_rois": len(graph.partition.rois),
        "n_edges": len(edges),
        "n_rows": len(edges) * len(edges.tasks),
        "n_port_groups": len(graph.port_groups),
        "tasks": list(edges.tasks),
        "weight_sums": [exact_sum(row.tolist()) for row in edges.weight],
        "strength_sums": [exact_sum(row.tolist()) for row in edges.strength],
        "sites": to_json([asdict(site) for site in graph.partition.sites]),
        "quality": to_json({site: asdict(quality) for site, quality in graph.partition.quality.items()}),
        "scores": to_json([asdict(score) for score in graph.scores]),
        "provenance": to_json(given),
        "numerics": int(given["numerics"]) if given.get("numerics", "").isdecimal() else None,
    }


def partition_steps(graph: ComputationalGraph, slot: Slot) -> list[Step]:
    """Blocks, and features where they cannot be derived."""
    partition, key = graph.partition, partition_id(slot, graph.partition)
    blocks, features = [], []
    for roi in partition.rois:
        quality = partition.quality.get(roi.site)
        row: Row = {"name": roi.key, "site": roi.site, "layer": roi.layer, "members": list(roi.members), "is_rest": roi.is_rest}
        for name in ("modularity", "z_rotation", "z_shuffle", "p_rotation", "p_shuffle", "stability", "above_null"):
            row[name] = getattr(quality, name, None)
        blocks.append(row)
        if partition.kind not in DERIVABLE and not roi.is_rest:
            features += [{"block": roi.key, "site": roi.site, "layer": roi.layer, "index": index} for index in roi.members]
    owner = {"partition": key, "owner": f"{slot.study}|{slot.model}", "model": slot.model}
    return [Step("load.blocks", blocks, {"partition": key}), Step("load.features", features, owner)]


def version_steps(graph: ComputationalGraph, slot: Slot, number: int) -> list[Step]:
    """ROIs, flows, port groups and edges of version ``number``; edges sorted by source."""
    graph = stored_form(graph)
    layers: dict[str, Site] = {site.key: site for site in graph.partition.sites}
    rois = [
        {"name": r.key, "index": i, "site": r.site, "layer": r.layer, "kind": r.kind, "size": r.size, "label": r.label, "is_rest": r.is_rest}
        for i, r in enumerate(graph.partition.rois)
    ]
    groups = []
    for i, group in enumerate(graph.port_groups):
        site, _, port = group.group.rpartition(".")
        row = asdict(group)
        groups.append({**row, "name": row.pop("group"), "index": i, "layer": layers[site].layer if site in layers else None, "port": port})
    return [
        Step("load.rois", rois, {"number": number, "partition": partition_id(slot, graph.partition)}),
        Step("load.flows", flow_rows(graph), {"number": number, "study": slot.study}),
        Step("load.port_groups", groups, {"number": number}),
        Step("load.edges", EdgeRows(graph), {"number": number}),
    ]


def between(steps: Sequence[Step], start: int, stop: int) -> list[Step]:
    """Rows ``start`` to ``stop`` of all steps, counted through, as steps of their own; none is empty."""
    found, before = [], 0
    for step in steps:
        first, last = max(start - before, 0), min(stop - before, len(step.rows))
        if first < last:
            found.append(replace(step, rows=step.rows[first:last]))
        before += len(step.rows)
    return found


def grouped(rows: Sequence[Row]) -> list[Row]:
    """Consecutive edge rows of one source as one group of columns: what ``load.edges`` takes."""
    groups: list[Row] = []
    for row in rows:
        if not groups or groups[-1]["source"] != row["source"]:
            groups.append({"source": row["source"]} | {name: [] for name in EDGE_COLUMNS})
        for name in EDGE_COLUMNS:
            groups[-1][name].append(row[name])
    return groups


def flow_rows(graph: ComputationalGraph) -> list[Row]:
    """One row per ROI and task; to the bit only for edges in store order, for they are summed as they come."""
    rows = []
    for task in graph.edges.tasks:
        inflow, outflow = graph.inflow(task).tolist(), graph.outflow(task).tolist()
        rows += [{"roi": roi.key, "task": task, "inflow": inflow[i], "outflow": outflow[i]} for i, roi in enumerate(graph.partition.rois)]
    return rows


class EdgeRows(Sequence[Row]):
    """One row per edge and task, made when it is asked for: a million of them would fill half a gigabyte."""

    def __init__(self, graph: ComputationalGraph) -> None:
        self._edges, self._names = graph.edges, [roi.key for roi in graph.partition.rois]

    def __len__(self) -> int:
        return len(self._edges) * len(self._edges.tasks)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | list[Row]:
        if isinstance(at, int):
            place = range(len(self))[at]
            return self._between(place, place + 1)[0]
        start, stop, step = at.indices(len(self))
        return self._between(start, stop)[::step] if step > 0 and start < stop else []

    def _between(self, start: int, stop: int) -> list[Row]:
        edges, n_tasks = self._edges, len(self._edges.tasks)
        first, last = start // n_tasks, -(-stop // n_tasks)
        columns = [array.T[first:last].tolist() for array in (edges.weight, edges.se, edges.mean_abs, edges.rank)]
        ends = zip(edges.source[first:last].tolist(), edges.target[first:last].tolist(), edges.port[first:last], *columns, strict=True)
        rows = [
            {
                "source": self._names[source],
                "target": self._names[target],
                "port": port,
                "task": task,
                "weight": weight[t],
                "se": se[t],
                "mean_abs": mean_abs[t],
                "rank": rank[t],
            }
            for source, target, port, weight, se, mean_abs, rank in ends
            for t, task in enumerate(edges.tasks)
        ]
        skip = start - first * n_tasks
        return rows[skip : skip + stop - start]
