"""A study out of the database, and nothing else.

1. Take every slot of the study as a writer does: one that lives is waited for, a dead one is fenced off.
2. In one transaction: no slot of the study shows anything any more, its findings are gone. Whoever reads meets the whole study
   or none of it. Versions that slots of other studies show as well stay as they are, with their partitions and analyses.
3. Free what nobody can see, in small transactions (:mod:`roicg.store.neo4j.collect`), then the names of the study.

A process that ends after 2 leaves what ``roicg gc`` removes; calling it again goes on where it stopped.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from roicg.core.errors import PublishConflict, StoreError
from roicg.store.neo4j.collect import collect
from roicg.store.neo4j.driver import Connection, Transaction
from roicg.store.neo4j.publish import POLL_S, PublishRules
from roicg.store.neo4j.writer import is_known_dead, writing

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore

Progress = Callable[[str], None]
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Deleted:
    """What is gone: slots, graphs that no slot showed any more, and tables; ``kept``: graphs that other studies go on showing."""

    study: str
    slots: int = 0
    graphs: int = 0
    kept: int = 0
    tables: int = 0


def study_extent(connection: Connection, study: str) -> dict[str, int]:
    """What would be removed with ``study``, by kind; an unknown study is a ``StoreError`` with the known ones."""
    rows = connection.read("move.extent", study=study)
    if not rows:
        known = [row["study"] for row in connection.read("move.studies")]
        raise StoreError(f"no study {study!r:.100} is at {connection.address.uri}; there are: {', '.join(known[:20]) or 'none'}")
    return {row["kind"]: row["n"] for row in rows}


def delete_study(store: "Neo4jStore", study: str, *, progress: Progress | None = None) -> Deleted:
    """Remove ``study`` by the steps of this module; ``PublishConflict`` while somebody publishes in it, ``StoreError`` if there is none."""
    say = progress or (lambda _: None)
    store.ensure_schema()
    connection, rules = store.connection, store.rules
    study_extent(connection, study)
    say("taking it out of sight")
    with writing() as run:
        hidden = _hide(connection, study, run, rules)
    slots = [row["slot"] for row in connection.read("move.unseen", study=study)]
    for place, slot in enumerate(slots):
        say(f"freeing {place + 1} of {len(slots)} slots")
        collect(connection, slot=slot, expiry_s=rules.expiry_s, grace_s=0)
    connection.write("move.forget", study=study)
    return hidden


def _hide(connection: Connection, study: str, run: str, rules: PublishRules) -> Deleted:
    """Steps 1 and 2, from the beginning where the study got a new slot meanwhile."""
    for _ in range(_TRIES):
        slots = connection.read("move.held", study=study)
        held: list[str] = []
        try:
            for row in slots:
                _take(connection, study, row, run, rules)
                held.append(row["slot"])
            rows = connection.transaction("move.hide", _hiding(study, run, held))
            if rows:
                return Deleted(study, *(rows[0][name] for name in ("hidden", "superseded", "kept", "tables")))
        finally:
            with contextlib.suppress(StoreError):
                for slot in held:
                    connection.write("publish.release", slot=slot, run=run)
    raise PublishConflict(f"study {study!r} is being published to; end what writes to it, and delete it then")


def _hiding(study: str, run: str, slots: list[str]) -> Callable[[Transaction], list[dict[str, Any]]]:
    def hide(tx: Transaction) -> list[dict[str, Any]]:
        tx.run("publish.turn")
        return tx.run("move.hide", study=study, run=run, slots=slots)

    return hide


def _take(connection: Connection, study: str, row: dict[str, Any], run: str, rules: PublishRules) -> None:
    """Step 1 for one slot."""
    place = {name: row[name] for name in ("slot", "model", "label", "step", "partition", "path")}
    dead, deadline = "", time.monotonic() + rules.wait_s
    while True:
        asked = {**place, "study": study, "run": run, "dead": dead, "expiry_s": rules.expiry_s}
        found = connection.write("publish.lock", **asked)[0]
        if found["holder"] == run:
            connection.write("publish.fence", slot=row["slot"], run=run)
            return
        if is_known_dead(found["holder"]) and found["holder"] != dead:
            dead = found["holder"]
            continue
        if time.monotonic() >= deadline:
            raise PublishConflict(
                f"another writer ({found['holder'].rpartition(':')[0]}) is publishing in slot {row['slot']}, last heard of {found['age_s']} s ago; "
                "nothing was removed, try again when it has finished"
            )
        time.sleep(POLL_S)
