"""Ctrl-C at any moment, also at the moments when Python loses it.

An exception raised while the interpreter runs a finaliser or a weak reference's callback is printed and dropped; a
KeyboardInterrupt too. So the signal is noted, asked about again between Dagster's events, and what was dropped is not printed.
"""

import signal
import sys
from types import FrameType
from typing import Any

_noted = False


def note_interrupts() -> None:
    """From now on remember SIGINT besides raising ``KeyboardInterrupt``."""
    signal.signal(signal.SIGINT, _note)
    say_unraisable = sys.unraisablehook

    def hook(dropped: Any) -> None:
        if not _noted:
            say_unraisable(dropped)

    sys.unraisablehook = hook


def raise_if_lost() -> None:
    """Raise the ``KeyboardInterrupt`` that was noted and has not arrived."""
    if _noted:
        raise KeyboardInterrupt


def _note(_number: int, _frame: FrameType | None) -> None:
    global _noted
    _noted = True
    raise KeyboardInterrupt
