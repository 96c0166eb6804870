"""A table that a claim stands on: what was measured, beside its control, with the sentence that says how."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

Cell: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Table:
    """``name`` is safe as a file name and unique in its finding; ``note`` says the control, the seeds, the split and what ± means."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"table {self.name}: a row has {len(row)} cells, the table {len(self.columns)} columns")

    def markdown(self) -> str:
        """The table as GitHub shows it, its note below."""
        lines = [f"| {' | '.join(self.columns)} |", "|" + "---|" * len(self.columns)]
        lines += ["| " + " | ".join(shown(cell).replace("|", "\\|") for cell in row) + " |" for row in self.rows]
        return "\n".join([*lines, "", self.note])

    def to_json(self) -> dict[str, Any]:
        """Plain data; :func:`table_from_json` reads it back."""
        return asdict(self)


def table_from_json(data: Mapping[str, Any]) -> Table:
    """What :meth:`Table.to_json` wrote."""
    return Table(data["name"], data["title"], tuple(data["columns"]), tuple(tuple(row) for row in data["rows"]), data["note"])


def shown(cell: Cell) -> str:
    """A cell in words: numbers with three significant digits, nothing as a dash."""
    if cell is None:
        return "–"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:.3g}"
    return str(cell)


def spread(values: Sequence[float]) -> str:
    """Mean and range over seeds: ``.93 (.91–.95)``; one value alone."""
    if not values:
        return "–"
    mean = sum(values) / len(values)
    return f"{mean:.2f}" if len(values) == 1 else f"{mean:.2f} ({min(values):.2f}–{max(values):.2f})"
