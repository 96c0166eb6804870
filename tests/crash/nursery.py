"""Writers as processes without the second it takes to import what they need: one process that forks them on request.

``python -m tests.crash.nursery`` reads one request per line (JSON) and answers with one line: ``{"do": "start", "spec": …}`` gives the
process number of a life (tests.crash.life), ``wait`` its exit code and what it said, ``stopped`` waits until it is stopped or has ended.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from roicg.server.address import Address

ROOT = Path(__file__).resolve().parents[2]
_nursery: list[subprocess.Popen[str]] = []


class Child:
    """A writer in a process of its own; ``returncode`` is None until it was waited for, negative for a signal."""

    def __init__(self, address: Address, spec: dict[str, Any]) -> None:
        where = {"uri": address.uri, "user": address.user, "password": address.password, "database": address.database}
        self.returncode: int | None = None
        self.said = ""
        self.pid = int(_ask({"do": "start", "spec": spec | {"address": where}})["pid"])

    def wait(self) -> int:
        """Exit code, once it has ended."""
        if self.returncode is None:
            found = _ask({"do": "wait", "pid": self.pid})
            self.returncode, self.said = int(found["code"]), str(found["said"])
        return self.returncode

    def wait_until_stopped(self) -> bool:
        """Whether it was stopped by a signal; False if it has ended instead."""
        found = _ask({"do": "stopped", "pid": self.pid})
        if not found["stopped"]:
            self.returncode, self.said = int(found["code"]), str(found["said"])
        return bool(found["stopped"])


def _ask(request: dict[str, Any]) -> dict[str, Any]:
    if not _nursery:
        command = [sys.executable, "-m", "tests.crash.nursery"]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        _nursery.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment))
        atexit.register(_close)
    process = _nursery[0]
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(request) + "\n")
    process.stdin.flush()
    answer: dict[str, Any] = json.loads(process.stdout.readline())
    return answer


def _close() -> None:
    process = _nursery.pop()
    assert process.stdin is not None
    process.stdin.close()
    process.wait(30)
    assert process.stdout is not None
    process.stdout.close()


def _serve() -> None:
    """The forking process: single-threaded, with everything imported."""
    from tests.crash import life

    files: dict[int, str] = {}
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "start":
            answer = {"pid": _fork(life.main, request["spec"], files)}
        else:
            answer = _waited(request["pid"], files, os.WUNTRACED if request["do"] == "stopped" else 0)
        print(json.dumps(answer), flush=True)


def _fork(main: Any, spec: dict[str, Any], files: dict[int, str]) -> int:
    handle, path = tempfile.mkstemp(prefix="rg-life-")
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.dup2(handle, 1)
            main(spec)
            code = 0
        except BaseException:
            print(traceback.format_exc())
        finally:
            sys.stdout.flush()
            os._exit(code)
    os.close(handle)
    files[pid] = path
    return pid


def _waited(pid: int, files: dict[int, str], options: int) -> dict[str, Any]:
    _, status = os.waitpid(pid, options)
    if os.WIFSTOPPED(status):
        return {"stopped": True}
    path = files.pop(pid)
    said = Path(path).read_text()
    os.unlink(path)
    return {"stopped": False, "code": os.waitstatus_to_exitcode(status), "said": said}


if __name__ == "__main__":
    _serve()
