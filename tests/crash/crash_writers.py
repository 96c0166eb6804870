"""`make crash`: every scenario with writers, readers and a cut connection, twenty times, each with a seed of its own."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as hypothesis_seed

from roicg.core.graph import ComputationalGraph
from roicg.server.address import Address
from roicg.store.neo4j.store import Neo4jStore
from roicg.store.stored import differences
from tests import strategies
from tests.crash import scenarios
from tests.published import empty

pytestmark = pytest.mark.neo4j


@pytest.fixture(scope="module")
def life(address: Address) -> tuple[int, Counter[str]]:
    """Statements of a whole life, and what it leaves."""
    return scenarios.undisturbed(address)


@pytest.fixture(scope="module")
def replaced(address: Address) -> tuple[int, Counter[str]]:
    """The same of replacing one graph."""
    return scenarios.undisturbed(address, ("replace",))


def test_writer_killed_at_random_statements(address: Address, life: tuple[int, Counter[str]], seed: int) -> None:
    scenarios.killed_writer(address, seed, *life)


def test_first_writer_killed(address: Address, seed: int) -> None:
    scenarios.killed_first_writer(address, seed)


def test_writer_killed_at_each_point(address: Address, life: tuple[int, Counter[str]]) -> None:
    scenarios.killed_at_points(address, life[1])


def test_two_writers(address: Address, seed: int) -> None:
    scenarios.two_writers(address, seed, writers=2 + seed % 2)


def test_two_slots_of_one_graph(address: Address, seed: int) -> None:
    scenarios.two_slots(address, seed)


def test_zombie(address: Address, replaced: tuple[int, Counter[str]], seed: int) -> None:
    scenarios.zombie(address, seed, replaced[0])


def test_readers_during_flips(address: Address, seed: int) -> None:
    scenarios.readers_during_flips(address, seed, readers=3)


@scenarios.half_made
def test_connection_cut(address: Address, replaced: tuple[int, Counter[str]], seed: int) -> None:
    scenarios.cut_connection(address, seed, replaced[1])


def test_killed_in_projection(address: Address, seed: int) -> None:
    scenarios.killed_in_projection(address, seed)


def test_schema_made_by_several_that_are_killed(address: Address, seed: int) -> None:
    scenarios.schema_by_several(address, seed)


def test_load_and_read_is_identity(address: Address, seed: int) -> None:
    """Twenty times twenty random graphs: read as written, written twice without change, and gone with gc when others take their place."""
    empty(address)

    @hypothesis_seed(seed)
    @settings(max_examples=20, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(graph=strategies.graphs())
    def play(graph: ComputationalGraph) -> None:
        slot = strategies.slot_of(graph)
        assert store.put(graph, slot).outcome in ("published", "unchanged")
        assert differences(graph, store.get(graph.id)) == []
        assert store.put(graph, slot).outcome == "unchanged"

    with Neo4jStore(address) as store:
        play()
        store.gc(grace_s=0)
        assert store.cypher("MATCH (v:GraphVersion) WHERE v.status <> 'published' RETURN count(*) AS n") == [{"n": 0}]
        assert not store.gc(grace_s=0)
