"""A lock between processes on one file, released by the kernel when its holder dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from roicg.core.errors import ServerError

_POLL_S = 0.1


@contextmanager
def file_lock(path: Path, timeout_s: float, what: str) -> Iterator[None]:
    """Hold ``path`` exclusively within the block; ``what`` names the work that another process may be doing under it.

    Raises ServerError when it is still held after ``timeout_s`` seconds.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise ServerError(f"another process is {what} and was not done after {timeout_s:.0f} s ({path}); wait for it and try again") from None
                time.sleep(_POLL_S)
        yield
    finally:
        os.close(descriptor)
