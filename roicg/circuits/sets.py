"""Sets of features or of edges, kept while everything else is corrupted, on every task side by side.

A *unit* is a feature (head or neuron) or an edge of a graph. ``kept`` [set, unit] says what stays: to ablate a set, keep all
but the set; to keep only the set, keep just it. φ of a task = (metric − corrupted) / (clean − corrupted), a ratio of means;
NaN where the task has no effect (the denominator is within 2 standard errors of 0).

Features that are not kept give what they gave in the corrupted run (features.py); edges that are not kept carry the
corrupted value of their source (run.py). Tokens are no features and always stay.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float

from roicg.circuits.features import metric_without
from roicg.circuits.run import keep_masks, run_circuits
from roicg.core.graph import ComputationalGraph
from roicg.core.prompts import PromptPair, PromptSet, TaskPrompts
from roicg.core.sites import Site
from roicg.models.batches import batches
from roicg.models.forward import logits_at
from roicg.models.lens import Lens
from roicg.models.metrics import metric
from roicg.models.pairs import PairRun, run_pair
from roicg.numerics.resampling import within_two_se

BATCH = 64
EDGE_SETS_AT_ONCE = 64

KeptPhi = Callable[[Bool[np.ndarray, "set unit"]], Float[np.ndarray, "set task"]]
"""What is kept → φ of every task."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Tasks on one split, with both ends of φ: means of the clean and of the corrupted metric, in metric units; ``effect`` False: no φ."""

    lens: Lens
    tasks: tuple[TaskPrompts, ...]
    clean: Float[np.ndarray, " task"]
    corrupted: Float[np.ndarray, " task"]
    effect: Bool[np.ndarray, " task"]

    def phi(self, task: int, scores: Float[np.ndarray, " set"]) -> Float[np.ndarray, " set"]:
        """φ of the mean metrics ``scores``."""
        if not self.effect[task]:
            return np.full(len(scores), np.nan)
        return np.asarray((scores - self.corrupted[task]) / (self.clean[task] - self.corrupted[task]))


def ask(lens: Lens, tasks: Sequence[TaskPrompts], split: Literal["edges", "eval"], pairs: int) -> Asked:
    """The first ``pairs`` pairs of ``split`` of every task."""
    chosen = tuple(replace(task, eval=_first(task.edges if split == "edges" else task.eval, pairs), edges=_none(task.edges)) for task in tasks)
    ends = [_ends(lens, task) for task in chosen]
    effect = np.array([not within_two_se(clean - corrupted) for clean, corrupted in ends])
    return Asked(lens, chosen, np.array([clean.mean() for clean, _ in ends]), np.array([corrupted.mean() for _, corrupted in ends]), effect)


def feature_sites(lens: Lens) -> tuple[Site, ...]:
    """The sites whose features are units, in the order in which the units stand."""
    return tuple(site for site in lens.sites if site.kind in ("attention", "mlp"))


def features_kept(asked: Asked) -> KeptPhi:
    """φ when features are kept; units are those of :func:`feature_sites`, site after site."""
    sites = feature_sites(asked.lens)
    ends = np.cumsum([site.n_features for site in sites])[:-1]

    def phi(kept: Bool[np.ndarray, "set unit"]) -> Float[np.ndarray, "set task"]:
        off = {site.key: part for site, part in zip(sites, np.split(~kept, ends, axis=1), strict=True)}
        return np.stack([asked.phi(i, metric_without(asked.lens, task, off).mean(axis=1)) for i, task in enumerate(asked.tasks)], axis=1)

    return phi


def edges_kept(asked: Asked, graph: ComputationalGraph) -> KeptPhi:
    """φ when edges of ``graph`` are kept; units are its edges in the order of its table."""
    runs = [_runs(asked.lens, task) for task in asked.tasks]

    def phi(kept: Bool[np.ndarray, "set unit"]) -> Float[np.ndarray, "set task"]:
        parts = [keep_masks(graph.edges, graph.partition, kept[i : i + EDGE_SETS_AT_ONCE]) for i in range(0, len(kept), EDGE_SETS_AT_ONCE)]
        return np.stack([asked.phi(i, np.concatenate([_circuits(pairs, graph, masks) for masks in parts])) for i, pairs in enumerate(runs)], axis=1)

    return phi


@torch.no_grad()
def _circuits(runs: Sequence[PairRun], graph: ComputationalGraph, masks: dict[str, np.ndarray]) -> Float[np.ndarray, " set"]:
    """Mean metric of each circuit over all pairs."""
    count = len(next(iter(masks.values())))
    rows = [run.score(run_circuits(run, graph.partition, masks).flatten(0, 1)).reshape(count, -1).double().cpu().numpy() for run in runs]
    return np.asarray(np.concatenate(rows, axis=1).mean(axis=1))


def with_own_answers(lens: Lens, task: TaskPrompts) -> TaskPrompts:
    """``task`` asked for what the model itself says: of a pair's answers and wrong answers, the one that the clean prompt raises most over the corrupted.

    A model that has not learnt the task has an effect on its own answers where it has none on the right ones. Pairs without
    wrong answers choose among all tokens.
    """
    return replace(task, rois=_answered(lens, task, task.rois), edges=_answered(lens, task, task.edges), eval=_answered(lens, task, task.eval))


@torch.no_grad()
def _answered(lens: Lens, task: TaskPrompts, prompts: PromptSet) -> PromptSet:
    pairs = list(prompts.pairs)
    for batch in batches(prompts, BATCH, lens.device):
        run = run_pair(lens, batch, metric(task.metric))
        ends = [logits_at(lens, cache.final, batch.positions) for cache in (run.clean, run.corrupted) if cache.final is not None]
        for row, raised in zip(batch.rows, (ends[0] - ends[1]).cpu().numpy(), strict=True):
            pairs[row] = _with_greatest(prompts.pairs[row], raised)
    return replace(prompts, pairs=tuple(pairs))


def _with_greatest(pair: PromptPair, raised: Float[np.ndarray, "A V"]) -> PromptPair:
    answers, wrong = [], []
    for given, right, others in zip(raised, pair.answers, pair.wrong_answers, strict=True):
        known = sorted({*right, *others}) if others else list(range(len(given)))
        best = known[int(np.argmax(given[known]))]
        answers.append((best,))
        wrong.append(tuple(token for token in known if token != best) if others else ())
    return replace(pair, answers=tuple(answers), wrong_answers=tuple(wrong))


def _first(prompts: PromptSet, count: int) -> PromptSet:
    return replace(prompts, pairs=prompts.pairs[:count])


def _none(prompts: PromptSet) -> PromptSet:
    """No pairs: the two splits of a task may not share a case."""
    return replace(prompts, pairs=())


def _runs(lens: Lens, task: TaskPrompts) -> list[PairRun]:
    return [run_pair(lens, batch, metric(task.metric)) for batch in batches(task.eval, BATCH, lens.device)]


def _ends(lens: Lens, task: TaskPrompts) -> tuple[Float[np.ndarray, " example"], Float[np.ndarray, " example"]]:
    runs = _runs(lens, task)
    columns = ([run.clean_metric for run in runs], [run.corrupted_metric for run in runs])
    clean, corrupted = (torch.cat(column).double().cpu().numpy() for column in columns)
    return clean, corrupted
