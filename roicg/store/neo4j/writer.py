"""Who writes: a name for one publication, by which a later one can tell whether it still lives."""

import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

_alive: set[str] = set()
"""Publications of this process that have not ended; one that ended without giving its slot back is dead all the same."""


@contextmanager
def writing() -> Iterator[str]:
    """A name for this writer (host, process and a random part) that counts as alive until the block ends."""
    run = f"{_machine()}:{os.getpid()}:{uuid.uuid4().hex}"
    _alive.add(run)
    try:
        yield run
    finally:
        _alive.discard(run)


def is_known_dead(run: str) -> bool:
    """Whether ``run`` was a writer of this machine that has ended; False where that cannot be known.

    Where process numbers are used again a dead writer may look alive; then its heartbeat expires. One that lives never looks
    dead, unless two machines share name and process numbers; then the fence stops the earlier writer with an error.
    """
    machine, _, rest = run.partition(":")
    pid = rest.partition(":")[0]
    if os.name != "posix" or machine != _machine() or not pid.isdecimal():
        return False
    if int(pid) == os.getpid():
        return run not in _alive
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _machine() -> str:
    """Host name, with the number of the process namespace where there is one: containers may share the name, but not that."""
    host = socket.gethostname()
    try:
        return f"{host}/{os.readlink('/proc/self/ns/pid').strip('pid:[]')}"
    except OSError:
        return host
