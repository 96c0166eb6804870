"""What is sent to the database, in which order, and what is not sent when something is wrong: a collecting fake answers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from roicg.core.errors import LawError, PublishConflict, StoreError
from roicg.core.graph import ComputationalGraph
from roicg.store.neo4j import publish
from roicg.store.neo4j.driver import TransactionMemoryFull
from roicg.store.neo4j.publish import Publication, PublishRules
from roicg.store.neo4j.rows import between, partition_steps, version_steps
from roicg.store.registry import find_query
from tests.handmade import reference_graph, slot_of

GRAPH = reference_graph(200)
SLOT = slot_of(GRAPH)


class Collecting:
    """Answers like an empty, well-behaved database, and keeps every statement with its parameters; ``room`` rows fit in a transaction."""

    def __init__(self, room: int = 10**9) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.room = room
        self.batches: list[int] = []
        self.answers: dict[str, Callable[[dict[str, Any]], list[dict[str, Any]]]] = {}

    def run(self, name: str, /, **params: Any) -> list[dict[str, Any]]:
        find_query(name).bind(params)
        self.sent.append((name, params))
        if name in self.answers:
            return self.answers[name](params)
        if name == "publish.lock":
            return [{"holder": params["run"], "age_s": 0}]
        if name == "publish.advance":
            self.batches.append(0)
            return [{"done": params["before"]}]
        if name.startswith("load.") and name not in ("load.tasks", "load.partition_complete"):
            written = len(rows_of(name, params))
            self.batches[-1] += written
            if self.batches[-1] > self.room:
                raise TransactionMemoryFull("no room")
            return [{"written": written}]
        return {"publish.stage": [{"number": 7, "partition_complete": False}], "publish.flip": [{"number": 7, "replaced": []}]}.get(name, [])

    read = write = run

    def transaction(self, name: str, work: Callable[["Collecting"], Any]) -> Any:
        return work(self)

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.sent]


def rows_of(name: str, params: dict[str, Any]) -> list[Any]:
    return [row for group in params["groups"] for row in zip(group["target"], group["rank"], strict=True)] if name == "load.edges" else params["rows"]


def put(fake: Collecting, monkeypatch: pytest.MonkeyPatch, *, read: ComputationalGraph = GRAPH, batch: int = 10_000) -> Any:
    monkeypatch.setattr(publish, "read_version", lambda connection, number, on_page=None: read)
    return Publication(fake, GRAPH, SLOT, PublishRules(batch=batch, wait_s=0.0)).publish(replace=False)  # type: ignore[arg-type]


def test_the_protocol_is_sent_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Collecting()
    result = put(fake, monkeypatch)
    assert (result.outcome, result.number, result.edges, result.content_hash) == ("published", 7, 16, GRAPH.content_hash)
    loads = ["publish.advance", "load.blocks", "load.features", "publish.advance", "load.partition_complete"]
    loads += ["publish.advance", "load.rois", "load.flows", "load.port_groups", "load.edges"]
    opening = ["publish.stands", "publish.lock", "publish.fence", "publish.standing", "load.tasks", "publish.stage"]
    closing = ["publish.turn", "publish.standing", "publish.flip", "publish.score", "publish.chain", "publish.release", "publish.condemn"]
    assert fake.names == opening + loads + closing


def test_what_stands_takes_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with the slot taken first."""
    fake = Collecting()
    fake.answers["publish.stands"] = lambda params: [{"number": 3}]
    result = put(fake, monkeypatch)
    assert (result.outcome, result.number) == ("unchanged", 3)
    assert fake.sent == [("publish.stands", {"slot": SLOT.key, "graph_id": GRAPH.id, "content_hash": GRAPH.content_hash, "grace_s": 120})]


