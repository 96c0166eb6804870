"""A study as CSV for ``neo4j-admin database import full``: a database made in one go, without a server, for the very first load.

The nodes and relationships of the study are written as they lie in the database, numbers of versions included, so that what is
imported is the same study in a database of its own. Versions are read back and checked as for a bundle. The tool fills only an
empty database that no server serves; the schema is applied by the first command that writes.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from roicg.core.errors import StoreError
from roicg.store.bundle.bulk import CsvFiles
from roicg.store.bundle.files import written_whole
from roicg.store.neo4j.driver import Connection, Rows
from roicg.store.neo4j.export_study import Exported, sound_version, study_slots
from roicg.store.neo4j.rows import EdgeRows
from roicg.store.registry import find_query

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore

AFTER = "move.mend_lists"
_README = """\
{study}, written by roicg for neo4j-admin. In this folder, with the server stopped and its database empty:

    neo4j-admin database import full neo4j @import.args

Then start the server and give back what the tool cannot import (lists that are empty), make constraints and indexes, and look:

    roicg cypher --write "$(cat after.cypher)"
    roicg gc
    roicg verify
"""


def export_csv(store: "Neo4jStore", study: str, out: Path) -> Exported:
    """Write ``study`` to the new folder ``out``; nothing is left there when anything goes wrong."""
    if out.suffix == ".tar":
        raise StoreError(f"CSV for neo4j-admin is a folder, given {out}")
    connection = store.connection
    shown = study_slots(connection, study)
    numbers = {row["number"] for row in shown}
    foreign = _foreign_analyses(connection, numbers)
    with written_whole(out) as folder:
        with CsvFiles(folder) as files:
            _nodes(files, connection.read("move.study_nodes", study=study), foreign)
            for number in sorted(numbers):
                _nodes(files, connection.read("move.version_nodes", number=number), foreign)
            for number in sorted(numbers):
                _links(files, connection.read("move.version_links", number=number), foreign)
                _edges(files, connection, number)
            _links(files, connection.read("move.study_links", study=study), foreign)
        for name, text in (("import.args", files.arguments()), ("after.cypher", find_query(AFTER).text), ("README.txt", _README.format(study=study))):
            (folder / name).write_text(text, encoding="utf-8")
        if study_slots(connection, study) != shown:
            raise StoreError(f"study {study!r} was published to while it was exported; nothing was written, export again")
    return Exported(study, out, files.counts, len(foreign))


def _foreign_analyses(connection: Connection, numbers: set[int]) -> set[str]:
    """Ids of analyses that are also of versions of other studies."""
    rows = [row for number in numbers for row in connection.read("move.analyses", number=number)]
    return {row["analysis"] for row in rows if not set(row["numbers"]) <= numbers}


def _nodes(files: CsvFiles, rows: Rows, foreign: set[str]) -> None:
    for row in rows:
        properties = row["properties"]
        analysis = properties.get("id") if row["label"] == "Analysis" else str(properties.get("key", "")).partition("|")[0]
        if analysis not in foreign:
            files.node(row["label"], row["id"], properties)


def _links(files: CsvFiles, rows: Rows, foreign: set[str]) -> None:
    for row in rows:
        if row["properties"].get("analysis") not in foreign:
            files.link(row["type"], row["id"], row["start"], row["end"], row["properties"])


def _edges(files: CsvFiles, connection: Connection, number: int) -> None:
    graph = sound_version(connection, number)
    rois = {row["properties"]["name"]: files.place(row["id"]) for row in connection.read("move.version_nodes", number=number) if row["label"] == "ROI"}
    for row in EdgeRows(graph)[:]:
        files.edge("EDGE", rois[row["source"]], rois[row["target"]], row | {"graph": number, "strength": abs(row["weight"])})
