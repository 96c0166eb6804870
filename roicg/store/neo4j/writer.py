"""Who writes: a name for one publication, by which a later one can tell whether it still lives."""

import os
import socket
import uuid


def new_run() -> str:
    """A name for this writer: host, process and a random part."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex}"


def is_known_dead(run: str) -> bool:
    """Whether ``run`` was a process of this host that has ended; False where that cannot be known.

    Where host names or process numbers are shared this may be wrong; then the fence stops the earlier writer with an error.
    """
    host, _, rest = run.partition(":")
    pid = rest.partition(":")[0]
    if os.name != "posix" or host != socket.gethostname() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
