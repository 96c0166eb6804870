"""Paths ``inputs`` (EAP-IG) and ``clean`` (EAP): one path for all ports at once.

``inputs``: the token embedding moves from corrupted to clean, tokens and positions stay clean (Hanna et al. 2024,
EAP-IG-inputs; with rule ``left`` the published scores). ``clean``: the gradient of the clean run, nothing moves.
Sum law of ``inputs``: Σ_v w(tok→v) → metric(clean) − metric(corrupted), since every way on from the embedding is a port.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from roicg.attribution.targets import Normed, PortGradient, norm_of, wide
from roicg.core.sites import PortGroup
from roicg.models.forward import run as run_lens
from roicg.models.pairs import PairRun
from roicg.numerics.quadrature import quadrature


def gradients(run: PairRun, steps: Mapping[str, int], groups: tuple[PortGroup, ...], rule: str) -> Iterator[PortGradient]:
    """Each of ``groups`` once per point of the path; cost: m full passes. All groups must ask for the same steps."""
    (count,) = set(steps.values())
    points, weights = quadrature(rule, count)
    for point, weight in zip(points.tolist(), weights.tolist(), strict=True):
        yield from _at(run, groups, run.corrupted.tok + point * (run.clean.tok - run.corrupted.tok), weight)


def clean_gradients(run: PairRun, steps: Mapping[str, int], groups: tuple[PortGroup, ...], rule: str) -> Iterator[PortGradient]:
    """Each of ``groups`` once, at the clean run; ``steps`` and ``rule`` do not matter."""
    yield from _at(run, groups, run.clean.tok, 1.0)


def _at(run: PairRun, groups: tuple[PortGroup, ...], tok: Tensor, weight: float) -> Iterator[PortGradient]:
    with torch.enable_grad():
        cache = run_lens(run.lens, run.batch.clean, tok.detach().requires_grad_(), at=run.clean.at)
        assert cache.final is not None
        total = run.score(cache.final).sum()
    ports = [cache.port(group) for group in groups]
    flat = iter(torch.autograd.grad(total, [part for port in ports for part in port]))
    alpha = torch.tensor([weight], dtype=wide(run.lens.dtype), device=run.lens.device)
    normed: dict[tuple[str, bool], Normed] = {}
    parts = []
    for group, port in zip(groups, ports, strict=True):
        place = group.site.key, run.in_tail(group)
        if place not in normed:
            normed[place] = Normed.of(norm_of(run.lens, group), cache.stream_at(group))
        parts.append(PortGradient(group, normed[place], tuple(part.detach() for part in port), tuple(next(flat) for _ in port), alpha))
    del cache, ports, total  # what is not asked of this point is freed before the sources are written out
    yield from parts
