"""`make crash`: a server that is killed, one with little memory, one without Graph Data Science; all in one home, one after the other."""

from pathlib import Path

import pytest

from roicg.server import embedded
from tests.crash import servers

pytestmark = pytest.mark.neo4j


def test_server_killed_while_loading(server_home: Path, seed: int) -> None:
    servers.killed_server(server_home, seed)


def test_little_memory(server_home: Path, seed: int) -> None:
    servers.little_memory(server_home, seed)


def test_without_gds(server_home: Path, tmp_path: Path) -> None:
    embedded.stop(server_home)
    servers.without_gds(server_home, tmp_path)
