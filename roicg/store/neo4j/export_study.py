"""A whole study out of the database into a bundle.

1. List what the study's slots show. Versions never change while a slot shows them, so each is read and written by itself.
2. Read each version back and compare it with its own figures: what is not as it was written does not travel.
3. Analyses, findings, manifest last; then the slots are listed again, and a study that changed meanwhile is refused.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from roicg import __version__
from roicg.core.errors import StoreError
from roicg.core.graph import ComputationalGraph
from roicg.core.ids import NUMERICS
from roicg.store.bundle.columns import EDGES, TABLES, Columns, Form, Row, require_form, write_rows
from roicg.store.bundle.files import MANIFEST, FileMark, write_file, written_whole
from roicg.store.bundle.graphs import PARTS, edge_rows, graph_rows
from roicg.store.bundle.manifest import FORMAT, VERSION, BundleFile, BundleGraph, BundleModel, Manifest, edge_file, table_file
from roicg.store.neo4j.carry import read_analyses, read_findings
from roicg.store.neo4j.driver import Connection
from roicg.store.neo4j.read import read_back
from roicg.store.verify import check_against

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore

Progress = Callable[[str], None]
_FOUND = ("circuits", "communities", "matches")


@dataclass(frozen=True, slots=True)
class Exported:
    """What went out; ``left_out``: analyses that are also of graphs of other studies."""

    study: str
    out: Path
    counts: dict[str, int]
    left_out: int


def export_study(store: "Neo4jStore", study: str, out: Path, *, form: Form = "jsonl", progress: Progress | None = None) -> Exported:
    """Write ``study`` as a bundle to ``out``, a new folder or .tar; nothing is left there when anything goes wrong."""
    require_form(form)
    connection = store.connection
    shown = study_slots(connection, study)
    with written_whole(out) as folder:
        writer = _Writer(connection, shown, folder, form)
        writer.graphs(progress)
        left_out = writer.analyses()
        findings = read_findings(connection, study)
        slots = [{"study": study} | {name: row[name] for name in ("model", "label", "step", "partition", "path")} | {"graph": row["graph_id"]} for row in shown]
        writer.tables |= {"slots": slots, "findings": findings}
        manifest = writer.finish(study, store.schema().recorded)
        if study_slots(connection, study) != shown:
            raise StoreError(f"study {study!r} was published to while it was exported; nothing was written, export again")
    return Exported(study, out, manifest.counts, left_out)


def study_slots(connection: Connection, study: str) -> list[Row]:
    """Rows of ``move.slots``; a study that shows nothing is a ``StoreError`` with those that do."""
    rows = connection.read("move.slots", study=study)
    if not rows:
        known = [row["study"] for row in connection.read("move.studies") if row["graphs"]]
        raise StoreError(f"no study {study!r:.100} is published at {connection.address.uri}; published are: {', '.join(known[:20]) or 'none'}")
    return rows


def sound_version(connection: Connection, number: int) -> ComputationalGraph:
    """The graph of version ``number``; ``StoreError`` unless it is as it was written."""
    back = read_back(connection, number)
    odd = check_against(back.graph, back.version)
    if odd or back.odd:
        raise StoreError(f"version {number} is not as it was written ({odd[0] if odd else 'its edges contradict themselves'}); `roicg verify` says more")
    return back.graph


class _Writer:
    """Step 1 to 3 of an export; ``tables`` grow until they are written."""

    def __init__(self, connection: Connection, shown: list[Row], folder: Path, form: Form) -> None:
        self._connection, self._shown, self._folder, self._form = connection, shown, folder, form
        self._numbers = {row["number"]: row["graph_id"] for row in sorted(shown, key=lambda row: str(row["graph_id"]))}
        self._marks: list[FileMark] = []
        self._graphs: list[BundleGraph] = []
        self.tables: dict[str, list[Row]] = {name: [] for name in TABLES}

    def graphs(self, progress: Progress | None) -> None:
        """Every graph, one in memory at a time."""
        for place, (number, graph_id) in enumerate(self._numbers.items()):
            if progress:
                progress(f"graph {place + 1} of {len(self._numbers)}")
            graph = sound_version(self._connection, number)
            if graph.id != graph_id:
                raise StoreError(f"version {number} is another graph than its slot showed; export again")
            rows = graph_rows(graph)
            self.tables["graphs"].append(rows.head)
            for name in PARTS:
                self.tables[name] += rows.parts[name]
            name = edge_file(place, self._form)
            self._write(name, EDGES, edge_rows(graph))
            self._graphs.append(BundleGraph(graph=graph.id, content_hash=graph.content_hash, edges=name))

    def analyses(self) -> int:
        """Analyses of these graphs among themselves; the number of others."""
        found, left_out = read_analyses(self._connection, self._numbers)
        for one in found:
            name = one.name
            self.tables["analyses"].append(one.head())
            for table in _FOUND:
                self.tables[table] += [{"analysis": name} | row for row in getattr(one, table)]
        return left_out

    def finish(self, study: str, schema: int) -> Manifest:
        """The tables and the manifest."""
        for name, columns in TABLES.items():
            self._write(table_file(name, self._form), columns, self.tables[name])
        models: dict[str, list[tuple[int, str]]] = {}
        for row in self._shown:
            models.setdefault(row["model"], []).append((row["step"], row["label"]))
        manifest = Manifest(
            format=FORMAT,
            version=VERSION,
            roicg=__version__,
            schema_number=schema,
            numerics=NUMERICS,
            study=study,
            columns=self._form,
            models=[BundleModel(model=model, checkpoints=[label for _, label in sorted(set(steps))]) for model, steps in sorted(models.items())],
            tasks=sorted({task for row in self.tables["graphs"] for task in row["tasks"]}),
            slots=[row["slot"] for row in self._shown],
            graphs=self._graphs,
            counts={name: len(rows) for name, rows in self.tables.items()} | self._sizes(),
            files=[BundleFile(**asdict(mark)) for mark in self._marks],
        )
        write_file(self._folder, MANIFEST, lambda file: file.write(manifest.text().encode()) and 1)
        return manifest

    def _sizes(self) -> dict[str, int]:
        return {
            "edges": sum(mark.rows for mark in self._marks if mark.path.startswith("edges/")),
            "features": sum(len(row["members"]) for row in self.tables["rois"]),
        }

    def _write(self, name: str, columns: Columns, rows: Iterable[Row]) -> None:
        self._marks.append(write_file(self._folder, name, lambda file: write_rows(file, self._form, columns, rows)))
