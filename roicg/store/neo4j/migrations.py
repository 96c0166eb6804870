"""The schema as numbered files, each applied once, in order, and recorded in the database.

1. The files are ``cypher/schema/vNNN_name.cypher``, numbered from 1 without a gap. ``schema`` files make or drop one constraint or
   index and say ``IF [NOT] EXISTS``, for a process may die between applying and recording; ``write`` files change data.
2. What is recorded must be a beginning of what the files say: an edited file, a file put between applied ones, or a database that a
   newer roicg has written to is refused before anything is done.
3. What is missing is applied in order. Schema statements cannot share a transaction with data, so they are recorded right after;
   a ``write`` file is recorded in its own transaction, whose record another process waits for. Two processes at once converge.
4. Wait until every index is filled.

A database from before there were records has all constraints and indexes of the first files: applying those again changes nothing,
and records them.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from roicg import __version__
from roicg.core.errors import QueryError, StoreError
from roicg.store.neo4j.driver import Connection, Transaction
from roicg.store.registry import Query, catalogue

INDEX_WAIT_S = 60
_ROOM = "schema."
_FILE = re.compile(r"v(\d{3})_([a-z0-9_]+)")
_MADE = re.compile(r"CREATE\s+(CONSTRAINT|(?:[A-Z]+\s+)?INDEX)\s+([a-z_]+)\s+IF NOT EXISTS")


@dataclass(frozen=True, slots=True)
class Migration:
    """One schema file: ``checksum`` is the sha256 of its statement, so that comments may still be improved."""

    number: int
    name: str
    checksum: str
    query: str
    mode: str
    makes: str
    """Name of the constraint or index that it makes; empty for others."""


@dataclass(frozen=True, slots=True)
class SchemaState:
    """How far a database is: numbers of recorded and of known files; ``current`` when nothing is missing."""

    recorded: int
    known: int

    @property
    def current(self) -> bool:
        """Whether every file is applied."""
        return self.recorded == self.known

    def __str__(self) -> str:
        if self.current:
            return f"schema {self.recorded}"
        what = f"schema {self.recorded}" if self.recorded else "no recorded schema"
        return f"{what}; this roicg brings {self.known}, which the next command that writes applies"


def migrations(queries: Sequence[Query] | None = None) -> tuple[Migration, ...]:
    """The schema files in order; one that breaks step 1 is a ``QueryError`` with its file."""
    found = [_migration(query) for query in (catalogue().values() if queries is None else queries) if query.name.startswith(_ROOM)]
    found.sort(key=lambda migration: migration.number)
    for expected, migration in enumerate(found, start=1):
        if migration.number != expected:
            raise QueryError(f"schema file {migration.query} has number {migration.number} where {expected} comes next; number the files 1, 2, 3, …, each once")
    return tuple(found)


def _migration(query: Query) -> Migration:
    named = _FILE.fullmatch(query.name.removeprefix(_ROOM))
    if named is None:
        raise QueryError(f"{query.path}:1: a schema file is called vNNN_name.cypher, with the next free number")
    if query.mode == "read" or query.params:
        raise QueryError(f"{query.path}:1: a schema file has mode schema or write, and no parameters")
    if query.mode == "schema" and not re.search(r"\bIF (NOT )?EXISTS\b", query.text):
        raise QueryError(f"{query.path}:1: a schema statement says IF NOT EXISTS or IF EXISTS, for it may be applied again after a crash")
    made = _MADE.search(query.text)
    checksum = hashlib.sha256(query.text.encode()).hexdigest()
    return Migration(int(named[1]), named[2], checksum, query.name, query.mode, made[2] if made else "")


def check_schema(connection: Connection) -> SchemaState:
    """Step 2: how far the database is; ``StoreError`` when it is not a beginning of what the files say."""
    known, uri = migrations(), connection.address.uri
    recorded = connection.read("house.migrations")
    for row in recorded:
        if row["number"] > len(known):
            raise StoreError(
                f"{uri} has schema {recorded[-1]['number']} ({row['name']}, by roicg {row['by']}), and this roicg knows {len(known)}; use a newer roicg"
            )
    for expected, row in zip(known, recorded, strict=False):
        if row["number"] != expected.number:
            raise StoreError(
                f"{uri} has schema file {row['number']} ({row['name']}) recorded, but not {expected.number} ({expected.name}); "
                "applied files stay in order: restore the database, or give the new file the next free number"
            )
        _check_record(uri, expected, row)
    return SchemaState(len(recorded), len(known))


def _check_record(uri: str, expected: Migration, row: dict[str, Any]) -> None:
    if (row["name"], row["checksum"]) != (expected.name, expected.checksum):
        raise StoreError(
            f"{uri} had schema file {expected.number} ({row['name']}) applied with another content ({str(row['checksum'])[:12]}) "
            f"than {expected.query} has now ({expected.checksum[:12]}); an applied file is never edited: restore it, and put the change into a new file"
        )


def migrate(connection: Connection) -> SchemaState:
    """Steps 2 to 4; a second call changes nothing. ``StoreError`` also where the account may not change the schema."""
    state = check_schema(connection)
    if not state.current:
        try:
            _apply(connection, migrations()[state.recorded :])
        except StoreError as error:
            if "Forbidden" not in str(error):
                raise
            raise StoreError(
                f"{connection.address.uri} has {state}, but user {connection.address.user!r} may not change it; run `roicg gc` with one who may"
            ) from error
        state = check_schema(connection)
    connection.read("house.await_indexes", seconds=INDEX_WAIT_S)
    return state


def _apply(connection: Connection, pending: Sequence[Migration]) -> None:
    """Step 3. The record's own constraint comes first, whatever the number: without it two processes could both record."""
    connection.define(migrations()[0].query)
    applied: list[Migration] = []
    for migration in pending:
        if migration.mode == "schema":
            connection.define(migration.query)
            applied.append(migration)
            continue
        _record(connection, applied)
        applied = []
        _change(connection, migration)
    _record(connection, applied)


def _record(connection: Connection, applied: Sequence[Migration]) -> None:
    def record(tx: Transaction) -> None:
        for migration in applied:
            row = tx.run("house.record_migration", **_as_row(migration))[0]
            _check_record(connection.address.uri, migration, row)

    connection.transaction("house.record_migration", record)


def _change(connection: Connection, migration: Migration) -> None:
    def change(tx: Transaction) -> None:
        row = tx.run("house.record_migration", **_as_row(migration))[0]
        _check_record(connection.address.uri, migration, row)
        if row["fresh"]:
            tx.run(migration.query)

    connection.transaction(migration.query, change)


def _as_row(migration: Migration) -> dict[str, Any]:
    return {"number": migration.number, "name": migration.name, "checksum": migration.checksum, "by": __version__}
