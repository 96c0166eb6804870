"""One real Neo4j with GDS for all integration tests: the environment's, else the embedded one in a temporary home, else a container.

``ROICG_TEST_SERVER`` = ``embedded`` or ``container`` takes that kind only, ``spare`` the spare server (tests/spare.py), where no other runs
beside it; ``ROICG_NEO4J_LINE=next`` is the second line of Neo4j.
A server that cannot be had skips its tests with the reason; ``ROICG_REQUIRE_NEO4J=1``, for a container ``ROICG_REQUIRE_DOCKER=1``,
for the second line ``ROICG_REQUIRE_NEO4J_NEXT=1`` make that a failure.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn
from unittest.mock import patch

import neo4j
import pytest

from roicg.core.errors import RoicgError, ServerError
from roicg.server import health
from roicg.server.address import Address, environment_address
from tests.lanes.container import PLANS_STAND, neo4j_container
from tests.lanes.engine import NoEngine
from tests.published import empty

ROOT = Path(__file__).resolve().parents[1]
NO_SERVER = "no Neo4j server for the integration tests"
UNVERIFIED = "-Xverify:none"
"""The jars' hashes were verified when they were fetched; their bytecode too takes a start 1.3 s of 9.6."""
JAVA = (
    "-XX:+UseParallelGC -XX:ThreadPriorityPolicy=1 -XX:CompilerThreadPriority=1 -XX:Tier4InvocationThreshold=20000 "
    "-XX:Tier4MinInvocationThreshold=3000 -XX:Tier4CompileThreshold=40000 -XX:Tier4BackEdgeThreshold=120000"
)
"""The shared server's: it answers questions of milliseconds, one after another, for some minutes. Java's usual collector makes the suite a
tenth longer; its second compiler, which by default keeps half a core busy, waits four times as long and behind what tests wait for."""
BESIDE = {f"test_{name}" for name in ("browser", "chain", "crash", "fence", "locks", "many_writers", "notebook", "report")}
"""Files that the second process of a lane takes: they compute, sleep, or wait for browsers and other processes more than for the server."""
NOT_EMBEDDED = "looks into the home of an embedded server, these tests run on another"
# Stops the server and removes its home as soon as the pipe to the test process closes, however that process ended.
_WATCH = """
import pathlib, shutil, sys
home = pathlib.Path(sys.argv[1])
sys.stdin.read()
from roicg.server.embedded import stop
stop(home)
shutil.rmtree(home, ignore_errors=True)
"""


@contextmanager
def watched_home() -> Iterator[Path]:
    """A short temporary home whose server ends with the block, or with this process if that dies first."""
    home = Path(tempfile.mkdtemp(prefix="rg-"))
    with subprocess.Popen([sys.executable, "-c", _WATCH, str(home)], stdin=subprocess.PIPE, start_new_session=True) as watcher:
        try:
            yield home
        finally:
            assert watcher.stdin is not None
            watcher.stdin.close()
            watcher.wait(120)


# What a command does that finds no server running; the output is the address.
_START = "import sys, pathlib\nfrom tests.server_fixtures import JAVA, start_embedded\nprint(start_embedded(pathlib.Path(sys.argv[1]), java=JAVA))"


@dataclass(frozen=True, slots=True)
class Server:
    """The server of a session; where it is the embedded one its home, and the exit code, stdout and stderr of the two commands that started it at once."""

    address: Address
    home: Path | None = None
    starters: tuple[tuple[int, str, str], ...] = ()


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A running server: ROICG_NEO4J_URI, else the embedded one, else a container; without any a skip, or a failure where one is required."""
    if wanted_server() == "spare":
        from tests.spare import spare_server

        home = request.getfixturevalue("spare_home")
        yield Server(spare_server(home), home)
        return
    with ExitStack() as stack:
        yield _server(stack)


@pytest.fixture(scope="session")
def address(server: Server) -> Address:
    """Where the session's server is."""
    return server.address


def _server(stack: ExitStack) -> Server:
    reasons: list[str] = []
    try:
        named = environment_address()
        if named is not None:
            health.check(named.uri, named.user, named.password, named.database)
            _refuse_to_empty_a_database_in_use(named)
            return Server(named)
    except RoicgError as error:
        unavailable(str(error))
    if wanted_server() != "container":
        try:
            return _started_twice(stack.enter_context(watched_home()))
        except (ImportError, RoicgError) as error:
            reasons.append(f"no embedded server ({error})")
    if wanted_server() != "embedded":
        try:
            return Server(stack.enter_context(neo4j_container()))
        except (ImportError, NoEngine, RoicgError) as error:
            reasons.append(f"no container ({error})")
    unavailable("; ".join(reasons))


