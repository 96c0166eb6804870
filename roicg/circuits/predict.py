"""Predict what an intervention does before it is measured: from the graph alone, or by gradients on split ``edges``.

===============  =======================  ==========================================================================
method           cost                     prediction of metric(changed) − metric(clean)
===============  =======================  ==========================================================================
``naive``        none, graph only         −amount · Σ weights out of each ROI and of each edge: the control, which counts
                                          a path through several members several times
``bounded``      none, graph only         the control made fairer: ``naive``, kept within what reaches the logits
``flow``         none, graph only         flow through the graph with the set removed, each path counted once (flow.py)
``clean``        1 forward + backward     the derivative at the clean run; frozen members block each other (each path once)
``integrated``   m forwards + backwards   the same derivative integrated along the way of the whole set from clean to its
                                          frozen value, m points of Gauss–Legendre
===============  =======================  ==========================================================================

For one ROI ``naive`` is Σ_out w, and ``clean`` is the outflow in a graph of path ``clean``.
As m grows ``integrated`` becomes the measurement itself on the same pairs (fundamental theorem of calculus); it predicts
because it is taken on split ``edges`` and judged on split ``eval``. Measuring on ``edges`` costs one forward and says the
same: a calibration prints it as the ceiling. What tests the graph is ``flow``, which sees neither the model nor the set.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Bool, Float

from roicg.circuits.effects import pair_runs, standard_error
from roicg.circuits.flow import at_the_logits, lost
from roicg.circuits.intervene import Intervention, run_intervened, touched
from roicg.core.errors import RoicgError
from roicg.core.graph import ComputationalGraph
from roicg.core.partition import RoiPartition
from roicg.core.prompts import TaskPrompts
from roicg.models.lens import Lens
from roicg.models.pairs import PairRun
from roicg.numerics.quadrature import quadrature

Method = Literal["naive", "bounded", "flow", "clean", "integrated"]
METHODS: tuple[Method, ...] = get_args(Method)
STEPS = 5


@dataclass(frozen=True, slots=True)
class Prediction:
    """The change of the metric that is expected for one intervention on one task; ``se`` over examples, None from a graph alone."""

    task: str
    method: Method
    change: float
    se: float | None


def predict(
    lens: Lens | None, graph: ComputationalGraph, task: TaskPrompts, interventions: Sequence[Intervention], method: Method = "integrated", steps: int = STEPS
) -> tuple[Prediction, ...]:
    """What ``method`` expects of each intervention on ``task``; only ``clean`` and ``integrated`` need the lens and split ``edges``."""
    if method in GRAPH_ONLY:
        return tuple(Prediction(task.task, method, GRAPH_ONLY[method](graph, task.task, one), None) for one in interventions)
    if lens is None:
        raise RoicgError(f"the prediction {method!r} needs the weights of the model; without them there are {', '.join(GRAPH_ONLY)}")
    points = steps if method == "integrated" else 0
    runs = pair_runs(lens, task, "edges")
    found = []
    for one in interventions:
        values = np.concatenate([expected_changes(run, graph.partition, one, points) for run in runs])
        found.append(Prediction(task.task, method, float(values.mean()), standard_error(values)))
    return tuple(found)


def expected_changes(run: PairRun, partition: RoiPartition, intervention: Intervention, steps: int = STEPS) -> Float[np.ndarray, " example"]:
    """∫ d metric / d amount over the way from 0 to the intervention's amount, per pair; ``steps=0`` takes the derivative at the clean run."""
    points, weights = quadrature("gauss-legendre", steps) if steps else (np.zeros(1), np.ones(1))
    total = torch.zeros(len(run.batch), dtype=torch.float64, device=run.lens.device)
    for point, weight in zip(points.tolist(), weights.tolist(), strict=True):
        amount = torch.full_like(total, point * intervention.amount, dtype=run.lens.dtype).requires_grad_()
        with torch.enable_grad():
            score = run.score(run_intervened(run, partition, intervention, amount)).sum()
        if score.requires_grad:
            total += weight * intervention.amount * torch.autograd.grad(score, amount)[0]
    return np.asarray(total.cpu().numpy())


def naive_change(graph: ComputationalGraph, task: str, intervention: Intervention) -> float:
    """−amount · Σ over touched edges of weight."""
    return -intervention.amount * float(graph.edges.weight[graph.edges.task_index(task)][touched_edges(graph, intervention)].sum())


def bounded_change(graph: ComputationalGraph, task: str, intervention: Intervention) -> float:
    """:func:`naive_change` within :func:`~roicg.circuits.flow.at_the_logits`."""
    gone, weight = touched_edges(graph, intervention), graph.edges.weight[graph.edges.task_index(task)]
    return -intervention.amount * float(np.clip(weight[gone].sum(), *at_the_logits(graph, task)))


def flow_change(graph: ComputationalGraph, task: str, intervention: Intervention) -> float:
    """−:func:`roicg.circuits.flow.lost`."""
    return -lost(graph, task, touched_edges(graph, intervention), intervention.amount)


def touched_edges(graph: ComputationalGraph, intervention: Intervention) -> Bool[np.ndarray, " edge"]:
    """The edges that ``intervention`` changes: those it names and all edges out of the ROIs it names."""
    if intervention.donor is not None:
        raise RoicgError("a graph is about clean against corrupted prompts and cannot predict a given donor prompt; use the methods clean or integrated")
    touched(graph.partition, intervention)
    keys, edges = [roi.key for roi in graph.partition.rois], graph.edges
    named, rois = set(intervention.edges), set(intervention.rois)
    ends = zip(edges.source.tolist(), edges.target.tolist(), edges.port, strict=True)
    return np.array([keys[u] in rois or (keys[u], keys[v], port) in named for u, v, port in ends], dtype=bool)


GRAPH_ONLY: Mapping[Method, Callable[[ComputationalGraph, str, Intervention], float]] = {
    "naive": naive_change,
    "bounded": bounded_change,
    "flow": flow_change,
}
