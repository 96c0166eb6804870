"""Integrated-gradient edges of one checkpoint for every task and partition, from one gradient pass.

1. Plan the rows: the distinct member sets of all partitions (plan.py).
2. Per task, run each batch clean and corrupted; the sources are what each ROI wrote differently (sources.py), the books are checked.
3. Take the gradient along the path (ports.py, inputs.py) and gather it per port group into targets (targets.py).
4. w(u→v) = Σ_p ⟨Δ_u, G_v⟩ per example (weights.py); sum over examples in float64 (blocks.py).
5. On ``ports``, a group whose gap exceeds the tolerance is done again with twice the steps, up to the cap.
6. A group that is still not complete, or saturated, is done again by ``exact`` where the study asks for that fallback.
7. Assemble one edge table per partition, with ranks (table.py).

Path ``exact`` has its own passes per partition and no gradient (exact.py).
"""

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from roicg.attribution import inputs, ports
from roicg.attribution.blocks import GroupBlocks
from roicg.attribution.exact import add_exact
from roicg.attribution.plan import RowPlan, plan_rows
from roicg.attribution.ports import group_effect
from roicg.attribution.sources import Sources
from roicg.attribution.sums import EdgeSums
from roicg.attribution.table import EdgeLayout, assemble
from roicg.attribution.targets import GradientSum, PortGradient
from roicg.core.graph import EdgeTable, PortGroupEffect
from roicg.core.partition import RoiPartition
from roicg.core.prompts import TaskPrompts
from roicg.core.settings import AttributionSettings
from roicg.core.sites import PortGroup, port_groups
from roicg.models.batches import Batch, batch_of, batches
from roicg.models.lens import Lens
from roicg.models.metrics import metric
from roicg.models.pairs import PairRun, run_pair

Gradients = Callable[[PairRun, Mapping[str, int], tuple[PortGroup, ...], str], Iterator[PortGradient]]
PATHS: dict[str, Gradients] = {"ports": ports.gradients, "inputs": inputs.gradients, "clean": inputs.clean_gradients}
BATCH_FLOATS = 1 << 24
"""Bound on the numbers that one batch holds in activations and rows: fixed, so that sums never depend on free memory."""
CUDA_SHARE = 8
"""On CUDA the bound is this part of the device's memory (of all of it, not of what is free); what does not fit even so is halved."""

ROUNDING = {torch.float64: 64, torch.float32: 64}
"""A gap of so many rounding errors of the largest metric is no gap (half precision: 2, which is 1.6 % in bfloat16; more would hide every gap)."""

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class EdgeAttribution:
    """The edges of one partition with the books of every port group and task."""

    partition: RoiPartition
    edges: EdgeTable
    port_groups: tuple[PortGroupEffect, ...]


@dataclass(slots=True)
class GroupSums:
    """What one pass over a task's prompts gives for one port group: edge sums per partition, and the group's books per example."""

    blocks: GroupBlocks
    effect: list[Tensor] = field(default_factory=list)
    flow: list[Tensor] = field(default_factory=list)
    flat: bool = True
    rounding: float = 0.0

    def merge(self, other: "GroupSums") -> None:
        """Add what ``other`` holds of further examples."""
        self.blocks.merge(other.blocks)
        self.effect += other.effect
        self.flow += other.flow
        self.flat = self.flat and other.flat
        self.rounding = max(self.rounding, other.rounding)


def attribute_edges(
    lens: Lens, tasks: Sequence[TaskPrompts], partitions: Mapping[str, RoiPartition], settings: AttributionSettings, progress: Progress | None = None
) -> dict[str, EdgeAttribution]:
    """Edges of every partition (by the name it is given under) for every task, on split ``edges``.

    Weights are in metric units, (clean − corrupted) · ∂metric, mean over the task's pairs. Raises ``LawError`` when the
    books do not balance or a value is not finite.
    """
    layouts = {name: EdgeLayout.of(partition) for name, partition in partitions.items()}
    blocks: dict[tuple[str, str], GroupBlocks] = {}
    books: list[PortGroupEffect] = []
    for number, task in enumerate(tasks):
        for group, block, effect in attribute_task(lens, task, partitions, settings):
            blocks[task.task, group.key] = block
            books.append(effect)
        if progress is not None:
            progress(task.task, (number + 1) / len(tasks))
    names = [task.task for task in tasks]
    found = {}
    for name, partition in partitions.items():
        sums = {key: block.sums[name] for key, block in blocks.items()}
        found[name] = EdgeAttribution(
            partition, assemble(layouts[name], names, sums), tuple(_of_partition(book, sums[book.task, book.group]) for book in books)
        )
    return found


