"""The types of query parameters and columns, and the conversion of command-line text to them."""

import json
from collections.abc import Sequence
from typing import Any

from roicg.core.errors import QueryError

SCALARS = ("STRING", "INTEGER", "FLOAT", "BOOLEAN", "MAP", "DATETIME")
TYPES: tuple[str, ...] = (*SCALARS, *(f"LIST<{scalar}>" for scalar in SCALARS))
"""What a header may declare; MAP and DATETIME are for rows and columns, not for the command line."""

_PYTHON: dict[str, tuple[type, ...]] = {"STRING": (str,), "INTEGER": (int,), "FLOAT": (float, int), "BOOLEAN": (bool,), "MAP": (dict,)}
INTEGER_BOUND = 2**63


def check_value(value: Any, kind: str, what: str) -> Any:
    """``value`` if it is of type ``kind`` (an int is widened to FLOAT; None passes: whether it may be left out is the header's word); else a ``QueryError`` that names ``what``."""
    if value is None or kind == "DATETIME":
        return value
    if kind.startswith("LIST<"):
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise QueryError(f"{what} must be {kind}, given {_short(value)}")
        return value if kind == "LIST<MAP>" else [check_value(item, kind[5:-1], what) for item in value]
    if not isinstance(value, _PYTHON[kind]) or (isinstance(value, bool) and kind != "BOOLEAN"):
        raise QueryError(f"{what} must be {kind}, given {_short(value)}")
    if kind == "INTEGER" and isinstance(value, int) and not -INTEGER_BOUND <= value < INTEGER_BOUND:
        raise QueryError(f"{what} must fit in 64 bits, given {value}")
    return float(value) if kind == "FLOAT" and isinstance(value, int) else value


def parse_value(text: str, kind: str, what: str) -> Any:
    """The value of type ``kind`` that ``text`` spells; lists are JSON (``["a","b"]``) or comma-separated (``a,b``)."""
    try:
        if kind.startswith("LIST<"):
            items = json.loads(text) if text.lstrip().startswith("[") else [part.strip() for part in text.split(",") if part.strip()]
            return [parse_value(item, kind[5:-1], what) if isinstance(item, str) else item for item in items]
        if kind == "INTEGER":
            return int(text)
        if kind == "FLOAT":
            return float(text)
        if kind == "BOOLEAN":
            return {"true": True, "false": False}[text.lower()]
    except (ValueError, KeyError) as error:
        raise QueryError(f"{what} must be {kind}, given {_short(text)}") from error
    if kind == "STRING":
        return text
    raise QueryError(f"{what} is {kind}, which cannot be given as text")


def _short(value: Any) -> str:
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type(value).__name__})"
