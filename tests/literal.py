"""The edges and circuits of science.md, word by word: slow, looped, one example of everything, no shared code with the package's fast paths.

The forward gives every feature its own input through every port: the stream plus an ``extra`` that is zero in an
ordinary run. The gradient at ``extra`` is the derivative at the stream before the norm through that port alone.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from roicg.core.partition import RoiPartition
from roicg.core.sites import is_upstream
from roicg.models.lens import Lens, Norm

Feature = tuple[str, int]
Extra = Callable[[str, int, str, dict[Feature, Tensor]], Tensor | float]


def norm(n: Norm, x: Tensor) -> Tensor:
    if n.kind == "none":
        return x
    if n.kind == "layer":
        x = x - x.mean(-1, keepdim=True)
    x = x / torch.sqrt((x**2).mean(-1, keepdim=True) + n.eps)
    x = x * (1 if n.weight is None else n.weight)
    return x + (0 if n.bias is None else n.bias)


def turn(lens: Lens, x: Tensor) -> Tensor:
    if lens.rotary is None:
        return x
    out, width = x.clone(), lens.rotary.cos.shape[1]
    for p in range(x.shape[0]):
        for i in range(width // 2):
            a, b = (i, i + width // 2) if lens.rotary.style == "half" else (2 * i, 2 * i + 1)
            c, s = lens.rotary.cos[p, a], lens.rotary.sin[p, a]
            out[p, a], out[p, b] = x[p, a] * c - x[p, b] * s, x[p, b] * c + x[p, a] * s
    return out


def forward(lens: Lens, tokens: tuple[int, ...], extra: Extra, tok: Tensor | None = None) -> tuple[Tensor, dict[Feature, Tensor], dict[str, Tensor]]:
    """Logits [P,V], what every feature wrote [P,D], and the stream each site read, of one prompt."""
    wrote: dict[Feature, Tensor] = {("tok", 0): lens.W_E[list(tokens)] if tok is None else tok}
    stream = wrote["tok", 0] + (0 if lens.W_pos is None else lens.W_pos[: len(tokens)])
    read: dict[str, Tensor] = {}
    length = len(tokens)
    for layer, (a, m) in enumerate(zip(lens.attentions, lens.mlps, strict=True)):
        site, before = f"a{layer}", stream
        read[site] = stream
        so_far = dict(wrote)
        for h in range(a.W_Q.shape[0]):
            q, k, v = (
                norm(a.norm, before + extra(site, h, port, so_far)) @ W[h] + b[h]
                for port, W, b in (("q", a.W_Q, a.b_Q), ("k", a.W_K, a.b_K), ("v", a.W_V, a.b_V))
            )
            scores = turn(lens, q) @ turn(lens, k).T * a.scale
            if lens.causal:
                scores = scores.masked_fill(torch.ones(length, length).triu(1).bool(), -torch.inf)
            wrote[site, h] = scores.softmax(-1) @ v @ a.W_O[h]
            stream = stream + wrote[site, h]
        stream = stream + a.b_O
        if m is not None:
            site, source = f"m{layer}", before if lens.parallel else stream
            read[site] = source
            seen = so_far if lens.parallel else dict(wrote)
            for i in range(m.W_in.shape[1]):
                x = norm(m.norm, source + extra(site, i, "in", seen))
                linear = x @ m.W_in[:, i] + m.b_in[i]
                gate = None if m.W_gate is None else x @ m.W_gate[:, i] + (0 if m.b_gate is None else m.b_gate[i])
                post = m.act(linear) if gate is None else m.act(gate) * linear
                wrote[site, i] = post[:, None] * m.W_out[i]
                stream = stream + wrote[site, i]
            stream = stream + m.b_out
    read["logits"] = stream
    return norm(lens.final_norm, stream + extra("logits", 0, "in", dict(wrote))) @ lens.W_U + lens.b_U, wrote, read


def metric(logits: Tensor, pair, name: str = "logit_difference") -> Tensor:
    """The metric ``name``, a mean over the pair's answer positions."""
    parts = []
    for p, a, w in zip(pair.positions, pair.answers, pair.wrong_answers, strict=True):
        right, wrong = [logits[p, i] for i in a], [logits[p, i] for i in w]
        if name == "log_probability":
            parts.append(sum(x - torch.logsumexp(logits[p], 0) for x in right) / len(right))
        elif name == "margin":
            parts.append(min(right) - max(wrong) if wrong else max(right) - max(x for i, x in enumerate(logits[p]) if i not in a))
        else:
            parts.append(sum(right) / len(right) - sum(wrong) / len(wrong))
    return sum(parts) / len(parts)