def attribute_task(
    lens: Lens, task: TaskPrompts, partitions: Mapping[str, RoiPartition], settings: AttributionSettings
) -> list[tuple[PortGroup, GroupBlocks, PortGroupEffect]]:
    """Steps 1–6 for one task: per port group, in stream order, the edge sums of every partition and the group's books."""
    plan = plan_rows(partitions, max_rows=sys.maxsize if settings.path == "exact" else None)
    groups = port_groups(plan.sites)
    steps = {group.key: 1 if settings.path in ("clean", "exact") else settings.steps for group in groups}
    done: dict[str, tuple[PortGroup, GroupBlocks, PortGroupEffect]] = {}
    todo = groups
    while todo:
        result = _one_pass(lens, task, partitions, plan, todo, steps, settings)
        again = []
        for group in todo:
            effect = _books(result[group.key], group, task, steps[group.key], settings)
            if settings.path == "ports" and not effect.complete and steps[group.key] < settings.max_steps:
                steps[group.key] = min(2 * steps[group.key], settings.max_steps)
                again.append(group)
            done[group.key] = group, result[group.key].blocks, effect
        todo = tuple(again)
    flagged = tuple(group for group, _, effect in done.values() if effect.saturated or not effect.complete)
    if settings.fallback == "exact" and flagged:
        exact = settings.model_copy(update={"path": "exact"})
        for group_key, sums in _one_pass(lens, task, partitions, plan_rows(partitions, max_rows=sys.maxsize), flagged, steps, exact).items():
            group, _, effect = done[group_key]
            fresh = _books(sums, group, task, 1, exact)
            done[group_key] = group, sums.blocks, replace(fresh, saturated=effect.saturated)
    return [done[group.key] for group in groups]


def _one_pass(
    lens: Lens,
    task: TaskPrompts,
    partitions: Mapping[str, RoiPartition],
    plan: RowPlan,
    groups: tuple[PortGroup, ...],
    steps: Mapping[str, int],
    settings: AttributionSettings,
) -> dict[str, GroupSums]:
    """All batches of one task for ``groups`` at the given steps; a batch that does not fit the device's memory is halved."""
    result = {group.key: GroupSums(GroupBlocks.of(plan, partitions, group)) for group in groups}
    waiting = list(_micro_batches(task, plan, lens, settings))[::-1]
    while waiting:
        batch = waiting.pop()
        try:
            found = _one_batch(lens, batch, task, partitions, plan, groups, steps, settings)
        except torch.OutOfMemoryError:
            if len(batch) == 1:
                raise
            torch.cuda.empty_cache()
            middle = len(batch) // 2
            waiting += [batch_of(task.edges.pairs, rows, lens.device) for rows in (batch.rows[middle:], batch.rows[:middle])]
            continue
        for key, sums in found.items():
            result[key].merge(sums)
    return result


def _one_batch(
    lens: Lens,
    batch: Batch,
    task: TaskPrompts,
    partitions: Mapping[str, RoiPartition],
    plan: RowPlan,
    groups: tuple[PortGroup, ...],
    steps: Mapping[str, int],
    settings: AttributionSettings,
) -> dict[str, GroupSums]:
    """Steps 2–4 for one batch."""
    measured = settings.measures_group_effects
    resumes = settings.path in ("ports", "exact") or measured
    run = run_pair(lens, batch, metric(task.metric), answers_only=True, resumes=resumes)
    sources = Sources(run, plan)
    result = {group.key: GroupSums(GroupBlocks.of(plan, partitions, group, len(batch))) for group in groups}
    rounding = ROUNDING.get(lens.dtype, 2) * torch.finfo(lens.dtype).eps * float(run.clean_metric.abs().max())
    for group in groups:
        sums = result[group.key]
        sums.rounding = rounding
        if measured or group.site.kind == "logits":
            sums.effect.append(group_effect(run, group).double())
    if settings.path == "exact":
        for group in groups:
            flow = add_exact(run, group, partitions, plan, sources, result[group.key].blocks, settings.batch_size)
            result[group.key].flow.append(flow)
            result[group.key].flat = False
        return result
    if not resumes:
        run = run.ends()
    for group, gradient in _gathered(run, groups, plan, steps, settings):
        result[group.key].flat = gradient.largest == 0.0
        result[group.key].flow.append(result[group.key].blocks.add(gradient, sources))
    return result


