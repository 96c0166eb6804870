"""A study from a bundle into the database.

1. Manifest, then the hash of every file, then every graph through all its laws: nothing is written before all of it is sound.
2. Look what stands: a slot that shows another graph, or a graph with another content, is refused unless told to replace.
3. Publish each graph by the protocol (:mod:`roicg.store.neo4j.publish`), whole or not at all; what is there already is passed by.
4. Analyses, each in one transaction, and findings. An import that was stopped anywhere is finished by calling it again.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from roicg.core.errors import PublishConflict, StoreError
from roicg.core.graph import ComputationalGraph
from roicg.store.bundle.analyses import Analysis, analyses_of
from roicg.store.bundle.columns import EDGES, TABLES, Columns, Row, read_rows, require_form
from roicg.store.bundle.files import Source, opened
from roicg.store.bundle.graphs import PARTS, GraphRows, graph_of, placed
from roicg.store.bundle.manifest import Manifest, check_files, read_manifest, table_file
from roicg.store.neo4j.carry import put_analysis, put_findings
from roicg.store.protocol import Slot

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore

Progress = Callable[[str], None]
_FOUND = ("circuits", "communities", "matches")


@dataclass(slots=True)
class Imported:
    """What came in: slots by outcome of their publication, rows of edges, and analyses and tables that are new."""

    study: str
    outcomes: Counter[str] = field(default_factory=Counter)
    edges: int = 0
    analyses: int = 0
    tables: int = 0

    @property
    def changed(self) -> bool:
        """Whether anything was written."""
        return bool(self.analyses or self.tables or self.outcomes["published"] or self.outcomes["replaced"])


class Bundle:
    """An opened bundle, sound as far as files go; graphs are made when they are asked for."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.manifest: Manifest = read_manifest(source)
        require_form(self.manifest.columns)
        check_files(source, self.manifest)
        self.tables = {name: list(self._rows(table_file(name, self.manifest.columns), columns)) for name, columns in TABLES.items()}
        self._graphs = {row["graph"]: GraphRows(row) for row in self.tables["graphs"]}
        for name in PARTS:
            for row in self.tables[name]:
                self._of(row["graph"], name).parts[name].append(row)
        self.slots = tuple(self._slot(row) for row in self.tables["slots"])
        if sorted(self._graphs) != sorted(one.graph for one in self.manifest.graphs):
            raise StoreError(f"{source.where}: the manifest lists other graphs than the bundle holds")

    @property
    def study(self) -> str:
        """The study's name."""
        return self.manifest.study

    def graph(self, graph_id: str) -> ComputationalGraph:
        """The graph ``graph_id``, checked against its hash."""
        rows = self._of(graph_id, "slots")
        return graph_of(rows, self._rows(self.manifest.edges_of(graph_id), EDGES), self._source.where)

    def content_hash(self, graph_id: str) -> str:
        """The hash that is written on the graph."""
        return str(self._of(graph_id, "slots").head["content_hash"])

    def analyses(self) -> tuple[Analysis, ...]:
        """The analyses, all of graphs of this bundle."""
        found = analyses_of(self.tables["analyses"], {name: self.tables[name] for name in _FOUND}, self._source.where)
        for one in found:
            for graph in one.graphs:
                self._of(graph, "analyses")
        return found

    def _of(self, graph_id: str, table: str) -> GraphRows:
        if graph_id not in self._graphs:
            raise StoreError(f"{self._source.where}: {table} names the graph {graph_id[:40]!r}, which is not in the bundle")
        return self._graphs[graph_id]

    def _rows(self, name: str, columns: Columns) -> Iterator[Row]:
        with self._source.open(name) as file:
            yield from read_rows(file, self.manifest.columns, columns, f"{self._source.where}: {name}")

    def _slot(self, row: Row) -> tuple[Slot, str]:
        if row["study"] != self.manifest.study:
            raise StoreError(f"{self._source.where}: a slot is of the study {row['study']!r:.100}, and the manifest of {self.manifest.study!r:.100}")
        self._of(row["graph"], "slots")
        return Slot(row["study"], row["model"], row["label"], row["step"], row["partition"], row["path"]), row["graph"]


def import_study(store: "Neo4jStore", path: Path, *, study: str | None = None, replace_other: bool = False, progress: Progress | None = None) -> Imported:
    """Publish the bundle at ``path``, under another name with ``study``; a second call writes nothing.

    ``StoreError``: not a bundle, changed or cut short, unsound. ``PublishConflict``: something else stands there and ``replace_other`` is not given.
    """
    say = progress or (lambda _: None)
    with opened(path) as source:
        say("checking the bundle")
        bundle = Bundle(source)
        name = study or bundle.study
        slots = [(replace(slot, study=name), graph_id) for slot, graph_id in bundle.slots]
        analyses = bundle.analyses()
        for graph_id in dict.fromkeys(graph_id for _, graph_id in slots):
            bundle.graph(graph_id)
        standing = _standing(store, bundle, slots, replace_other=replace_other)
        found = Imported(name)
        store.ensure_schema()
        for place, (slot, graph_id) in enumerate(slots):
            if standing.get(slot.key) == (graph_id, bundle.content_hash(graph_id)):
                found.outcomes["unchanged"] += 1
                continue
            say(f"publishing {place + 1} of {len(slots)}")
            result = store.put(placed(bundle.graph(graph_id), slot), slot, replace=replace_other)
            found.outcomes[result.outcome] += 1
            found.edges += result.edges
        say("writing analyses and findings")
        found.analyses = sum(put_analysis(store.connection, one) for one in analyses)
        found.tables = put_findings(store.connection, name, bundle.tables["findings"])
    return found


def _standing(store: "Neo4jStore", bundle: Bundle, slots: Sequence[tuple[Slot, str]], *, replace_other: bool) -> dict[str, tuple[str, str]]:
    """Step 2: what each slot of the study shows now, as (graph id, content hash)."""
    rows = store.connection.read("move.slots", study=slots[0][0].study) if slots else []
    standing = {row["slot"]: (row["graph_id"], row["content_hash"]) for row in rows}
    other = [slot.key for slot, graph_id in slots if slot.key in standing and standing[slot.key][0] != graph_id]
    if other and not replace_other:
        raise PublishConflict(
            f"{len(other)} slots of study {slots[0][0].study!r} show other graphs than the bundle brings, like {other[0]}; "
            "give --replace to take those of the bundle, or --study NAME to import them beside"
        )
    return standing
