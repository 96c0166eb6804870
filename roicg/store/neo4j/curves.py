"""φ(n) curves as add-only analyses: one ``Circuit`` per curve and size, written with its analysis in one transaction."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from roicg.core.errors import StoreError
from roicg.core.graph import FaithfulnessCurve
from roicg.core.ids import digest
from roicg.store.neo4j.adding import is_new
from roicg.store.neo4j.driver import Connection, Transaction
from roicg.store.neo4j.settled import standing_version
from roicg.store.stored import to_json

KIND = "faithfulness"


def put_curves(connection: Connection, graph_id: str, curves: Sequence[FaithfulnessCurve]) -> int:
    """Write ``curves`` of the published graph ``graph_id``; 0 when the same are there already.

    The analysis is named by kind, parameters, graph and content, and by the number of the version, for a version that is
    published again must not inherit what will be collected with the old one.
    """
    standing = standing_version(connection, graph_id)
    if standing is None:
        raise StoreError(f"no graph {graph_id!r} is published, so no curves can be added to it; publish the graph first")
    params = to_json({"tasks": sorted({curve.task for curve in curves}), "selections": sorted({curve.selection for curve in curves})})
    ordered = sorted(curves, key=lambda curve: (curve.task, curve.selection))  # as they come back from a bundle
    analysis = digest(KIND, params, graph_id, standing["number"], [asdict(curve) for curve in ordered])
    rows = [row for curve in ordered for row in circuit_rows(curve)]

    def write(tx: Transaction) -> int:
        if not is_new(tx, {graph_id: standing["number"]}, analysis, kind=KIND, params=params):
            return 0
        return int(tx.run("load.circuits", analysis=analysis, rows=rows)[0]["written"])

    return connection.transaction("load.circuits", write)


def circuit_rows(curve: FaithfulnessCurve) -> list[dict[str, Any]]:
    """One row per size; φ and its interval are null where the curve has a reason instead; a curve without sizes is one row."""
    fixed = {name: getattr(curve, name) for name in ("task", "selection", "total", "area", "cpr_mib", "cmd_mib", "reason", "n_examples", "solved")}
    columns = {"n_edges": curve.n_edges, "faithfulness": curve.phi, "low": curve.low, "high": curve.high, "kl": curve.kl, "accuracy": curve.accuracy}
    columns |= {"complement": curve.complement, "features": curve.features, "parameters": curve.parameters}
    return [fixed | {name: column[i] if i < len(column) else None for name, column in columns.items()} for i in range(max(1, len(curve.n_edges)))]
