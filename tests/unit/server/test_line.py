"""The lines of the embedded server: which is used, what it locks, and that their stores are kept apart."""

import zipfile
from pathlib import Path

import pytest

from roicg.core.errors import ServerError
from roicg.server.home import ServerFiles
from roicg.server.jars import GDS_GROUP, entry_point, read_lock
from roicg.server.line import LINES, find_line


@pytest.fixture(autouse=True)
def _no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROICG_NEO4J_LINE", raising=False)


def test_the_line_is_the_argument_then_the_environment_then_lts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_line().name == "lts"
    monkeypatch.setenv("ROICG_NEO4J_LINE", "next")
    assert find_line().name == "next"
    assert find_line("lts").name == "lts"


def test_an_unknown_line_is_refused_with_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROICG_NEO4J_LINE", "latest")
    with pytest.raises(ServerError, match="'latest' is no line of the embedded database; the lines are lts and next"):
        find_line()


def test_each_line_has_its_jars_its_cache_and_its_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with one folder for both: a store that the next line has opened is lost to the other."""
    locks, roots = [], []
    for name in LINES:
        monkeypatch.setenv("ROICG_NEO4J_LINE", name)
        locks.append(read_lock())
        roots.append(ServerFiles.of(tmp_path).root)
    assert [(lock.neo4j, lock.gds) for lock in locks] == [("5.26.25", "2.13.9"), ("2026.01.4", "2.26.0")]
    assert len({lock.folder for lock in locks}) == len(set(roots)) == 2


@pytest.mark.parametrize("name", list(LINES))
def test_a_lock_names_one_version_of_each_jar_and_no_host(name: str) -> None:
    lock = read_lock(LINES[name].lock_file)
    assert set(lock.roots) <= {jar.coordinate for jar in lock.jars}
    assert len({jar.name for jar in lock.jars}) == len(lock.jars) > 300
    artifacts = [(jar.group, *jar.coordinate.split(":")[1:2], *jar.coordinate.split(":")[3:]) for jar in lock.jars]
    assert len(set(artifacts)) == len(artifacts)
    assert {jar.coordinate.split(":")[2] for jar in lock.jars if jar.group == GDS_GROUP} >= {lock.gds}
    assert all(len(jar.sha256) == 64 and int(jar.sha256, 16) and jar.size > 0 for jar in lock.jars)
    assert "://" not in LINES[name].lock_file.read_text()


def jar_with(folder: Path, version: str, services: str | None) -> None:
    with zipfile.ZipFile(folder / f"neo4j-{version}.jar", "w") as jar:
        if services is not None:
            jar.writestr("META-INF/services/org.neo4j.server.startup.EntryPoint", services)


def test_the_main_class_is_the_one_the_jar_names(tmp_path: Path) -> None:
    jar_with(tmp_path, read_lock().neo4j, "# of this line\norg.neo4j.server.Neo4jCommunity\n")
    assert entry_point(read_lock(), tmp_path) == "org.neo4j.server.Neo4jCommunity"


@pytest.mark.parametrize("services", [None, "", "# none\n"])
def test_a_jar_without_a_main_class_is_named(tmp_path: Path, services: str | None) -> None:
    jar_with(tmp_path, read_lock().neo4j, services)
    with pytest.raises(ServerError, match=r"the jar of Neo4j 5\.26\.25 in .* names no main class"):
        entry_point(read_lock(), tmp_path)
