"""The graph store under a year of checkpoints: load rate beside the bare driver, latency of questions, size, collection, publishing again."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any

import neo4j
import numpy as np
import pytest

from roicg.server.address import Address
from roicg.server.embedded import stop
from roicg.store.neo4j.publish import PublishRules
from roicg.store.neo4j.rows import EdgeRows, grouped
from roicg.store.neo4j.store import Neo4jStore
from tests.bench.figures import Figure, keep
from tests.bench.growing import EDGES, MODEL, STUDY, TASKS, grown, slot_of
from tests.server_fixtures import start_embedded, watched_home

CHECKPOINTS = 154
SHOWN = f"{STUDY}|{MODEL}@{{}}|reference|ports"
ROWS = EDGES * len(TASKS)
ONE_SLOT: dict[str, dict[str, Any]] = {
    "circuits.circuit": {"task": "add", "edges": 50},
    "circuits.feeds": {"task": "add", "roi": "m3.r0"},
    "circuits.hubs": {"task": "add"},
    "structure.port_groups": {},
    "tasks.overlap": {},
}
SEQUENCE: dict[str, dict[str, Any]] = {
    "compare.emergence": {},
    "compare.entry_and_exit": {"task": "add"},
    "compare.which_changed_most": {"task": "add"},
}
TIMES = 30
ENDS = "MATCH (a:ROI {{key: $number + '|' + {a}}}) MATCH (b:ROI {{key: $number + '|' + {b}}})"
MADE = (
    "CREATE (a)-[:EDGE {{graph: toInteger($number), source: {r}source{i}, target: {r}target{i}, port: {r}port{i}, task: {r}task{i}, weight: {r}weight{i}, "
    "strength: abs({r}weight{i}), se: {r}se{i}, mean_abs: {r}mean_abs{i}, rank: {r}rank{i}}}]->(b)"
)
SHAPES = {
    "a map per edge": f"UNWIND $rows AS row {ENDS.format(a='row.source', b='row.target')} {MADE.format(r='row.', i='')}",
    "columns": f"UNWIND range(0, size($c.source) - 1) AS i {ENDS.format(a='$c.source[i]', b='$c.target[i]')} {MADE.format(r='$c.', i='[i]')}",
    "grouped by source": (
        "UNWIND $groups AS g MATCH (a:ROI {key: $number + '|' + g.source}) UNWIND range(0, size(g.target) - 1) AS i "
        "MATCH (b:ROI {key: $number + '|' + g.target[i]}) " + MADE.format(r="g.", i="[i]").replace("g.source[i]", "g.source")
    ),
}
"""Shapes of one statement that writes edges; the best of them in batches of 5,000, 10,000 and 20,000 is the bound."""


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Path, Address]]:
    """A server of its own, so that its files are those of this bench."""
    with watched_home() as home:
        yield home, start_embedded(home)


def test_growth(place: tuple[Path, Address]) -> None:
    home, address = place
    loads = Loads()
    with Neo4jStore(address, rules=PublishRules(on_batch=loads.hear)) as store:
        loads.put(store, 0)
        bare, shape = best_bare(address)
        before, size_one = latencies(store, 1), size_of(home, store)
        grown_to: dict[int, dict[str, list[float]]] = {}
        for step in range(1, CHECKPOINTS):
            loads.put(store, step)
            if step + 1 in (CHECKPOINTS // 2, CHECKPOINTS):
                grown_to[step + 1] = {query: timed(partial(store.run, query, slot=SHOWN.format(0), **more), 5) for query, more in SEQUENCE.items()}
        after, size_all = latencies(store, CHECKPOINTS), size_of(home, store)
        figures = [*load_figures(loads, bare, shape), *latency_figures(before, after), *sequence_figures(grown_to)]
        figures += [
            Figure(
                "size of the store per checkpoint, MiB",
                (size_all - size_one) / (CHECKPOINTS - 1) / 2**20,
                note=f"{ROWS:,} edges with their two indexes; after a checkpoint of the server",
            ),
            again(store, float(np.median(loads.whole[1:]))),
            *collection(store, loads),
        ]
    keep("store", figures, "make bench ARGS=tests/bench/bench_store.py")
    assert all(np.isfinite(figure.value) for figure in figures)


class Loads:
    """Seconds of every publication, and of its edges: by the batches that hold nothing else, for the first edges share theirs with other rows."""

    def __init__(self) -> None:
        self.whole: list[float] = []
        self.edges: list[float] = []
        self._heard: list[tuple[int, float]] = []

    def hear(self, done: int) -> None:
        self._heard.append((done, time.perf_counter()))

    def put(self, store: Neo4jStore, step: int, draw: int = 0) -> None:
        graph, self._heard = grown(step, draw), []
        start = time.perf_counter()
        assert store.put(graph, slot_of(graph)).outcome == "published"
        self.whole.append(time.perf_counter() - start)
        last, end = self._heard[-1]
        before, since = next((done, when) for done, when in self._heard if done >= last - ROWS)
        self.edges.append((end - since) * ROWS / (last - before))


def best_bare(address: Address) -> tuple[float, str]:
    """Edges per second of the best shape and batch, to nodes and under indexes like ours, and its name."""
    rows = list(EdgeRows(grown(0)))
    rates: dict[str, float] = {}
    with neo4j.GraphDatabase.driver(address.uri, auth=(address.user, address.password)) as driver, driver.session(database=address.database) as session:
        for at, (name, batch) in enumerate([(name, batch) for _ in range(3) for name in SHAPES for batch in (5000, 10_000, 20_000)]):
            number = 900_000 + at
            keys = [f"{number}|{key}" for key in sorted({row[end] for row in rows for end in ("source", "target")})]
            session.run("UNWIND $keys AS key CREATE (:ROI {key: key})", keys=keys).consume()
            start = time.perf_counter()
            for i in range(0, len(rows), batch):
                session.execute_write(_write, SHAPES[name], {"number": str(number), **shaped(name, rows[i : i + batch])})
            rate = len(rows) / (time.perf_counter() - start)
            rates[f"{name}, {batch:,} at once"] = max(rate, rates.get(f"{name}, {batch:,} at once", 0.0))
            session.run("MATCH (n:ROI) WHERE n.key STARTS WITH $start DETACH DELETE n", start=f"{number}|").consume()
    best = max(rates, key=lambda one: rates[one])
    return rates[best], best


def _write(tx: neo4j.ManagedTransaction, text: str, params: dict[str, Any]) -> None:
    tx.run(text, params).consume()  # type: ignore[arg-type]  # a text of this file


def shaped(name: str, part: list[dict[str, Any]]) -> dict[str, Any]:
    if name == "grouped by source":
        return {"groups": grouped(part)}
    return {"c": {key: [row[key] for row in part] for key in part[0]}} if name == "columns" else {"rows": part}


def timed(call: Callable[[], object], times: int) -> list[float]:
    """Seconds of ``times`` calls after three to warm up."""
    found = []
    for i in range(times + 3):
        start = time.perf_counter()
        call()
        if i >= 3:
            found.append(time.perf_counter() - start)
    return found


def latencies(store: Neo4jStore, published: int) -> dict[str, list[float]]:
    slot = SHOWN.format(published - 1)
    return {query: timed(partial(store.run, query, slot=slot, **more), TIMES) for query, more in ONE_SLOT.items()}


def size_of(home: Path, store: Neo4jStore) -> int:
    """Bytes of the store's files, without the log of transactions; the server stops for it, for then it writes everything down."""
    store.close()
    stop(home)
    size = sum(path.stat().st_size for path in (home / "neo4j" / "data" / "databases").rglob("*") if path.is_file())
    store.address = start_embedded(home)
    return size


