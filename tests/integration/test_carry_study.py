"""A study leaves the database as a bundle, goes, and comes back: nothing is lost, nothing is half there, nobody else is touched."""

import filecmp
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from roicg.core.errors import PublishConflict, StoreError
from roicg.server.address import Address
from roicg.store.bundle.columns import Form
from roicg.store.neo4j.delete_study import delete_study, study_extent
from roicg.store.neo4j.driver import Connection
from roicg.store.neo4j.export_study import export_study
from roicg.store.neo4j.import_study import import_study
from roicg.store.neo4j.store import Neo4jStore
from roicg.store.verify import verify
from tests.carried import STUDY, ask_again, neighbour, publish_a_little, publish_everything, stranger
from tests.crash.census import census, difference
from tests.handmade import curves, own_graph, reference_graph, slot_of

pytestmark = pytest.mark.neo4j


@pytest.fixture
def full(clean_database: Address) -> Iterator[Neo4jStore]:
    with Neo4jStore(clean_database) as opened:
        publish_everything(opened)
        yield opened


@pytest.fixture
def store(clean_database: Address) -> Iterator[Neo4jStore]:
    with Neo4jStore(clean_database) as opened:
        publish_a_little(opened)
        yield opened


def same_files(a: Path, b: Path) -> list[str]:
    """Names of files that are not in both folders with the same bytes."""
    names = {path.relative_to(folder).as_posix() for folder in (a, b) for path in folder.rglob("*") if path.is_file()}
    _, differing, missing = filecmp.cmpfiles(a, b, sorted(names), shallow=False)
    return differing + missing


@pytest.mark.parametrize(("form", "packed"), [("jsonl", False), ("parquet", True)])
def test_export_delete_import_export_gives_equal_bundles_and_the_same_database(full: Neo4jStore, tmp_path: Path, form: Form, packed: bool) -> None:
    """Seen to fail with the flows left out of a bundle, with analyses under the ids they had, and with findings in another order."""
    store = full
    before = census(store)
    names = [tmp_path / f"{name}.tar" if packed else tmp_path / name for name in ("first", "second")]
    first = export_study(store, STUDY, names[0], form=form)
    assert first.counts["graphs"] == 5
    assert {kind for kind, n in first.counts.items() if n == 0} == set()
    delete_study(store, STUDY)
    assert store.cypher("MATCH (n) WHERE NOT n:Migration AND NOT n:Sequence RETURN labels(n) AS labels") == []
    found = import_study(store, names[0])
    assert found.outcomes == {"published": 5}
    assert (found.analyses, found.tables) == (7, 3)
    assert difference(census(store), before) == []
    assert verify(store) == []
    export_study(store, STUDY, names[1], form=form)
    if packed:
        assert names[0].read_bytes() == names[1].read_bytes()
    else:
        assert same_files(*names) == []
    assert ask_again(store) == {"curves": False, "communities": False, "roles": False, "matches": False, "any": False}


def test_a_second_import_writes_nothing(store: Neo4jStore, tmp_path: Path) -> None:
    export_study(store, STUDY, tmp_path / "bundle")
    everything = "MATCH (n) OPTIONAL MATCH (n)-[e]->() RETURN elementId(n) AS id, properties(n) AS p, count(e) AS edges ORDER BY id"
    before = store.cypher(everything)
    found = import_study(store, tmp_path / "bundle")
    assert not found.changed
    assert found.outcomes == {"unchanged": 2}
    assert store.cypher(everything) == before


def test_import_under_another_name_is_a_study_of_its_own(store: Neo4jStore, tmp_path: Path) -> None:
    export_study(store, STUDY, tmp_path / "bundle")
    found = import_study(store, tmp_path / "bundle", study="copy")
    assert found.outcomes == {"published": 2}
    assert {row["study"] for row in store.run("house.slots")} == {STUDY, "copy"}
    assert verify(store) == []


