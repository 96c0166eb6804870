"""Runs that are ended by SIGKILL while loading and by SIGTERM while dividing, and the run after them, which converges.

``python -m pytest tests/pipelines/crash_stopped.py``: three processes that load torch, after the one of ``test_stopped.py``.
"""

import signal
import sys
from pathlib import Path

import pytest
from dagster import DagsterInstance

from roicg.server.address import Address
from roicg.store.connect import connect
from roicg.store.verify import verify
from tests.pipelines.test_run import CLAIMED, count, ended
from tests.pipelines.test_stopped import PATIENCE_S, stop, versions


@pytest.mark.timeout(1800)
def test_killed_while_loading_and_ended_while_dividing(study_file: Path, home: Path, database: Address) -> None:
    """SIGTERM is what Dagster's launchers and containers send; with a projection open it leaves none."""
    assert stop(study_file, home, "publish", signal.SIGKILL)[0] == -signal.SIGKILL
    assert versions(database) == {"staged": 1}  # and nobody sees it
    with connect() as store:
        assert store.ids() == ()

    code, said = stop(study_file, home, "analyses", signal.SIGTERM)
    assert (code, "Traceback" in said) == (130, False), said
    assert set(versions(database)) == {"published"}
    with connect() as store:
        assert store.run("gds.projections") == []
        published = store.ids()

    code, said = ended([sys.executable, "-m", "pipelines", "run", str(study_file)], home, PATIENCE_S)
    assert code == 0, said
    assert set(versions(database)) == {"published"}
    with connect() as store:
        assert store.ids() == published
        assert verify(store) == []
    with DagsterInstance.from_config(str(home / "dagster")) as kept:
        states = [run.status.value for run in reversed(kept.get_runs())]
    assert (set(states[:2]) <= {"CANCELED", "FAILURE"}, states[2:]) == (True, ["SUCCESS", "SUCCESS"])
    assert count(home, CLAIMED) == 0
