"""Add an analysis to the versions it was computed on, or to none."""

from collections.abc import Mapping

from roicg.core.errors import StoreError
from roicg.store.neo4j.driver import Transaction


def is_new(tx: Transaction, versions: Mapping[str, int], analysis: str, *, kind: str, params: str) -> bool:
    """Whether ``analysis`` was not there before; now it is, of each of ``versions`` (graph id → number), and ``tx`` writes its results.

    ``StoreError`` unless each is still what is published under its id: then ``tx`` is taken back, and nothing was added.
    """
    fresh = []
    for graph_id, number in versions.items():
        found = tx.run("load.analysis", graph_id=graph_id, number=number, id=analysis, kind=kind, params=params)
        if not found:
            raise StoreError(f"graph {graph_id!r} is no longer published, or was published anew meanwhile ({kind}); nothing was added, ask again")
        fresh.append(bool(found[0]["fresh"]))
    return fresh[0]