def test_a_slot_that_shows_something_else_is_left_alone_unless_told(store: Neo4jStore, tmp_path: Path) -> None:
    export_study(store, STUDY, tmp_path / "bundle")
    newer = replace(reference_graph(200), id="newer")
    store.put(newer, slot_of(newer))
    before = census(store)
    with pytest.raises(PublishConflict, match="show other graphs than the bundle brings"):
        import_study(store, tmp_path / "bundle")
    assert difference(census(store), before) == []
    assert import_study(store, tmp_path / "bundle", replace_other=True).outcomes == {"unchanged": 1, "published": 1}
    assert "newer" not in store.ids()


@pytest.mark.parametrize("name", ["rois.jsonl", "edges/0002.jsonl"])
def test_a_changed_or_cut_bundle_is_refused_before_anything_is_written(store: Neo4jStore, tmp_path: Path, name: str) -> None:
    export_study(store, STUDY, tmp_path / "bundle")
    delete_study(store, STUDY)
    path = tmp_path / "bundle" / name
    content = path.read_bytes()
    for broken in (content[:-5], content.replace(b"0", b"1", 1), content + b"\n"):
        path.write_bytes(broken)
        with pytest.raises(StoreError, match="the bundle was changed or cut short"):
            import_study(store, tmp_path / "bundle")
    path.unlink()
    with pytest.raises(StoreError, match="has no file"):
        import_study(store, tmp_path / "bundle")
    assert store.run("move.studies") == []


IMPORT = """
import os, sys
from pathlib import Path
from roicg.server.address import environment_address
from roicg.store.neo4j.driver import Transaction
from roicg.store.neo4j.import_study import import_study
from roicg.store.neo4j.publish import PublishRules
from roicg.store.neo4j.store import Neo4jStore
sent, send = 0, Transaction.send
def counted(self, *words, **more):
    global sent
    sent += 1
    if sent == int(sys.argv[2]):
        os.kill(os.getpid(), 9)
    return send(self, *words, **more)
Transaction.send = counted
with Neo4jStore(environment_address(), rules=PublishRules(batch=20)) as store:
    import_study(store, Path(sys.argv[1]))
print(sent)
"""


