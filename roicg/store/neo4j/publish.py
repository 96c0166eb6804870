"""Publish a graph so that nobody ever sees a part of it.

0. One look: where the slot shows this very content, nobody is at work on it and nothing is to be collected, there is nothing to do.
1. Take the slot: its row names the writer and carries a heartbeat by the server's clock. A writer that lives is waited for;
   one that is dead, or silent for longer than ``expiry_s``, is fenced off (its staged version loses its ``run``).
2. Look what stands: the same id with the same content is left alone, within rounding too, else refused unless told to replace.
3. Stage a version with a number of its own, which no slot shows.
4. Load it in batches of rows, whatever they are rows of. Each transaction first proves that the version is still ours and
   advances ``rows_done``, so that it takes effect exactly once or, fenced off, not at all. A batch too big for the server's
   memory is halved.
5. Read everything back and compare every bit; the heart beats meanwhile.
6. Flip: in one transaction the slot shows the new version and the old one is superseded. One flip happens at a time, and what
   stood in 2 must stand still, else 2 is asked again.
7. Collect what earlier writers left in this slot; superseded versions stay for a while for those who read them.

Whatever ends the process before 6 leaves a staged version that no reading query meets and that 7 removes next time.
Every transaction may be repeated after its answer was lost: it sees that it was committed, and changes nothing.
Rows are locked (written to) before they are asked: what was read while another writer held them does not count.
"""

import contextlib
import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from roicg.core.errors import PublishConflict, RoicgError, StoreError
from roicg.core.graph import ComputationalGraph
from roicg.store.neo4j.collect import collect
from roicg.store.neo4j.driver import Connection, Transaction, TransactionMemoryFull
from roicg.store.neo4j.read import read_version
from roicg.store.neo4j.rows import Step, between, grouped, partition_id, partition_steps, version_row, version_steps
from roicg.store.neo4j.writer import is_known_dead, writing
from roicg.store.protocol import Outcome, PublishResult, Slot
from roicg.store.stored import check_ranks, differences, judge, to_json

POLL_S = 0.5
_JUDGEMENTS = 5


@dataclass(frozen=True, slots=True)
class PublishRules:
    """Rows of one transaction, seconds after which a silent writer no longer holds a slot, how long to wait for one that lives,
    and how long a superseded version stays. ``on_batch`` hears the rows written so far."""

    batch: int = 10_000
    expiry_s: int = 60
    wait_s: float = 75.0
    grace_s: int = 120
    on_batch: Callable[[int], None] | None = None


@dataclass(frozen=True, slots=True)
class _Staged:
    slot: str
    number: int
    id: str
    run: str


class _Overtaken(Exception):
    """Another version of this graph id was published between the judgement and the flip."""


