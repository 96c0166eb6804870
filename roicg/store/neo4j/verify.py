"""The audit behind ``roicg verify``.

1. The schema: every file applied as it is, every constraint and index there and filled.
2. Every published version is read once, in pages, and compared with what was noted when it was written: counts, sums, content
   hash, ranks; its flows with its edges; its edges with themselves and their ends; its ROIs with their blocks.
3. Edges are counted without the index, by the rows of their ends and over the whole database: what 2 did not see is named.
4. Nothing may hang loose: second publications, orphans, matches without analysis, blocks without their features, chains with a gap.
5. What dead writers left is named as such: gc removes it.
6. With a witness, everything of 2 is read again by another Bolt implementation and must give the same tally.

Memory is that of the largest version. Writers may be at work: what is said of a version that is no longer shown is dropped.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from roicg.core.errors import LawError, StoreError, StoreUnreachable
from roicg.core.graph import ComputationalGraph
from roicg.store.neo4j.driver import Connection, Rows
from roicg.store.neo4j.migrations import check_schema, migrations
from roicg.store.neo4j.read import read_back
from roicg.store.neo4j.rows import DERIVABLE, flow_rows
from roicg.store.neo4j.settled import settled
from roicg.store.verify import Finding, Tally, check_against, graph_tally

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore


AUDIT_S = 600.0
"""What looks at the whole database may take longer than a question."""


def verify(store: "Neo4jStore", *, witness: bool = False) -> list[Finding]:
    """The numbered steps of this module; an empty list means that all is well."""
    connection = store.connection
    usual, connection.read_timeout_s = connection.read_timeout_s, max(connection.read_timeout_s, AUDIT_S)
    try:
        return _audit(store, connection, witness)
    finally:
        connection.read_timeout_s = usual


def _audit(store: "Neo4jStore", connection: Connection, witness: bool) -> list[Finding]:
    found = list(_schema(connection))
    shown = {row["number"]: row["slot"] for row in _settled(connection, "house.published") if row["status"] == "published"}
    tallies: dict[int, Tally] = {}
    doubtful: set[int] = set()
    for number, slot in sorted(shown.items()):
        found += _version(connection, number, slot, tallies, doubtful)
    found += _counted(connection, set(shown), doubtful)
    for row in _settled(connection, "house.loose"):
        times = f" ({row['n']})" if row["n"] > 1 else ""
        found.append(Finding("leftover" if row["removable"] else "loose", row["name"], row["kind"] + times))
    for row in connection.read("house.thin", derivable=list(DERIVABLE)):
        found.append(Finding("feature", row["block"], f"holds {row['held']} of its {row['said']} features"))
    for row in connection.read("house.leftovers", expiry_s=store.rules.expiry_s):
        if row["status"] == "staged":
            problem = f"staged with {row['rows']} rows by a writer that is gone; the next publication in this slot, or gc, removes it"
            found.append(Finding("leftover", f"version {row['number']} (slot {row['slot']})", problem))
    if witness:
        found += _witness(store, tallies)
    return found


def _settled(connection: Connection, name: str) -> Rows:
    return settled(connection, name, lambda: connection.read(name))


def _schema(connection: Connection) -> Iterator[Finding]:
    """Step 1."""
    where = f"schema of {connection.address.uri}"
    try:
        state = check_schema(connection)
    except StoreUnreachable:
        raise
    except StoreError as error:
        yield Finding("schema", where, str(error))
        return
    there = {row["name"]: row["state"] for row in connection.read("house.indexes")}
    for migration in migrations()[: state.recorded]:
        if migration.makes and there.get(migration.makes) != "ONLINE":
            what = f"is {there[migration.makes]}" if migration.makes in there else "is not there"
            yield Finding("schema", where, f"{migration.makes} (schema file {migration.number}) {what}, although it was applied")


def _version(connection: Connection, number: int, slot: str, tallies: dict[int, Tally], doubtful: set[int]) -> list[Finding]:
    """Step 2 for one version; its tally is kept for the witness, and whether its edges are in doubt for step 3."""
    where, found, odd = f"version {number}", [], 0
    try:
        back = read_back(connection, number)
        odd = back.odd
        found += check_against(back.graph, back.version)
        found += _flows(connection, number, back.graph)
        tallies[number] = graph_tally(back.graph)
    except StoreUnreachable:
        raise
    except (StoreError, LawError) as error:
        found.append(Finding("content", f"{where} (slot {slot})", str(error)))
    for row in connection.read("house.misplaced", number=number):
        found.append(Finding("block", where, f"ROI {row['roi']} is not in its block of the version's partition, but in {', '.join(row['blocks']) or 'none'}"))
    if (found or odd) and not _is_shown(connection, number):
        tallies.pop(number, None)
        return []
    if found or odd:
        doubtful.add(number)
    return found


def _is_shown(connection: Connection, number: int) -> bool:
    rows = connection.read("house.version", number=number)
    return bool(rows) and rows[0]["version"].get("status") == "published"


def _counted(connection: Connection, shown: set[int], doubtful: set[int]) -> list[Finding]:
    """Step 3: edges counted by degrees; where a version has others than were written, or is doubtful by step 2, each is looked at."""

    def ask() -> tuple[Rows, Rows, int]:
        return connection.read("house.degrees"), connection.read("house.row_counts"), connection.read("house.all_edges")[0]["edges"]

    degrees, versions, everywhere = settled(connection, "house.degrees", ask)
    written = {row["number"]: row["rows"] for row in versions}
    found, staged = [], False
    for row in degrees:
        number, leaving, entering = row["number"], row["leaving"], row["entering"]
        staged = staged or number not in shown
        whole = written.get(number) == leaving == entering
        if number not in shown or (whole and number not in doubtful):
            continue
        named = connection.read("house.crooked", number=number)
        found += [Finding("edge", f"version {number}", f"{row['edges']} edges: {row['problem']}, like {row['example']}") for row in named]
        if not named and not whole:
            found.append(Finding("edge", f"version {number}", f"{leaving} edges leave its ROIs, {entering} enter them, and {written.get(number)} were written"))
    at_rois = sum(row["leaving"] for row in degrees)
    if everywhere != at_rois and not staged:
        found.append(Finding("edge", "database", f"{everywhere} edges are there, {at_rois} of them at the ROIs of a version"))
    return found


def _flows(connection: Connection, number: int, graph: ComputationalGraph) -> list[Finding]:
    """Flows are derived from edges: stored ones must be what the edges give, to the bit, for both are summed in one order."""
    stored = {(row["roi"], row["task"]): (row["inflow"], row["outflow"]) for row in connection.read("house.flows", number=number)}
    expected = {(row["roi"], row["task"]): (row["inflow"], row["outflow"]) for row in flow_rows(graph)}
    odd = sorted(key for key in stored.keys() | expected.keys() if stored.get(key) != expected.get(key))
    if not odd:
        return []
    return [Finding("flow", f"version {number}", f"{len(odd)} flows are not the sums of their edges, like that of {odd[0][0]} for {odd[0][1]}")]


def _witness(store: "Neo4jStore", tallies: dict[int, Tally]) -> list[Finding]:
    """Step 6; a version that is no longer shown has no witness."""
    from roicg.store.witness import witness

    seen = witness(store.address, list(tallies))
    return [
        Finding("witness", f"version {number}", f"py2neo reads {seen.get(number)}, the driver {expected}")
        for number, expected in tallies.items()
        if seen.get(number) != expected and _is_shown(store.connection, number)
    ]
