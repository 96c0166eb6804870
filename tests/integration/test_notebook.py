"""The example notebook runs as it stands, and shows what it keeps."""

import json
from collections.abc import Iterator

import pytest

from roicg.server.address import Address
from roicg.store.neo4j.store import Neo4jStore
from tests.notebook import NOTEBOOK, code_cells, kept, outputs, read
from tests.published import handmade_store

pytestmark = pytest.mark.neo4j


@pytest.fixture(scope="module")
def store(address: Address) -> Iterator[Neo4jStore]:
    with handmade_store(address) as opened:
        yield opened


def test_every_cell_shows_what_the_notebook_keeps(store: Neo4jStore) -> None:
    """Seen to fail with one weight of the hand-made graph changed."""
    pytest.importorskip("pandas")
    notebook = read()
    for cell, shown in zip(code_cells(notebook), outputs(notebook, store.address), strict=True):
        assert shown == kept(cell), "".join(cell["source"])


def test_it_is_small_executed_and_plain() -> None:
    notebook = read()
    cells = code_cells(notebook)
    assert NOTEBOOK.stat().st_size < 30_000
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert sum(bool(cell["outputs"]) for cell in cells) >= len(cells) - 1
    assert NOTEBOOK.read_text() == json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
