import functools
import gc
import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from roicg.core.errors import ServerError
from roicg.server.jars import JarLock, fetch_jars, missing_jars, read_lock, verify_jars

# jgo leaves the connection of a refused download to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

CONTENT = {"org.a:one:1.0": b"one", "org.a:two:2.0": b"two", "org.b:three:3.0:linux": b"three"}
NAMES = ["one-1.0.jar", "two-2.0.jar", "three-3.0-linux.jar"]


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JarLock:
    monkeypatch.setenv("ROICG_CACHE", str(tmp_path / "cache"))
    jars = [{"coordinate": name, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)} for name, data in CONTENT.items()]
    path = tmp_path / "lock.json"
    path.write_text(json.dumps({"neo4j": "1", "gds": "2", "browser": "3", "roots": ["org.a:one:1.0"], "jars": jars}))
    return read_lock(path)


@pytest.fixture
def offered(tmp_path: Path) -> Path:
    """A folder with the jars, laid out as a Maven repository."""
    root = tmp_path / "offered"
    for coordinate, data in CONTENT.items():
        group, artifact, version, *classifier = coordinate.split(":")
        folder = root / group.replace(".", "/") / artifact / version
        folder.mkdir(parents=True)
        (folder / ("-".join([artifact, version, *classifier]) + ".jar")).write_bytes(data)
    return root


@pytest.fixture
def maven(offered: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The offered folder served as the only Maven repository."""
    handler = functools.partial(_Quiet, directory=str(offered))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setattr("jgo.constants.MAVEN_CENTRAL_URL", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("JGO_CONFIG_FILE", str(offered / "no-settings"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield offered
        server.shutdown()
        thread.join()
    gc.collect()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def place(folder: Path, name: str) -> Path:
    return next(folder.rglob(name))


def test_jars_come_from_a_folder_and_are_not_taken_twice(lock: JarLock, offered: Path) -> None:
    seen: list[tuple[int, int]] = []
    folder = fetch_jars(offered, lambda done, total, name: seen.append((done, total)), lock)
    assert sorted(entry.name for entry in folder.iterdir()) == sorted(NAMES)
    assert seen == [(1, 3), (2, 3), (3, 3)]
    for jar in offered.rglob("*.jar"):
        jar.unlink()
    assert fetch_jars(offered, lambda *step: pytest.fail("fetched again"), lock) == folder


def test_jars_come_by_coordinate_from_maven(lock: JarLock, maven: Path) -> None:
    folder = fetch_jars(lock=lock)
    assert verify_jars(lock, folder) == folder
    assert sorted(entry.name.split("-")[0] for entry in folder.parent.iterdir()) == ["fetch.lock", "jars"]


@pytest.mark.parametrize("source", ["maven", "folder"])
def test_a_tampered_jar_is_refused_by_name_and_never_lies_in_the_class_path(source: str, lock: JarLock, maven: Path) -> None:
    place(maven, "two-2.0.jar").write_bytes(b"TWO")
    with pytest.raises(ServerError, match=r"two-2\.0\.jar from .* differs from the lock"):
        fetch_jars(maven if source == "folder" else None, lock=lock)
    assert "two-2.0.jar" not in [entry.name for entry in lock.folder.iterdir()]
    place(maven, "two-2.0.jar").write_bytes(b"two")
    assert missing_jars(lock, fetch_jars(maven, lock=lock)) == ()


def test_a_jar_that_maven_lacks_is_named_with_what_to_do(lock: JarLock, maven: Path) -> None:
    place(maven, "three-3.0-linux.jar").unlink()
    with pytest.raises(ServerError, match=r"org\.b:three:3\.0:linux could not be fetched .* --from FOLDER"):
        fetch_jars(lock=lock)


def test_an_unreachable_maven_is_named_with_what_to_do(lock: JarLock, maven: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jgo.constants.MAVEN_CENTRAL_URL", "http://127.0.0.1:9")
    with pytest.raises(ServerError, match=r"could not be fetched \(ConnectionError.*check the network"):
        fetch_jars(lock=lock)


def test_a_folder_that_lacks_a_jar_is_refused_by_name(lock: JarLock, offered: Path) -> None:
    place(offered, "one-1.0.jar").unlink()
    with pytest.raises(ServerError, match=r"1 jar\(s\) in .* are missing: one-1\.0\.jar"):
        fetch_jars(offered, lock=lock)


def test_a_source_that_is_no_folder_is_refused(lock: JarLock, tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="is no folder"):
        fetch_jars(tmp_path / "nowhere", lock=lock)


def test_of_two_jars_with_one_name_the_right_one_is_taken(lock: JarLock, offered: Path) -> None:
    (offered / "aaa").mkdir()
    (offered / "aaa" / "one-1.0.jar").write_bytes(b"another")
    assert verify_jars(lock, fetch_jars(offered, lock=lock))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "one-1.0.jar").write_bytes(b"ONE"), r"1 jar\(s\) in .* differ from the lock: one-1\.0\.jar; delete"),
        (lambda folder: (folder / "one-1.0.jar").unlink(), r"are missing: one-1\.0\.jar; run `roicg db fetch`"),
        (lambda folder: (folder / "evil.jar").write_bytes(b"evil"), r"are not in the lock: evil\.jar; move"),
    ],
)
def test_a_class_path_that_is_not_the_lock_is_refused_by_name(damage, message: str, lock: JarLock, offered: Path) -> None:
    folder = fetch_jars(offered, lock=lock)
    damage(folder)
    with pytest.raises(ServerError, match=message):
        verify_jars(lock, folder)


def test_a_full_disk_is_told_before_anything_is_fetched(lock: JarLock, offered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 1

    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage)
    with pytest.raises(ServerError, match="free space or set ROICG_CACHE"):
        fetch_jars(offered, lock=lock)
    assert list(lock.folder.iterdir()) == []


def test_a_disk_that_fills_up_is_told_and_leaves_no_half_jar(lock: JarLock, offered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: object, target: Path) -> None:
        Path(target).write_bytes(b"hal")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(ServerError, match="No space left on device"):
        fetch_jars(offered, lock=lock)
    assert list(lock.folder.iterdir()) == []
    assert [entry.name for entry in lock.folder.parent.glob("fetch-*")] == []


@pytest.mark.parametrize("text", ["", "{}", '{"neo4j": "1", "gds": "1", "browser": "1", "roots": [], "jars": [{}]}'])
def test_a_broken_lock_is_a_clear_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text(text)
    with pytest.raises(ServerError, match="cannot be read"):
        read_lock(tmp_path / "broken.json")
