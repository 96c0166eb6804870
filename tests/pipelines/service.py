"""Dagster as a service, for tests: webserver, daemon and code location of a home, spoken to as the pages do."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster import DagsterInstance

from pipelines.instance import SETTINGS

ROOT = Path(__file__).parents[2]
PATIENCE_S = 600.0
BACKFILL = """mutation($set: String!, $names: [String!]!) {
  launchPartitionBackfill(backfillParams: {partitionNames: $names, selector: {partitionSetName: $set,
    repositorySelector: {repositoryLocationName: "roicg", repositoryName: "__repository__"}}})
  { __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""


@dataclass(frozen=True, slots=True)
class Service:
    """A running service: its home, its port, its process group, and the file of everything that it printed."""

    home: Path
    port: int
    group: int
    log: Path

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The only field of GraphQL's answer."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            found = json.loads(answer.read())
        assert "errors" not in found, found
        (value,) = found["data"].values()
        return dict(value)

    @contextmanager
    def instance(self) -> Iterator[DagsterInstance]:
        """The instance, opened beside the service."""
        with DagsterInstance.from_config(str(self.home / "dagster")) as instance:
            yield instance

    def wait(self, found: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
        """Wait for something true and return it; on failure with the end of the log."""
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            if value := found():
                return value
            time.sleep(0.2)
        raise AssertionError(f"waited {patience_s:.0f} s in vain: {what}\n{self.log.read_text()[-3000:]}")

    def runs(self) -> dict[str, str]:
        """Run id → status, oldest first."""
        with self.instance() as instance:
            found = instance.get_runs()
        return {run.run_id: run.status.value for run in reversed(found)}


# Ends the group as soon as the pipe to the test process closes.
_WATCH = """
import os, signal, sys, time
group = int(sys.argv[1])
sys.stdin.read()
for number in (signal.SIGTERM, signal.SIGKILL):
    try:
        os.killpg(group, number)
        time.sleep(20)
    except ProcessLookupError:
        break
"""


@contextmanager
def served(home: Path, environment: dict[str, str], module: str, settings: str = SETTINGS) -> Iterator[Service]:
    """``dagster dev`` on the home with ``settings`` as its dagster.yaml, until the block ends."""
    folder = home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dagster.yaml").write_text(settings)
    workspace = folder / "workspace.yaml"
    workspace.write_text(f"load_from:\n  - python_module: {{module_name: {module}, working_directory: {str(ROOT)!r}, location_name: roicg}}\n")
    port, log = _free_port(), home / "service.log"
    given = {**os.environ, **environment, "DAGSTER_HOME": str(folder), "ROICG_HOME": str(home), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "dagster", "dev", "-w", str(workspace), "-h", "127.0.0.1", "-p", str(port)]
    with log.open("ab") as written:
        process = subprocess.Popen(command, stdout=written, stderr=written, env=given, cwd=folder, start_new_session=True)
    service = Service(home, port, process.pid, log)
    with ended_with_us(process):
        service.wait(lambda: process.poll() is not None or _answers(port), "the pages answer")
        assert process.poll() is None, log.read_text()[-3000:]
        yield service


@contextmanager
def ended_with_us(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """End the group that ``process`` leads with the block, or with this process if that is killed first."""
    with subprocess.Popen([sys.executable, "-c", _WATCH, str(process.pid)], stdin=subprocess.PIPE, start_new_session=True) as watcher:
        try:
            yield
        finally:
            _end(process)
            watcher.kill()


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the whole group, and wait until nobody of it is left."""
    for number, patience_s in ((signal.SIGTERM, 20.0), (signal.SIGKILL, 10.0)):
        _signal(process.pid, number)
        until = time.monotonic() + patience_s
        while _signal(process.pid, 0) and time.monotonic() < until:
            process.poll()
            time.sleep(0.1)
    process.wait(10)


def _signal(group: int, number: int) -> bool:
    """Whether the group had anybody to be signalled."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=2):
            return True
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
