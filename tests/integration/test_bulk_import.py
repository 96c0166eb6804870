"""CSV through the real AdminTool into an empty database, then served and audited."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from roicg.core.errors import StoreError
from roicg.server.address import Address
from roicg.server.home import ServerFiles
from roicg.store.neo4j.export_csv import export_csv
from roicg.store.neo4j.store import Neo4jStore
from roicg.store.verify import verify
from tests.carried import STUDY, neighbour, publish_everything, stranger
from tests.crash.census import census, difference
from tests.hostile_graph import hostile_graph
from tests.published import empty
from tests.spare import spare_server, stopped_and_empty

pytestmark = pytest.mark.neo4j
OPENED = ("java.base/java.nio", "java.base/java.io", "java.base/sun.nio.ch")


def admin(home: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """``neo4j-admin`` of the jar set; home and configuration come by the environment."""
    from roicg.server.jars import fetch_jars
    from roicg.server.process import java_executable

    files = ServerFiles.of(home)
    files.configuration.mkdir(parents=True, exist_ok=True)
    command = [
        str(java_executable()),
        "-Xmx384m",
        "-XX:TieredStopAtLevel=1",
        *(f"--add-opens={one}=ALL-UNNAMED" for one in OPENED),
        "-cp",
        f"{fetch_jars()}/*",
        "org.neo4j.cli.AdminTool",
    ]
    environment = {**os.environ, "NEO4J_HOME": str(files.root), "NEO4J_CONF": str(files.configuration)}
    return subprocess.run([*command, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=500, check=False)


def test_csv_imports_offline_is_served_and_verified(spare_home: Path, tmp_path: Path) -> None:
    """Everything that was published is there again, to the last bit; seen to fail with strings unquoted and with one relationship file left out."""
    with Neo4jStore(empty(spare_server(spare_home))) as store:
        publish_everything(store)
        graph, slot = hostile_graph()
        slot = replace(slot, study=STUDY)
        store.put(graph, slot)
        store.cypher(
            "MATCH (t:Table {name: 'second'}) SET t.note = $note, t.rows = []", write=True, note='a "quoted"; back\\slash,\r\n\x01 ümläut 😀 \u202e {{x}} $(rm)'
        )
        before = census(store)
        found = export_csv(store, STUDY, tmp_path / "csv")
    assert found.counts["EDGE.csv"] == 2 * (3 * 16 + 2 * 5) + len(graph.edges)
    arguments = ["database", "import", "full", "neo4j", "@import.args", "--max-off-heap-memory=256m", "--threads=1", f"--report-file={tmp_path}/report"]
    done = admin(stopped_and_empty(spare_home), tmp_path / "csv", *arguments)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "IMPORT DONE" in done.stdout
    with Neo4jStore(spare_server(spare_home)) as served:
        served.cypher((tmp_path / "csv" / "after.cypher").read_text(), write=True)
        served.ensure_schema()
        assert difference(census(served), before) == []
        assert verify(served) == []
        assert served.put(graph, slot).outcome == "unchanged"
        assert served.put(*stranger(200)).number == 1 + max(row["number"] for row in served.run("house.published", study=STUDY))


def test_only_the_study_goes_out(clean_database: Address, tmp_path: Path) -> None:
    with Neo4jStore(clean_database) as store:
        publish_everything(store)
        alone = export_csv(store, STUDY, tmp_path / "alone")
        for graph, slot in (neighbour(200), stranger(200)):
            store.put(graph, slot)
        beside = export_csv(store, STUDY, tmp_path / "beside")
        assert beside.counts == alone.counts
        number = store.run("house.published", study=STUDY)[0]["number"]  # of this study: ids of nodes are used again, so that any ROI may be another's
        store.cypher("MATCH (r:ROI) WHERE r.key STARTS WITH $beginning WITH r LIMIT 1 SET r.colour = 'red'", write=True, beginning=f"{number}|")
        with pytest.raises(StoreError, match="a ROI has the property 'colour'"):
            export_csv(store, STUDY, tmp_path / "odd")
        assert not (tmp_path / "odd").exists()
