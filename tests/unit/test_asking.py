"""The Python front door without a database: its rows' classes, and what it says when pandas or a question is missing."""

import dataclasses
import sys
from typing import Any, cast

import pytest

from roicg.asking import Graphs, column_types, row_type
from roicg.core.errors import QueryError, RoicgError
from roicg.store.neo4j.store import Neo4jStore
from roicg.store.registry import catalogue


class Store:
    """Answers every query with the same rows."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows, self.asked = rows, []

    def run(self, query: str, **params: Any) -> list[dict[str, Any]]:
        self.asked.append((query, params))
        return self.rows


def graphs(rows: list[dict[str, Any]]) -> Graphs:
    return Graphs(cast(Neo4jStore, Store(rows)))


@pytest.mark.parametrize("name", [query.name for query in catalogue().values() if query.mode == "read"])
def test_every_reading_query_has_a_class_of_rows(name: str) -> None:
    """A column called like a word of Python, such as `in`, would have none."""
    row = row_type(name)
    assert list(column_types(row)) == [field.name for field in catalogue()[name].returns]
    assert row is row_type(name)


def test_rows_are_frozen_and_shown_with_their_columns() -> None:
    asked = graphs([{"task": "add", "n_edges": 3} | dict.fromkeys(("total", "fraction", "reached", "low", "high", "solved", "reason"))])
    (row,) = asked.ask("circuits.least_edges", slot="s|m@1|own|ports")
    assert repr(row).startswith("CircuitsLeastEdges(task='add', n_edges=3, total=None")
    assert column_types(type(row))["n_edges"] == int | None
    with pytest.raises(dataclasses.FrozenInstanceError):
        row.task = "max"


def test_without_pandas_a_frame_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(RoicgError, match=r"pip install 'roicg\[notebook\]', or use ask\(\)"):
        graphs([]).frame("house.slots")


def test_what_is_wrong_is_said_before_the_database_is_asked() -> None:
    asked = graphs([])
    for question, params, said in (
        ("no.such", {}, "no query 'no.such'"),
        ("publish.turn", {}, "only roicg itself runs it"),
        ("circuits.circuit", {"slot": "s"}, "needs the parameter task"),
        ("circuits.circuit", {"slot": "s", "task": "t", "edges": "many"}, "must be INTEGER"),
    ):
        with pytest.raises(QueryError, match=said):
            asked.ask(question, **params)
    assert cast(Any, asked._store).asked == []