def test_a_killed_import_leaves_whole_graphs_only_and_goes_on(store: Neo4jStore, tmp_path: Path) -> None:
    """Killed at statements spread over the whole import; seen to fail with the flip before the load in publish."""
    before = census(store)
    export_study(store, STUDY, tmp_path / "bundle")
    environment = {**os.environ, "ROICG_NEO4J_URI": store.address.uri, "ROICG_NEO4J_USER": store.address.user, "ROICG_NEO4J_PASSWORD": store.address.password}

    def run(at: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", IMPORT, str(tmp_path / "bundle"), str(at)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    delete_study(store, STUDY)
    whole = run(10**9)
    total = int(whole.stdout)
    for at in (total // 5, total // 2, total - 12):
        delete_study(store, STUDY)
        assert run(at).returncode == -signal.SIGKILL
        for graph_id in store.ids():
            store.get(graph_id)
        assert [finding for finding in verify(store) if finding.kind != "leftover"] == []
        import_study(store, tmp_path / "bundle")
        store.gc(grace_s=0)
        assert difference(census(store), before) == [], at


def test_delete_says_what_goes_and_leaves_what_others_show(store: Neo4jStore) -> None:
    """Seen to fail with versions superseded although the other study shows them."""
    for graph, slot in (neighbour(200), stranger(200)):
        store.put(graph, slot)
    store.put_curves("toy-100-own", curves(100))
    assert study_extent(store.connection, STUDY) == {
        "slots": 2, "models": 1, "checkpoints": 2, "tables of findings": 2, "graphs": 1, "ROIs": 10, "edges": 2 * 5, "analyses": 1,
    }  # fmt: skip
    found = delete_study(store, STUDY)
    assert (found.slots, found.graphs, found.kept, found.tables) == (2, 1, 1, 2)
    assert [(row["study"], row["graph_id"]) for row in store.run("house.slots")] == [("neighbour", "other-200-own"), ("neighbour", "toy-200-reference")]
    assert store.get("toy-200-reference").content_hash == reference_graph(200).content_hash
    assert store.run("circuits.faithfulness", slot=neighbour(200)[1].key, task="add")
    assert verify(store) == []
    assert not store.gc(grace_s=0)
    assert [row["study"] for row in store.run("move.studies")] == ["neighbour"]
    with pytest.raises(StoreError, match="no study 'hand'"):
        delete_study(store, STUDY)


def test_readers_of_other_studies_and_of_shared_graphs_notice_nothing(store: Neo4jStore) -> None:
    """A reader loop while the study is deleted and published again, ten times."""
    for graph, slot in (neighbour(200), stranger(200)):
        store.put(graph, slot)
    expected = {graph.id: graph.content_hash for graph in (neighbour(200)[0], stranger(200)[0])}
    wrong: list[str] = []
    ended = threading.Event()

    def read() -> None:
        with Neo4jStore(store.address) as reader:
            while not ended.is_set():
                slots = [row for row in reader.run("house.slots") if row["study"] == "neighbour"]
                if {row["graph_id"] for row in slots} != set(expected):
                    wrong.append(f"slots {slots}")
                wrong.extend(graph_id for graph_id, content in expected.items() if reader.get(graph_id).content_hash != content)
                mine = sum(row["study"] == STUDY for row in reader.run("house.slots"))
                if mine not in (0, 1, 2):
                    wrong.append(f"{mine} slots")

    reader = threading.Thread(target=read)
    delete_study(store, STUDY)
    reader.start()
    try:
        for _ in range(10):
            for graph in (reference_graph(200), own_graph(100)):
                store.put(graph, slot_of(graph))
            delete_study(store, STUDY)
    finally:
        ended.set()
        reader.join()
    assert wrong == []


def test_a_study_is_not_deleted_under_a_writer_that_lives(store: Neo4jStore, monkeypatch: pytest.MonkeyPatch) -> None:
    slot = slot_of(reference_graph(200))
    place = {"slot": slot.key, "study": slot.study, "model": slot.model, "label": slot.label, "step": slot.step, "partition": slot.partition, "path": slot.path}
    store.connection.write("publish.lock", **place, run="elsewhere:1:x", expiry_s=60)
    store.rules = replace(store.rules, wait_s=0.5)
    before = census(store)
    with pytest.raises(PublishConflict, match="another writer"):
        delete_study(store, STUDY)
    assert difference(census(store), before) == []
    store.rules = replace(store.rules, expiry_s=0)
    delete_study(store, STUDY)
    assert store.run("move.studies") == []


def test_a_deletion_that_stops_half_way_leaves_what_gc_removes(store: Neo4jStore, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Connection.write

    def stop(self: Connection, name: str, **params: object) -> object:
        if name.startswith("publish.co"):
            raise KeyboardInterrupt
        return write(self, name, **params)

    monkeypatch.setattr(Connection, "write", stop)
    with pytest.raises(KeyboardInterrupt):
        delete_study(store, STUDY)
    monkeypatch.undo()
    assert store.run("house.slots") == []
    assert [finding for finding in verify(store) if finding.kind != "leftover"] == []
    store.gc(grace_s=0)
    assert store.cypher("MATCH (n) WHERE NOT n:Migration AND NOT n:Sequence RETURN labels(n) AS labels") == []


def test_a_damaged_version_does_not_travel(store: Neo4jStore, tmp_path: Path) -> None:
    store.cypher("MATCH ()-[e:EDGE]->() WITH e LIMIT 1 SET e.weight = e.weight + 1", write=True)
    with pytest.raises(StoreError, match="not as it was written"):
        export_study(store, STUDY, tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []


def test_the_manifest_names_every_part(store: Neo4jStore, tmp_path: Path) -> None:
    export_study(store, STUDY, tmp_path / "bundle")
    manifest = json.loads((tmp_path / "bundle" / "manifest.json").read_text())
    assert manifest["study"] == STUDY
    assert manifest["models"] == [{"model": "toy", "checkpoints": ["100", "200"]}]
    assert manifest["tasks"] == ["add", "max"]
    assert len(manifest["slots"]) == 2
    assert {graph["graph"]: graph["content_hash"] for graph in manifest["graphs"]}["toy-200-reference"] == reference_graph(200).content_hash
    assert manifest["schema_number"] == store.schema().recorded
    assert manifest["counts"]["edges"] == 2 * (16 + 5)
