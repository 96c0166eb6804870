"""A writer's life: what it publishes and computes, and the statement at which it is killed or stopped.

``{"acts": ["replace", …], "signal": "KILL", "at": 17, "when": "before"}``; with ``"query": "load.edges"`` only statements of that
name are counted. It prints the number of statements it sent and what came of each act, or the error that ended it.
"""

import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from roicg.core.errors import RoicgError
from roicg.core.graph import ComputationalGraph
from roicg.server.address import Address
from roicg.store.neo4j.analyses import find_communities, match_rois
from roicg.store.neo4j.driver import Rows, Transaction
from roicg.store.neo4j.publish import PublishRules
from roicg.store.neo4j.store import Neo4jStore
from tests.handmade import curves, own_graph, reference_graph, slot_of

BATCH = 7


def scaled(factor: float, step: int = 200) -> ComputationalGraph:
    """The reference graph with all weights times ``factor``: same question, other content."""
    graph = reference_graph(step)
    return replace(graph, edges=replace(graph.edges, weight=graph.edges.weight * factor))


def put(store: Neo4jStore, graph: ComputationalGraph, *, anew: bool = True) -> str:
    return store.put(graph, slot_of(graph), replace=anew).outcome


ACTS: dict[str, Callable[[Neo4jStore], object]] = {
    "replace": lambda store: put(store, scaled(1.0)),
    "publish": lambda store: put(store, scaled(1.0), anew=False),
    "curves": lambda store: store.put_curves("toy-200-reference", curves(200)),
    "communities": lambda store: find_communities(store, "toy-200-reference", task="add", null_samples=2).written,
    "own": lambda store: put(store, own_graph(200)),
    "matches": lambda store: match_rois(store, "toy-100-own", "toy-200-own").written,
    "gc": lambda store: len(store.gc(grace_s=0).versions),
    "schema": lambda store: store.ensure_schema(),
}
WHOLE_LIFE = ("replace", "curves", "communities", "own", "matches", "gc")


class Clock:
    """Counts the statements that are sent, and sends the signal to this process before or after the given one."""

    def __init__(self, at: int, when: str, name: str, query: str) -> None:
        self.at, self.when, self.signal, self.query, self.sent, self.counted = at, when, getattr(signal, f"SIG{name}"), query, 0, 0

    def tick(self, send: Callable[..., Rows]) -> Callable[..., Rows]:
        def counted(tx: Transaction, name: str, *args: Any, **kwargs: Any) -> Rows:
            self.sent += 1
            self.counted += not self.query or name == self.query
            mine = self.counted == self.at and (not self.query or name == self.query)
            if mine and self.when == "before":
                os.kill(os.getpid(), self.signal)
            rows = send(tx, name, *args, **kwargs)
            if mine and self.when == "after":
                os.kill(os.getpid(), self.signal)
            return rows

        return counted


def main(spec: dict[str, Any]) -> None:
    """Play the acts of ``spec``."""
    clock = Clock(spec.get("at", 0), spec.get("when", "before"), spec.get("signal", "KILL"), spec.get("query", ""))
    Transaction.send = clock.tick(Transaction.send)  # type: ignore[method-assign]
    said: dict[str, Any] = {"acts": []}
    with Neo4jStore(Address(**spec["address"]), rules=PublishRules(batch=BATCH, expiry_s=spec.get("expiry_s", 60))) as store:
        store.connection.write_timeout_s = spec.get("write_timeout_s", 120.0)
        try:
            for act in spec["acts"]:
                said["acts"].append([act, ACTS[act](store)])
        except RoicgError as error:
            said["error"] = [type(error).__name__, str(error)]
    print(json.dumps(said | {"sent": clock.sent}))
