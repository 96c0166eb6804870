"""Answers that no publication disturbed.

Neo4j shows a commit to readers while it is being applied: in the instant of a flip a slot may be met without any version, and a
question of several statements may meet the old version in one and the new one in another. So everything that is asked of what
slots show is asked between two looks at what all slots show; when these differ, it is asked again.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from roicg.core.errors import StoreError
from roicg.store.neo4j.driver import Connection, Rows, Transaction

TRIES = 20
PAUSE_S = 0.05
T = TypeVar("T")


def settled_rows(connection: Connection, name: str, work: Callable[[Transaction], Rows]) -> Rows:
    """Rows of ``work``, reading queries in one transaction called ``name`` during which nothing was published."""

    def between(tx: Transaction) -> tuple[Rows, bool]:
        before = tx.run("house.shown")
        rows = work(tx)
        return rows, before == tx.run("house.shown")

    return _repeated(name, lambda: connection.reading(name, between))


def settled(connection: Connection, name: str, work: Callable[[], T]) -> T:
    """The answer of ``work``, which may use several transactions, during which nothing was published."""

    def between() -> tuple[T, bool]:
        before = connection.read("house.shown")
        answer = work()
        return answer, before == connection.read("house.shown")

    return _repeated(name, between)


def standing_version(connection: Connection, graph_id: str) -> dict[str, Any] | None:
    """What stands published under ``graph_id`` (row of ``publish.standing``), or None."""
    rows = settled_rows(connection, "publish.standing", lambda tx: tx.run("publish.standing", graph_id=graph_id))
    return rows[0] if rows else None


def _repeated(name: str, between: Callable[[], tuple[T, bool]]) -> T:
    for repeat in range(TRIES):
        answer, quiet = between()
        if quiet:
            return answer
        time.sleep(PAUSE_S * min(repeat, 10))
    raise StoreError(f"{name}: graphs were published during each of {TRIES} tries to answer; ask again when fewer writers are at work")
