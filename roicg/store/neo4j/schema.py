"""The server that is needed: versions of Neo4j and of Graph Data Science."""

import re

from roicg.core.errors import QueryError, StoreError
from roicg.store.neo4j.driver import Connection

NEO4J_NEEDED = (5, 26)
GDS_NEEDED = (2, 13)
_CURE = "use `roicg db start` (it brings both), or the image of docker/compose.yaml"


def check_server(connection: Connection) -> tuple[str, str]:
    """Versions of Neo4j and GDS; too old or missing ones are a ``StoreError`` with what was found, what is needed and how to get it."""
    server = str(connection.read("house.server")[0]["version"])
    if _version(server) < NEO4J_NEEDED:
        raise StoreError(f"{connection.address.uri} runs Neo4j {server}, and roicg needs {_text(NEO4J_NEEDED)} or later; {_CURE}")
    try:
        gds = str(connection.read("house.gds")[0]["version"])
    except QueryError as error:
        raise StoreError(
            f"{connection.address.uri} runs Neo4j {server} without Graph Data Science, and roicg needs {_text(GDS_NEEDED)} or later; {_CURE}"
        ) from error
    if _version(gds) < GDS_NEEDED:
        raise StoreError(f"{connection.address.uri} has Graph Data Science {gds}, and roicg needs {_text(GDS_NEEDED)} or later; {_CURE}")
    return server, gds


def _version(text: str) -> tuple[int, ...]:
    match = re.match(r"(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