def test_edges_go_out_sorted_and_grouped_by_source_whatever_their_order_was(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []
    order = np.random.default_rng(0).permutation(16)
    edges = GRAPH.edges
    columns = {name: getattr(edges, name)[:, order] for name in ("weight", "se", "mean_abs", "rank")}
    shuffled = replace(GRAPH, edges=replace(edges, source=edges.source[order], target=edges.target[order], port=tuple(edges.port[i] for i in order), **columns))
    for graph in (GRAPH, shuffled):
        fake = Collecting()
        monkeypatch.setattr(publish, "read_version", lambda connection, number, on_page=None: GRAPH)
        Publication(fake, graph, SLOT, PublishRules()).publish(replace=False)  # type: ignore[arg-type]
        sent.append([(name, params) for name, params in fake.sent if name.startswith("load.")])
    assert sent[0] == sent[1]
    groups = next(params["groups"] for name, params in sent[0] if name == "load.edges")
    assert [group["source"] for group in groups] == ["tok", "a0.h0", "a0.h1", "m0.r0", "m0.r1", "m0.r2", "m0.rest"]
    assert sum(len(group["weight"]) for group in groups) == 32


def test_a_batch_the_server_has_no_memory_for_is_halved_until_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Collecting(room=3)
    assert put(fake, monkeypatch, batch=16).outcome == "published"
    announced = [params["rows"] for name, params in fake.sent if name == "publish.advance"]
    written = [rows for rows in announced if rows <= 3]
    steps = partition_steps(GRAPH, SLOT), version_steps(GRAPH, SLOT, 7)
    assert announced[:4] == [16, 8, 4, 2]
    assert sum(written) == sum(len(step.rows) for part in steps for step in part)
    assert [params["before"] for name, params in fake.sent if name == "publish.advance" and params["rows"] <= 3] == [
        sum(written[:i]) for i in range(len(written))
    ]
    with pytest.raises(StoreError, match="no memory for a single row"):
        put(Collecting(room=0), monkeypatch)


@pytest.mark.parametrize("size", [1, 2, 7, 16, 1000])
def test_batches_are_all_rows_in_their_order(size: int) -> None:
    """Seen to fail with rows counted within each step."""
    steps = version_steps(GRAPH, SLOT, 7)
    whole = [(step.query, row) for step in steps for row in step.rows[:]]
    batches = [between(steps, start, start + size) for start in range(0, len(whole), size)]
    assert [(step.query, row) for batch in batches for step in batch for row in step.rows] == whole
    assert all(len(step.rows) for batch in batches for step in batch)
    assert [sum(len(step.rows) for step in batch) for batch in batches[:-1]] == [size] * (len(batches) - 1)


def test_a_batch_that_was_committed_although_its_answer_got_lost_is_not_written_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Collecting()
    fake.answers["publish.advance"] = lambda params: [{"done": params["before"] + params["rows"]}]
    assert put(fake, monkeypatch).outcome == "published"
    assert [name for name in fake.names if name.startswith("load.")] == ["load.tasks", "load.partition_complete"]


BROKEN: list[tuple[str, str, Callable[[dict[str, Any]], list[dict[str, Any]]], type[StoreError], str]] = [
    ("fenced off", "publish.advance", lambda params: [], PublishConflict, "a newer writer has taken slot"),
    ("slot lost at staging", "publish.stage", lambda params: [], PublishConflict, "a newer writer has taken slot"),
    ("slot lost at the flip", "publish.flip", lambda params: [], PublishConflict, "has published nothing"),
    ("foreign rows", "publish.advance", lambda params: [{"done": params["before"] + 99999}], PublishConflict, "another writer wrote to it"),
    ("rows missing", "load.edges", lambda params: [{"written": 31}], StoreError, "wrote 31 of 32 rows"),
    ("slot held", "publish.lock", lambda params: [{"holder": "elsewhere:1:x", "age_s": 3}], PublishConflict, r"\(elsewhere:1\).*last heard of 3 s ago"),
]


@pytest.mark.parametrize(("query", "answer", "error", "says"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_what_goes_wrong_stops_the_publication_and_gives_the_slot_back(
    monkeypatch: pytest.MonkeyPatch, query: str, answer: Callable[[dict[str, Any]], list[dict[str, Any]]], error: type[StoreError], says: str
) -> None:
    fake = Collecting()
    fake.answers[query] = answer
    with pytest.raises(error, match=says):
        put(fake, monkeypatch)
    assert "publish.score" not in fake.names
    assert fake.names[-1] == ("publish.lock" if query == "publish.lock" else "publish.release")


def test_nothing_is_shown_when_it_comes_back_different(monkeypatch: pytest.MonkeyPatch) -> None:
    fake, weight = Collecting(), GRAPH.edges.weight.copy()
    weight[0, 0] = np.nextafter(weight[0, 0], 1.0)
    read = replace(GRAPH, edges=replace(GRAPH.edges, weight=weight))
    with pytest.raises(PublishConflict, match="a newer writer has taken slot"):  # who may have removed it
        put(fake, monkeypatch, read=read)
    fake.answers["publish.beat"] = lambda params: [{"run": "ours"}]
    with pytest.raises(StoreError, match="other edge weight than was written; nothing is published"):
        put(fake, monkeypatch, read=read)
    assert "publish.flip" not in fake.names


def test_ranks_with_a_gap_are_refused_before_anything_is_sent() -> None:
    rank = GRAPH.edges.rank.copy()
    rank[rank == 16] = 17
    with pytest.raises(LawError, match="are not 1 to 16"):
        Publication(Collecting(), replace(GRAPH, edges=replace(GRAPH.edges, rank=rank)), SLOT, PublishRules())  # type: ignore[arg-type]
