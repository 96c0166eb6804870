"""Which process executes a run, in a form by which a later one can tell whether it still lives.

A process number alone proves nothing: numbers are used again, in a container within minutes. So the moment the process began is
part of the mark. On Linux that is its start in ticks since the boot, with the boot's id: no change of the clock moves it.
"""

import os
import socket
from collections.abc import Mapping
from pathlib import Path

PROCESS_TAG = "roicg/process"
_PROC = Path("/proc")
_BEGAN = 19
"""Place of starttime among the fields of /proc/PID/stat that follow the command's name."""


def process_tag(run_id: str) -> dict[str, str]:
    """The tag of a run that this process executes. It names the run: a repetition inherits its tags, and has another process."""
    pid = os.getpid()
    return {PROCESS_TAG: f"{socket.gethostname()}:{pid}:{began(pid)}:{run_id}"}


def is_dead(run_id: str, tags: Mapping[str, str]) -> bool:
    """Whether the run's process was one of this host and has ended; False where that cannot be known."""
    host, pid, start, of = (tags.get(PROCESS_TAG, "").split(":") + [""] * 4)[:4]
    if host != socket.gethostname() or of != run_id or not pid.isdecimal() or not start:
        return False
    return began(int(pid)) != start


def began(pid: int) -> str:
    """When the process began; the empty string if there is none with this number, or it has ended and nobody has asked for it yet."""
    if not _PROC.joinpath("self", "stat").exists():  # not Linux
        return _began_elsewhere(pid)
    try:
        state, *fields = _PROC.joinpath(str(pid), "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    if state in "ZX":
        return ""
    return f"{_PROC.joinpath('sys', 'kernel', 'random', 'boot_id').read_text().strip()}/{fields[_BEGAN - 1]}"


def _began_elsewhere(pid: int) -> str:
    import psutil

    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else repr(process.create_time())
    except psutil.NoSuchProcess:
        return ""
