"""Remove what nobody can see any more: versions of dead writers, superseded ones after a while, partitions without a version.

Small transactions throughout: it may be stopped and started again at any point, and never touches what a slot shows.
"""

from roicg.store.neo4j.driver import Connection

BATCH = 5_000


def collect(connection: Connection, *, slot: str = "", expiry_s: int, grace_s: int) -> tuple[int, ...]:
    """Remove condemned versions of ``slot`` (of all slots if empty) with their analyses; returns their numbers."""
    numbers = tuple(row["number"] for row in connection.write("publish.condemn", slot=slot, expiry_s=expiry_s, grace_s=grace_s))
    for number in numbers:
        for query in ("publish.collect_edges", "publish.collect_findings", "publish.collect_nodes"):
            while connection.write(query, number=number, batch=BATCH)[0]["removed"]:
                pass
        connection.write("publish.collect_version", number=number)
    if numbers:
        collect_partitions(connection)
    return numbers


def collect_partitions(connection: Connection) -> int:
    """Remove partitions that no version uses, with their blocks, then features that no block holds; returns the rows removed."""
    total: int = 0
    while removed := connection.write("publish.collect_blocks", batch=BATCH)[0]["removed"]:
        total += removed
    total += connection.write("publish.collect_partitions")[0]["removed"]
    while removed := connection.write("publish.collect_features", batch=BATCH)[0]["removed"]:
        total += removed
    return int(total)