def _started_twice(home: Path) -> Server:
    """The embedded server of ``home``, which two commands start at the same time: tests of the start look at what they said."""
    from roicg.server.embedded import start
    from roicg.server.jars import fetch_jars

    fetch_jars()
    commands = [
        subprocess.Popen([sys.executable, "-c", _START, str(home)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    said = [command.communicate(timeout=300) for command in commands]
    if any(command.returncode for command in commands):
        raise ServerError("; ".join(errors.strip().splitlines()[-1] for _, errors in said if errors.strip()))
    return Server(start(home), home, tuple((command.returncode, *texts) for command, texts in zip(commands, said, strict=True)))


@pytest.fixture(scope="session")
def shared_home(server: Server) -> Path:
    """The home of the session's server, where it is an embedded one."""
    if server.home is None:
        pytest.skip(NOT_EMBEDDED)
    return server.home


@pytest.fixture(scope="session")
def spare_home() -> Iterator[Path]:
    """The home of the one server that tests stop, kill, fill from outside and configure (tests/spare.py), with the jars in the cache."""
    if wanted_server() == "container" or os.environ.get("ROICG_NEO4J_URI"):
        pytest.skip(NOT_EMBEDDED)
    with watched_home() as home:
        try:
            from roicg.server.jars import fetch_jars

            fetch_jars()
        except (ImportError, RoicgError) as error:
            unavailable(f"no embedded Neo4j: {error}")
        yield home


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what a lane may run beside the rest. Tests that end the spare server come last, for each of its lives begins cold."""
    ending = {item for item in items if "spare_home" in getattr(item, "fixturenames", ())}
    for item in items:
        if item in ending or item.path.stem in BESIDE:
            item.add_marker("beside")
    items.sort(key=ending.__contains__)


@pytest.fixture
def clean_database(address: Address) -> Address:
    """The address of a database with its schema, if it had it, and nothing else."""
    return empty(address)


def start_embedded(home: Path, more: Mapping[str, str] = MappingProxyType({}), java: str = "") -> Address:
    """Start the embedded server with ``more`` settings and options of Java, and with more patience than users get: other tests may keep the machine busy."""
    from roicg.server import embedded

    plain, added = embedded.neo4j_conf, {**PLANS_STAND, **more}
    conf = patch.object(embedded, "neo4j_conf", lambda *sizes: plain(*sizes) + "".join(f"{name}={value}\n" for name, value in added.items()))
    options = f"{UNVERIFIED} {java} {os.environ.get('ROICG_JAVA_OPTIONS', '')}"
    with conf, patch.dict(os.environ, ROICG_JAVA_OPTIONS=options):
        return embedded.start(home, timeout_s=240.0)


def wanted_server() -> str:
    """The kind of server that these tests shall run on: ``embedded``, ``spare``, ``container``, or empty for the first that can be had."""
    kind = os.environ.get("ROICG_TEST_SERVER", "")
    assert kind in ("", "embedded", "spare", "container"), f"ROICG_TEST_SERVER is {kind!r}; it may be embedded, spare or container"
    return kind


def unavailable(reason: str) -> NoReturn:
    """Skip with the reason, or fail where the environment says that this server is expected."""
    names = ["ROICG_REQUIRE_NEO4J"]
    names += ["ROICG_REQUIRE_DOCKER"] if wanted_server() == "container" else []
    names += ["ROICG_REQUIRE_NEO4J_NEXT"] if os.environ.get("ROICG_NEO4J_LINE") == "next" else []
    if any(os.environ.get(name) == "1" for name in names):
        pytest.fail(f"{NO_SERVER}: {reason}", pytrace=False)
    pytest.skip(f"{NO_SERVER}: {reason}")


def _refuse_to_empty_a_database_in_use(named: Address) -> None:
    with neo4j.GraphDatabase.driver(named.uri, auth=(named.user, named.password)) as driver:
        nodes = driver.execute_query("MATCH (n) RETURN count(n) AS n", database_=named.database).records[0]["n"]
    if nodes and os.environ.get("ROICG_TEST_MAY_EMPTY") != "1":
        pytest.fail(f"{named.uri} holds {nodes} nodes, which the tests would delete; name an empty database or set ROICG_TEST_MAY_EMPTY=1", pytrace=False)
