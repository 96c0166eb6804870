"""Choose the edges of a circuit: top n by rank, then only those on a path from an input to the logits."""

import numpy as np
from jaxtyping import Bool, Int

from roicg.core.graph import ComputationalGraph


def top_edges(graph: ComputationalGraph, task: str, n: int) -> Int[np.ndarray, " n"]:
    """Indices of the n strongest edges of ``task``, strongest first."""
    ranks = graph.edges.rank[graph.edges.task_index(task)]
    order = np.argsort(ranks)
    return np.asarray(order[: max(n, 0)], dtype=np.int64)


def on_a_path(graph: ComputationalGraph, chosen: Int[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Which of the edges ``chosen`` lie on a path of chosen edges from an input (``tok``) to the logits."""
    rois = graph.partition.rois
    source, target = graph.edges.source[chosen], graph.edges.target[chosen]
    from_input = _reach({i for i, roi in enumerate(rois) if roi.kind == "tok"}, source, target)
    to_logits = _reach({i for i, roi in enumerate(rois) if roi.kind == "logits"}, target, source)
    return np.array([int(u) in from_input and int(v) in to_logits for u, v in zip(source, target, strict=True)], dtype=bool)


def circuit_edges(graph: ComputationalGraph, task: str, n: int) -> Int[np.ndarray, " kept"]:
    """The circuit of n edges, pruned: indices of its edges, strongest first. Pruned edges never change what a circuit computes."""
    chosen = top_edges(graph, task, n)
    return np.asarray(chosen[on_a_path(graph, chosen)])


def _reach(start: set[int], tail: Int[np.ndarray, " n"], head: Int[np.ndarray, " n"]) -> set[int]:
    seen = set(start)
    grown = True
    while grown:
        found = {int(h) for t, h in zip(tail, head, strict=True) if int(t) in seen} - seen
        grown = bool(found)
        seen |= found
    return seen
