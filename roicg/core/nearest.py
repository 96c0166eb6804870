"""What a mistyped name was meant to be."""

import difflib
from collections.abc import Iterable


def did_you_mean(given: str, known: Iterable[str], cutoff: float = 0.5) -> str:
    """``; did you mean 'name'?`` for the nearest known name, empty where none is near (``cutoff``: difflib's)."""
    near = difflib.get_close_matches(str(given), list(known), n=1, cutoff=cutoff)
    return f"; did you mean {near[0]!r}?" if near else ""