class Publication:
    """One graph on its way into one slot."""

    def __init__(self, connection: Connection, graph: ComputationalGraph, slot: Slot, rules: PublishRules) -> None:
        slot.check(graph)
        check_ranks(graph)
        self._connection, self._graph, self._slot, self._rules = connection, graph, slot, rules
        self._hash = graph.content_hash
        self._run = ""
        self._beaten = time.monotonic()

    def publish(self, *, replace: bool) -> PublishResult:
        """The numbered steps of this module; raises ``PublishConflict`` when refused or fenced off."""
        stands = self._connection.read("publish.stands", slot=self._slot.key, graph_id=self._graph.id, content_hash=self._hash, grace_s=self._rules.grace_s)
        if stands:
            return self._result("unchanged", stands[0]["number"], self._hash)
        with writing() as self._run:
            self._take_slot()
            try:
                result = self._judge_and_publish(replace)
            finally:
                with contextlib.suppress(StoreError):
                    self._connection.write("publish.release", slot=self._slot.key, run=self._run)
        collect(self._connection, slot=self._slot.key, expiry_s=self._rules.expiry_s, grace_s=self._rules.grace_s)
        return result

    def _judge_and_publish(self, replace: bool) -> PublishResult:
        """Steps 2 to 6, from the beginning when another writer was faster with this graph id; what was staged stays for 7."""
        for _ in range(_JUDGEMENTS):
            try:
                return self._publish(replace)
            except _Overtaken:
                continue
        raise PublishConflict(f"graph {self._graph.id[:12]} was published anew by others {_JUDGEMENTS} times meanwhile; publish it from one place")

    def _publish(self, replace: bool) -> PublishResult:
        outcome, standing = self._judge(replace)
        judged = standing.get("number")
        if outcome in ("unchanged", "reproduced"):
            if self._slot.key in standing["slots"]:
                return self._result(outcome, standing["number"], standing["content_hash"])
            self._flip("publish.link", standing["number"], judged)
            return self._result("published", standing["number"], standing["content_hash"])
        staged = self._stage_and_load()
        self._verify(staged)
        self._flip("publish.flip", staged.number, judged)
        return self._result(outcome, staged.number, self._hash)

    def _take_slot(self) -> None:
        """Step 1."""
        slot, rules, dead = self._slot, self._rules, ""
        deadline = time.monotonic() + rules.wait_s

        def ask(tx: Transaction) -> dict[str, Any]:
            row = tx.run("publish.lock", slot=slot.key, **asdict(slot), run=self._run, dead=dead, expiry_s=rules.expiry_s)[0]
            if row["holder"] == self._run:
                tx.run("publish.fence", slot=slot.key, run=self._run)
            return row

        while (row := self._connection.transaction("publish.lock", ask))["holder"] != self._run:
            if is_known_dead(row["holder"]) and row["holder"] != dead:
                dead = row["holder"]
                continue
            if time.monotonic() >= deadline:
                raise PublishConflict(
                    f"another writer ({row['holder'].rpartition(':')[0]}) is publishing in slot {slot.key}, last heard of {row['age_s']} s ago; "
                    f"try again when it has finished (a silent one loses the slot after {rules.expiry_s} s)"
                )
            time.sleep(POLL_S)

    def _judge(self, replace: bool) -> tuple[Outcome, dict[str, Any]]:
        """Step 2."""
        found = self._connection.read("publish.standing", graph_id=self._graph.id)
        if not found:
            return "published", {}
        standing = found[0]
        same = standing["content_hash"] == self._hash
        old = None if same else read_version(self._connection, standing["number"], self._beat)
        return judge(self._graph, old, same_hash=same, replace=replace), standing

    def _stage_and_load(self) -> _Staged:
        """Steps 3 and 4."""
        graph, slot = self._graph, self._slot
        partition = {"id": partition_id(slot, graph.partition), "kind": graph.partition.kind, "settings": to_json(dict(graph.partition.settings))}

        def stage(tx: Transaction) -> list[dict[str, Any]]:
            tx.run("load.tasks", study=slot.study, names=list(graph.edges.tasks))
            return tx.run("publish.stage", slot=slot.key, run=self._run, version=version_row(graph, self._hash), partition=partition)

        row = _first(self._connection.transaction("publish.stage", stage), slot)
        staged, done = _Staged(slot.key, row["number"], graph.id, self._run), 0
        if not row["partition_complete"]:
            done = self._load(staged, partition_steps(graph, slot), done)
            self._complete(staged, partition["id"], done)
        self._load(staged, version_steps(graph, slot, staged.number), done)
        return staged

    def _load(self, staged: _Staged, steps: Sequence[Step], done: int) -> int:
        """Load ``steps``, one after the other, after ``done`` rows; returns the rows written in total.

        A batch is whatever rows come next: the end of one step and the beginning of another share a transaction.
        """
        position, size, total = 0, self._rules.batch, sum(len(step.rows) for step in steps)
        while position < total:
            part = between(steps, position, position + size)
            n = sum(len(step.rows) for step in part)
            try:
                self._connection.transaction(part[-1].query, functools.partial(self._batch, staged=staged, part=part, before=done, n=n))
            except TransactionMemoryFull as error:
                if size == 1:
                    raise StoreError(f"the database has no memory for a single row ({error}); give it more heap (server.memory.heap.max_size)") from error
                size = max(1, min(size, n) // 2)
                continue
            position += n
            done += n
            if self._rules.on_batch:
                self._rules.on_batch(done)
        return done

    def _complete(self, staged: _Staged, partition: str, done: int) -> None:
        """Say that the partition is whole, while the proof holds that our version uses it: else its blocks may be going already."""

        def mark(tx: Transaction) -> None:
            _first(tx.run("publish.advance", **asdict(staged), before=done, rows=0), self._slot)
            tx.run("load.partition_complete", partition=partition)

        self._connection.transaction("load.partition_complete", mark)

    def _beat(self) -> None:
        """A sign of life, if the last is a tenth of the expiry old; ``PublishConflict`` when the slot is no longer ours."""
        if time.monotonic() - self._beaten >= self._rules.expiry_s / 10:
            self._prove()

    def _prove(self) -> None:
        """A sign of life; ``PublishConflict`` when the slot is no longer ours."""

        def beat(tx: Transaction) -> None:
            _first(tx.run("publish.beat", slot=self._slot.key, run=self._run), self._slot)

        self._connection.transaction("publish.beat", beat)
        self._beaten = time.monotonic()

    def _batch(self, tx: Transaction, *, staged: _Staged, part: Sequence[Step], before: int, n: int) -> None:
        """One transaction: proof, then the ``n`` rows. Runs again after a lost connection; what was committed then is seen and left."""
        row = _first(tx.run("publish.advance", **asdict(staged), before=before, rows=n), self._slot)
        if row["done"] == before + n:
            return
        if row["done"] != before:
            raise PublishConflict(f"version {staged.number} holds {row['done']} rows where {before} were expected; another writer wrote to it")
        for step in part:
            rows = {"groups": grouped(step.rows)} if step.query == "load.edges" else {"rows": step.rows}
            written = tx.run(step.query, **rows, **step.fixed)[0]["written"]
            if written != len(step.rows):
                raise StoreError(f"{step.query} wrote {written} of {len(step.rows)} rows of version {staged.number}; nothing is published, run it again")

    def _verify(self, staged: _Staged) -> None:
        """Step 5. Whoever has taken the slot meanwhile may have removed the version while it was read back: that is said first."""
        try:
            odd = differences(self._graph, read_version(self._connection, staged.number, self._beat))
        except RoicgError:
            self._prove()
            raise
        if odd:
            self._prove()
            raise StoreError(f"version {staged.number} came back from the database with other {', '.join(odd)} than was written; nothing is published")

    def _flip(self, query: str, number: int, judged: int | None) -> None:
        """Step 6; the checkpoint's scores and place in the chain change in the same transaction. ``judged``: what stood in step 2."""
        slot, graph = self._slot, self._graph

        def flip(tx: Transaction) -> None:
            tx.run("publish.turn")
            standing = tx.run("publish.standing", graph_id=graph.id)
            now = standing[0]["number"] if standing else None
            if now == number and slot.key in standing[0]["slots"]:
                return  # the answer of the first try got lost
            if now != judged:
                raise _Overtaken
            _first(tx.run(query, slot=slot.key, number=number, run=self._run), slot)
            tx.run("publish.score", slot=slot.key, weights_digest=graph.checkpoint.weights_digest, scores=[asdict(score) for score in graph.scores])
            tx.run("publish.chain", slot=slot.key)

        self._connection.transaction(query, flip)

    def _result(self, outcome: Outcome, number: int, content_hash: str) -> PublishResult:
        return PublishResult(outcome, self._graph.id, content_hash, number, self._slot.key, len(self._graph.edges))


def _first(rows: list[dict[str, Any]], slot: Slot) -> dict[str, Any]:
    """The row that proves that the slot is still ours."""
    if not rows:
        raise PublishConflict(f"a newer writer has taken slot {slot.key}; this one stops and has published nothing")
    return rows[0]
