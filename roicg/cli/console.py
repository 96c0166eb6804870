"""What the command line prints: tables of at most 100 columns on stdout, JSON for machines, everything else on stderr."""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDTH = 100
TEXT = 12
"""Characters that a column of text keeps in a table that is too wide."""
GAP = 2
"""Characters between two columns."""
_TO_THE_SECOND = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?\+00:00$")
"""A moment as databases and Python write it; tables show whole seconds of universal time."""
Row = Mapping[str, Any]


def stdout(least: int = 0) -> "Console":
    """Console for results; no wider than 100 columns, and exactly that where stdout is no terminal, but never below ``least``."""
    from rich.console import Console

    wide = Console(file=sys.stdout)
    width = min(wide.width, WIDTH) if wide.is_terminal else WIDTH
    return Console(file=sys.stdout, width=max(width, least), highlight=False, markup=False)


def stderr() -> "Console":
    """Console for messages and progress."""
    from rich.console import Console

    return Console(file=sys.stderr, highlight=False, markup=False, soft_wrap=True)


def say(sentence: str) -> None:
    """One line on stderr."""
    stderr().print(sentence)


def print_json(value: Any) -> None:
    """``value`` as JSON on stdout; dates as ISO text, numbers as they are (a number that is not finite becomes null)."""
    print(json.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False))


def print_rows(rows: Sequence[Row], *, as_json: bool = False, title: str = "", columns: Sequence[str] = ()) -> None:
    """Rows as a table (numbers to four digits, long ids shortened) or, whole, as JSON; text folds before a table gets too wide, numbers never.

    One row that does not fit 100 columns stands upright, a line per column.
    """
    if as_json:
        print_json(list(rows))
        return
    if not rows:
        say(f"{title}: no rows" if title else "no rows")
        return
    from rich.text import Text

    names = list(columns or rows[0])
    table, least = _table(rows, names)
    if least > WIDTH and len(rows) == 1:
        table, least = _upright(rows[0], names), 0
    console = stdout(least=least)
    if title:
        console.print(Text(title, style="bold"))
    console.print(table)


def _table(rows: Sequence[Row], names: Sequence[str]) -> tuple["Table", int]:
    """A line per row, and how many columns of the terminal it needs at least."""
    from rich.table import Table
    from rich.text import Text

    table, least = Table(box=None, pad_edge=False, header_style="dim"), 0
    for name in names:
        numeric = all(isinstance(row.get(name), int | float | None) for row in rows)
        whole = max(len(name), *(len(cell(row.get(name))) for row in rows))
        legible = whole if numeric else min(whole, TEXT)
        table.add_column(Text(name), justify="right" if numeric else "left", overflow="fold", no_wrap=numeric, min_width=legible)
        least += legible + GAP
    for row in rows:
        table.add_row(*(Text(cell(row.get(name))) for name in names))
    return table, least


def _upright(row: Row, names: Sequence[str]) -> "Table":
    """A line per column; a list of records has a line for each."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for name in names:
        value = row.get(name)
        records = value if isinstance(value, list) and value and isinstance(value[0], Mapping) else [value]
        for place, record in enumerate(records):
            table.add_row(Text(name if place == 0 else ""), Text(cell(record)))
    return table


def cell(value: Any) -> str:
    """Text of one table cell."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, str):
        return value[:12] if len(value) == 64 and set(value) <= set("0123456789abcdef") else value
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {cell(item)}" for name, item in value.items())
    if isinstance(value, Sequence):
        return ", ".join(cell(item) for item in value)
    return _TO_THE_SECOND.sub(r"\1Z", str(_plain(value)))


@contextmanager
def working(what: str) -> Iterator[None]:
    """A spinner on stderr while something of unknown length runs; nothing where stderr is no terminal."""
    console = stderr()
    if not console.is_terminal:
        yield
        return
    with console.status(what):
        yield


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    for method in ("iso_format", "isoformat", "item"):
        if callable(convert := getattr(value, method, None)):
            return _plain(convert())
    return str(value)
