"""The shape of a graph in numbers: how long its paths are."""

import numpy as np

from roicg.core.graph import ComputationalGraph


def mean_path_length(graph: ComputationalGraph, task: str) -> float | None:
    """Edges on a path from the inputs to the logits, mean over paths by the product of their shares of strength; None where nothing flows.

    L(v) = Σ_x share(v→x) (1 + L(x)) going up the stream, L(logits) = 0; an ROI whose strength leads nowhere takes no part in it.
    Inputs count by their outgoing strength.
    """
    edges, rois = graph.edges, graph.partition.rois
    strength = edges.strength[edges.task_index(task)]
    order = {site.key: i for i, site in enumerate(graph.partition.sites)}
    length = np.array([0.0 if roi.kind == "logits" else np.nan for roi in rois])
    for v in sorted(range(len(rois)), key=lambda i: -order[rois[i].site]):
        out = (edges.source == v) & ~np.isnan(length[edges.target])
        whole = float(strength[out].sum())
        if whole > 0:
            length[v] = float((strength[out] * (1.0 + length[edges.target[out]])).sum()) / whole
    inputs = np.array([i for i, roi in enumerate(rois) if roi.kind == "tok" and not np.isnan(length[i])], dtype=np.int64)
    weight = np.bincount(edges.source, weights=strength, minlength=len(rois))[inputs]
    return float((weight * length[inputs]).sum() / weight.sum()) if weight.sum() > 0 else None
