"""The graph store in Neo4j."""

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from roicg.core.errors import QueryError, StoreError
from roicg.core.graph import ComputationalGraph, FaithfulnessCurve
from roicg.core.tables import Table
from roicg.store.neo4j.collect import Collected, collect, collectable
from roicg.store.neo4j.curves import put_curves
from roicg.store.neo4j.driver import Connection
from roicg.store.neo4j.migrations import SchemaState, check_schema, migrate
from roicg.store.neo4j.projection import MADE_BY, read_projected
from roicg.store.neo4j.publish import Publication, PublishRules
from roicg.store.neo4j.read import read_version
from roicg.store.neo4j.schema import check_server
from roicg.store.neo4j.settled import scope, settled, standing_version
from roicg.store.neo4j.tables import put_tables
from roicg.store.protocol import PublishResult, Slot
from roicg.store.registry import find_query

if TYPE_CHECKING:
    from roicg.server.address import Address


class Neo4jStore:
    """Publishes and reads graphs at ``address``; a context manager. The versions of server and schema are checked on first use."""

    def __init__(self, address: "Address", *, rules: PublishRules | None = None) -> None:
        self.address = address
        self.rules = rules or PublishRules()
        self._connection: Connection | None = None
        self._has_schema = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back; the store may be used again."""
        if self._connection:
            self._connection.close()
            self._connection = None

    @property
    def connection(self) -> Connection:
        """The open connection; ``StoreUnreachable`` or ``StoreError`` when nobody answers or the server is too old."""
        if self._connection is None:
            connection = Connection(self.address)
            try:
                connection.verify()
                check_server(connection)
                check_schema(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def limit(self, seconds: float) -> None:
        """From now on the server stops every transaction that takes longer than ``seconds``, which is then a ``StoreError``."""
        self.connection.read_timeout_s = self.connection.write_timeout_s = seconds

    def ensure_schema(self) -> None:
        """Apply the schema files that are missing, once per store object (see :mod:`roicg.store.neo4j.migrations`)."""
        if not self._has_schema:
            migrate(self.connection)
            self._has_schema = True

    def schema(self) -> SchemaState:
        """How far the schema of the database is; refused where it is another one than this roicg knows."""
        return check_schema(self.connection)

    def put(self, graph: ComputationalGraph, slot: Slot, *, replace: bool = False) -> PublishResult:
        """Publish ``graph`` in ``slot``, whole or not at all (see :mod:`roicg.store.neo4j.publish`)."""
        self.ensure_schema()
        return Publication(self.connection, graph, slot, self.rules).publish(replace=replace)

    def get(self, graph_id: str) -> ComputationalGraph:
        """The published graph, equal to ``stored_form`` of what was put."""
        standing = standing_version(self.connection, graph_id)
        if standing is None:
            raise StoreError(f"no graph {graph_id!r} is published at {self.address.uri}; `roicg query house.published` lists what is")
        return read_version(self.connection, standing["number"])

    def ids(self) -> tuple[str, ...]:
        """Ids of the published graphs, sorted."""
        return tuple(sorted({row["graph_id"] for row in self.run("house.published") if row["status"] == "published"}))

    def put_curves(self, graph_id: str, curves: Sequence[FaithfulnessCurve]) -> int:
        """Add φ(n) curves to a published graph; the number of circuits written, 0 if they were there already."""
        self.ensure_schema()
        return put_curves(self.connection, graph_id, curves)

    def put_tables(self, study: str, finding: str, tables: Sequence[Table]) -> int:
        """Put the tables of a finding beside a published study, in place of those it had; their number."""
        self.ensure_schema()
        return put_tables(self.connection, study, finding, tables)

    def run(self, query: str, **params: Any) -> list[dict[str, Any]]:
        """Rows of the reading query ``query`` of the catalogue; no publication happened while they were read."""
        found = find_query(query)
        if found.mode != "read":
            raise QueryError(f"{query} does not only read; roicg runs it itself where it belongs")
        if "USING INDEX" in found.text:
            self.ensure_schema()
        if query in MADE_BY:
            return settled(self.connection, query, lambda: read_projected(self.connection, query, params), scope(params))
        return settled(self.connection, query, lambda: self.connection.read(query, **params), scope(params))

    def cypher(self, text: str, *, write: bool = False, **params: Any) -> list[dict[str, Any]]:
        """Rows of Cypher that a person typed; refused when it writes, unless ``write``."""
        if write:
            return self.connection.free(text, params, write=True)
        return settled(self.connection, "typed", lambda: self.connection.free(text, params))

    def gc(self, *, grace_s: int | None = None, dry_run: bool = False) -> Collected:
        """Remove what nobody can see (see :mod:`roicg.store.neo4j.collect`), superseded versions after ``grace_s`` seconds; with ``dry_run`` only say it."""
        grace = self.rules.grace_s if grace_s is None else grace_s
        if dry_run:
            return collectable(self.connection, expiry_s=self.rules.expiry_s, grace_s=grace)
        self.ensure_schema()
        return collect(self.connection, expiry_s=self.rules.expiry_s, grace_s=grace, sweep=True)