def load_figures(loads: Loads, bare: float, shape: str) -> list[Figure]:
    early, late = (float(np.median(part)) for part in (loads.edges[1:16], loads.edges[-15:]))
    slope = f"{ROWS / early:,.0f} edges/s at first, {ROWS / late:,.0f} at last, medians of 15"
    whole = f"{ROWS / float(np.median(loads.whole[1:])):,.0f} edges/s with staging, reading everything back and collection; bare {bare:,.0f} edges/s ({shape})"
    return [
        Figure(
            "load rate / best shape of the bare driver",
            ROWS / min(loads.edges[:16]) / bare,
            0.8,
            at_most=False,
            note=f"{ROWS / min(loads.edges[:16]):,.0f} edges/s, best of 16; {whole}",
        ),
        Figure(f"load rate of the last of {CHECKPOINTS} checkpoints / first", early / late, 0.8, at_most=False, note=slope),
        Figure("publishing a checkpoint, seconds", float(np.median(loads.whole[1:])), note=f"{ROWS:,} edges; p95 {np.percentile(loads.whole[1:], 95):.2f} s"),
    ]


def latency_figures(before: dict[str, list[float]], after: dict[str, list[float]]) -> list[Figure]:
    found = []
    for percent in (50, 95):
        ratios = {query: float(np.percentile(after[query], percent) / np.percentile(before[query], percent)) for query in before}
        worst = max(ratios, key=lambda query: ratios[query])
        told = ", ".join(f"{query} {np.percentile(after[query], percent) * 1e3:.0f} ms" for query in after)
        found.append(
            Figure(
                f"one slot asked among {CHECKPOINTS} / alone, p{percent}, worst of {len(ratios)} queries",
                ratios[worst],
                2,
                note=f"{worst}; among {CHECKPOINTS}: {told}",
            )
        )
    return found


