"""How much of the model a circuit's ROIs cover: fewer, bigger nodes must not win by size."""

import numpy as np
from jaxtyping import Bool, Float

from roicg.core.graph import ComputationalGraph
from roicg.models.lens import Lens


def coverage(lens: Lens, graph: ComputationalGraph, keep: Bool[np.ndarray, "C edge"]) -> tuple[Float[np.ndarray, " C"], Float[np.ndarray, " C"]]:
    """Shares of the drawn features (heads, neurons) and of their weights that the ROIs of each circuit hold.

    ``keep`` should be pruned: an ROI counts when an edge of the circuit touches it. Tokens and logits are no features
    of the model's inside and count in neither share; a head's weights are its W_Q, W_K, W_V, W_O, a neuron's its column of W_in
    (and of the gate) and its row of W_out; biases are left out.
    """
    rois, edges = graph.partition.rois, graph.edges
    features = np.array([roi.size if roi.kind in ("attention", "mlp") else 0 for roi in rois], dtype=np.float64)
    weights = features * np.array([_weights(lens, roi.kind, roi.layer) for roi in rois])
    used = np.zeros((keep.shape[0], len(rois)), dtype=bool)
    for row, kept in zip(used, keep, strict=True):
        row[edges.source[kept]] = True
        row[edges.target[kept]] = True
    return used @ features / features.sum(), used @ weights / weights.sum()


def _weights(lens: Lens, kind: str, layer: int | None) -> int:
    """Weights of one feature."""
    if layer is None:
        return 0
    attention, mlp = lens.attentions[layer], lens.mlps[layer]
    if kind == "attention":
        return sum(matrix[0].numel() for matrix in (attention.W_Q, attention.W_K, attention.W_V, attention.W_O))
    return 0 if mlp is None else mlp.W_in.shape[0] * (2 if mlp.W_gate is None else 3)
