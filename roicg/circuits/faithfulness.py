"""φ(n): how much of the model's effect a circuit of n edges keeps, beside its controls, on split ``eval``.

φ(n) = (metric(circuit) − metric(corrupted)) / (metric(clean) − metric(corrupted)), a ratio of means with a bootstrap
interval; no number, with reason ``no_effect``, when the denominator is within 2 standard errors of 0. The complement's φ
is that of the graph without the circuit's edges: near 0 where the circuit is not only enough but also needed.

1. Every selection gives a ladder of kept edges (ladders.py), and its complements.
2. All of them are pruned; equal circuits are run once.
3. Per selection one curve.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import torch
from jaxtyping import Bool, Float

from roicg.circuits.areas import area_under, circuit_sizes, mib_areas
from roicg.circuits.coverage import coverage
from roicg.circuits.greedy import elimination_rank
from roicg.circuits.ladders import Ladder, at_random, by_nodes, by_rank, by_score, connected
from roicg.circuits.magnitude import magnitudes
from roicg.circuits.run import keep_masks, run_circuits
from roicg.circuits.select import pruned
from roicg.core.errors import LawError
from roicg.core.graph import ComputationalGraph, EdgeTable, FaithfulnessCurve
from roicg.core.prompts import TaskPrompts
from roicg.core.settings import CircuitSettings
from roicg.models.batches import batches
from roicg.models.forward import logits_at
from roicg.models.lens import Lens
from roicg.models.metrics import accuracy, kl, metric
from roicg.models.pairs import PairRun, run_pair
from roicg.models.scores import SOLVED
from roicg.numerics.resampling import bootstrap_ratio, within_two_se

EVAL_BATCH = 64
NO_RANKINGS: Mapping[str, EdgeTable] = MappingProxyType({})


def faithfulness_curves(
    lens: Lens,
    graph: ComputationalGraph,
    prompts: Sequence[TaskPrompts],
    settings: CircuitSettings,
    seed: int = 0,
    rankings: Mapping[str, EdgeTable] = NO_RANKINGS,
) -> tuple[FaithfulnessCurve, ...]:
    """For each task one curve per selection of ``settings``, in their order.

    ``rankings``: the same edges ranked by other attributions, by the name of their selection (``clean``, ``inputs``, ``exact``); a
    selection that has none, or a table of other edges, is a ``LawError``.
    """
    curves: list[FaithfulnessCurve] = []
    for task in prompts:
        found = ladders(lens, graph, task, settings, seed, rankings)
        sets = [ladder.keep for ladder in found] + [~ladder.keep for ladder in found if ladder.selection != "random"]
        keep = np.concatenate([one.reshape(-1, len(graph.edges)) for one in sets])
        keep = np.stack([pruned(graph, row) for row in keep])
        different, place = np.unique(keep, axis=0, return_inverse=True)
        measured = measure_circuits(lens, graph, task, different)[:, place.ravel()]
        covered = coverage(lens, graph, keep)
        ends = measure_ends(lens, task)
        at, other = 0, sum(ladder.keep.shape[0] * ladder.keep.shape[1] for ladder in found)
        for ladder in found:
            shape = ladder.keep.shape[:2]
            here = slice(at, at + shape[0] * shape[1])
            at = here.stop
            without = None
            if ladder.selection != "random":
                without = measured[0, other : other + shape[1]]
                other += shape[1]
            shares = [share[here].reshape(shape).mean(0) for share in covered]
            curves.append(_curve(task, ladder, measured[:, here].reshape(3, *shape, -1), without, shares, ends, len(graph.edges), settings, seed))
    return tuple(curves)


def ladders(
    lens: Lens, graph: ComputationalGraph, prompts: TaskPrompts, settings: CircuitSettings, seed: int, rankings: Mapping[str, EdgeTable]
) -> list[Ladder]:
    """The ladder of each selection of ``settings``."""
    task, sizes = prompts.task, circuit_sizes(len(graph.edges), settings.fractions)
    makers = {
        "weight": lambda: by_rank("weight", graph.edges.rank[graph.edges.task_index(task)], sizes),
        "connected": lambda: connected(graph, task, sizes),
        "greedy": lambda: by_rank("greedy", elimination_rank(lens, graph, prompts), sizes),
        "nodes": lambda: by_nodes(graph, task, sizes),
        "magnitude": lambda: by_score("magnitude", magnitudes(lens, graph), sizes),
        "random": lambda: at_random(len(graph.edges), sizes, settings.random_draws, seed),
    }
    return [makers[name]() if name in makers else by_rank(name, _other_rank(graph, task, name, rankings), sizes) for name in settings.selections]


def _other_rank(graph: ComputationalGraph, task: str, name: str, rankings: Mapping[str, EdgeTable]) -> np.ndarray:
    if name not in rankings:
        raise LawError(f"selection {name!r} needs the edges ranked by that path, given were {', '.join(rankings) or 'none'}; pass them in rankings")
    ours, theirs = graph.edges, rankings[name]
    if not (np.array_equal(ours.source, theirs.source) and np.array_equal(ours.target, theirs.target) and ours.port == theirs.port):
        raise LawError(f"the ranking {name!r} is not of this graph's edges; attribute the same partition {graph.partition.kind!r}")
    return np.asarray(theirs.rank[theirs.task_index(task)])


def measure_circuits(lens: Lens, graph: ComputationalGraph, task: TaskPrompts, keep: Bool[np.ndarray, "C edge"]) -> Float[np.ndarray, "3 C example"]:
    """Metric, KL to the clean run and accuracy of each circuit on each pair of split ``eval``."""
    runs = (run_pair(lens, batch, metric(task.metric)) for batch in batches(task.eval, EVAL_BATCH, lens.device))
    return np.concatenate([sweep(run, graph, keep) for run in runs], axis=2)


@torch.no_grad()
def sweep(run: PairRun, graph: ComputationalGraph, keep: Bool[np.ndarray, "C edge"]) -> Float[np.ndarray, "3 C B"]:
    """Metric, KL to the clean run and accuracy of each circuit on each pair of one batch that was run clean and corrupted."""
    lens, batch = run.lens, run.batch
    assert run.clean.final is not None
    clean_logits = logits_at(lens, run.clean.final, batch.positions)
    rows = []
    for final in run_circuits(run, graph.partition, keep_masks(graph.edges, graph.partition, keep)):
        logits = logits_at(lens, final, batch.positions)
        rows.append(torch.stack((run.metric(logits, batch.answers, batch.wrong), kl(logits, clean_logits), accuracy(logits, batch.answers, batch.wrong))))
    return np.asarray(torch.stack(rows, dim=1).double().cpu().numpy())


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
    ladder: Ladder,
    measured: Float[np.ndarray, "3 draw size example"],
    without: Float[np.ndarray, "size example"] | None,
    shares: Sequence[Float[np.ndarray, " size"]],
    ends: Float[np.ndarray, "3 example"],
    total: int,
    settings: CircuitSettings,
    seed: int,
) -> FaithfulnessCurve:
    clean, corrupted, correct = ends
    effect = clean - corrupted
    sizes, reason = ladder.sizes, "no_effect" if within_two_se(effect) else None
    ratios = [] if reason else [bootstrap_ratio(measured[0, :, i] - corrupted, effect, settings.bootstrap, seed) for i in range(len(sizes))]
    phi = tuple(ratio[0] for ratio in ratios)
    cpr, cmd = (None, None) if reason else mib_areas(sizes, phi, total)
    return FaithfulnessCurve(
        task=task.task,
        selection=ladder.selection,
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
        complement=() if reason or without is None else tuple(float((row - corrupted).mean() / effect.mean()) for row in without),
        cpr_mib=cpr,
        cmd_mib=cmd,
        features=tuple(map(float, shares[0])),
        parameters=tuple(map(float, shares[1])),
    )
