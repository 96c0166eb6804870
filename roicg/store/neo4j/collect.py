"""Remove what nobody can see any more, in small transactions: it may be stopped and started again at any point.

1. Condemn: versions of dead writers, and superseded ones after a while. Taking a staged version's ``run`` away fences its writer off;
   nothing that a slot shows is ever condemned.
2. Of each condemned version: edges, findings, matches, analyses, ROIs and port groups, then the version itself.
3. Partitions that no version uses, block by block; features that no block holds.
4. With ``sweep``, what dead writers leave besides: locks on slots, slots that never showed anything with their checkpoints, models,
   studies and tasks, nodes whose version or analysis is gone, projections in the server's memory.

The counter of version numbers stays for ever: a number is never given twice.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from roicg.store.neo4j.driver import Connection, TransactionMemoryFull

BATCH = 5_000
PROJECTION_S = 600
"""A projection lives as long as one question; one that is older was left by a process that was killed."""

_OF_VERSION = {
    "edges": "publish.collect_edges",
    "findings": "publish.collect_findings",
    "matches": "publish.collect_matches",
    "analyses": "publish.collect_analyses",
    "nodes": "publish.collect_nodes",
}
_UNUSED = {"blocks": "publish.collect_blocks", "partitions": "publish.collect_partitions", "features": "publish.collect_features"}
_SWEPT = {
    "strays": "publish.collect_strays",
    "features": "publish.collect_features",
    "slots": "publish.collect_slots",
    "checkpoints": "publish.collect_checkpoints",
    "models": "publish.collect_models",
    "studies": "publish.collect_studies",
    "tasks": "publish.collect_tasks",
}


@dataclass(frozen=True, slots=True)
class Condemned:
    """A version that may go: ``status`` is staged (its writer is gone) or superseded."""

    number: int
    slot: str
    status: str
    rows: int


@dataclass(frozen=True, slots=True)
class Collected:
    """What was removed, or with a dry run would be: versions, and how many of everything else by kind."""

    versions: tuple[Condemned, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def numbers(self) -> tuple[int, ...]:
        """Numbers of the versions."""
        return tuple(version.number for version in self.versions)

    def __bool__(self) -> bool:
        return bool(self.versions or self.counts)


def collect(connection: Connection, *, slot: str = "", expiry_s: int, grace_s: int, sweep: bool = False) -> Collected:
    """The numbered steps of this module for ``slot`` (all slots if empty); says what was removed."""
    counts: Counter[str] = Counter()
    condemned = tuple(Condemned(**row) for row in connection.write("publish.condemn", slot=slot, expiry_s=expiry_s, grace_s=grace_s))
    for version in condemned:
        for kind, query in _OF_VERSION.items():
            counts[kind] += _drain(connection, query, once_more=False, number=version.number)
        connection.write("publish.collect_version", number=version.number)
    if condemned or sweep:
        for kind, query in _UNUSED.items():
            counts[kind] += _drain(connection, query)
    if sweep:
        counts["locks"] += connection.write("publish.collect_locks", expiry_s=expiry_s)[0]["removed"]
        for kind, query in _SWEPT.items():
            counts[kind] += _drain(connection, query)
        counts["projections"] += _drop_projections(connection)
    return Collected(condemned, {kind: n for kind, n in counts.items() if n})


def collectable(connection: Connection, *, expiry_s: int, grace_s: int) -> Collected:
    """What ``collect`` with ``sweep`` would remove now; nothing is changed."""
    rows = connection.read("house.leftovers", expiry_s=expiry_s, grace_s=grace_s)
    versions = tuple(Condemned(**row) for row in rows)
    found = connection.read("house.collectable", numbers=[version.number for version in versions], expiry_s=expiry_s)
    counts = {row["kind"]: row["n"] for row in found if row["n"]}
    projections = len(connection.read("publish.stale_projections", age_s=PROJECTION_S))
    return Collected(versions, counts | ({"projections": projections} if projections else {}))


def _drain(connection: Connection, query: str, *, once_more: bool = True, **fixed: Any) -> int:
    """Run ``query`` until it removes nothing, without ``once_more`` until it finds less than it may remove (nobody else takes or adds any).

    A batch too big for the server's memory is halved. The rows removed.
    """
    total, batch = 0, BATCH
    while True:
        try:
            removed = int(connection.write(query, batch=batch, **fixed)[0]["removed"])
        except TransactionMemoryFull:
            if batch == 1:
                raise
            batch = max(1, batch // 2)
            continue
        total += removed
        if removed < (1 if once_more else batch):
            return total


def _drop_projections(connection: Connection) -> int:
    names = [row["projection"] for row in connection.read("publish.stale_projections", age_s=PROJECTION_S)]
    return sum(len(connection.read("gds.drop", projection=name)) for name in names)
