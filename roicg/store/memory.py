"""A store in memory with the rules of the real one, for tests and short scripts."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from roicg.core.errors import StoreError
from roicg.core.graph import ComputationalGraph, FaithfulnessCurve
from roicg.core.ids import digest
from roicg.store.protocol import PublishResult, Slot
from roicg.store.stored import check_ranks, judge, stored_form


class MemoryStore:
    """Keeps published graphs in a dictionary; forgets them with the process."""

    def __init__(self) -> None:
        self._published: dict[str, tuple[int, ComputationalGraph]] = {}
        self._slots: dict[str, str] = {}
        self._analyses: set[str] = set()
        self._number = 0

    def put(self, graph: ComputationalGraph, slot: Slot, *, replace: bool = False) -> PublishResult:
        """Publish ``graph`` in ``slot`` by the rules of :mod:`roicg.store.stored`."""
        slot.check(graph)
        check_ranks(graph)
        standing = self._published.get(graph.id)
        old = standing[1] if standing else None
        outcome = judge(graph, old, same_hash=old is not None and old.content_hash == graph.content_hash, replace=replace)
        if standing is None or outcome == "replaced":
            self._number += 1
            standing = self._published[graph.id] = (self._number, stored_form(graph))
        if self._slots.get(slot.key) != graph.id:
            outcome = "published" if outcome != "replaced" else outcome
            self._slots[slot.key] = graph.id
            self._published = {key: value for key, value in self._published.items() if key in self._slots.values()}
        number, kept = standing
        return PublishResult(outcome, graph.id, kept.content_hash, number, slot.key, len(kept.edges))

    def get(self, graph_id: str) -> ComputationalGraph:
        """The published graph ``graph_id``."""
        if graph_id not in self._published:
            raise StoreError(f"no graph {graph_id!r} is published here; {len(self._published)} are")
        return self._published[graph_id][1]

    def ids(self) -> tuple[str, ...]:
        """Ids of the published graphs, sorted."""
        return tuple(sorted(self._published))

    def put_curves(self, graph_id: str, curves: Sequence[FaithfulnessCurve]) -> int:
        """Remember the curves of ``graph_id``; the number of circuits that are new."""
        key = digest("faithfulness", self.get(graph_id).id, [asdict(curve) for curve in curves])
        if key in self._analyses:
            return 0
        self._analyses.add(key)
        return sum(max(1, len(curve.n_edges)) for curve in curves)

    def run(self, query: str, **params: Any) -> list[dict[str, Any]]:
        """Always a ``StoreError``: Cypher needs a database."""
        raise StoreError(f"the memory store answers no Cypher ({query}); use a database (roicg.store.connect.connect)")
