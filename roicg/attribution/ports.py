"""Path ``ports``: one port group moves from corrupted to clean at a time, everything downstream is recomputed.

For group g with input x(t) = corrupted + t · (clean − corrupted): the other ports and the bypassing stream stay clean.
Sum law: Σ_u w(u→g) → metric(clean) − metric(clean with g's whole input corrupted) as the steps grow.
"""

from collections.abc import Iterator, Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from roicg.attribution.targets import Normed, PortGradient, norm_of, wide
from roicg.core.sites import PortGroup
from roicg.models.forward import read_port, resume
from roicg.models.pairs import PairRun
from roicg.numerics.quadrature import quadrature

STACKED_ROWS = 1 << 12
"""Rows (points × examples × positions) that go through the model at once: a fixed number, so that sums never depend on free memory."""


def gradients(run: PairRun, steps: Mapping[str, int], groups: tuple[PortGroup, ...], rule: str) -> Iterator[PortGradient]:
    """Each of ``groups`` at all its points, some stacked along the batch at a time; cost: m suffix passes per group."""
    dtype = wide(run.lens.dtype)
    at_once = max(1, STACKED_ROWS // run.clean.tok[..., 0].numel())
    for group in groups:
        points, weights = (torch.tensor(x, dtype=dtype, device=run.lens.device) for x in quadrature(rule, steps[group.key]))
        corrupted, delta = run.corrupted.stream_at(group), run.stream_delta(group)
        for some, weight in zip(torch.split(points, at_once), torch.split(weights, at_once), strict=True):
            stream = (corrupted + some[:, None, None, None] * delta).flatten(0, 1).to(corrupted.dtype)
            value = tuple(part.requires_grad_() for part in read_port(run.lens, group, stream))
            with torch.enable_grad():
                total = run.score(resume(run.lens, run.clean, group, value)).sum()
            gradient = torch.autograd.grad(total, value)
            yield PortGradient(group, Normed.of(norm_of(run.lens, group), stream), value, gradient, weight)


@torch.no_grad()
def group_effect(run: PairRun, group: PortGroup) -> Float[Tensor, " B"]:
    """metric(clean) − metric(clean with the group's whole input corrupted), per example."""
    if group.site.kind == "logits":
        return run.clean_metric - run.corrupted_metric
    value = read_port(run.lens, group, run.corrupted.stream_at(group))
    return run.clean_metric - run.score(resume(run.lens, run.clean, group, value))
