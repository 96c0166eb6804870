"""Answers that no publication disturbed.

Neo4j shows a commit to readers while it is being applied: in the instant of a flip a slot may be met without any version, and a
question of several statements may meet the old version in one and the new one in another. So everything that is asked of what
slots show is asked between two looks at what they show; when these differ, or find a version on its way, it is asked again. Where
a question names slots, only those of the same models count: whoever publishes another model disturbs nobody.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from roicg.core.errors import StoreError
from roicg.store.neo4j.driver import Connection, Rows, Transaction

TRIES = 40
PAUSE_S = 0.02
LASTING = 6
"""A version that this many tries (a third of a second) find on its way is not: the database is damaged, ``verify`` says where, and questions are answered."""
T = TypeVar("T")


def scope(params: Mapping[str, Any]) -> str:
    """Beginning of the keys of all slots that a question with these parameters may read: of the model, or the study, whose slots it names."""
    named = [value for name, value in params.items() if name.startswith("slot") and isinstance(value, str)]
    for end in ("@", "|"):
        beginnings = {value.partition(end)[0] + end for value in named}
        if len(beginnings) == 1:
            return beginnings.pop()
    return ""


def settled_rows(connection: Connection, name: str, work: Callable[[Transaction], Rows], prefix: str = "") -> Rows:
    """Rows of ``work``, reading queries in one transaction called ``name`` during which nothing was published in slots with ``prefix``."""

    def between(tx: Transaction) -> tuple[Rows, Rows, Rows]:
        before = tx.run("house.shown", prefix=prefix)
        rows = work(tx)
        return rows, before, tx.run("house.shown", prefix=prefix)

    return _repeated(name, lambda: connection.reading(name, between))


def settled(connection: Connection, name: str, work: Callable[[], T], prefix: str = "") -> T:
    """The answer of ``work``, which may use several transactions, during which nothing was published in slots with ``prefix``."""

    def between() -> tuple[T, Rows, Rows]:
        before = connection.read("house.shown", prefix=prefix)
        answer = work()
        return answer, before, connection.read("house.shown", prefix=prefix)

    return _repeated(name, between)


def standing_version(connection: Connection, graph_id: str) -> dict[str, Any] | None:
    """What stands published under ``graph_id`` (row of ``publish.standing``), or None."""
    rows = settled_rows(connection, "publish.standing", lambda tx: tx.run("publish.standing", graph_id=graph_id))
    return rows[0] if rows else None


def _repeated(name: str, between: Callable[[], tuple[T, Rows, Rows]]) -> T:
    """The answer of ``between`` whose looks before and after agree."""
    for repeat in range(TRIES):
        answer, before, after = between()
        if before == after and (not before[0]["moving"] or repeat >= LASTING):
            return answer
        time.sleep(PAUSE_S * min(repeat + 1, 10))
    raise StoreError(f"{name}: graphs were published during each of {TRIES} tries to answer; ask again when fewer writers are at work")
