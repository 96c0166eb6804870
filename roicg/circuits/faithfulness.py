"""φ(n): how much of the model's effect a circuit of n edges keeps, beside random edges, on split ``eval``.

φ(n) = (metric(circuit) − metric(corrupted)) / (metric(clean) − metric(corrupted)), a ratio of means with a bootstrap
interval; no number, with reason ``no_effect``, when the denominator is within 2 standard errors of 0.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float

from roicg.circuits.run import keep_masks, run_circuits
from roicg.core.graph import ComputationalGraph, FaithfulnessCurve
from roicg.core.prompts import TaskPrompts
from roicg.core.settings import CircuitSettings
from roicg.models.batches import batches
from roicg.models.forward import logits_at
from roicg.models.lens import Lens
from roicg.models.metrics import accuracy, kl, metric
from roicg.models.pairs import run_pair
from roicg.models.scores import SOLVED
from roicg.numerics.resampling import bootstrap_ratio, within_two_se

EVAL_BATCH = 64


def circuit_sizes(total: int, fractions: Sequence[float]) -> tuple[int, ...]:
    """Rising, distinct numbers of edges for ``fractions`` of ``total``, at least one edge each."""
    return tuple(sorted({min(total, max(1, round(fraction * total))) for fraction in fractions}))


def faithfulness_curves(
    lens: Lens, graph: ComputationalGraph, prompts: Sequence[TaskPrompts], settings: CircuitSettings, seed: int = 0
) -> tuple[FaithfulnessCurve, ...]:
    """For each task two curves over the same sizes: edges by ``weight``, and ``random`` edges (mean over draws) as control."""
    curves: list[FaithfulnessCurve] = []
    for task in prompts:
        total = len(graph.edges)
        sizes = circuit_sizes(total, settings.fractions)
        ranks = graph.edges.rank[graph.edges.task_index(task.task)]
        orders = [ranks, *(np.random.default_rng([seed, draw]).permutation(total) + 1 for draw in range(settings.random_draws))]
        keep = np.stack([order <= n for order in orders for n in sizes])
        measured = measure_circuits(lens, graph, task, keep)
        by_order = measured.reshape(3, len(orders), len(sizes), -1)
        ends = measure_ends(lens, task)
        curves.append(_curve(task, "weight", by_order[:, :1], ends, sizes, total, settings, seed))
        curves.append(_curve(task, "random", by_order[:, 1:], ends, sizes, total, settings, seed))
    return tuple(curves)


@torch.no_grad()
def measure_circuits(lens: Lens, graph: ComputationalGraph, task: TaskPrompts, keep: Bool[np.ndarray, "C edge"]) -> Float[np.ndarray, "3 C example"]:
    """Metric, KL to the clean run and accuracy of each circuit on each pair of split ``eval``."""
    masks = keep_masks(graph.edges, graph.partition, keep)
    columns = []
    for batch in batches(task.eval, EVAL_BATCH, lens.device):
        run = run_pair(lens, batch, metric(task.metric))
        assert run.clean.final is not None
        clean_logits = logits_at(lens, run.clean.final, batch.positions)
        rows = []
        for final in run_circuits(run, graph.partition, masks):
            logits = logits_at(lens, final, batch.positions)
            rows.append(torch.stack((run.metric(logits, batch.answers, batch.wrong), kl(logits, clean_logits), accuracy(logits, batch.answers, batch.wrong))))
        columns.append(torch.stack(rows, dim=1).double().cpu().numpy())
    return np.asarray(np.concatenate(columns, axis=2))


def measure_ends(lens: Lens, task: TaskPrompts) -> Float[np.ndarray, "3 example"]:
    """Metric of the clean run, of the corrupted run, and accuracy of the clean run, per pair of split ``eval`` (in batch order)."""
    columns = []
    for batch in batches(task.eval, EVAL_BATCH, lens.device):
        run = run_pair(lens, batch, metric(task.metric))
        assert run.clean.final is not None
        correct = accuracy(logits_at(lens, run.clean.final, batch.positions), batch.answers, batch.wrong)
        columns.append(torch.stack((run.clean_metric, run.corrupted_metric, correct)).double().cpu().numpy())
    return np.asarray(np.concatenate(columns, axis=1))


def _curve(
    task: TaskPrompts,
    selection: str,
    measured: Float[np.ndarray, "3 draw size example"],
    ends: Float[np.ndarray, "3 example"],
    sizes: tuple[int, ...],
    total: int,
    settings: CircuitSettings,
    seed: int,
) -> FaithfulnessCurve:
    clean, corrupted, correct = ends
    effect = clean - corrupted
    reason = "no_effect" if within_two_se(effect) else None
    ratios = [] if reason else [bootstrap_ratio(measured[0, :, i] - corrupted, effect, settings.bootstrap, seed) for i in range(len(sizes))]
    phi = tuple(ratio[0] for ratio in ratios)
    return FaithfulnessCurve(
        task=task.task,
        selection=selection,
        total=total,
        n_edges=sizes,
        phi=phi,
        low=tuple(ratio[1] for ratio in ratios),
        high=tuple(ratio[2] for ratio in ratios),
        kl=tuple(float(measured[1, :, i].mean()) for i in range(len(sizes))),
        accuracy=tuple(float(measured[2, :, i].mean()) for i in range(len(sizes))),
        area=None if reason else area_under(sizes, phi, total),
        reason=reason,
        n_examples=len(effect),
        solved=bool(correct.mean() >= SOLVED),
    )


def area_under(sizes: Sequence[int], phi: Sequence[float], total: int) -> float:
    """Trapezoid of φ over n/total from (0, 0) to the largest size, which should be ``total``."""
    return float(np.trapezoid([0.0, *phi], [0.0, *(n / total for n in sizes)]))
