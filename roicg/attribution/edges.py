"""Integrated-gradient edges of one checkpoint for every task and partition, from one gradient pass.

1. Plan the rows: the distinct member sets of all partitions (rows.py).
2. Per task, run each batch clean and corrupted; the source rows are what each ROI wrote differently (models/pairs.py, models/writers.py).
3. Per port group, take the gradient along the path (ports.py, inputs.py) and turn it into target rows, one per ROI.
4. w(u→v) = Σ_p ⟨Δ_u, G_v⟩ per example; sum over examples in float64 (sums.py). Books: Σ_u Δ_u = Δ(stream) at every port.
5. On ``ports``, a group whose gap exceeds the tolerance is done again with twice the steps, up to the cap.
6. Assemble one edge table per partition, with ranks.

Path ``exact`` has its own passes per partition and no gradient (exact.py).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from roicg.attribution import inputs, ports
from roicg.attribution.exact import exact_edges
from roicg.attribution.ports import PortGradient, group_effect
from roicg.attribution.rows import RowPlan, plan_rows, target_rows
from roicg.attribution.sums import EdgeSums
from roicg.attribution.table import EdgeLayout, assemble
from roicg.core.errors import LawError
from roicg.core.graph import EdgeTable, PortGroupEffect
from roicg.core.partition import RoiPartition
from roicg.core.prompts import TaskPrompts
from roicg.core.settings import AttributionSettings
from roicg.core.sites import PortGroup, is_upstream, port_groups
from roicg.models.batches import Batch, batches
from roicg.models.lens import Lens
from roicg.models.metrics import metric
from roicg.models.pairs import PairRun, run_pair
from roicg.models.writers import written

Gradients = Callable[[PairRun, Mapping[str, int], tuple[PortGroup, ...], str], Iterator[PortGradient]]
PATHS: dict[str, Gradients] = {"ports": ports.gradients, "inputs": inputs.gradients, "clean": inputs.clean_gradients}
ROW_FLOATS = 1 << 25
"""Bound on the numbers held in rows at once: a fixed number, so that sums never depend on free memory."""

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class EdgeAttribution:
    """The edges of one partition with the books of every port group and task."""

    partition: RoiPartition
    edges: EdgeTable
    port_groups: tuple[PortGroupEffect, ...]


@dataclass(slots=True)
class GroupSums:
    """What one pass over a task's prompts gives for one port group: edge sums per partition, and the group's books."""

    edges: dict[str, EdgeSums]
    effect: list[Tensor]
    flow: list[Tensor]
    largest_gradient: float = 0.0
    rounding: float = 0.0


def attribute_edges(
    lens: Lens, tasks: Sequence[TaskPrompts], partitions: Mapping[str, RoiPartition], settings: AttributionSettings, progress: Progress | None = None
) -> dict[str, EdgeAttribution]:
    """Edges of every partition (by the name it is given under) for every task, on split ``edges``.

    Weights are in metric units, (clean − corrupted) · ∂metric, mean over the task's pairs. Raises ``LawError`` when the
    books do not balance or a value is not finite.
    """
    plan = plan_rows(partitions)
    groups = port_groups(plan.sites)
    sums: dict[tuple[str, str], GroupSums] = {}
    effects: list[PortGroupEffect] = []
    for number, task in enumerate(tasks):
        steps = {group.key: 1 if settings.path == "clean" else settings.steps for group in groups}
        todo = groups
        while todo:
            result = _one_pass(lens, task, partitions, plan, todo, {group.key: steps[group.key] for group in todo}, settings)
            again = []
            for group in todo:
                effect = _books(result[group.key], group, task, steps[group.key], settings)
                if settings.path == "ports" and not effect.complete and steps[group.key] < settings.max_steps:
                    steps[group.key] = min(2 * steps[group.key], settings.max_steps)
                    again.append(group)
                    continue
                sums[task.task, group.key] = result[group.key]
                effects.append(effect)
            todo = tuple(again)
        if progress is not None:
            progress(task.task, (number + 1) / len(tasks))
    effects.sort(key=lambda e: ([t.task for t in tasks].index(e.task), [g.key for g in groups].index(e.group)))
    names = [task.task for task in tasks]
    books = tuple(effects)
    return {
        name: EdgeAttribution(partition, assemble(EdgeLayout.of(partition), names, {key: group.edges[name] for key, group in sums.items()}), books)
        for name, partition in partitions.items()
    }


def _one_pass(
    lens: Lens,
    task: TaskPrompts,
    partitions: Mapping[str, RoiPartition],
    plan: RowPlan,
    groups: tuple[PortGroup, ...],
    steps: Mapping[str, int],
    settings: AttributionSettings,
) -> dict[str, GroupSums]:
    """All batches of one task for ``groups`` at the given steps."""
    layouts = {name: EdgeLayout.of(partition) for name, partition in partitions.items()}
    result = {group.key: GroupSums({name: EdgeSums(layout.shape(group)) for name, layout in layouts.items()}, [], []) for group in groups}
    for batch in _micro_batches(task, plan, lens, settings):
        run = run_pair(lens, batch, metric(task.metric))
        with torch.no_grad():
            sources = {site.key: written(lens, run.clean, run.corrupted, site, plan.members[site.key]) for site in plan.sites if site.writes_at is not None}
        for group in groups:
            _check_books(run, group, plan, next(iter(partitions)), sources)
            result[group.key].effect.append(group_effect(run, group).double())
            result[group.key].rounding = max(result[group.key].rounding, 64 * torch.finfo(lens.dtype).eps * float(run.clean_metric.abs().max()))
        if settings.path == "exact":
            _add_exact(run, groups, partitions, plan, sources, result, settings)
        else:
            _add_gradients(run, groups, steps, plan, sources, result, settings)
    return result


def _add_gradients(
    run: PairRun,
    groups: tuple[PortGroup, ...],
    steps: Mapping[str, int],
    plan: RowPlan,
    sources: Mapping[str, Tensor],
    result: Mapping[str, GroupSums],
    settings: AttributionSettings,
) -> None:
    """Steps 3 and 4: gradients along the path, target rows, per-example weights."""
    rows: dict[str, Tensor] = {}
    for part in PATHS[settings.path](run, steps, groups, settings.rule):
        group, points = part.group, len(part.weights)
        with torch.no_grad():
            stacked = target_rows(run.lens, group, part.stream, part.gradient, plan.members[group.site.key])
            weighted = torch.tensordot(part.weights, stacked.reshape(points, -1, *stacked.shape[1:]), dims=1)
            rows[group.key] = weighted if group.key not in rows else rows[group.key] + weighted
        largest = max(float(g.abs().max()) for g in part.gradient)
        result[group.key].largest_gradient = max(result[group.key].largest_gradient, largest)
        if settings.path == "ports":
            _add_weights(run, group, rows.pop(group.key), plan, sources, result[group.key])
    for group in groups:
        if group.key in rows:
            _add_weights(run, group, rows.pop(group.key), plan, sources, result[group.key])


@torch.no_grad()
def _add_weights(run: PairRun, group: PortGroup, targets: Tensor, plan: RowPlan, sources: Mapping[str, Tensor], sums: GroupSums) -> None:
    upstream = [site.key for site in plan.sites if is_upstream(site, group.site)]
    for number, (name, block) in enumerate(sums.edges.items()):
        pick = plan.picks[name]
        u = torch.cat([sources[site][:, list(pick[site])] for site in upstream], dim=1).flatten(2)
        v = targets[:, list(pick[group.site.key])].flatten(2)
        weights = u @ v.transpose(1, 2)
        block.add(weights)
        if number == 0:
            sums.flow.append(weights.double().sum((1, 2)))


def _add_exact(
    run: PairRun,
    groups: tuple[PortGroup, ...],
    partitions: Mapping[str, RoiPartition],
    plan: RowPlan,
    sources: Mapping[str, Tensor],
    result: Mapping[str, GroupSums],
    settings: AttributionSettings,
) -> None:
    for group in groups:
        upstream = [site.key for site in plan.sites if is_upstream(site, group.site)]
        for number, (name, partition) in enumerate(partitions.items()):
            u = torch.cat([sources[site][:, list(plan.picks[name][site])] for site in upstream], dim=1)
            targets = [partition.rois[i].members for i in partition.of_site(group.site.key)]
            weights = torch.stack([exact_edges(run, group, u, members, 4 * settings.batch_size) for members in targets], dim=2)
            result[group.key].edges[name].add(weights)
            result[group.key].largest_gradient = 1.0
            if number == 0:
                result[group.key].flow.append(weights.double().sum((1, 2)))


def _books(sums: GroupSums, group: PortGroup, task: TaskPrompts, steps: int, settings: AttributionSettings) -> PortGroupEffect:
    """The sum law of one group: effect, gap, and whether the gap is within tolerance · max(|effect|, mean |per-example effect|), or rounding."""
    per_example = torch.cat(sums.effect)
    effect, gap = float(per_example.mean()), float((per_example - torch.cat(sums.flow)).mean())
    scale = max(abs(effect), float(per_example.abs().mean()))
    complete = abs(gap) <= max(settings.tolerance * scale, sums.rounding)
    saturated = sums.largest_gradient == 0.0 and scale > sums.rounding
    return PortGroupEffect(group.key, task.task, effect, gap, steps, settings.path, complete, saturated)


def _check_books(run: PairRun, group: PortGroup, plan: RowPlan, partition: str, sources: Mapping[str, Tensor]) -> None:
    """Σ_u Δ_u = Δ(stream) at the port, to 1e-10 of the largest entry in float64 and 1e-4 in float32."""
    upstream = [site.key for site in plan.sites if is_upstream(site, group.site)]
    total = sum(sources[site][:, list(plan.picks[partition][site])].sum(1) for site in upstream)
    delta = run.stream_delta(group)
    bound = (1e-10 if delta.dtype == torch.float64 else 1e-4) * max(1.0, float(run.clean.stream_at(group).abs().max()))
    error = float((total - delta).abs().max())
    if not error <= bound:
        raise LawError(f"the books of port group {group.key} do not balance: the writers' differences miss the stream's by {error:.3g} (allowed {bound:.3g})")


def _micro_batches(task: TaskPrompts, plan: RowPlan, lens: Lens, settings: AttributionSettings) -> Iterator[Batch]:
    longest = max(len(pair.clean) for pair in task.edges.pairs)
    floats_per_example = 3 * plan.n_rows() * longest * lens.W_E.shape[1]
    size = int(np.clip(ROW_FLOATS // floats_per_example, 1, settings.batch_size))
    return batches(task.edges, size, lens.device)
