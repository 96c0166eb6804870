"""Analyses and findings read from the database as a bundle holds them, and written back under the ids that they have there.

Their ids in the database are digests with the numbers of versions in them; numbers are given anew on import, so ids are too,
by the formula of whoever made the analysis: asked again, a question finds its answer instead of adding a second one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from roicg.core.errors import StoreError
from roicg.core.ids import digest
from roicg.store.bundle.analyses import Analysis, circuit_row, community_row, match_row
from roicg.store.bundle.columns import Row
from roicg.store.neo4j import communities, comparisons, curves, roles
from roicg.store.neo4j.driver import Connection, Rows, Transaction
from roicg.store.neo4j.settled import standing_version

DIVISIONS = (communities.KIND, roles.KIND)
MATCHES = (comparisons.KIND, comparisons.BY_SIGNATURE)
_NAMES = ("id", "kind", "params", "created", "fresh")
"""What is written on every analysis; anything else is its own figures."""


def read_analyses(connection: Connection, graphs: Mapping[int, str]) -> tuple[tuple[Analysis, ...], int]:
    """The analyses of these versions (number → graph id), by name, and how many were left out because other versions are part of them."""
    heads: dict[str, Row] = {}
    for number in graphs:
        heads |= {row["analysis"]: row for row in connection.read("move.analyses", number=number)}
    own = [row for row in heads.values() if set(row["numbers"]) <= graphs.keys()]
    found = [_read_analysis(connection, row, graphs) for row in own]
    return tuple(sorted(found, key=lambda one: one.name)), len(heads) - len(own)


def _read_analysis(connection: Connection, head: Row, graphs: Mapping[int, str]) -> Analysis:
    id_, kind, numbers = head["analysis"], head["kind"], list(head["numbers"])
    properties = {name: value for name, value in head["properties"].items() if name not in _NAMES}
    rows: dict[str, Any] = {}
    if kind == curves.KIND:
        rows["circuits"] = tuple(circuit_row(row["circuit"]) for row in connection.read("move.circuits", analysis=id_))
    elif kind in DIVISIONS:
        rows["communities"] = tuple(community_row(row["community"], row["rois"]) for row in connection.read("move.communities", analysis=id_))
    elif kind in MATCHES:
        numbers, rows["matches"] = _read_matches(connection, id_, numbers)
    else:
        raise StoreError(f"analysis {id_[:12]} is of the kind {kind!r}, which bundles of this roicg do not carry; export with the roicg that wrote it")
    return Analysis(kind, head["params"], tuple(graphs[number] for number in numbers), properties, **rows)


def _read_matches(connection: Connection, analysis: str, numbers: Sequence[int]) -> tuple[list[int], tuple[Row, ...]]:
    """The two versions in the order of the matches between them (by step where nothing matched), and the matches."""
    for number in numbers:
        rows = connection.read("move.matches", analysis=analysis, number=number)
        if rows:
            return [number, rows[0]["other"]], tuple(match_row(row["a"], row["b"], row["match"]) for row in rows)
    return list(numbers), ()


def read_findings(connection: Connection, study: str) -> list[Row]:
    """Rows of the table ``findings``."""
    rows: list[Row] = []
    for row in connection.read("findings.tables", study=study):
        place = sum(other["finding"] == row["finding"] for other in rows)
        rows.append({"finding": row["finding"], "place": place} | {name: row[name] for name in ("name", "title", "columns", "rows", "note")})
    return rows


def put_findings(connection: Connection, study: str, rows: Sequence[Row]) -> int:
    """Write the findings that differ from those the study has, each with all its tables in one transaction; the tables written."""
    standing, written = _by_finding(read_findings(connection, study)), 0
    for finding, tables in _by_finding(rows).items():
        if standing.get(finding) != tables:
            values = [{name: row[name] for name in ("name", "title", "columns", "rows", "note")} for row in tables]
            written += int(connection.write("findings.record", study=study, finding=finding, tables=values)[0]["written"])
    return written


def _by_finding(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row["finding"], row["place"])):
        found.setdefault(row["finding"], []).append(row)
    return found


def put_analysis(connection: Connection, one: Analysis) -> bool:
    """Add ``one`` to the published graphs that it is of, in one transaction; False if it was there already."""
    if one.kind == curves.KIND:
        return curves.put_curves(connection, one.graphs[0], one.curves()) > 0
    numbers = [_number(connection, graph) for graph in one.graphs]
    id_ = _id(one, numbers)

    def write(tx: Transaction) -> bool:
        found = [
            tx.run("load.analysis", graph_id=graph, number=number, id=id_, kind=one.kind, params=one.params)
            for graph, number in zip(one.graphs, numbers, strict=True)
        ]
        if not all(found):
            raise StoreError(f"graph {one.graphs[0]!r} was published anew while an analysis of it was imported; import again")
        fresh = bool(found[0][0]["fresh"])
        if fresh:
            _record(tx, one, id_, numbers)
        return fresh

    return connection.transaction("load.analysis", write)


def _id(one: Analysis, numbers: Sequence[int]) -> str:
    """The id that the analysis would have been given here."""
    return digest(one.kind, one.params, *(part for pair in zip(one.graphs, numbers, strict=True) for part in pair))


def _record(tx: Transaction, one: Analysis, id_: str, numbers: Sequence[int]) -> Rows:
    if one.kind in DIVISIONS:
        groups = [{"rois": row["rois"]} for row in sorted(one.communities, key=lambda row: row["index"])]
        return tx.run("structure.record_communities", analysis=id_, number=numbers[0], verdict=one.verdict(), communities=groups) if groups else []
    given: dict[str, Any] = {"analysis": id_, "number_a": numbers[0], "number_b": numbers[1]}
    if one.kind == comparisons.KIND:
        return tx.run("compare.record_matches", **given, rows=[{name: row[name] for name in ("a", "b", "jaccard")} for row in one.matches])
    rows = [{name: row[name] for name in ("a", "b", "signature", "assigned")} for row in one.matches]
    return tx.run("compare.record_signatures", **given, rows=rows, verdict=dict(one.properties))


def _number(connection: Connection, graph: str) -> int:
    standing = standing_version(connection, graph)
    if standing is None:
        raise StoreError(f"graph {graph!r} is no longer published, so that no analysis of it can be imported; import again")
    return int(standing["number"])
