"""Runs that are ended at the worst moments: nothing staged is left by one that could close."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from neo4j import GraphDatabase

from roicg.server.address import Address
from tests.pipelines.test_run import CLAIMED, ROOT, count

PATIENCE_S = 420  # each process loads torch, which takes a minute on a busy machine


def stop(study_file: Path, home: Path, point: str, number: int) -> tuple[int, str]:
    """Start a run, end it with a signal when it has reached the point; its exit code and what it said."""
    held, reached, log = home / "hold" / point, home / "hold" / f"{point}.reached", home / "held.log"
    held.parent.mkdir(exist_ok=True)
    held.touch()
    reached.unlink(missing_ok=True)
    with log.open("wb") as written:
        child = subprocess.Popen([sys.executable, "-m", "tests.pipelines.held", "run", str(study_file)], stderr=written, cwd=ROOT, start_new_session=True)
    try:
        until = time.monotonic() + PATIENCE_S
        while not reached.exists() and child.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        assert reached.exists(), f"no run reached {point}\n{log.read_text()[-4000:]}"
        child.send_signal(number)
        return child.wait(PATIENCE_S), log.read_text()
    finally:
        child.kill()
        child.wait()
        held.unlink()


def versions(database: Address) -> dict[str, int]:
    """Number of graph versions by status, whoever may see them."""
    with GraphDatabase.driver(database.uri, auth=(database.user, database.password)) as driver:
        rows, _, _ = driver.execute_query("MATCH (v:GraphVersion) RETURN v.status AS status, count(*) AS n")
        return {row["status"]: row["n"] for row in rows}


@pytest.mark.timeout(1800)
def test_ctrl_c_while_loading(study_file: Path, home: Path, database: Address) -> None:
    """Ctrl-C with half a graph loaded.

    Seen to fail without nothing_staged and without the freeing of places in _close: after Ctrl-C a version was staged and the pool taken.
    """
    assert stop(study_file, home, "publish", signal.SIGINT)[0] == 130
    assert (versions(database), count(home, CLAIMED)) == ({}, 0)
