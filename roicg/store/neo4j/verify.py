"""The audit behind ``roicg verify``.

1. Every published version is read whole and compared with the figures noted when it was written: counts, sums, content hash,
   ranks, flows.
2. Edges are asked whether they fit themselves, their ends and their version.
3. Nothing may hang loose: second publications, orphans, matches without analysis, blocks without their features.
4. Staged versions of writers that are gone are named.
5. With a witness, everything of 1 is read again by another Bolt implementation and must give the same tally.
"""

from typing import TYPE_CHECKING

from roicg.core.errors import LawError, StoreError, StoreUnreachable
from roicg.core.graph import ComputationalGraph
from roicg.store.neo4j.driver import Connection
from roicg.store.neo4j.read import read_version
from roicg.store.neo4j.rows import version_steps
from roicg.store.protocol import Slot
from roicg.store.verify import Finding, Tally, check_against, graph_tally

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore


def verify(store: "Neo4jStore", *, witness: bool = False) -> list[Finding]:
    """The numbered steps of this module; an empty list means that all is well."""
    connection = store.connection
    found, tallies = _versions(connection)
    for row in connection.read("house.crooked"):
        found.append(Finding("edge", f"version {row['number']}", f"{row['edges']} edges: {row['problem']}, like {row['example']}"))
    for row in connection.read("house.loose"):
        found.append(Finding("loose", row["name"], row["kind"] + (f" ({row['n']})" if row["n"] > 1 else "")))
    for row in connection.read("house.thin"):
        found.append(Finding("feature", row["block"], f"holds {row['held']} of its {row['said']} features"))
    for row in connection.read("house.leftovers", expiry_s=store.rules.expiry_s):
        if row["status"] != "staged":
            continue
        problem = f"staged with {row['rows']} rows by a writer that is gone; the next publication in this slot, or gc, removes it"
        found.append(Finding("leftover", f"version {row['number']} (slot {row['slot']})", problem))
    if witness:
        found += _witness(store, tallies)
    return found


def _versions(connection: Connection) -> tuple[list[Finding], dict[int, Tally]]:
    """Step 1; tallies by version number are kept for the witness."""
    found: list[Finding] = []
    tallies: dict[int, Tally] = {}
    numbers = {row["number"]: row["slot"] for row in connection.read("house.published") if row["status"] == "published"}
    for number, slot in sorted(numbers.items()):
        rows = connection.read("house.version", number=number)
        if not rows:
            continue
        try:
            graph = read_version(connection, number)
        except StoreUnreachable:
            raise
        except (StoreError, LawError) as error:
            found.append(Finding("content", f"version {number} (slot {slot})", str(error)))
            continue
        found += check_against(graph, rows[0]["version"])
        found += _flows(connection, number, graph)
        tallies[number] = graph_tally(graph)
    return found, tallies


def _flows(connection: Connection, number: int, graph: ComputationalGraph) -> list[Finding]:
    """Flows are derived from edges: stored ones must be what the edges give, to the bit, for both are summed in one order."""
    checkpoint = graph.checkpoint
    place = Slot("", checkpoint.model, checkpoint.label, checkpoint.step, graph.partition.kind, "")
    (step,) = (step for step in version_steps(graph, place, number) if step.query == "load.flows")
    stored = {(row["roi"], row["task"]): (row["inflow"], row["outflow"]) for row in connection.read("house.flows", number=number)}
    expected = {(row["roi"], row["task"]): (row["inflow"], row["outflow"]) for row in step.rows}
    odd = sorted(key for key in stored.keys() | expected.keys() if stored.get(key) != expected.get(key))
    if not odd:
        return []
    return [Finding("flow", f"version {number}", f"{len(odd)} flows are not the sums of their edges, like that of {odd[0][0]} for {odd[0][1]}")]


def _witness(store: "Neo4jStore", tallies: dict[int, Tally]) -> list[Finding]:
    """Step 5."""
    from roicg.store.witness import witness

    seen = witness(store.address, list(tallies))
    return [
        Finding("witness", f"version {number}", f"py2neo reads {seen.get(number)}, the driver {expected}")
        for number, expected in tallies.items()
        if seen.get(number) != expected
    ]
