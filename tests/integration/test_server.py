"""The embedded server as users meet it: the session's, which two commands started, starts that fail, and the spare one, which is ended."""

import base64
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import neo4j
import psutil
import pytest
from neo4j.exceptions import AuthError

from roicg.core.errors import ServerError
from roicg.server import health
from roicg.server.address import Address, database_address
from roicg.server.embedded import ServerStatus, running_address, start, status, stop
from roicg.server.home import ServerFiles
from roicg.server.jars import read_lock
from roicg.server.line import find_line
from roicg.server.process import has_ended, read_record
from tests.server_fixtures import Server
from tests.spare import spare_server

PATIENCE_S = 240.0
LOCK = read_lock()
START = "import sys, pathlib\nfrom roicg.server.embedded import start\nprint(start(pathlib.Path(sys.argv[1]), float(sys.argv[2])))"


def starter(home: Path, timeout_s: float = PATIENCE_S) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", START, str(home), str(timeout_s)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def served(server: Server, shared_home: Path) -> Address:
    """The session's server."""
    return server.address


@pytest.fixture(scope="module")
def found(shared_home: Path, served: Address) -> ServerStatus:
    return status(shared_home)


def test_two_simultaneous_starts_make_one_server_that_outlives_them(server: Server, served: Address, found: ServerStatus) -> None:
    assert [(code, said) for code, said, _ in server.starters] == [(0, f"{served}\n")] * 2, server.starters
    servers = [process for process in psutil.process_iter(["cmdline"]) if f"--home-dir={ServerFiles.of(found.home).root}" in (process.info["cmdline"] or [])]
    assert [process.pid for process in servers] == [found.pid]
    assert os.getsid(found.pid) == found.pid


def test_the_status_names_the_tested_versions(found: ServerStatus, served: Address) -> None:
    assert (found.running, found.line, found.version, found.gds_version, found.problem) == (True, find_line().name, LOCK.neo4j, LOCK.gds, None)
    assert found.bolt_uri == served.uri


def test_attaching_is_quick_and_changes_nothing(shared_home: Path, served: Address, found: ServerStatus) -> None:
    began = time.monotonic()
    assert start(shared_home) == served == running_address(shared_home)
    assert time.monotonic() - began < 10
    assert status(shared_home).pid == found.pid


def test_a_lost_note_is_found_again_by_the_command_line(shared_home: Path, served: Address, found: ServerStatus) -> None:
    ServerFiles.of(shared_home).record.unlink()
    assert start(shared_home) == served
    assert status(shared_home).pid == found.pid


def test_gds_answers(served: Address) -> None:
    assert health.check(served.uri, served.user, served.password) == health.Health(LOCK.neo4j, "community", LOCK.gds)


def test_a_wrong_password_is_refused(served: Address) -> None:
    with pytest.raises(health.CredentialsRefused, match="refuses user 'neo4j'") as caught:
        health.check(served.uri, served.user, "wrong-password")
    assert "wrong-password" not in str(caught.value)


@pytest.mark.parametrize("auth", [None, ("neo4j", "neo4j")])
def test_no_and_the_default_password_are_refused(served: Address, auth) -> None:
    with neo4j.GraphDatabase.driver(served.uri, auth=auth) as driver, pytest.raises(AuthError):
        driver.verify_connectivity()


def test_only_the_loopback_interface_is_listened_on(found: ServerStatus) -> None:
    listening = [entry.laddr for entry in psutil.Process(found.pid).net_connections("tcp") if entry.status == psutil.CONN_LISTEN]
    assert {address.ip for address in listening} <= {"127.0.0.1", "::ffff:127.0.0.1"}
    assert {address.port for address in listening} == {int(uri.rsplit(":", 1)[1].strip("/")) for uri in (found.bolt_uri, found.http_uri)}


def test_files_belong_to_their_owner_only(shared_home: Path, found: ServerStatus) -> None:
    files = ServerFiles.of(shared_home)
    folders = [shared_home, files.root, files.data, files.logs, files.configuration]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
    secrets = [files.password, files.auth, files.record, files.console, files.configuration / "neo4j.conf"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}


def test_the_password_is_nowhere_but_in_its_file(shared_home: Path, served: Address, found: ServerStatus, server: Server) -> None:
    process = psutil.Process(found.pid)
    texts = [str(process.cmdline()), str(process.environ()), str(server.starters), str(found), repr(served)]
    texts += [path.read_text(errors="replace") for path in found.logs.iterdir() if path.is_file()]
    assert [text for text in texts if served.password in text] == []
    holders = [path for path in ServerFiles.of(shared_home).root.rglob("*") if path.is_file() and served.password.encode() in path.read_bytes()]
    assert holders == [found.password_file]


def test_the_browser_answers_at_the_printed_address(found: ServerStatus) -> None:
    answer = httpx.get(found.browser_uri)
    assert answer.status_code == 200
    assert "<html" in answer.text.lower()


