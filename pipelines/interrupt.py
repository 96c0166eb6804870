"""Ctrl-C at any moment, also at the moments when Python loses it.

An exception raised while the interpreter runs a finaliser or a weak reference's callback is printed and dropped; a
KeyboardInterrupt too. So the signal is noted, and asked about again between Dagster's events.
"""

import signal
from types import FrameType

_noted = False


def note_interrupts() -> None:
    """From now on remember SIGINT besides raising ``KeyboardInterrupt``."""
    signal.signal(signal.SIGINT, _note)


def raise_if_lost() -> None:
    """Raise the ``KeyboardInterrupt`` that was noted and has not arrived."""
    if _noted:
        raise KeyboardInterrupt


def _note(_number: int, _frame: FrameType | None) -> None:
    global _noted
    _noted = True
    raise KeyboardInterrupt