def nothing(site: str, feature: int, port: str, wrote: dict[Feature, Tensor]) -> float:
    return 0.0


def edges(lens: Lens, pairs, partition: RoiPartition, path: str, points, weights, name: str = "logit_difference") -> dict[tuple[str, str, str], float]:
    """w(u→v) of every edge between ROIs of ``partition`` for the metric ``name``, keyed (source, target, port)."""
    sites = {site.key: site for site in partition.sites}
    readers = [(target, port) for target in partition.rois for port in sites[target.site].ports]
    total: dict[tuple[str, str, str], float] = {}
    for pair in pairs:
        clean_logits, clean, clean_read = forward(lens, pair.clean, nothing)
        _, corrupted, corrupted_read = forward(lens, pair.corrupted, nothing)
        groups = {(target.site, port): [r for r in readers if (r[0].site, r[1]) == (target.site, port)] for target, port in readers}
        alone = groups.values() if path == "ports" else [readers] if path != "exact" else []
        gradients = {}
        for some in alone:
            gradients |= _gradients(lens, pair, some, path, points, weights, name, clean, corrupted, clean_read, corrupted_read)
        for target, port in readers:
            for u in partition.rois:
                if not is_upstream(sites[u.site], sites[target.site]):
                    continue
                delta = sum(clean[u.site, i] - corrupted[u.site, i] for i in u.members)
                if path == "exact":
                    value = float(metric(clean_logits, pair, name) - metric(_patched(lens, pair, target, port, delta), pair, name))
                else:
                    value = float((delta * gradients[target.key, port]).sum())
                total[u.key, target.key, port] = total.get((u.key, target.key, port), 0.0) + value / len(pairs)
    return total


def _patched(lens, pair, target, port, delta) -> Tensor:
    """Logits of the clean run with the members of ``target`` reading ``delta`` less through ``port``."""

    def extra(site: str, i: int, p: str, _wrote: dict[Feature, Tensor]) -> Tensor | float:
        return -delta if (site, p) == (target.site, port) and i in target.members else 0.0

    return forward(lens, pair.clean, extra)[0]


def _gradients(lens, pair, readers, path, points, weights, name, clean, corrupted, clean_read, corrupted_read) -> dict[tuple[str, str], Tensor]:
    """Σ_k α_k ∂metric/∂(stream before the norm) through the port of each of ``readers``, by (target, port); on ``ports`` they are one port group."""
    result = {(target.key, port): torch.zeros_like(clean["tok", 0]) for target, port in readers}
    for t, alpha in zip(points, weights, strict=True):
        probes = {key: torch.zeros_like(value, requires_grad=True) for key, value in result.items()}

        def extra(site: str, i: int, p: str, _wrote: dict[Feature, Tensor], t: float = t, probes: dict = probes) -> Tensor | float:
            mine = [probes[target.key, port] for target, port in readers if (site, p) == (target.site, port) and i in target.members]
            moves = path == "ports" and (site, p) == (readers[0][0].site, readers[0][1])
            shift = -(1 - t) * (clean_read[site] - corrupted_read[site]) if moves else 0.0
            return shift + sum(mine) if mine else shift

        tok = corrupted["tok", 0] + t * (clean["tok", 0] - corrupted["tok", 0]) if path == "inputs" else None
        logits, _, _ = forward(lens, pair.clean, extra, tok)
        found = torch.autograd.grad(metric(logits, pair, name), list(probes.values()))
        result = {key: value + alpha * gradient for (key, value), gradient in zip(result.items(), found, strict=True)}
    return result


def circuit_logits(lens: Lens, pair, partition: RoiPartition, kept: set[tuple[str, str, str]]) -> Tensor:
    """Logits when every target reads the corrupted stream + Σ over kept edges (source here − source in the corrupted run)."""
    _, corrupted, corrupted_read = forward(lens, pair.corrupted, nothing)
    roi_of = {(roi.site, i): roi.key for roi in partition.rois for i in roi.members}

    def extra(site: str, i: int, port: str, wrote: dict[Feature, Tensor]) -> Tensor:
        target = roi_of[site, i]
        dropped = [feature for feature in wrote if (roi_of[feature], target, port) not in kept]
        return -sum((wrote[f] - corrupted[f] for f in dropped), torch.zeros_like(corrupted_read[site]))

    return forward(lens, pair.clean, extra)[0]
