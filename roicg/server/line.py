"""Which line of Neo4j the embedded server is: the one with long support, or the next one, on which the same tests pass.

Each line has a lock of its jars and a folder in the home of its own: a store that a newer server has opened cannot be opened by
an older one again.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from roicg.core.errors import ServerError

VARIABLE = "ROICG_NEO4J_LINE"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its name, the committed lock of its jars, and the folder in a home that holds its server."""

    name: str
    lock_file: Path
    folder: str


LINES = {
    "lts": Line("lts", Path(__file__).with_name("jars.lock.json"), "neo4j"),
    "next": Line("next", Path(__file__).with_name("jars.next.lock.json"), "neo4j-next"),
}


def find_line(name: str | None = None) -> Line:
    """The line ``name``, else the one that ``ROICG_NEO4J_LINE`` names, else ``lts``; raises ServerError when there is no such line."""
    wanted = name or os.environ.get(VARIABLE) or "lts"
    if wanted not in LINES:
        raise ServerError(f"{wanted!r} is no line of the embedded database; the lines are {' and '.join(LINES)} (ROICG_NEO4J_LINE, or --line)")
    return LINES[wanted]