def sequence_figures(grown_to: dict[int, dict[str, list[float]]]) -> list[Figure]:
    (half, fewer), (whole, more) = sorted(grown_to.items())
    found = []
    for query in SEQUENCE:
        a, b = float(np.median(fewer[query])), float(np.median(more[query]))
        found.append(
            Figure(
                f"{query} over {whole} checkpoints, seconds",
                b,
                2,
                note=f"{a:.2f} s over {half}: exponent {np.log(b / a) / np.log(whole / half):.2f} (1 is linear)",
            )
        )
    return found


def again(store: Neo4jStore, once: float) -> Figure:
    """Publishing what stands."""
    graph = grown(0)

    def put() -> None:
        assert store.put(graph, slot_of(graph)).outcome == "unchanged"

    unchanged = float(np.median(timed(put, 5)))
    return Figure("publishing unchanged / publishing", unchanged / once, 0.05, note=f"{unchanged * 1e3:.0f} ms / {once:.2f} s")


def collection(store: Neo4jStore, loads: Loads) -> list[Figure]:
    """Half of all slots get other graphs; then the superseded ones are collected while a reader asks without pause."""
    steps = range(0, CHECKPOINTS, 2)
    for step in steps:
        loads.put(store, step, draw=1)
    stop, odd, waits = Event(), [], []

    def read() -> None:
        with Neo4jStore(store.address) as other:
            while not stop.is_set():
                start = time.perf_counter()
                found = len(other.run("circuits.circuit", slot=SHOWN.format(0), task="add", edges=50))
                waits.append(time.perf_counter() - start)
                if found != 50:
                    odd.append(found)

    reader = Thread(target=read)
    reader.start()
    start = time.perf_counter()
    gone = store.gc(grace_s=0)
    took = time.perf_counter() - start
    stop.set()
    reader.join()
    assert not odd, odd
    note = f"{len(gone.versions)} versions, {sum(one.rows for one in gone.versions):,} rows; a reader asked {len(waits)} times meanwhile, longest {max(waits):.2f} s, every answer whole"
    return [Figure(f"collecting {len(steps)} superseded versions, seconds per version", took / len(steps), note=note)]
