"""Backward elimination: edges ranked by how long they survive when the least needed are removed again and again.

An edge's score is what the metric changes when it is removed from what is left, so an edge whose work another edge does is
free to go only while the other is there: what a ranking made once on the whole graph cannot see. Each round measures every
edge that is left, exactly, and drops the tenth that matters least. Cost: about 10·E circuits of E edges in all (E + .9 E +
.81 E + …), each on at most ``PAIRS`` pairs of split ``edges``; no gradient.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, Int

from roicg.circuits.run import keep_masks, run_circuits
from roicg.core.graph import ComputationalGraph
from roicg.core.prompts import TaskPrompts
from roicg.models.batches import batches
from roicg.models.lens import Lens
from roicg.models.metrics import metric
from roicg.models.pairs import PairRun, run_pair

PAIRS = 64
"""Pairs an elimination is judged on: the first of split ``edges``."""
DROPPED = 0.1
"""Share of the edges left that goes in one round, at least one edge."""
AT_ONCE = 64
"""Circuits in memory at once."""


def elimination_rank(lens: Lens, graph: ComputationalGraph, task: TaskPrompts) -> Int[np.ndarray, " edge"]:
    """Rank 1 for the edge that survives to the end; ties by the task's own rank."""
    pairs = replace(task.edges, pairs=task.edges.pairs[:PAIRS])
    runs = [run_pair(lens, batch, metric(task.metric)) for batch in batches(pairs, PAIRS, lens.device)]
    own = graph.edges.rank[graph.edges.task_index(task.task)]
    rank = np.empty(len(graph.edges), dtype=np.int64)
    keep = np.ones(len(graph.edges), dtype=bool)
    while keep.any():
        left = np.flatnonzero(keep)
        without = np.repeat(keep[None], len(left) + 1, axis=0)
        without[np.arange(len(left)), left] = False
        scores = np.concatenate([_scores(runs, graph, without[i : i + AT_ONCE]) for i in range(0, len(without), AT_ONCE)])
        loss = np.abs(scores[-1] - scores[:-1])
        order = left[np.lexsort((-own[left], loss))][: max(1, int(len(left) * DROPPED))]
        rank[order] = len(left) - np.arange(len(order))
        keep[order] = False
    return rank


def _scores(runs: list[PairRun], graph: ComputationalGraph, keep: Bool[np.ndarray, "C edge"]) -> Float[np.ndarray, " C"]:
    """The mean metric of each circuit."""
    masks = keep_masks(graph.edges, graph.partition, keep)
    parts = [run.score(run_circuits(run, graph.partition, masks).flatten(0, 1)).view(len(keep), -1).double().cpu() for run in runs]
    return np.asarray(np.concatenate([part.numpy() for part in parts], axis=1).mean(1))
