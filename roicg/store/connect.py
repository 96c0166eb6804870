"""The front door to the real store; the driver is imported only when it is opened."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from roicg.server.address import Address
    from roicg.store.neo4j.store import Neo4jStore


def connect(address: "Address | None" = None) -> "Neo4jStore":
    """Open the store at ``address``; without one, at the address of the environment or the embedded database (started if needed)."""
    from roicg.server.address import database_address
    from roicg.store.neo4j.store import Neo4jStore

    return Neo4jStore(address or database_address())
