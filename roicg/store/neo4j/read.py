"""Read a version back, bit for bit, in pages of edges that keep every transaction short and the rows in memory few."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from roicg.core.errors import StoreError
from roicg.core.graph import Checkpoint, ComputationalGraph, EdgeTable, PortGroupEffect, TaskScore
from roicg.core.partition import Roi, RoiPartition, SiteQuality
from roicg.core.sites import Site
from roicg.store.neo4j.driver import Connection, Rows, Transaction, TransactionMemoryFull
from roicg.store.stored import stored_form

PAGE = 20_000
"""Edges read in one transaction: half a second, a few megabytes of the server's memory."""

LAST = 2**63 - 1
"""Greater than any rank: the last page holds whatever ranks are left."""

Columns = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True, slots=True)
class ReadBack:
    """A version as it lies in the database: its graph, its plain figures, and how many edges are ``odd``: against their strength or their ends."""

    graph: ComputationalGraph
    version: dict[str, Any]
    odd: int


def read_version(connection: Connection, number: int, on_page: Callable[[], None] | None = None) -> ComputationalGraph:
    """The graph of version ``number``, staged or published; ``StoreError`` or ``LawError`` names what is missing or broken."""
    return read_back(connection, number, on_page).graph


def read_back(connection: Connection, number: int, on_page: Callable[[], None] | None = None) -> ReadBack:
    """Like :func:`read_version`, with what else an audit asks.

    Versions never change while a slot shows them, so that pages fit together; one that is removed meanwhile is noticed.
    ``on_page`` is called after each page.
    """

    def opening(tx: Transaction) -> tuple[dict[str, Any], Rows, Rows]:
        return _version(tx.run("house.version", number=number), number), tx.run("house.rois", number=number), tx.run("house.port_groups", number=number)

    version, rois, groups = connection.reading("read_version", opening)
    partition = _partition(version, rois)
    reader = _EdgeReader(connection, version, {roi.key: i for i, roi in enumerate(partition.rois)}, on_page)
    edges = reader.table()
    _version(connection.read("house.version", number=number), number)
    graph = ComputationalGraph(
        version["id"],
        Checkpoint(version["model"], version["step"], version["label"], version["weights_digest"]),
        partition,
        edges,
        tuple(PortGroupEffect(group=row.pop("name"), **row) for row in groups),
        tuple(TaskScore(**score) for score in json.loads(version["scores"])),
        json.loads(version["provenance"]),
    )
    return ReadBack(stored_form(graph), version, reader.odd)


def _version(found: Rows, number: int) -> dict[str, Any]:
    if not found:
        raise StoreError(f"version {number} is not in the database (any more); ask again, its slot may show a newer one")
    version: dict[str, Any] = found[0]["version"]
    return version


def _partition(version: dict[str, Any], rows: Rows) -> RoiPartition:
    missing = [row["name"] for row in rows if row["members"] is None]
    if missing:
        raise StoreError(f"version {version['number']}: ROI {missing[0]} has no block, so that its features are unknown ({len(missing)} such)")
    rois = (Roi(r["name"], r["site"], r["layer"], r["kind"], tuple(r["members"]), r["is_rest"], r["label"]) for r in rows)
    sites = (Site(**site) for site in json.loads(version["sites"]))
    quality = {site: SiteQuality(**figures) for site, figures in json.loads(version["quality"]).items()}
    return RoiPartition(version["partition_kind"], tuple(sites), tuple(rois), json.loads(version["partition_settings"]), quality)


class _EdgeReader:
    """The edges of one version: task by task, page by page; every task must bring the same (source, target, port)."""

    def __init__(self, connection: Connection, version: dict[str, Any], position: dict[str, int], on_page: Callable[[], None] | None) -> None:
        self._connection, self._version, self._position, self._on_page = connection, version, position, on_page
        self._number: int = version["number"]
        self._page_size = PAGE
        self._ports: dict[str, int] = {}
        self.odd = 0

    def table(self) -> EdgeTable:
        """One row per (source, target, port), sorted by them."""
        tasks = {task: self._task(task) for task in self._version["tasks"]}
        ends = [columns[0] for columns in tasks.values()]
        for task, found in zip(tasks, ends, strict=True):
            self._compare(task, ends[0], found)
        triples = ends[0] if ends else np.empty((3, 0), dtype=np.int64)
        shape = (len(tasks), triples.shape[1])
        floats = np.stack([columns[1] for columns in tasks.values()], axis=1) if tasks else np.empty((3, *shape))
        ranks = np.stack([columns[2] for columns in tasks.values()]) if tasks else np.empty(shape, dtype=np.int64)
        names = list(self._ports)
        return EdgeTable(tuple(tasks), triples[0], triples[1], tuple(names[port] for port in triples[2].tolist()), floats[0], floats[1], floats[2], ranks)

    def _task(self, task: str) -> Columns:
        """Ends (source, target, port; as numbers), floats (weight, se, mean_abs) and ranks of one task, sorted by ends."""
        pages, first, edges = [], 1, self._version["n_edges"]
        while first <= max(1, edges):
            last = first + self._page_size - 1
            try:
                pages.append(self._page(task, first, last if last < edges else LAST))
            except TransactionMemoryFull:
                if self._page_size == 1:
                    raise
                self._page_size //= 2
                continue
            first = last + 1
            if self._on_page:
                self._on_page()
        ends, floats, ranks = (np.concatenate([page[i] for page in pages], axis=-1) for i in range(3))
        order = np.lexsort((ends[2], ends[1], ends[0]))
        return ends[:, order], floats[:, order], ranks[order]

    def _page(self, task: str, first: int, last: int) -> Columns:
        ends: list[np.ndarray] = [np.empty((3, 0), dtype=np.int64)]
        floats: list[np.ndarray] = [np.empty((3, 0))]
        ranks: list[int] = []
        for row in self._connection.read("house.read_back", number=self._number, task=task, first=first, last=last):
            ports = [self._ports.setdefault(port, len(self._ports)) for port in row["port"]]
            source = [self._roi(row["source"])] * len(ports)
            ends.append(np.array([source, [self._roi(name) for name in row["target"]], ports], dtype=np.int64))
            floats.append(np.array([row["weight"], row["se"], row["mean_abs"]], dtype=np.float64))
            ranks += row["rank"]
            self.odd += row["odd"]
        return np.concatenate(ends, axis=1), np.concatenate(floats, axis=1), np.array(ranks, dtype=np.int64)

    def _roi(self, name: str) -> int:
        if name not in self._position:
            raise StoreError(f"version {self._number}: an edge names the ROI {name}, which the version does not have")
        return self._position[name]

    def _compare(self, task: str, expected: np.ndarray, found: np.ndarray) -> None:
        """``StoreError`` where ``task`` has other edges than the first task, or one of them twice."""
        if np.array_equal(expected, found) and (found.shape[1] < 2 or not (np.diff(found, axis=1) == 0).all(axis=0).any()):
            return
        both = [set(map(tuple, ends.T.tolist())) for ends in (expected, found)]
        twice = found[:, 1:][:, (np.diff(found, axis=1) == 0).all(axis=0)]  # sorted, so that equal ones are neighbours
        odd = sorted(both[0] ^ both[1]) or sorted(map(tuple, twice.T.tolist()))
        rois, ports = list(self._position), list(self._ports)
        source, target, port = odd[0]
        raise StoreError(
            f"version {self._number}: edge {rois[source]}→{rois[target]} ({ports[port]}) is not there once for every task ({len(odd)} such; seen at {task})"
        )
