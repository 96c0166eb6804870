"""One round of each scenario that `make crash` plays twenty times (tests/crash), with seeds that are known to do something."""

from collections import Counter
from pathlib import Path

import pytest

from roicg.server.address import Address
from tests.crash import scenarios, servers

pytestmark = pytest.mark.neo4j


@pytest.fixture(scope="module")
def life(address: Address) -> tuple[int, Counter[str]]:
    return scenarios.undisturbed(address)


@pytest.fixture(scope="module")
def replaced(address: Address) -> tuple[int, Counter[str]]:
    return scenarios.undisturbed(address, ("replace",))


def test_a_writer_killed_at_any_point_changes_nothing_that_is_seen_and_a_rerun_ends_as_if_undisturbed(address: Address, life: tuple[int, Counter[str]]) -> None:
    scenarios.killed_at_points(address, life[1])


def test_a_writer_killed_before_the_first_publication_leaves_nothing_that_gc_does_not_remove(address: Address) -> None:
    scenarios.killed_first_writer(address, seed=0)


@pytest.mark.parametrize("query", [None, "house.rois"])
def test_a_writer_that_slept_through_its_lock_gives_up(query: str | None, address: Address, replaced: tuple[int, Counter[str]]) -> None:
    """Seen to fail in its read-back, of a version that was collected meanwhile: LawError, of ROIs without features."""
    scenarios.zombie(address, 1, replaced[0], query=query)


def test_two_processes_publish_one_graph_once(address: Address) -> None:
    scenarios.two_writers(address, seed=0)


def test_one_graph_in_two_slots_at_once_is_one_version(address: Address) -> None:
    """Seen to fail without the second judgement in the flip: two versions, the first superseded as soon as it was published."""
    scenarios.two_slots(address, seed=0)


def test_readers_see_whole_versions_during_ten_flips(address: Address) -> None:
    scenarios.readers_during_flips(address, seed=0)


@scenarios.half_made
def test_a_connection_cut_in_the_middle_writes_everything_once(address: Address, replaced: tuple[int, Counter[str]]) -> None:
    scenarios.cut_connection(address, 0, replaced[1])


def test_a_projection_of_a_killed_process_is_dropped_by_gc(address: Address) -> None:
    scenarios.killed_in_projection(address, seed=0)


def test_a_server_with_little_memory_that_is_killed_while_loading(spare_home: Path) -> None:
    servers.little_memory(spare_home, seed=0, rows=6_000)
    servers.killed_server(spare_home, seed=0)
