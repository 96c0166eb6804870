"""Edge weights per example from sources and targets: w(u→v) = Σ_p ⟨Δ_u, G_v⟩.

Rows are contracted as they are. A site that is taken neuron by neuron is never written out as rows of the stream; with
virtual weights W_out W (what neuron i writes, as neuron j reads it)

    w_ij = (W_out W)_ij Σ_p Δpost_i[p] ĝ_j[p] − Σ_k Σ_p Δpost_i[p] ⟨W_out_i, x̂_k[p]⟩ s_kj[p]

is two matrix products per example. The terms are those of targets.py.

Shapes: B examples, S source rows, T target rows, P positions, D d_model, N neurons of the source site, M of the target site.
"""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from roicg.attribution.targets import GradientSum, read_weights


def row_row(sources: Float[Tensor, "S B P D"], targets: Float[Tensor, "T B P D"]) -> Float[Tensor, "B S T"]:
    """Source rows into target rows."""
    return torch.bmm(sources.flatten(2).transpose(0, 1), targets.flatten(2).permute(1, 2, 0))


def neuron_row(delta: Float[Tensor, "B P N"], w_out: Float[Tensor, "N D"], targets: Float[Tensor, "T B P D"]) -> Float[Tensor, "B N T"]:
    """Single neurons into target rows."""
    columns = [(delta * (row @ w_out.T)).sum(1) for row in targets]
    return torch.stack(columns, dim=-1)


def row_neuron(sources: Float[Tensor, "S B P D"], gradient: GradientSum) -> Float[Tensor, "B S M"]:
    """Source rows into single neurons."""
    weights = read_weights(gradient.lens, gradient.group, gradient.total[0].dtype)
    out = []
    for row in sources:
        total = sum(((row @ weight.T) * g).sum(1) for weight, g in zip(weights, gradient.total, strict=True))
        for normal, share in zip(gradient.normals, gradient.shares, strict=True):
            total = total - torch.einsum("bp,bpm->bm", torch.linalg.vecdot(row, normal), share)
        out.append(torch.as_tensor(total))
    return torch.stack(out, dim=1)


def neuron_neuron(delta: Float[Tensor, "B P N"], w_out: Float[Tensor, "N D"], gradient: GradientSum) -> Iterator[Float[Tensor, "N M"]]:
    """Single neurons into single neurons, one example at a time (a block of all examples would not fit)."""
    virtual = [w_out @ weight.T for weight in read_weights(gradient.lens, gradient.group, w_out.dtype)]
    for b in range(delta.shape[0]):
        source = delta[b].T
        weights = virtual[0] * (source @ gradient.total[0][b])
        for number in range(1, len(virtual)):
            weights.addcmul_(virtual[number], source @ gradient.total[number][b])
        if gradient.normals:
            seen = torch.cat([source * (w_out @ normal[b].T) for normal in gradient.normals], dim=1)
            weights.addmm_(seen, torch.cat([share[b] for share in gradient.shares]), alpha=-1)
        yield weights
