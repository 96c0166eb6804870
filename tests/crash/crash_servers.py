"""`make crash`: a server that is killed, one with little memory, one without Graph Data Science; all in one home, one after the other."""

from pathlib import Path

import pytest

from roicg.server import embedded
from tests.crash import servers

pytestmark = pytest.mark.neo4j


def test_server_killed_while_loading(spare_home: Path, seed: int) -> None:
    servers.killed_server(spare_home, seed)


def test_little_memory(spare_home: Path, seed: int) -> None:
    servers.little_memory(spare_home, seed)


def test_without_gds(spare_home: Path, tmp_path: Path) -> None:
    embedded.stop(spare_home)
    servers.without_gds(spare_home, tmp_path)
