"""A second witness: read what was published through py2neo, whose Bolt code shares nothing with the official driver.

py2neo is past its end of life and speaks Bolt up to 4.3, so it only reads, only here, and nothing depends on it: what it
cannot do ends in a sentence, not in a publication that fails.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from roicg.core.errors import StoreError
from roicg.store.registry import find_query
from roicg.store.verify import Tally, tally

if TYPE_CHECKING:
    from roicg.server.address import Address


def witness(address: "Address", numbers: Iterable[int]) -> dict[int, Tally]:
    """Tally of each version as py2neo reads it; ``StoreError`` when py2neo is missing or the server no longer speaks its Bolt."""
    try:
        import py2neo
    except ImportError as error:
        raise StoreError("the witness needs py2neo; install roicg[witness], or verify without it") from error
    query = find_query("house.witness")
    try:
        graph = py2neo.Graph(address.uri, auth=(address.user, address.password), name=address.database)
        try:
            return {number: tally(_rows(graph, query.text, query.bind({"number": number}))) for number in numbers}
        finally:
            graph.service.connector.close()
    except Exception as error:
        raise StoreError(f"py2neo cannot read from {address.uri} ({type(error).__name__}: {error}); verify without the witness") from error


def _rows(graph: Any, text: str, params: dict[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Rows one by one, as they come: py2neo asks for them in portions."""
    yield from graph.run(text, params)
