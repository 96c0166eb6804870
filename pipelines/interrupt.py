"""Ctrl-C at any moment, also at the moments when Python or Dagster lose it.

An exception that is raised while the interpreter runs a finaliser or a weak reference's callback is printed and dropped, the one
of an interrupt too; imports run such callbacks all the time. And while Dagster executes a run it puts handlers of its own in the
place of ours: they raise another exception, or only set a mark, which is forgotten at the end of the run. So interrupts are noted
below all handlers, by the bytes that the interpreter writes into a pipe, and are asked about between Dagster's events.
"""

import os
import signal
import sys
from typing import Any

_NUMBERS = {signal.SIGINT, signal.SIGTERM}
"""Dagster gives SIGTERM the handler of SIGINT."""
_noted = False
_reader: int | None = None


def note_interrupts() -> None:
    """From now on remember SIGINT besides raising ``KeyboardInterrupt``, also where it was ignored (a script's job in the background)."""
    global _reader
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _reader, writer = os.pipe()
    for end in (_reader, writer):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    os.register_at_fork(after_in_child=_forget)  # a forked worker that is ended is no interrupt of ours
    say_unraisable = sys.unraisablehook

    def hook(dropped: Any) -> None:
        if not was_interrupted():
            say_unraisable(dropped)

    sys.unraisablehook = hook


def was_interrupted() -> bool:
    """Whether an interrupt came since :func:`note_interrupts`, whoever handled it."""
    global _noted
    if not _noted and _reader is not None:
        try:
            _noted = not _NUMBERS.isdisjoint(os.read(_reader, 4096))
        except BlockingIOError:
            return False
    return _noted


def raise_if_lost() -> None:
    """Raise the ``KeyboardInterrupt`` of an interrupt that has not arrived."""
    if was_interrupted():
        raise KeyboardInterrupt


def _forget() -> None:
    global _reader
    signal.set_wakeup_fd(-1)
    _reader = None
