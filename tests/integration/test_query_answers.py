"""Every question of the catalogue about circuits, structure, tasks and comparisons, asked of a hand-made graph whose answer is written down."""

import math
from collections.abc import Iterator
from typing import Any

import pytest

from roicg.server.address import Address
from roicg.store.neo4j.analyses import match_rois
from roicg.store.neo4j.driver import Transaction
from roicg.store.neo4j.store import Neo4jStore
from roicg.store.registry import catalogue
from tests.answers import AGREEMENT, ANSWERS, COMMUNITIES, HASHED, OWN100, OWN200, ROLES, S0, S100, S200, SIGNATURES, VERDICTS
from tests.handmade import STEPS
from tests.published import handmade_store

ROOMS = ("circuits", "structure", "tasks", "compare")


@pytest.fixture(scope="module")
def store(address: Address) -> Iterator[Neo4jStore]:
    with handmade_store(address) as opened:
        for step in STEPS[1:]:
            record_division(opened, f"toy-{step}-reference", step, "communities", COMMUNITIES[step])
            record_division(opened, f"toy-{step}-own", step, "roles", ROLES[step])
        match_rois(opened, "toy-100-own", "toy-200-own")
        record_signatures(opened, "toy-100-own", "toy-200-own")
        yield opened


def record_division(store: Neo4jStore, graph_id: str, step: int, kind: str, communities: list[dict[str, Any]]) -> None:
    """Communities or roles with figures written by hand, where :func:`find_communities` would compute them."""
    analysis, number = f"{kind} by hand at {step}", store.connection.read("publish.standing", graph_id=graph_id)[0]["number"]

    def write(tx: Transaction) -> None:
        tx.run("load.analysis", graph_id=graph_id, id=analysis, kind=kind, params="{}")
        tx.run("structure.record_communities", analysis=analysis, number=number, verdict=VERDICTS[step], communities=communities)

    store.connection.transaction("by hand", write)


def record_signatures(store: Neo4jStore, graph_a: str, graph_b: str) -> None:
    """Matches by signature with figures written by hand."""
    numbers = [store.connection.read("publish.standing", graph_id=graph_id)[0]["number"] for graph_id in (graph_a, graph_b)]

    def write(tx: Transaction) -> None:
        for graph_id in (graph_a, graph_b):
            tx.run("load.analysis", graph_id=graph_id, id="signatures by hand", kind="signatures", params="{}")
        given = {"number_a": numbers[0], "number_b": numbers[1], "rows": SIGNATURES, "verdict": AGREEMENT}
        tx.run("compare.record_signatures", analysis="signatures by hand", **given)

    store.connection.transaction("by hand", write)


def same(found: Any, written: Any) -> bool:
    """Equal up to the last digits of floats; HASHED stands for any value."""
    if written is HASHED:
        return found is not None
    if isinstance(written, list | tuple):
        return len(found) == len(written) and all(same(f, w) for f, w in zip(found, written, strict=True))
    if isinstance(written, float):
        return isinstance(found, float) and math.isclose(found, written, rel_tol=1e-9, abs_tol=1e-12)
    return type(found) is type(written) and found == written


@pytest.mark.parametrize(("name", "params", "written"), ANSWERS, ids=[f"{name}-{i}" for i, (name, _, _) in enumerate(ANSWERS)])
def test_answer_is_the_written_one(store: Neo4jStore, name: str, params: dict[str, Any], written: list[tuple[Any, ...]]) -> None:
    rows = store.run(name, **params)
    assert all(tuple(row) == tuple(field.name for field in catalogue()[name].returns) for row in rows)
    found = [tuple(row.values()) for row in rows]
    assert len(found) == len(written), found
    for row, expected in zip(found, written, strict=True):
        assert same(row, expected), (row, expected)


def test_every_reading_query_of_these_rooms_has_a_written_answer_with_rows() -> None:
    asked = {name for name, _, written in ANSWERS if written}
    assert asked == {name for name, query in catalogue().items() if name.split(".")[0] in ROOMS and query.mode == "read"}


def test_what_is_published(store: Neo4jStore) -> None:
    rows = [(row["slot"], row["status"], row["graph_id"], row["rois"], row["edges"]) for row in store.run("house.published", study="hand")]
    assert rows == [
        (S0, "published", "toy-0-reference", 8, 16),
        (OWN100, "published", "toy-100-own", 10, 5),
        (S100, "published", "toy-100-reference", 8, 16),
        (OWN200, "published", "toy-200-own", 10, 5),
        (S200, "published", "toy-200-reference", 8, 16),
    ]


def test_shares_of_all_paths_of_a_task_sum_to_one(store: Neo4jStore) -> None:
    """The law behind the paths: what leaves tok arrives at the logits, as nothing but m0.rest (strength 0) is a dead end."""
    for task in ("add", "max"):
        paths = store.run("circuits.strongest_paths", slot=S200, task=task, paths=50)
        assert sum(row["score"] for row in paths) == pytest.approx(1.0)
        assert [row["score"] for row in paths] == sorted((row["score"] for row in paths), reverse=True)
        assert store.run("gds.projections") == []
