"""A projection is dropped whatever happens, shown on a connection that only collects what it is asked."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from roicg.core.errors import QueryError, StoreError, StoreUnreachable
from roicg.store.neo4j import projection
from roicg.store.neo4j.driver import Connection
from roicg.store.neo4j.projection import MADE_BY, PREFIX, projected, read_projected, require_memory
from roicg.store.registry import catalogue


class Collecting:
    """Stands for a connection: remembers queries and parameters, answers from a table, fails where it is told to."""

    def __init__(self, answers: dict[str, list[dict[str, Any]]], failing: dict[str, Exception] | None = None) -> None:
        self.answers, self.failing = answers, failing or {}
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def read(self, name: str, /, **params: Any) -> list[dict[str, Any]]:
        self.asked.append((name, params))
        if name in self.failing:
            raise self.failing[name]
        return self.answers.get(name, [])

    run = read

    def reading(self, name: str, work: Callable[["Collecting"], Any]) -> Any:
        work(self)
        return work(self)  # as after a lost connection: the work runs again

    def names(self) -> list[str]:
        return [name for name, _ in self.asked]


def connection(fake: Collecting) -> Connection:
    return cast(Connection, fake)


PROJECTED = {"gds.project_shares": [{"nodes": 3, "relationships": 4}]}


def test_one_name_is_made_dropped_before_a_second_try_and_dropped_at_the_end() -> None:
    fake = Collecting(PROJECTED)
    with projected(connection(fake), "gds.project_shares", number=1) as projection:
        assert (projection.nodes, projection.relationships) == (3, 4)
    assert fake.names() == ["gds.drop", "gds.project_shares", "gds.drop", "gds.project_shares", "gds.drop"]
    assert {params["projection"] for _, params in fake.asked} == {projection.name}
    assert projection.name.startswith(PREFIX)
    with projected(connection(fake), "gds.project_shares", number=1) as other:
        assert other.name != projection.name


@pytest.mark.parametrize("nothing", [[], [{"nodes": None, "relationships": None}], [{"nodes": 0, "relationships": 0}]])
def test_nothing_to_project_is_an_empty_projection(nothing: list[dict[str, Any]]) -> None:
    with projected(connection(Collecting({"gds.project_shares": nothing})), "gds.project_shares") as projection:
        assert (projection.nodes, projection.relationships) == (0, 0)


@pytest.mark.parametrize("error", [ValueError("inside"), KeyboardInterrupt()])
def test_an_error_inside_is_raised_after_the_drop(error: BaseException) -> None:
    fake = Collecting(PROJECTED)
    with pytest.raises(type(error)), projected(connection(fake), "gds.project_shares"):
        raise error
    assert fake.names()[-1] == "gds.drop"


def test_the_first_error_is_the_one_that_is_told() -> None:
    fake = Collecting(PROJECTED, {"gds.project_shares": StoreError("no memory"), "gds.drop": StoreUnreachable("gone")})
    with pytest.raises(StoreUnreachable, match="gone"), projected(connection(fake), "gds.project_shares"):
        pytest.fail("never made")
    fake = Collecting(PROJECTED, {"gds.project_shares": StoreError("no memory")})
    with pytest.raises(StoreError, match="no memory"), projected(connection(fake), "gds.project_shares"):
        pytest.fail("never made")
    assert fake.names()[-1] == "gds.drop"


def test_queries_with_a_projection_get_one_and_others_are_passed_on() -> None:
    fake = Collecting({"gds.project_shares": [{"nodes": 3, "relationships": 2}], "circuits.strongest_paths": [{"place": 1}]})
    assert read_projected(connection(fake), "circuits.strongest_paths", {"slot": "s", "task": "t", "projection": "mine"}) == [{"place": 1}]
    name = fake.asked[-2][1]["projection"]
    assert fake.asked[-3:] == [
        ("gds.project_shares", {"projection": name, "slot": "s", "task": "t"}),
        ("circuits.strongest_paths", {"slot": "s", "task": "t", "projection": name}),
        ("gds.drop", {"projection": name}),
    ]
    assert name != "mine"
    fake = Collecting({"circuits.circuit": [{"rank": 1}]})
    assert read_projected(connection(fake), "circuits.circuit", {"slot": "s"}) == [{"rank": 1}]
    assert fake.names() == ["circuits.circuit"]
    with pytest.raises(QueryError, match="needs the parameter task"):
        read_projected(connection(Collecting({})), "circuits.strongest_paths", {"slot": "s"})


def test_a_query_on_nothing_has_no_rows() -> None:
    fake = Collecting({"circuits.strongest_paths": [{"place": 1}]})
    assert read_projected(connection(fake), "circuits.strongest_paths", {"slot": "s", "task": "t"}) == []
    assert "circuits.strongest_paths" not in fake.names()


def test_every_query_outside_gds_with_a_projection_is_given_one() -> None:
    """Nobody who types `roicg query` has to name a projection."""
    wanting = {name for name, query in catalogue().items() if not name.startswith("gds.") and any(field.name == "projection" for field in query.params)}
    assert wanting == set(MADE_BY)
    for name, maker in MADE_BY.items():
        known = {field.name for field in catalogue()[name].params}
        assert {field.name for field in catalogue()[maker].params} <= known
        assert not next(field for field in catalogue()[name].params if field.name == "projection").required


def test_memory_is_refused_with_both_figures() -> None:
    require_memory(connection(Collecting({"gds.memory": [{"needed": 10, "free": 10}]})), 5, 6)
    with pytest.raises(StoreError, match="5 ROIs and 6 edges may need 2,048 MiB of the database's memory, and 1 MiB are free"):
        require_memory(connection(Collecting({"gds.memory": [{"needed": 2**31, "free": 2**20}]})), 5, 6)


@pytest.mark.parametrize("name", sorted(MADE_BY))
def test_nothing_is_projected_that_may_not_fit(name: str) -> None:
    """Seen to fail with the estimate asked for after the projection was made."""
    room = {"nodes": 5, "relationships": 6, "needed": 2**31, "free": 2**20}
    fake = Collecting({"gds.memory_directed": [room], "gds.project_shares": [{"nodes": 3, "relationships": 2}]})
    with pytest.raises(StoreError, match="on 5 ROIs and 6 edges may need 2,048 MiB of the database's memory, and 1 MiB are free"):
        read_projected(connection(fake), name, {"slot": "s", "task": "t"})
    assert fake.names() == ["gds.memory_directed"]


def test_every_projection_is_made_where_memory_was_asked_for() -> None:
    """Whoever projects says how much it takes first: the projecting queries and who calls them, read from the source."""
    room = Path(projection.__file__).parent
    for path in room.glob("*.py"):
        text = path.read_text()
        if "with projected(" in text and path.name != "projection.py":
            assert text.count("require_memory(") + text.count("refuse_beyond(") >= 1, path.name
