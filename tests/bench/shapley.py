"""Exact patching in every context: Shapley values of the edges into one port group, by sampled orders.

Exact edges are the last step of each order alone (every other edge clean). Here edges are turned from corrupted to clean
one after the other, and an edge counts with its mean step: what the path ``ports`` integrates, without any gradient.
"""

import numpy as np
import torch
from jaxtyping import Float

from roicg.attribution.plan import plan_rows
from roicg.attribution.sources import Sources
from roicg.core.partition import RoiPartition
from roicg.core.prompts import TaskPrompts
from roicg.core.sites import PortGroup, port_groups
from roicg.models.batches import batches
from roicg.models.forward import read_port, resume
from roicg.models.lens import Lens
from roicg.models.metrics import metric
from roicg.models.pairs import PairRun, run_pair


@torch.no_grad()
def shapley_edges(lens: Lens, task: TaskPrompts, partition: RoiPartition, orders: int = 16, seed: int = 0) -> dict[str, Float[np.ndarray, "source target"]]:
    """Per port group key the mean step of each edge over ``orders`` random orders, on split ``edges``."""
    plan, rng = plan_rows({"own": partition}), np.random.default_rng(seed)
    found: dict[str, np.ndarray] = {}
    for batch in batches(task.edges, 64, lens.device):
        run = run_pair(lens, batch, metric(task.metric), answers_only=True)
        sources, weight = Sources(run, plan), len(batch) / len(task.edges.pairs)
        for group in port_groups(plan.sites):
            members = [partition.rois[i].members for i in partition.of_site(group.site.key)]
            steps = sum(_steps(run, group, sources.read_by(group), members, rng) for _ in range(orders)) / orders
            found[group.key] = found.get(group.key, 0) + weight * np.asarray(steps)
    return found


def _steps(
    run: PairRun, group: PortGroup, rows: Float[torch.Tensor, "S B P D"], members: list[tuple[int, ...]], rng: np.random.Generator
) -> Float[np.ndarray, "S T"]:
    """What the metric gains as each edge is turned to clean, in one random order."""
    count = len(rows) * len(members)
    order = rng.permutation(count)
    place = np.empty(count, dtype=np.int64)
    place[order] = np.arange(count)
    on = torch.as_tensor(place.reshape(len(rows), len(members)) < np.arange(count + 1)[:, None, None], dtype=rows.dtype)
    value: list[torch.Tensor] = []
    for target, chosen in enumerate(members):
        stream = torch.einsum("es,sbpd->ebpd", on[:, :, target], rows) + run.corrupted.stream_at(group)
        parts = read_port(run.lens, group, stream.flatten(0, 1))
        if group.site.kind == "logits":
            value = list(parts)
            continue
        value = value or [torch.empty_like(part) for part in parts]
        for out, part in zip(value, parts, strict=True):
            at = (slice(None), slice(None), list(chosen)) if group.site.kind == "attention" else (..., list(chosen))
            out[at] = part[at]
    scores = run.score(resume(run.lens, run.clean, group, tuple(value))).view(count + 1, -1).mean(1)
    return np.diff(scores.double().numpy())[place].reshape(len(rows), len(members))
