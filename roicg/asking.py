"""The Python front door, for notebooks: the catalogue's questions as rows with attributes, or as pandas frames. It only reads.

::

    import roicg
    with roicg.connect() as graphs:
        graphs.slots()                                                        what is published
        graphs.ask("circuits.circuit", slot="toy@200", task="add", edges=3)   rows
        graphs.frame("compare.emergence", slot="toy@200")                     a pandas frame
"""

import functools
from collections.abc import Mapping
from dataclasses import fields, make_dataclass
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from roicg.core.errors import QueryError, RoicgError

if TYPE_CHECKING:
    import pandas

    from roicg.store.neo4j.store import Neo4jStore
    from roicg.store.registry import Query

PYTHON: dict[str, Any] = {"STRING": str, "INTEGER": int, "FLOAT": float, "BOOLEAN": bool, "MAP": dict, "DATETIME": datetime}
"""What a column of each type holds (or None); ``LIST<…>`` is a list of them."""
_PANDAS = {"STRING": "string", "INTEGER": "Int64", "FLOAT": "float64", "BOOLEAN": "boolean"}


class Graphs:
    """The published graphs of one database; made by :func:`roicg.connect`, a context manager.

    Every error is a ``RoicgError`` of one sentence: ``QueryError`` for a question or parameter that does not exist,
    ``StoreUnreachable`` where no database answers.
    """

    def __init__(self, store: "Neo4jStore") -> None:
        self._store = store

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Graphs({self._store.address.uri!r})"

    def close(self) -> None:
        """Give the connections back; the database goes on."""
        self._store.close()

    def questions(self) -> list[Any]:
        """What can be asked: rows with ``query``, ``question`` and ``needs`` (the parameters that have no default)."""
        from roicg.store.questions import questions

        row = make_dataclass("Question", ("query", "question", "needs"), frozen=True, slots=True)
        return [row(query.name, query.sentence, tuple(field.name for field in query.params if field.required)) for query in questions()]

    def slots(self, model: str = "") -> list[Any]:
        """Every checkpoint with a published graph, of ``model`` only where one is named: rows of ``house.slots``."""
        return self.ask("house.slots", model=model)

    def ask(self, query: str, /, **params: Any) -> list[Any]:
        """Rows of a reading query of the catalogue: frozen dataclass instances with its columns as attributes (see :func:`row_type`).

        Slots may be written short, as MODEL@STEP or MODEL@STEP:PARTITION (``own`` where none is named).
        """
        found = _readable(query)
        row = row_type(found.name)
        return [row(**values) for values in self._values(found, params)]

    def frame(self, query: str, /, **params: Any) -> "pandas.DataFrame":
        """The same rows as a pandas frame; the columns are there, with their types, even where there are no rows."""
        try:
            import pandas
        except ImportError as error:
            raise RoicgError("frames need pandas, which this install lacks; install it with: pip install 'roicg[notebook]', or use ask()") from error
        found = _readable(query)
        frame = pandas.DataFrame(self._values(found, params), columns=[field.name for field in found.returns])
        return frame.astype({field.name: _PANDAS[field.type] for field in found.returns if field.type in _PANDAS})

    def _values(self, query: "Query", params: Mapping[str, Any]) -> list[dict[str, Any]]:
        query.bind(params)  # a wrong parameter is said before the database is asked
        rows = self._store.run(query.name, **{name: self._whole(name, value) for name, value in params.items()})
        return [{field.name: _plain(row[field.name]) for field in query.returns} for row in rows]

    def _whole(self, name: str, value: Any) -> Any:
        """The key of the slot that is written short; any other value as it is."""
        from roicg.cli.slots import is_shorthand, resolve

        short = name.startswith("slot") and isinstance(value, str) and is_shorthand(value)
        return resolve(self._store, value).key if short else value


def open_graphs(uri: str | None = None, *, user: str = "neo4j", password: str = "", database: str = "neo4j") -> Graphs:
    """See :func:`roicg.connect`."""
    from roicg.server.address import Address
    from roicg.store.connect import connect

    return Graphs(connect(None if uri is None else Address(uri, user, password, database, source="environment")))


@functools.cache
def row_type(query: str) -> type[Any]:
    """The class of a query's rows: a frozen dataclass named after it, a field per column, typed as the header says (each may be None)."""
    found = _readable(query)
    name = "".join(word.title() for word in found.name.replace(".", "_").split("_"))
    return make_dataclass(name, [(field.name, _python(field.type) | None) for field in found.returns], frozen=True, slots=True)


def column_types(row: type[Any]) -> dict[str, Any]:
    """Column → Python type of a class that :func:`row_type` made."""
    return {field.name: field.type for field in fields(row)}


def _python(kind: str) -> Any:
    return list[PYTHON[kind[5:-1]]] if kind.startswith("LIST<") else PYTHON[kind]  # type: ignore[misc]  # a type made at run time


def _readable(name: str) -> "Query":
    from roicg.store.registry import find_query

    found = find_query(name)
    if found.mode != "read":
        raise QueryError(f"{name} writes ({found.mode}), and only roicg itself runs it; from Python the database is only read")
    return found


def _plain(value: Any) -> Any:
    """Dates of the driver as Python's, nodes and relationships as dictionaries of their properties."""
    if hasattr(value, "to_native"):
        return value.to_native()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
