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
    keep = np.zeros(len(graph.edges), dtype=bool)
    keep[chosen] = True
    return np.asarray(pruned(graph, keep)[chosen])


def pruned(graph: ComputationalGraph, keep: Bool[np.ndarray, " edge"]) -> Bool[np.ndarray, " edge"]:
    """The kept edges that lie on a path of kept edges from an input (``tok``) to the logits; the others never change what a circuit computes."""
    kinds = np.array([roi.kind for roi in graph.partition.rois])
    source, target = graph.edges.source[keep], graph.edges.target[keep]
    live = _reach(kinds == "tok", source, target)[source] & _reach(kinds == "logits", target, source)[target]
    found = keep.copy()
    found[keep] = live
    return found


def circuit_edges(graph: ComputationalGraph, task: str, n: int) -> Int[np.ndarray, " kept"]:
    """The circuit of n edges, pruned: indices of its edges, strongest first. Pruned edges never change what a circuit computes."""
    chosen = top_edges(graph, task, n)
    return np.asarray(chosen[on_a_path(graph, chosen)])


def _reach(start: Bool[np.ndarray, " roi"], tail: Int[np.ndarray, " n"], head: Int[np.ndarray, " n"]) -> Bool[np.ndarray, " roi"]:
    """Nodes that can be reached from ``start``, one step of all edges at a time."""
    seen = start
    while True:
        grown = seen.copy()
        grown[head[seen[tail]]] = True
        if (grown == seen).all():
            return seen
        seen = grown
