"""The embedded Neo4j of a home: one process, started on demand, found again by every command, stopped on request.

``start`` in steps:

1. take the home's lock, so that of two simultaneous starts the second finds the first one's server;
2. a live process of this home (noted, or found by its command line) is attached to; a stale note is dropped;
3. verify or fetch the jars, choose ports (last time's when free), write credentials, configuration, plugin links;
4. spawn in a session of its own and note the process before any interrupt can be raised;
5. wait until it answers with these credentials and with GDS; a port taken meanwhile means new ports and one more try;
6. on failure, time-out or Ctrl-C: end the process that was spawned, drop its note, say the cause and the log's tail.
"""

import json
import shutil
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from roicg.core.errors import ServerError, StoreError, StoreUnreachable
from roicg.server import health
from roicg.server.address import Address
from roicg.server.configuration import LOOPBACK, free_ports, machine_memory, memory_for, neo4j_conf, remembered_ports
from roicg.server.credentials import USER, ensure_credentials, read_password, write_private
from roicg.server.failure import explain, logged
from roicg.server.filelock import file_lock
from roicg.server.home import ServerFiles, private_folder
from roicg.server.jars import GDS_GROUP, Progress, fetch_jars, read_lock
from roicg.server.line import find_line
from roicg.server.process import Record, await_death, end, find_server, has_ended, interrupt_deferred, read_record, spawn, write_record

if TYPE_CHECKING:
    import psutil

_STOP_PATIENCE_S = 30.0
_POLL_S = 0.2
_TRIES = 3
_LEAST_FREE_BYTES = 200 * 2**20


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """What is known of a home's server of one line; uris and versions are None while it does not run or does not answer yet."""

    running: bool
    home: Path
    password_file: Path
    logs: Path
    pid: int | None = None
    bolt_uri: str | None = None
    http_uri: str | None = None
    browser_uri: str | None = None
    user: str = USER
    version: str | None = None
    gds_version: str | None = None
    problem: str | None = None
    line: str = "lts"


def start(home: Path, timeout_s: float = 90.0, progress: Progress | None = None) -> Address:
    """Start the server of ``home``, or attach to the running one, and return its address once it answers with GDS.

    ``timeout_s`` bounds the server's own start, not the first fetching of the jars, whose progress goes to ``progress``.
    Raises ServerError with the cause and the log's tail.
    """
    files = ServerFiles.of(home)
    try:
        private_folder(files.root.parent)
        private_folder(files.root)
        with file_lock(files.lock, timeout_s + _STOP_PATIENCE_S, "starting or stopping the database of this home"):
            running = find_server(files)
            if running is not None:
                return _attach(files, running, timeout_s)
            files.record.unlink(missing_ok=True)
            return _start_new(files, timeout_s, progress)
    except OSError as error:
        raise ServerError(f"the embedded database in {files.root} cannot be started ({error.strerror or error}); free space there or set ROICG_HOME") from error


def stop(home: Path, timeout_s: float = 60.0) -> bool:
    """Stop the server of ``home`` cleanly and say whether one ran; a server that ignores SIGTERM for 30 s or more is killed.

    Raises ServerError when another command holds the home for longer than ``timeout_s``.
    """
    files = ServerFiles.of(home)
    if not files.root.is_dir():
        return False
    with file_lock(files.lock, timeout_s, "starting or stopping the database of this home"):
        process = find_server(files)
        if process is not None:
            end(process, max(timeout_s, _STOP_PATIENCE_S))
        files.record.unlink(missing_ok=True)
        return process is not None


def status(home: Path) -> ServerStatus:
    """Whether the server of ``home`` runs, where, and in which versions; creates and changes nothing."""
    files = ServerFiles.of(home)
    line = find_line().name
    known = ServerStatus(False, files.root.parent, files.password, files.logs, line=line)
    process = find_server(files)
    record = read_record(files)
    if process is None:
        return known
    if record is None or record.pid != process.pid:
        return replace(known, running=True, pid=process.pid, problem="its ports are not noted; run `roicg db stop`")
    bolt, http = f"bolt://{LOOPBACK}:{record.bolt}", f"http://{LOOPBACK}:{record.http}"
    found: health.Health | None = None
    problem: str | None = None
    try:
        found = health.check(bolt, USER, read_password(files), timeout_s=5.0)
    except (ServerError, StoreError) as error:
        problem = str(error)
    version, gds = (found.version, found.gds_version) if found else (None, None)
    return ServerStatus(True, known.home, files.password, files.logs, process.pid, bolt, http, f"{http}/browser/", USER, version, gds, problem, line)


