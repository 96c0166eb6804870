"""The steps of a start with a stand-in for the Java process and for the driver; the real ones are in tests/integration/test_server.py."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from roicg.core.errors import ServerError, StoreUnreachable
from roicg.server import embedded, health
from roicg.server.configuration import Memory, Ports
from roicg.server.home import ServerFiles
from roicg.server.process import ENTRY_PACKAGE

BUSY = "import sys; print('java.net.BindException: Address already in use'); sys.exit(1)"
BROKEN = "import sys; print('ERROR the store is of another version'); sys.exit(1)"
SERVING = "import time; print('Started.', flush=True); time.sleep(60)"


class Machine:
    """Stands in for the process and the driver: each spawn runs the next script, a script that serves is healthy at once."""

    def __init__(self, *scripts: str) -> None:
        self.scripts = list(scripts)
        self.spawned: list[psutil.Process] = []
        self.ports: list[Ports] = []
        self.healthy = True

    def spawn(self, files: ServerFiles, jars: Path, memory: Memory) -> psutil.Process:
        command = [sys.executable, "-c", self.scripts[len(self.spawned)], ENTRY_PACKAGE + "CommunityEntryPoint", f"--home-dir={files.root}"]
        console = (os.POSIX_SPAWN_OPEN, 1, str(files.console), os.O_WRONLY | os.O_CREAT, 0o600)
        self.spawned.append(psutil.Process(os.posix_spawn(sys.executable, command, os.environ, file_actions=[console])))
        return self.spawned[-1]

    def check(self, uri: str, user: str, password: str, timeout_s: float = 10.0) -> health.Health:
        if self.scripts[len(self.spawned) - 1] != SERVING or not self.healthy:
            raise StoreUnreachable("nobody answers")
        return health.Health("5.26.25", "community", "2.13.9")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Machine]:
    machine = Machine()
    monkeypatch.setattr(embedded, "spawn", machine.spawn)
    monkeypatch.setattr(embedded.health, "check", machine.check)
    monkeypatch.setattr(embedded, "fetch_jars", lambda progress=None: tmp_path)
    yield machine
    for process in machine.spawned:
        if process.is_running():
            process.kill()
            process.wait(10)


def test_a_port_lost_between_look_and_listen_means_one_more_try(machine: Machine, tmp_path: Path) -> None:
    machine.scripts = [BUSY, SERVING]
    address = embedded.start(tmp_path)
    assert len(machine.spawned) == 2
    assert embedded.start(tmp_path) == address
    assert len(machine.spawned) == 2
    assert embedded.stop(tmp_path) is True
    assert not machine.spawned[1].is_running()


def test_ports_that_are_always_lost_end_with_that_cause(machine: Machine, tmp_path: Path) -> None:
    machine.scripts = [BUSY] * 5
    with pytest.raises(ServerError, match="a port is taken by another program"):
        embedded.start(tmp_path)
    assert len(machine.spawned) == 3
    assert embedded.running_address(tmp_path) is None


def test_any_other_failure_is_not_tried_again(machine: Machine, tmp_path: Path) -> None:
    machine.scripts = [BROKEN, SERVING]
    with pytest.raises(ServerError, match="ERROR the store is of another version"):
        embedded.start(tmp_path)
    assert len(machine.spawned) == 1
    assert not ServerFiles.of(tmp_path).record.exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt, health.CredentialsRefused("no")])
def test_what_breaks_the_wait_ends_the_process_and_drops_its_note(error, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.scripts = [SERVING]

    def broken(*args: object, **options: object) -> health.Health:
        raise error

    monkeypatch.setattr(embedded.health, "check", broken)
    with pytest.raises((KeyboardInterrupt, ServerError)):
        embedded.start(tmp_path)
    assert not machine.spawned[0].is_running()
    assert not ServerFiles.of(tmp_path).record.exists()


def test_the_ports_of_last_time_are_taken_again(machine: Machine, tmp_path: Path) -> None:
    machine.scripts = [SERVING, SERVING]
    first = embedded.start(tmp_path)
    embedded.stop(tmp_path)
    assert embedded.start(tmp_path) == first


def test_a_running_server_that_does_not_answer_is_given_up_but_left_alone(machine: Machine, tmp_path: Path) -> None:
    machine.scripts = [SERVING]
    embedded.start(tmp_path)
    machine.healthy = False
    with pytest.raises(ServerError, match="did not answer within 0 s"):
        embedded.start(tmp_path, timeout_s=0.3)
    assert machine.spawned[0].is_running()
    assert "nobody answers" in (embedded.status(tmp_path).problem or "")


def test_a_full_disk_is_told_before_anything_is_started(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 2**20

    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage)
    with pytest.raises(ServerError, match="has 1 MiB free, the database needs 200"):
        embedded.start(tmp_path)
    assert machine.spawned == []


def test_a_disk_that_fills_up_is_a_clear_error(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ServerError, match=r"cannot be started \(No space left on device\)"):
        embedded.start(tmp_path)
    assert machine.spawned == []


def test_a_file_in_the_place_of_the_home_is_a_clear_error(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(ServerError, match="cannot be used"):
        embedded.start(tmp_path / "home")
