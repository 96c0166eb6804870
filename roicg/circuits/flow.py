"""What a set of ROIs and edges takes away, told by the graph alone: flow from the input to the logits, each path counted once.

An ROI is the set of its out-edges. A path that passes several touched edges may be counted at its last one or at its first:

* last: Σ over touched edges of weight · the share of the target's outflow that reaches the logits over untouched edges;
* first: go down the stream with the share of each ROI's difference that is left, and see what is missing at the logits.
  The ports of a head multiply (a head without its values writes nothing whatever its queries), strengths within a port add.

In a linear model of one dimension both are the truth. Elsewhere they differ and neither is always the nearer one, so
:func:`lost` is their mean.
"""

import numpy as np
from jaxtyping import Bool, Float

from roicg.core.graph import ComputationalGraph

Edges = Bool[np.ndarray, " edge"]


def lost(graph: ComputationalGraph, task: str, gone: Edges, amount: float = 1.0) -> float:
    """Loss of the metric (its units; negative: a gain) when the edges ``gone`` carry 1 − ``amount`` of their clean difference."""
    return 0.5 * (lost_at_last(graph, task, gone, amount) + lost_at_first(graph, task, gone, amount))


def lost_at_last(graph: ComputationalGraph, task: str, gone: Edges, amount: float = 1.0) -> float:
    """Each path at its last touched edge, kept within :func:`at_the_logits`."""
    weight = _weights(graph, task)
    total = float((weight * reaching(graph, task, ~gone)[graph.edges.target])[gone].sum())
    return amount * float(np.clip(total, *at_the_logits(graph, task)))


def lost_at_first(graph: ComputationalGraph, task: str, gone: Edges, amount: float = 1.0) -> float:
    """Each path at its first touched edge: Σ over edges into the logits of weight · (1 − what they still carry)."""
    into = _into_logits(graph)
    carried = carrying(graph, task, gone, amount)
    return float((_weights(graph, task) * (1.0 - carried))[into].sum())


def reaching(graph: ComputationalGraph, task: str, untouched: Edges) -> Float[np.ndarray, " roi"]:
    """For each ROI the share of its outflow that reaches the logits over ``untouched`` edges: 1 at the logits, 0 … 1 elsewhere.

    s(v) = Σ_untouched strength(v→x) · s(x) / Σ_all strength(v→x), going up the stream. Shares are of strength, not of
    weight, so that weights that cancel cannot make a share larger than the whole.
    """
    edges, strength = graph.edges, np.abs(_weights(graph, task))
    share = np.array([1.0 if roi.kind == "logits" else 0.0 for roi in graph.partition.rois])
    for v in reversed(_down_the_stream(graph)):
        out = edges.source == v
        whole = float(strength[out].sum())
        if whole > 0:
            share[v] = float((strength * share[edges.target])[out & untouched].sum()) / whole
    return np.asarray(share)


def carrying(graph: ComputationalGraph, task: str, gone: Edges, amount: float = 1.0) -> Float[np.ndarray, " edge"]:
    """For each edge the share of its clean difference that it still carries: 1 − ``amount`` on touched edges (frozen), else what its source has left."""
    edges, strength, ports = graph.edges, np.abs(_weights(graph, task)), np.array(graph.edges.port)
    carried = np.where(gone, 1.0 - amount, 1.0)
    for v in _down_the_stream(graph):
        left = 1.0
        for port in sorted(set(ports[edges.target == v])):
            into = (edges.target == v) & (ports == port)
            whole = float(strength[into].sum())
            left *= float((strength * carried)[into].sum()) / whole if whole > 0 else 1.0
        carried[(edges.source == v) & ~gone] = left
    return np.asarray(carried)


def at_the_logits(graph: ComputationalGraph, task: str) -> tuple[float, float]:
    """The least and the most that can be taken away: all that lowers and all that raises the metric, as it arrives at the logits.

    Interior edges are measured with everything else clean, so they add up to more than there is to lose.
    """
    arriving = _weights(graph, task)[_into_logits(graph)]
    return float(np.minimum(arriving, 0.0).sum()), float(np.maximum(arriving, 0.0).sum())


def _weights(graph: ComputationalGraph, task: str) -> Float[np.ndarray, " edge"]:
    return np.asarray(graph.edges.weight[graph.edges.task_index(task)])


def _into_logits(graph: ComputationalGraph) -> Edges:
    return np.isin(graph.edges.target, [i for i, roi in enumerate(graph.partition.rois) if roi.kind == "logits"])


def _down_the_stream(graph: ComputationalGraph) -> list[int]:
    """ROIs from the input to the logits, every source before its targets."""
    order = {site.key: i for i, site in enumerate(graph.partition.sites)}
    rois = graph.partition.rois
    return sorted(range(len(rois)), key=lambda i: order[rois[i].site])
