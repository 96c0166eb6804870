"""A runner for the command line, and a store that answers from hand-made graphs without a database."""

from collections.abc import Callable
from typing import Any, Self

import pytest
from typer.testing import CliRunner, Result

from roicg.cli.main import app
from roicg.store.memory import MemoryStore
from tests.handmade import own_graph, reference_graph, slot_of


class FakeStore(MemoryStore):
    """The memory store with canned answers: ``answers[query](**params)``; every call is kept in ``asked``."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, Callable[..., list[dict[str, Any]]]] = {"house.slots": self._slot_rows}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.rows: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def publish(self, graph: Any) -> None:
        slot = slot_of(graph)
        self.put(graph, slot)
        names = ("study", "model", "label", "step", "partition", "path")
        self.rows.append({"slot": slot.key, **{name: getattr(slot, name) for name in names}, "graph_id": graph.id})

    def run(self, query: str, **params: Any) -> list[dict[str, Any]]:
        self.asked.append((query, params))
        return self.answers[query](**params)

    def cypher(self, text: str, *, write: bool = False, **params: Any) -> list[dict[str, Any]]:
        self.asked.append((text, {"write": write}))
        return [{"n": 1}]

    def _slot_rows(self, model: str) -> list[dict[str, Any]]:
        return [row for row in self.rows if model in ("", row["model"])]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> FakeStore:
    """Steps 0, 100, 200 on the reference partition, 100 and 200 on their own ROIs."""
    fake = FakeStore()
    for step in (0, 100, 200):
        fake.publish(reference_graph(step))
    for step in (100, 200):
        fake.publish(own_graph(step))
    monkeypatch.setattr("roicg.store.connect.connect", lambda address=None: fake)
    return fake


@pytest.fixture
def roicg() -> Callable[..., Result]:
    """Call ``roicg WORD …``."""
    return lambda *words: CliRunner().invoke(app, list(words))
