"""Path ``ports``: one port group moves from corrupted to clean at a time, everything downstream is recomputed.

For group g with input x(t) = corrupted + t · (clean − corrupted): the other ports and the bypassing stream stay clean.
Sum law: Σ_u w(u→g) → metric(clean) − metric(clean with g's whole input corrupted) as the steps grow.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from roicg.core.sites import PortGroup
from roicg.models.forward import read_port, resume
from roicg.models.pairs import PairRun
from roicg.numerics.quadrature import quadrature


@dataclass(frozen=True, slots=True, eq=False)
class PortGradient:
    """The gradient at what a port computed, at m stacked points of the path: ``stream`` [m·B,P,D] before the norm, ``weights`` the quadrature's."""

    group: PortGroup
    stream: Float[Tensor, "mB P D"]
    gradient: tuple[Tensor, ...]
    weights: Float[Tensor, " m"]


def gradients(run: PairRun, steps: Mapping[str, int], groups: tuple[PortGroup, ...], rule: str) -> Iterator[PortGradient]:
    """Each of ``groups`` once, with all its points stacked along the batch; cost: m suffix passes per group."""
    for group in groups:
        points, weights = (torch.tensor(x, dtype=run.lens.dtype, device=run.lens.device) for x in quadrature(rule, steps[group.key]))
        corrupted, delta = run.corrupted.stream_at(group), run.stream_delta(group)
        stream = (corrupted + points[:, None, None, None] * delta).flatten(0, 1)
        value = tuple(part.requires_grad_() for part in read_port(run.lens, group, stream))
        with torch.enable_grad():
            total = run.score(resume(run.lens, run.clean, group, value)).sum()
        yield PortGradient(group, stream.detach(), torch.autograd.grad(total, value), weights)


@torch.no_grad()
def group_effect(run: PairRun, group: PortGroup) -> Float[Tensor, " B"]:
    """metric(clean) − metric(clean with the group's whole input corrupted), per example."""
    value = read_port(run.lens, group, run.corrupted.stream_at(group))
    return run.clean_metric - run.score(resume(run.lens, run.clean, group, value))
