"""What befalls the spare server: sudden death, a transaction larger than its memory, no Graph Data Science."""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import psutil
import pytest

from roicg.core.errors import StoreError, StoreUnreachable
from roicg.server import embedded, health
from roicg.server.address import Address
from roicg.server.credentials import read_password
from roicg.server.home import ServerFiles
from roicg.server.jars import GDS_GROUP, fetch_jars, read_lock
from roicg.server.process import has_ended
from roicg.store.neo4j.publish import PublishRules
from roicg.store.neo4j.store import Neo4jStore
from roicg.store.stored import differences
from roicg.store.verify import verify
from tests.crash.life import BATCH, scaled
from tests.crash.scenarios import cleaned, prepare
from tests.handmade import curves, slot_of
from tests.published import empty
from tests.spare import spare_server
from tests.wide import wide_graph


def killed_server(home: Path, seed: int) -> None:
    """The server is killed while a writer loads, and started again at once: the writer, or the next one, publishes the same."""
    rng = random.Random(seed)
    address = spare_server(home)
    batch, delay = rng.randint(1, 10), rng.random() * 0.05
    pid = embedded.status(home).pid
    assert pid is not None
    process = psutil.Process(pid)
    restarted: list[Address] = []

    def restart() -> None:
        time.sleep(delay)
        os.kill(pid, signal.SIGKILL)
        has_ended(process, within_s=30.0)
        restarted.append(spare_server(home))

    restarter = threading.Thread(target=restart)
    batches = []

    def count(rows: int) -> None:
        batches.append(rows)
        if len(batches) == batch:
            restarter.start()

    graph = scaled(1.0)
    with prepare(address) as store:
        store.rules = PublishRules(batch=BATCH, on_batch=count)
        try:
            said = store.put(graph, slot_of(graph), replace=True).outcome
        except StoreUnreachable as error:
            said = type(error).__name__
        restarter.join(240)
        print(f"  killed {delay * 1000:.0f} ms after batch {batch}: {said}")
        assert restarted == [address]
        store.rules = PublishRules(batch=BATCH)
        # Unreachable while the flip was being committed: nobody knows until it is asked again.
        assert store.put(graph, slot_of(graph), replace=True).outcome in (("unchanged",) if said == "replaced" else ("replaced", "unchanged"))
        assert differences(graph, store.get(graph.id)) == []
        assert store.get(graph.id).content_hash == graph.content_hash
        cleaned(store)


def little_memory(home: Path, seed: int, *, rows: int = 8_000) -> None:
    """A batch that needs more memory than the server has for a transaction is halved until it fits, down to the end."""
    sizes: list[int] = []
    written = [0]

    def note(done: int) -> None:
        sizes.append(done - written[0])
        written[0] = done

    graph = wide_graph(rows, seed)
    with Neo4jStore(empty(spare_server(home)), rules=PublishRules(batch=rows, on_batch=note)) as store:
        assert store.put(graph, slot_of(graph)).outcome == "published"
        print(f"  the largest of {len(sizes)} batches had {max(sizes)} rows of {rows}")
        assert max(sizes) < rows
        assert store.put_curves(graph.id, curves(200)) == 16
        assert differences(graph, store.get(graph.id)) == []
        assert verify(store) == []
        other = wide_graph(rows // 4, seed + 1)
        store.put(other, slot_of(other))
        store.rules = PublishRules(batch=rows)
        assert len(store.gc(grace_s=0).versions) == 1
        assert verify(store) == []


def without_gds(home: Path, folder: Path) -> None:
    """A server without Graph Data Science is refused: what it is, what it lacks, how to get it."""
    lock, jars = read_lock(), fetch_jars()
    for jar in lock.jars:
        if jar.group != GDS_GROUP:
            (folder / jar.name).symlink_to(jars / jar.name)
    with bare_server(home, folder) as address, pytest.raises(StoreError) as refused, Neo4jStore(address) as store:
        store.ids()
    assert f"runs Neo4j {lock.neo4j} without Graph Data Science, and roicg needs 2.13 or later; use `roicg db start`" in str(refused.value)


def answers(address: Address) -> bool:
    """Whether a server is up there, if only without Graph Data Science."""
    try:
        health.check(address.uri, address.user, address.password)
    except StoreError as error:
        return "without the Graph Data Science library" in str(error)
    return True


@contextmanager
def bare_server(home: Path, jars: Path) -> Iterator[Address]:
    """A server on exactly these jars, with an empty folder of plugins; it is stopped at the end."""
    files = ServerFiles.of(home)
    files.root.mkdir(parents=True, exist_ok=True)
    with patch.object(embedded, "_link_plugins", lambda files, jars: [link.unlink() for link in files.plugins.iterdir()]):
        _, record = embedded._spawn_noted(files, jars)
    try:
        address = Address(f"bolt://127.0.0.1:{record.bolt}", "neo4j", read_password(files))
        deadline = time.monotonic() + 240.0
        while not answers(address):
            assert time.monotonic() < deadline
            time.sleep(0.3)
        yield address
    finally:
        embedded.stop(home)