def test_the_query_api_answers_with_the_printed_credentials_only(found: ServerStatus) -> None:
    address, body = f"{found.http_uri}/db/neo4j/query/v2", {"statement": "RETURN gds.version() AS gds"}
    token = base64.b64encode(f"{found.user}:{found.password_file.read_text().strip()}".encode()).decode()
    assert httpx.post(address, json=body).status_code == 401
    answer = httpx.post(address, json=body, headers={"Authorization": f"Basic {token}"})
    assert answer.json()["data"] == {"fields": ["gds"], "values": [[LOCK.gds]]}


def test_the_environment_names_this_server_as_another(served: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROICG_NEO4J_URI", served.uri)
    monkeypatch.setenv("ROICG_NEO4J_PASSWORD", served.password)
    named = database_address()
    assert named == Address(served.uri, "neo4j", served.password, "neo4j", "environment")
    assert health.check(named.uri, named.user, named.password).gds_version == LOCK.gds


def test_a_start_that_fails_says_the_cause_and_shows_the_log(tmp_path: Path, served: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roicg.server.embedded.neo4j_conf", lambda ports, memory: "server.bolt.enabled=perhaps\n")
    with pytest.raises(ServerError, match=r"ended while it was starting: .*\n(.*\n)*.*perhaps"):
        start(tmp_path, PATIENCE_S)
    assert not status(tmp_path).running
    assert not ServerFiles.of(tmp_path).record.exists()


def test_an_option_that_java_does_not_know_is_named_with_its_place(tmp_path: Path, served: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROICG_JAVA_OPTIONS", "-XX:+NoSuchOption")
    with pytest.raises(ServerError, match=r"correct ROICG_JAVA_OPTIONS"):
        start(tmp_path, PATIENCE_S)


def test_a_start_that_takes_too_long_is_given_up_and_leaves_nothing(tmp_path: Path, served: Address) -> None:
    with pytest.raises(ServerError, match="did not answer within 1 s"):
        start(tmp_path, timeout_s=1.0)
    assert not status(tmp_path).running
    assert not ServerFiles.of(tmp_path).record.exists()


def test_an_interrupted_start_leaves_no_server(tmp_path: Path, served: Address) -> None:
    files = ServerFiles.of(tmp_path)
    with starter(tmp_path) as command:
        deadline = time.monotonic() + 60
        while (record := read_record(files)) is None:
            assert time.monotonic() < deadline
            assert command.poll() is None
            time.sleep(0.05)
        server = psutil.Process(record.pid)
        command.send_signal(signal.SIGINT)
        _, errors = command.communicate(timeout=60)
    assert "KeyboardInterrupt" in errors
    assert has_ended(server, within_s=10)
    assert not files.record.exists()


@pytest.fixture
def living(spare_home: Path) -> ServerStatus:
    """The spare server, with something of ours in its database."""
    address = spare_server(spare_home)
    with neo4j.GraphDatabase.driver(address.uri, auth=(address.user, address.password)) as driver:
        driver.execute_query("MERGE (:Kept {value: 7})", database_="neo4j")
    return status(spare_home)


@pytest.fixture
def stopped_by_sigterm(living: ServerStatus) -> str:
    """End the spare server with SIGTERM, and return what it logged."""
    process = psutil.Process(living.pid)
    process.terminate()
    assert has_ended(process, within_s=60)
    return (living.logs / "console.log").read_text()


@pytest.fixture
def squatter(living: ServerStatus) -> Iterator[int]:
    """The process id of a program that took the Bolt port meanwhile."""
    assert living.bolt_uri is not None
    port = living.bolt_uri.rsplit(":", 1)[1]
    script = f"import socket, time\nwith socket.socket() as s:\n s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n s.bind(('127.0.0.1', {port}))\n s.listen()\n print('ready', flush=True)\n time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        yield child.pid
        child.kill()


def test_sigterm_stale_note_taken_port_and_a_second_life(living: ServerStatus, stopped_by_sigterm: str, squatter: int, spare_home: Path) -> None:
    assert stopped_by_sigterm.rstrip().endswith("Stopped.")
    files = ServerFiles.of(spare_home)
    files.record.write_text(json.dumps({"pid": squatter, "created": 0.0, "bolt": 20001, "http": 20002}))
    assert not status(spare_home).running

    address = spare_server(spare_home)
    again = status(spare_home)
    assert address.uri != living.bolt_uri
    assert again.http_uri == living.http_uri
    assert address.password == living.password_file.read_text().strip()
    with neo4j.GraphDatabase.driver(address.uri, auth=(address.user, address.password)) as driver:
        assert driver.execute_query("MATCH (n:Kept) RETURN n.value AS v", database_="neo4j").records[0]["v"] == 7
    assert psutil.pid_exists(squatter)

    assert stop(spare_home) is True
    assert stop(spare_home) is False
    assert not status(spare_home).running
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(address.uri.rsplit(":", 1)[1]))) != 0
