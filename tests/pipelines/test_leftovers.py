"""Which runs lost their process: the mark of a process, and what is done for runs that carry one."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterEvent, DagsterInstance, DagsterRunStatus, MetadataValue
from dagster._core.definitions.dependency import NodeHandle
from dagster._core.events import EngineEventData
from dagster._core.execution.plan.handle import StepHandle
from dagster._core.test_utils import create_run_for_test

from pipelines import processes
from pipelines.leftovers import close_leftovers
from pipelines.processes import PROCESS_TAG, began, is_dead, process_tag
from pipelines.progress import display
from pipelines.runner import RunOutcome

RUN = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def sleeper() -> Any:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as child:
        yield child
        child.kill()


def mark(pid: int, run_id: str = RUN) -> dict[str, str]:
    host, _, _, _ = process_tag(run_id)[PROCESS_TAG].split(":")
    return {PROCESS_TAG: f"{host}:{pid}:{began(pid)}:{run_id}"}


def test_this_process_lives() -> None:
    assert mark(os.getpid()) == process_tag(RUN)
    assert not is_dead(RUN, process_tag(RUN))


def test_a_killed_process_is_dead_before_and_after_somebody_asks_for_its_end(sleeper: "subprocess.Popen[bytes]") -> None:
    """Seen to fail with kill(pid, 0): a zombie answers, and in a container nobody may ever ask for it."""
    tags = mark(sleeper.pid)
    assert not is_dead(RUN, tags)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert is_dead(RUN, tags)
    sleeper.wait()
    assert is_dead(RUN, tags)


def test_a_number_that_is_used_again_is_another_process(sleeper: "subprocess.Popen[bytes]") -> None:
    """Seen to fail with numbers alone: a container's next process has the number of the killed one."""
    host, _, start, run = process_tag(RUN)[PROCESS_TAG].split(":")
    assert is_dead(RUN, {PROCESS_TAG: f"{host}:{sleeper.pid}:{start}:{run}"})


@pytest.mark.parametrize("tags", [{}, {PROCESS_TAG: ""}, {PROCESS_TAG: "vm:12"}, {PROCESS_TAG: f"elsewhere:1:x:{RUN}"}, process_tag("another run")])
def test_what_cannot_be_known_counts_as_alive(tags: dict[str, str]) -> None:
    """Of another host, of another run (a repetition inherits tags), or written by something else."""
    assert not is_dead(RUN, tags)


def test_without_proc_psutil_tells_the_same(sleeper: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(processes, "_PROC", tmp_path)
    tags = mark(sleeper.pid)
    assert not is_dead(RUN, tags)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert is_dead(RUN, tags)


def test_dead_runs_are_closed_and_every_finished_run_gives_its_places_back(sleeper: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
    """With ``retry`` they fail, which Dagster repeats, but for one that somebody was canceling."""
    lost, leaving, alive, over = (f"{place}{RUN[1:]}" for place in range(4))
    with DagsterInstance.local_temp(str(tmp_path)) as instance:  # one in memory has no pools
        storage = instance.event_log_storage
        dead = mark(sleeper.pid)
        sleeper.kill()
        sleeper.wait()
        for run_id, tags, status in (
            (lost, {PROCESS_TAG: dead[PROCESS_TAG].replace(RUN, lost)}, DagsterRunStatus.STARTED),
            (leaving, {PROCESS_TAG: dead[PROCESS_TAG].replace(RUN, leaving)}, DagsterRunStatus.CANCELING),
            (alive, process_tag(alive), DagsterRunStatus.STARTED),
            (over, {}, DagsterRunStatus.SUCCESS),
        ):
            create_run_for_test(instance, run_id=run_id, tags=tags, status=status)
            storage.set_concurrency_slots(run_id, 1)
            assert storage.claim_concurrency_slot(run_id, run_id, "step").is_claimed
        assert set(close_leftovers(instance, retry=True)) == {lost, leaving}
        states = {run.run_id: run.status.value for run in instance.get_runs()}
        assert states == {lost: "FAILURE", leaving: "CANCELED", alive: "STARTED", over: "SUCCESS"}
        holders = {name: storage.get_concurrency_info(name).active_run_ids for name in states}
        assert holders == {lost: set(), leaving: set(), alive: {alive}, over: set()}
        assert close_leftovers(instance) == []


def test_who_waits_for_a_pool_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Seen to fail before: `roicg run` waited for ever without a word."""
    data = EngineEventData(metadata={"pool": MetadataValue.pool("accelerator")})
    blocked = DagsterEvent("ENGINE_EVENT", "j", step_handle=StepHandle(NodeHandle.from_string("tiny__signatures")), event_specific_data=data)
    with display("tiny", 1) as shown:
        shown.start("m@1", 3)
        shown.event(blocked)
        shown.done("m@1", RunOutcome("r"))
    assert "m@1 signatures waits: another run has the last place in the pool accelerator" in capsys.readouterr().err
