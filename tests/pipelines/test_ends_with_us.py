"""What tests start in the background ends with them, however they end."""

import subprocess
import sys
from pathlib import Path

import psutil

CHILD = """
import subprocess, sys, time
from tests.pipelines.service import ended_with_us
process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
with ended_with_us(process):
    print(process.pid, flush=True)
    time.sleep(600 if sys.argv[1] == "killed" else 0)
print("ended", flush=True)
"""


def started(how: str) -> tuple["subprocess.Popen[str]", psutil.Process]:
    root = Path(__file__).parents[2]
    child = subprocess.Popen([sys.executable, "-c", CHILD, how], cwd=root, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    return child, psutil.Process(int(child.stdout.readline()))


def gone(process: psutil.Process) -> bool:
    """Within ten seconds; an orphan that nobody asks for stays as a zombie."""
    try:
        process.wait(10)
    except psutil.TimeoutExpired:
        return process.status() == psutil.STATUS_ZOMBIE
    return True


def test_a_service_ends_with_a_test_that_is_killed() -> None:
    """Seen to fail before the watcher: `dagster dev` outlived a bench that was killed."""
    child, service = started("killed")
    with child:
        child.kill()
        child.wait(10)
        assert gone(service)


def test_a_service_ends_with_its_block() -> None:
    child, service = started("left")
    with child:
        assert child.communicate(timeout=60)[0] == "ended\n"
        assert gone(service)
