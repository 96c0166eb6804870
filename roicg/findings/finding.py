"""What a finding is: rows measured per checkpoint (kept in files, so that a killed study goes on), and tables made of all rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from roicg.core.settings import Study
from roicg.core.tables import Cell, Table
from roicg.places import Place

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore

Row: TypeAlias = Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Measured:
    """The rows of one checkpoint."""

    model: str
    label: str
    step: int
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """``measure`` is deterministic: its rows are a function of the place (weights, prompts, settings) and of its published graphs.

    ``about``: the question in one line. ``seconds``: what measuring cost per checkpoint and task on one idle core, with models of the
    bundled studies' size; a dry run counts with it. ``tables`` reads rows only, so tables are made again without any model or database.
    ``edition`` goes up when ``measure`` gives other rows than before, so that rows kept in files are measured anew.
    """

    name: str
    about: str
    measure: Callable[[Place, "Neo4jStore"], Sequence[Row]]
    tables: Callable[[Study, Sequence[Measured]], Sequence[Table]]
    seconds: float = 1.0
    edition: int = 1
