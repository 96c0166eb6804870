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
from roicg.store.neo4j.driver import Connection

TRIES = 40
PAUSE_S = 0.02
LASTING = 6
"""A version that this many tries (a third of a second) find on its way is not: the database is damaged, ``verify`` says where, and questions are answered."""
REMEMBERED_S = 1.0
T = TypeVar("T")


def scope(params: Mapping[str, Any]) -> str:
    """Beginning of the keys of all slots that a question with these parameters may read: of the model, or the study, whose slots it names."""
    named = [value for name, value in params.items() if name.startswith("slot") and isinstance(value, str)]
    for end in ("@", "|"):
        beginnings = {value.partition(end)[0] + end for value in named}
        if len(beginnings) == 1:
            return beginnings.pop()
    return ""


def settled(connection: Connection, name: str, work: Callable[[], T], prefix: str = "") -> T:
    """The answer of ``work``, the question called ``name``, during which nothing was published in slots with ``prefix``; ``StoreError`` after ``TRIES``.

    The look after one question serves as the look before the next, if that is asked within ``REMEMBERED_S``: what was not published since
    then was not published during the question either.
    """
    at, before = connection.looks.get(prefix, (-REMEMBERED_S, []))
    if time.monotonic() - at >= REMEMBERED_S:
        before = connection.read("house.shown", prefix=prefix)
    for repeat in range(TRIES):
        time.sleep(PAUSE_S * min(repeat, 10))
        answer, after = work(), connection.read("house.shown", prefix=prefix)
        connection.looks[prefix] = time.monotonic(), after
        if before == after and (not after[0]["moving"] or repeat >= LASTING):
            return answer
        before = after
    raise StoreError(f"{name}: graphs were published during each of {TRIES} tries to answer; ask again when fewer writers are at work")


def standing_version(connection: Connection, graph_id: str) -> dict[str, Any] | None:
    """What stands published under ``graph_id`` (row of ``publish.standing``), or None."""
    rows = settled(connection, "publish.standing", lambda: connection.read("publish.standing", graph_id=graph_id))
    return rows[0] if rows else None
