"""Projections of GDS: graphs in the server's memory, which live exactly as long as the ``with`` that needs them.

1. A name of its own, so that two people asking the same do not meet.
2. Ask GDS how much memory it needs and refuse before anything is loaded.
3. Project; a statement repeated after a lost connection first drops what its first try left.
4. Drop, whatever happened in between. Only a server that cannot be reached keeps it, until it restarts.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from roicg.core.errors import StoreError
from roicg.store.neo4j.driver import Connection, Rows, Transaction
from roicg.store.registry import find_query

PREFIX = "roicg_"
MADE_BY = {"circuits.bottlenecks": "gds.project_shares", "circuits.pieces": "gds.project_circuit", "circuits.strongest_paths": "gds.project_shares"}
"""Catalogue queries that read a projection, and the query that makes it from the same parameters."""


@dataclass(frozen=True, slots=True)
class Projection:
    """A graph in the server's memory; an undirected relationship counts twice."""

    name: str
    nodes: int
    relationships: int


@contextlib.contextmanager
def projected(connection: Connection, query: str, /, **params: Any) -> Iterator[Projection]:
    """The projection that the catalogue query ``query`` makes; dropped on the way out, also by an error or Ctrl-C."""
    name = PREFIX + uuid4().hex

    def make(tx: Transaction) -> Rows:
        tx.run("gds.drop", projection=name)
        return tx.run(query, projection=name, **params)

    try:
        rows = connection.reading(query, make)
        # Nothing to project is no row or a row of nulls, by version of GDS.
        counts = rows[0] if rows and rows[0]["nodes"] else {"nodes": 0, "relationships": 0}
        yield Projection(name, counts["nodes"], counts["relationships"])
    except BaseException:
        with contextlib.suppress(StoreError):
            connection.read("gds.drop", projection=name)
        raise
    connection.read("gds.drop", projection=name)


def read_projected(connection: Connection, name: str, params: dict[str, Any]) -> Rows:
    """Rows of the catalogue query ``name``; one of :data:`MADE_BY` gets its projection made before and dropped after."""
    if name not in MADE_BY:
        return connection.read(name, **params)
    given = {key: value for key, value in params.items() if key != "projection"}
    bound = find_query(name).bind(given)
    needed = {field.name for field in find_query(MADE_BY[name]).params} - {"projection"}
    room = {key: bound[key] for key in ("slot", "paths") if key in bound}
    for row in connection.read("gds.memory_directed", **room):  # no row: the slot shows nothing, and there is nothing to project
        refuse_beyond(row, f"{name} on {row['nodes']} ROIs and {row['relationships']} edges")
    with projected(connection, MADE_BY[name], **{key: bound[key] for key in needed}) as projection:
        return connection.read(name, **given, projection=projection.name) if projection.relationships else []


def require_memory(connection: Connection, nodes: int, relationships: int) -> None:
    """``StoreError`` with both figures when an undirected projection with Leiden may not fit into the server's heap."""
    row = connection.read("gds.memory", nodes=nodes, relationships=relationships)[0]
    refuse_beyond(row, f"communities of {nodes} ROIs and {relationships} edges")


def refuse_beyond(row: dict[str, Any], what: str) -> None:
    """``StoreError`` with both figures when ``row`` (``needed`` and ``free``, bytes) says that ``what`` may not fit into the server's heap."""
    if row["needed"] > row["free"]:
        needed, free = (f"{row[key] / 2**20:,.0f} MiB" for key in ("needed", "free"))
        raise StoreError(
            f"{what} may need {needed} of the database's memory, and {free} are free; "
            "give it more heap (server.memory.heap.max_size), or use a coarser partition"
        )
