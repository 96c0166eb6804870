"""What the assets are given: the home with a way to report progress, and the graph store, connected when it is first used."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from dagster import ConfigurableResource, DagsterExecutionInterruptedError, InitResourceContext
from pydantic import PrivateAttr

from roicg.core.errors import RoicgError
from roicg.core.settings import Study
from roicg.places import Place
from roicg.server.home import home
from roicg.store.connect import connect

from .executors import chosen_execution
from .partitions import place_of
from .processes import process_tag

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore

LISTENER: ContextVar[Callable[[str, float], None] | None] = ContextVar("LISTENER", default=None)
"""Who hears of progress (what is done, share from 0 to 1) while a run executes in this process; nobody in Dagster's own processes."""


class HomeResource(ConfigurableResource):  # type: ignore[type-arg]
    """Where files go and on which device models run (``auto``: CUDA where there is one); an empty ``folder`` means ``ROICG_HOME``."""

    folder: str = ""
    device: str = "auto"

    def setup_for_execution(self, context: InitResourceContext) -> None:
        """Mark the run with the process that executes it, so that it can be closed should this one be killed (``leftovers``)."""
        if context.instance is not None and context.run is not None and chosen_execution().in_one_process:
            context.instance.add_run_tags(context.run.run_id, process_tag(context.run.run_id))

    def path(self) -> Path:
        """The home, created if it is missing."""
        return Path(self.folder) if self.folder else home()

    def place(self, study: Study, key: str) -> Place:
        """The checkpoint that a partition key names."""
        model, label = place_of(study, key)
        return Place(study, model, label, self.path(), self.device)

    def progress(self, what: str, share: float) -> None:
        """Pass progress on to whoever listens."""
        listener = LISTENER.get()
        if listener is not None:
            listener(what, share)


class GraphStoreResource(ConfigurableResource):  # type: ignore[type-arg]
    """The graph store: the connection opens on first use, so that a failure is retried with the asset, and closes after the run."""

    _store: "Neo4jStore | None" = PrivateAttr(default=None)

    def store(self) -> "Neo4jStore":
        """The open store."""
        if self._store is None:
            self._store = connect()
        return self._store

    @contextmanager
    def nothing_staged(self) -> Iterator["Neo4jStore"]:
        """The open store for a publication; where the run is ended inside the block, what it staged is removed before the run ends."""
        store = self.store()
        try:
            yield store
        except (KeyboardInterrupt, DagsterExecutionInterruptedError):
            with suppress(RoicgError):  # a database that does not answer: the next publication removes it
                store.gc()
            raise

    def teardown_after_execution(self, context: InitResourceContext) -> None:
        """Give the connection back."""
        if self._store is not None:
            self._store.close()
            self._store = None
