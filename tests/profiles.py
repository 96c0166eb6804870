"""A literal twin of ``compare.profiles``, and a store that answers it (and nothing else) from graphs in memory."""

from typing import Any

from roicg.core.graph import EdgeTable
from roicg.core.partition import RoiPartition


def profile_rows(partition: RoiPartition, edges: EdgeTable) -> list[dict[str, Any]]:
    """Rows of the query, one dictionary entry per edge, task and end."""
    found: dict[tuple[Any, ...], float] = {}
    for t, task in enumerate(edges.tasks):
        for u, v, port, weight in zip(edges.source.tolist(), edges.target.tolist(), edges.port, edges.weight[t].tolist(), strict=True):
            for i, o, side in ((u, v, "writes"), (v, u, "reads")):
                roi, other = partition.rois[i], partition.rois[o]
                if roi.kind in ("attention", "mlp") and not roi.is_rest:
                    key = (i, task, side, port, other.kind, other.layer)
                    found[key] = found.get(key, 0.0) + weight
    names = ("task", "side", "port", "other_kind", "other_layer")
    rows = []
    for key in sorted(found, key=lambda key: (*key[:5], key[5] is None, key[5] or 0)):
        roi = partition.rois[key[0]]
        place = {"roi": roi.key, "index": key[0], "kind": roi.kind, "layer": roi.layer}
        rows.append({**place, **dict(zip(names, key[1:], strict=True)), "weight": found[key]})
    return rows


class Profiles:
    """Enough of a store for :func:`roicg.store.signature.match_signatures`: slot → rows."""

    def __init__(self, **rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    def run(self, query: str, **params: Any) -> list[dict[str, Any]]:
        assert query == "compare.profiles"
        return self.rows.get(params["slot"], [])
