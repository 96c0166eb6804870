"""Neo4j with GDS in a container through testcontainers: the official image by exact tag, else an equivalent one built here from the jars."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from roicg.server.address import Address
from roicg.server.jars import JarLock, read_lock
from tests.lanes.engine import NoEngine, answering_engine
from tests.lanes.roots import NEO4J_UID, neo4j_root

PULL_S = 900.0
PLANS_STAND = {"dbms.cypher.min_replan_interval": "1h"}
"""Tests empty and fill the database again and again; by the default of 10 s new plans alone took a sixth of the time of six files."""
BOLT, HTTP = 7687, 7474  # within the container
BROWSER = "ROICG_TEST_BROWSER"
"""Where the server's Neo4j Browser answers, when it is not where the server itself says: behind a container's ports."""
# Removes the container as soon as the pipe to the test process closes, however that process ended.
_WATCH = "import subprocess, sys; sys.stdin.read(); subprocess.run(['docker', 'rm', '-f', '-v', sys.argv[1]], capture_output=True)"


def neo4j_image(lock: JarLock) -> str:
    """``ROICG_NEO4J_IMAGE``, else the official image of the locked version where it is here or can be pulled, else the local one, built if missing."""
    named = os.environ.get("ROICG_NEO4J_IMAGE")
    official = f"neo4j:{lock.neo4j}-community"
    if named or has_image(official):
        return named or official
    local = f"roicg-local/neo4j:{lock.neo4j}-gds-{lock.gds}"
    if not has_image(local) and not pulled(official):
        with tempfile.TemporaryDirectory(prefix="rg-root-") as folder:
            neo4j_root(Path(folder), lock)
            changes = ['ENTRYPOINT ["/docker-entrypoint.sh"]', "EXPOSE 7474 7687", "ENV PATH=/bin", f"USER {NEO4J_UID}:{NEO4J_UID}"]
            import_root(Path(folder), local, [*changes, "VOLUME /data /logs", "WORKDIR /var/lib/neo4j"])
    return local if has_image(local) else official


def new_password() -> str:
    """A random password. It never begins with a hyphen, which neo4j-admin, called by an image's entry point, takes for an option: one in 64 of token_urlsafe does."""
    return "p" + secrets.token_urlsafe(18)


def has_image(name: str) -> bool:
    """Whether the engine has the image."""
    return subprocess.run(["docker", "image", "inspect", name], capture_output=True, check=False).returncode == 0


def pulled(name: str) -> bool:
    """Whether the engine could pull the image; where no hub answers it says so at once."""
    return subprocess.run(["docker", "pull", "--quiet", name], capture_output=True, check=False, timeout=PULL_S).returncode == 0


def said_by(name: str) -> str:
    """The last lines of the container ``name``, in one line; empty when there is none."""
    found = subprocess.run(["docker", "logs", "--tail", "20", name], capture_output=True, text=True, check=False)
    return " | ".join((found.stdout + found.stderr).split("\n"))[-2000:]


def import_root(root: Path, name: str, changes: list[str]) -> None:
    """Make the tree below ``root`` the image ``name``, in one layer, with Dockerfile lines ``changes``."""
    command = ["docker", "import", *(word for change in changes for word in ("--change", change)), "-", name]
    with subprocess.Popen(["tar", "-C", str(root), "-cf", "-", "."], stdout=subprocess.PIPE) as tar:
        done = subprocess.run(command, stdin=tar.stdout, capture_output=True, text=True, check=False)
    if done.returncode != 0 or tar.returncode != 0:
        raise RuntimeError(f"the image {name} cannot be made: {done.stderr.strip()}")


@contextmanager
def neo4j_container() -> Iterator[Address]:
    """The address of a server of the line in use in a fresh container, removed with the block or with this process. Raises NoEngine with the reason."""
    if shutil.which("docker") is None or (host := answering_engine()) is None:
        raise NoEngine("no Docker engine answers")
    os.environ.setdefault("DOCKER_HOST", host)
    # Its reaper is an image of a hub; the watcher below does its work. Read when testcontainers is imported.
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    try:
        from testcontainers.community.neo4j import Neo4jContainer
    except ImportError as error:
        raise NoEngine(f"{error.name} is not installed; install roicg[dev]") from error

    name, password = f"roicg-test-{os.getpid()}-{secrets.token_hex(4)}", new_password()
    try:
        image = neo4j_image(read_lock())
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        raise NoEngine(f"no image of Neo4j can be pulled or made ({type(error).__name__}: {error})") from error
    container = Neo4jContainer(image=image, password=password).with_name(name)
    container.with_env("NEO4J_PLUGINS", '["graph-data-science"]').with_exposed_ports(BOLT, HTTP)
    for setting, value in PLANS_STAND.items():  # as the image reads it: _ for a point, __ for _
        container.with_env("NEO4J_" + setting.replace("_", "__").replace(".", "_"), value)
    with subprocess.Popen([sys.executable, "-c", _WATCH, name], stdin=subprocess.PIPE, start_new_session=True) as watcher:
        assert watcher.stdin is not None
        try:
            try:
                container.start()
            except Exception as error:
                raise NoEngine(f"the container did not start ({type(error).__name__}: {error}); it said: {said_by(name)}") from error
            browser = f"http://{container.get_container_host_ip()}:{container.get_exposed_port(HTTP)}/browser/"
            with patch.dict(os.environ, {BROWSER: browser}):
                yield Address(container.get_connection_url(), "neo4j", password, source="environment")
        finally:
            watcher.stdin.close()
            watcher.wait(120)