def running_address(home: Path) -> Address | None:
    """The address of the running server of ``home``, or None when none runs."""
    files = ServerFiles.of(home)
    process, record = find_server(files), read_record(files)
    return _address(files, record) if process is not None and record is not None and record.pid == process.pid else None


def _address(files: ServerFiles, record: Record) -> Address:
    return Address(f"bolt://{LOOPBACK}:{record.bolt}", USER, read_password(files), source="embedded")


def _attach(files: ServerFiles, process: "psutil.Process", timeout_s: float) -> Address:
    """Use the running server; one whose note was lost with its starter is noted again from the remembered ports."""
    record = read_record(files)
    if record is None or record.pid != process.pid:
        ports = remembered_ports(files.ports)
        if ports is None:
            raise ServerError(f"a server runs for {files.root} (process {process.pid}) but its ports are unknown; run `roicg db stop` and start again")
        record = write_record(files, process, ports)
    address = _address(files, record)
    if not _wait_until_healthy(address, files, process, timeout_s):
        raise ServerError(explain(files, f"(process {process.pid}) ended while it was being attached to"))
    return address


def _start_new(files: ServerFiles, timeout_s: float, progress: Progress | None) -> Address:
    if (free := shutil.disk_usage(files.root).free) < _LEAST_FREE_BYTES:
        raise ServerError(f"the disk of {files.root} has {free >> 20} MiB free, the database needs {_LEAST_FREE_BYTES >> 20}; free space or set ROICG_HOME")
    jars = fetch_jars(progress=progress)
    deadline = time.monotonic() + timeout_s
    await_death(files, timeout_s)  # else the same ports would not be had again
    for _ in range(_TRIES):
        process, record = _spawn_noted(files, jars)
        try:
            address = _address(files, record)
            if _wait_until_healthy(address, files, process, deadline - time.monotonic()):
                return address
        except BaseException:
            end(process, _STOP_PATIENCE_S)
            files.record.unlink(missing_ok=True)
            raise
        files.record.unlink(missing_ok=True)
        if "Address already in use" not in "\n".join(logged(files, record.created)):
            break
    raise ServerError(explain(files, "ended while it was starting", record.created))


def _spawn_noted(files: ServerFiles, jars: Path) -> "tuple[psutil.Process, Record]":
    """Steps 3 and 4: everything the server reads, then the process and its note."""
    ports = free_ports(remembered_ports(files.ports))
    memory = memory_for(machine_memory())
    for folder in (files.configuration, files.data, files.logs, files.plugins):
        private_folder(folder)
    ensure_credentials(files)
    write_private(files.configuration / "neo4j.conf", neo4j_conf(ports, memory))
    write_private(files.ports, json.dumps(asdict(ports)) + "\n")
    _link_plugins(files, jars)
    files.console.unlink(missing_ok=True)
    with interrupt_deferred():
        process = spawn(files, jars, memory)
        try:
            return process, write_record(files, process, ports)
        except BaseException:
            end(process, _STOP_PATIENCE_S)
            raise


def _wait_until_healthy(address: Address, files: ServerFiles, process: "psutil.Process", timeout_s: float) -> bool:
    """True once the server answers, False when its process ended; raises ServerError on refusal or after ``timeout_s``."""
    deadline = time.monotonic() + timeout_s
    while True:
        if has_ended(process, within_s=_POLL_S):
            return False
        try:
            health.check(address.uri, address.user, address.password, timeout_s=5.0)
            return True
        except health.CredentialsRefused as error:
            raise ServerError(f"the database in {files.root} refuses the password in {files.password}; put the right password there") from error
        except StoreUnreachable:
            if time.monotonic() >= deadline:
                raise ServerError(explain(files, f"did not answer within {timeout_s:.0f} s", process.create_time())) from None


def _link_plugins(files: ServerFiles, jars: Path) -> None:
    """The plugins folder holds exactly the GDS jars: procedures are found there, and must lie on the class path as well."""
    for old in files.plugins.iterdir():
        old.unlink()
    for jar in read_lock().jars:
        if jar.group == GDS_GROUP:
            (files.plugins / jar.name).symlink_to(jars / jar.name)
