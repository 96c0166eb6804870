"""Path ``exact``: every edge patched in a forward of its own, the oracle.

w(u→v) = metric(clean) − metric(clean with v's input through this port less what u wrote differently). A ROI is patched
as a group, so exact edges are not additive over members and each partition needs its own passes.
"""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from roicg.attribution.blocks import GroupBlocks
from roicg.attribution.plan import RowPlan
from roicg.attribution.sources import Sources
from roicg.core.errors import LawError
from roicg.core.partition import RoiPartition
from roicg.core.sites import PortGroup
from roicg.models.forward import read_port, resume
from roicg.models.pairs import PairRun

MAX_EDGES = 200_000
"""More edges than this are not patched one by one for one port group: a coarser partition, or another path, is what is wanted."""


@torch.no_grad()
def add_exact(
    run: PairRun, group: PortGroup, partitions: Mapping[str, RoiPartition], plan: RowPlan, sources: Sources, blocks: GroupBlocks, batch_size: int
) -> Float[Tensor, " B"]:
    """Add the exact weights of one batch to every partition's block; returns Σ of the first partition's edges per example."""
    upstream = plan.upstream(group.site)
    rows = sources.read_by(group)
    flow: Tensor | None = None
    for name, partition in partitions.items():
        index, offset = [], 0
        for site in upstream:
            chosen = plan.picks[name][site.key]
            assert chosen is not None
            index += [offset + row for row in chosen]
            offset += len(plan.members[site.key])
        targets = [partition.rois[i].members for i in partition.of_site(group.site.key)]
        if len(index) * len(targets) > MAX_EDGES:
            raise LawError(
                f"exact patching of {len(index) * len(targets)} edges into {group.key} of partition {name} was asked for, at most {MAX_EDGES} are done; "
                "use a coarser partition, or path ports"
            )
        weights = torch.stack([exact_edges(run, group, rows[index], members, 4 * batch_size) for members in targets], dim=2)
        blocks.sums[name].add(weights)
        flow = weights.sum((1, 2), dtype=torch.float64) if flow is None else flow
    assert flow is not None
    return flow


@torch.no_grad()
def exact_edges(run: PairRun, group: PortGroup, sources: Float[Tensor, "S B P D"], members: tuple[int, ...], max_rows: int) -> Float[Tensor, "B S"]:
    """Per-example exact weight of each of S sources into the ROI ``members`` through ``group``; forwards are stacked to ``max_rows`` examples."""
    stream, size = run.clean.stream_at(group), len(run.batch)
    columns = []
    for some in torch.split(sources, max(1, max_rows // size)):
        patched = read_port(run.lens, group, (stream - some.to(stream.dtype)).flatten(0, 1))
        value = tuple(
            _only(group, members, new, old.repeat(some.shape[0], *[1] * (old.ndim - 1))) for new, old in zip(patched, run.clean.port(group), strict=True)
        )
        metric = run.score(resume(run.lens, run.clean, group, value)).view(some.shape[0], size)
        columns.append(run.clean_metric - metric)
    return torch.cat(columns).T


def _only(group: PortGroup, members: tuple[int, ...], new: Tensor, old: Tensor) -> Tensor:
    """``old`` with the features of ``members`` taken from ``new`` (heads on axis 2, neurons on the last; the logits port is whole)."""
    if group.site.kind == "logits":
        return new
    value = old.clone()
    index = list(members)
    if group.site.kind == "attention":
        value[:, :, index] = new[:, :, index]
    else:
        value[..., index] = new[..., index]
    return value
