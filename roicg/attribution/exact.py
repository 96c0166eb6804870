"""Path ``exact``: every edge patched in a forward of its own, the oracle.

w(u→v) = metric(clean) − metric(clean with v's input through this port less what u wrote differently). A ROI is patched
as a group, so exact edges are not additive over members and each partition needs its own passes.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from roicg.core.sites import PortGroup
from roicg.models.forward import read_port, resume
from roicg.models.pairs import PairRun


@torch.no_grad()
def exact_edges(run: PairRun, group: PortGroup, sources: Float[Tensor, "B S P D"], members: tuple[int, ...], max_rows: int) -> Float[Tensor, "B S"]:
    """Per-example exact weight of each of S sources into the ROI ``members`` through ``group``; forwards are stacked to ``max_rows`` examples."""
    stream, size = run.clean.stream_at(group), len(run.batch)
    at_once = max(1, max_rows // size)
    columns = []
    for start in range(0, sources.shape[1], at_once):
        some = sources[:, start : start + at_once].transpose(0, 1)
        patched = read_port(run.lens, group, (stream - some).flatten(0, 1))
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
