"""Read a version back, bit for bit."""

import json
from typing import Any

import numpy as np

from roicg.core.errors import StoreError
from roicg.core.graph import Checkpoint, ComputationalGraph, EdgeTable, PortGroupEffect, TaskScore
from roicg.core.partition import Roi, RoiPartition, SiteQuality
from roicg.core.sites import Site
from roicg.store.neo4j.driver import Connection, Rows, Transaction
from roicg.store.stored import stored_form


def read_version(connection: Connection, number: int) -> ComputationalGraph:
    """The graph of version ``number``, staged or published; ``StoreError`` or ``LawError`` names what is missing or broken."""

    def work(tx: Transaction) -> tuple[dict[str, Any], Rows, Rows, dict[str, Rows]]:
        found = tx.run("house.version", number=number)
        if not found:
            raise StoreError(f"version {number} is not in the database (any more); ask again, its slot may show a newer one")
        version = found[0]["version"]
        edges = {task: tx.run("house.edges", number=number, task=task) for task in version["tasks"]}
        return version, tx.run("house.rois", number=number), tx.run("house.port_groups", number=number), edges

    version, rois, groups, edges = connection.reading("read_version", work)
    partition = _partition(version, rois)
    graph = ComputationalGraph(
        version["id"],
        Checkpoint(version["model"], version["step"], version["label"], version["weights_digest"]),
        partition,
        _edges(number, {roi.key: i for i, roi in enumerate(partition.rois)}, edges),
        tuple(PortGroupEffect(group=row.pop("name"), **row) for row in groups),
        tuple(TaskScore(**score) for score in json.loads(version["scores"])),
        json.loads(version["provenance"]),
    )
    return stored_form(graph)


def _partition(version: dict[str, Any], rows: Rows) -> RoiPartition:
    missing = [row["name"] for row in rows if row["members"] is None]
    if missing:
        raise StoreError(f"version {version['number']}: ROI {missing[0]} has no block, so that its features are unknown ({len(missing)} such)")
    rois = (Roi(r["name"], r["site"], r["layer"], r["kind"], tuple(r["members"]), r["is_rest"], r["label"]) for r in rows)
    sites = (Site(**site) for site in json.loads(version["sites"]))
    quality = {site: SiteQuality(**figures) for site, figures in json.loads(version["quality"]).items()}
    return RoiPartition(version["partition_kind"], tuple(sites), tuple(rois), json.loads(version["partition_settings"]), quality)


def _edges(number: int, position: dict[str, int], by_task: dict[str, Rows]) -> EdgeTable:
    """One row per (source, target, port); every task must bring the same ones."""
    order: list[tuple[str, str, str]] | None = None
    columns: dict[str, list[list[Any]]] = {name: [] for name in ("weight", "se", "mean_abs", "rank")}
    for task, rows in by_task.items():
        rows.sort(key=lambda row: (row["source"], row["target"], row["port"]))
        triples = [(row["source"], row["target"], row["port"]) for row in rows]
        order = order if order is not None else triples
        if triples != order:
            odd = sorted(set(triples) ^ set(order)) or sorted(triple for triple in set(triples) if triples.count(triple) > 1)
            raise StoreError(f"version {number}: edge {odd[0][0]}→{odd[0][1]} ({odd[0][2]}) is not there once for every task ({len(odd)} such; seen at {task})")
        for name, column in columns.items():
            column.append([row[name] for row in rows])
    order = order or []
    unknown = {end for source, target, _ in order for end in (source, target)} - position.keys()
    if unknown:
        raise StoreError(f"version {number}: an edge names the ROI {sorted(unknown)[0]}, which the version does not have")
    shape = (len(by_task), len(order))
    return EdgeTable(
        tuple(by_task),
        np.array([position[source] for source, _, _ in order], dtype=np.int64),
        np.array([position[target] for _, target, _ in order], dtype=np.int64),
        tuple(port for _, _, port in order),
        np.array(columns["weight"], dtype=np.float64).reshape(shape),
        np.array(columns["se"], dtype=np.float64).reshape(shape),
        np.array(columns["mean_abs"], dtype=np.float64).reshape(shape),
        np.array(columns["rank"], dtype=np.int64).reshape(shape),
    )
