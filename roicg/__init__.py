"""roicg: neural networks as weighted computational graphs of ROIs, in a graph database. Importing it does nothing."""

TYPE_CHECKING = False  # as typing's, without importing typing
if TYPE_CHECKING:
    from roicg.asking import Graphs

__version__ = "0.1.0"

__all__ = ["__version__", "connect"]


def connect(uri: "str | None" = None, *, user: str = "neo4j", password: str = "", database: str = "neo4j") -> "Graphs":
    """The published graphs at ``uri`` (``bolt://host:port``); without one, of ROICG_NEO4J_URI or else of the embedded database, started if needed.

    ::

        with roicg.connect() as graphs:
            graphs.ask("circuits.circuit", slot="multitask-s0@1200", task="add")
    """
    from roicg.asking import open_graphs

    return open_graphs(uri, user=user, password=password, database=database)