def _gathered(
    run: PairRun, groups: tuple[PortGroup, ...], plan: RowPlan, steps: Mapping[str, int], settings: AttributionSettings
) -> Iterator[tuple[PortGroup, GradientSum]]:
    """Step 3: each of ``groups`` once, when all points of its path are in."""
    waiting: dict[str, GradientSum] = {}
    points = {group.key: steps[group.key] for group in groups}
    for part in PATHS[settings.path](run, steps, groups, settings.rule):
        group = part.group
        members = None if plan.by_neuron(group.site.key) else plan.members[group.site.key]
        waiting.setdefault(group.key, GradientSum(run.lens, group, members)).add(part)
        points[group.key] -= len(part.weights)
        if settings.path == "ports" and points[group.key] == 0:
            yield group, waiting.pop(group.key)
        del part
    for group in groups:  # paths that serve all groups at once end together, and by now their passes are freed
        if group.key in waiting:
            yield group, waiting.pop(group.key)


def _books(sums: GroupSums, group: PortGroup, task: TaskPrompts, steps: int, settings: AttributionSettings) -> PortGroupEffect:
    """The sum law of one group, where its effect was measured: within tolerance · max(|effect|, mean |per-example effect|), or rounding."""
    if not sums.effect:
        return PortGroupEffect(group.key, task.task, None, None, steps, settings.path, complete=True, saturated=sums.flat)
    per_example = torch.cat(sums.effect)
    effect, gap = float(per_example.mean()), float((per_example - torch.cat(sums.flow)).mean())
    scale = max(abs(effect), float(per_example.abs().mean()))
    complete = settings.path == "exact" or not settings.measures_group_effects or abs(gap) <= max(settings.tolerance * scale, sums.rounding)
    return PortGroupEffect(group.key, task.task, effect, gap, steps, settings.path, complete, saturated=sums.flat and scale > sums.rounding)


def _of_partition(book: PortGroupEffect, sums: EdgeSums) -> PortGroupEffect:
    """The gap that this partition's edges leave: exact edges are not additive over members, all others have one gap for every partition."""
    if book.method != "exact" or book.effect is None:
        return book
    return replace(book, gap=book.effect - float(sums.mean.sum()))


def _micro_batches(task: TaskPrompts, plan: RowPlan, lens: Lens, settings: AttributionSettings) -> Iterator[Batch]:
    """Batches of about equal size that keep within :func:`floats_at_once`, or within what the sums of the edges take where that is more."""
    longest, count = max(len(pair.clean) for pair in task.edges.pairs), len(task.edges.pairs)
    neurons = sum(site.n_features for site in plan.sites if plan.by_neuron(site.key))
    activations = lens.n_layers * 6 * lens.W_E.shape[1] + 2 * sum(site.n_features for site in plan.sites if site.kind == "mlp")
    floats_per_example = longest * (plan.n_rows() * lens.W_E.shape[1] + activations + settings.steps * neurons)
    edges = sum(
        plan.size(name, group.site.key) * plan.size(name, site.key)
        for name in plan.picks
        for group in port_groups(plan.sites)
        for site in plan.upstream(group.site)
    )
    most = int(np.clip(max(floats_at_once(lens), 6 * edges) // floats_per_example, 1, settings.batch_size))
    return batches(task.edges, math.ceil(count / math.ceil(count / most)), lens.device)


def floats_at_once(lens: Lens) -> int:
    """``BATCH_FLOATS`` on the CPU, on CUDA the numbers that 1/``CUDA_SHARE`` of the device's memory holds."""
    if lens.device.type != "cuda":
        return BATCH_FLOATS
    return int(torch.cuda.get_device_properties(lens.device).total_memory) // (CUDA_SHARE * torch.finfo(lens.dtype).bits // 8)
