"""Hostile names in a real database: as values they are parameters, so that they come back as they went in, and nothing else changes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from roicg.core.errors import QueryError, StoreError
from roicg.core.tables import Table
from roicg.server.address import Address
from roicg.store.neo4j.delete_study import delete_study
from roicg.store.neo4j.export_study import export_study
from roicg.store.neo4j.import_study import import_study
from roicg.store.neo4j.store import Neo4jStore
from roicg.store.protocol import Slot
from roicg.store.stored import differences
from roicg.store.verify import verify
from tests.crash.census import census, difference
from tests.handmade import own_graph
from tests.hostile import HOSTILE
from tests.hostile_graph import NAMES, hostile_graph

pytestmark = pytest.mark.neo4j


@pytest.fixture
def store(clean_database: Address) -> Iterator[Neo4jStore]:
    with Neo4jStore(clean_database) as opened:
        opened.ensure_schema()
        yield opened


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_rois_labels_and_findings_come_back_as_they_were_also_through_a_bundle(store: Neo4jStore, tmp_path: Path, form: str) -> None:
    graph, slot = hostile_graph()
    store.put(graph, slot)
    tables = tuple(Table(f"t{i}", name, (name, "b"), ((name, 1),), name) for i, name in enumerate(NAMES) if name)
    store.put_tables(slot.study, "finding", tables)
    assert differences(graph, store.get(graph.id)) == []
    told = store.run("findings.tables", study=slot.study)
    assert [(row["title"], row["columns"][0], row["note"]) for row in told] == [(name, name, name) for name in NAMES if name]
    before = census(store)
    export_study(store, slot.study, tmp_path / "bundle", form=form)  # type: ignore[arg-type]
    delete_study(store, slot.study)
    import_study(store, tmp_path / "bundle")
    assert difference(census(store), before) == []
    assert verify(store) == []


def test_each_name_is_a_place_of_its_own_or_refused(store: Neo4jStore) -> None:
    """As study, model and label at once: refused before the database hears of it, or found again under that name and no other."""
    graph, went = own_graph(100), []
    for name in HOSTILE.values():
        try:
            slot = Slot(name, name, name, 100, "own", "ports")
        except StoreError:
            continue
        mine = replace(graph, id=f"graph of {name}", checkpoint=replace(graph.checkpoint, model=name, label=name))
        assert store.put(mine, slot).outcome == "published"
        went.append(name)
    assert len(went) > 30
    rows = store.run("house.slots")
    assert sorted((row["study"], row["model"], row["label"]) for row in rows) == sorted((name, name, name) for name in went)
    assert sorted(row["study"] for row in store.run("move.studies")) == sorted(went)
    for name in went[::6]:
        assert [row["graph_id"] for row in store.run("house.slots", model=name)] == [f"graph of {name}"]
        delete_study(store, name)
    assert sorted(row["study"] for row in store.run("house.slots")) == sorted(set(went) - set(went[::6]))
    assert verify(store) == []


def test_as_parameters_they_find_nothing_and_change_nothing(store: Neo4jStore) -> None:
    store.put(*hostile_graph())
    before = census(store)
    for what, name in HOSTILE.items():
        if what == "half a surrogate":
            with pytest.raises(QueryError, match="half of a surrogate pair"):
                store.run("house.slots", model=name)
            continue
        assert store.run("circuits.circuit", slot=name, task=name, edges=3) == []
        assert name == "" or store.run("house.slots", model=name) == []
        assert store.cypher("RETURN $name AS name", name=name) == [{"name": name}]
    assert difference(census(store), before) == []


def test_a_name_longer_than_an_index_holds_is_refused_and_nothing_is_half_there(store: Neo4jStore) -> None:
    graph, slot = hostile_graph()
    rois = tuple(replace(roi, key=f"{roi.key}{'x' * 20_000}") if roi.key == "m0.r0" else roi for roi in graph.partition.rois)
    with pytest.raises(StoreError, match=r"too large|too long|size") as refused:
        store.put(replace(graph, partition=replace(graph.partition, rois=rois)), slot)
    assert len(str(refused.value)) < 1_000
    assert store.ids() == ()
    store.gc(grace_s=0)
    assert store.cypher("MATCH (n) WHERE NOT n:Migration AND NOT n:Sequence RETURN labels(n) AS labels") == []
