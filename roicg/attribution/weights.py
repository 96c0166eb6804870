"""Edge weights per example from sources and targets: w(u→v) = Σ_p ⟨Δ_u, G_v⟩.

Rows are contracted as they are. A site that is taken neuron by neuron is never written out as rows of the stream; with
virtual weights W_out W (what feature i writes, as feature j reads it)

    w_ij = (W_out W)_ij Σ_p Δ_i[p] ĝ_j[p] − Σ_k Σ_p Δ_i[p] ⟨W_out_i, x̂_k[p]⟩ s_kj[p]

is two matrix products per example. A head is the sum of its E features on either side. The terms are those of targets.py.

Shapes: B examples, S source rows, T target rows, P positions, D d_model, N neurons of the source site, M of the target
site, m points of the path, H heads of E features.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from roicg.attribution.targets import GradientSum, read_weights
from roicg.models.writers import Members

TILE = 1 << 18
"""Edges computed at once, so that an example's weights and their running sums stay near the processor."""


@dataclass(frozen=True, slots=True, eq=False)
class Neurons:
    """The neurons of one site as sources for ports that read one stream: ``seen`` = Δ_i[p] ⟨W_out_i, x̂_k[p]⟩, None without norm."""

    delta: Float[Tensor, "B P N"]
    w_out: Float[Tensor, "N D"]
    seen: Float[Tensor, "B mP N"] | None

    @classmethod
    def of(cls, delta: Float[Tensor, "B P N"], w_out: Float[Tensor, "N D"], normals: Sequence[Float[Tensor, "B P D"]]) -> "Neurons":
        """``normals`` is x̂ at each point of the path."""
        seen = delta.new_empty((delta.shape[0], len(normals), *delta.shape[1:]))
        for k, normal in enumerate(normals):
            torch.mul(delta, normal @ w_out.T, out=seen[:, k])
        return cls(delta, w_out, seen.flatten(1, 2) if normals else None)

    def ordered(self, order: tuple[int, ...]) -> "Neurons":
        """The neurons ``order`` alone, in that order."""
        if order == tuple(range(len(self.w_out))):
            return self
        index = list(order)
        return Neurons(self.delta[..., index], self.w_out[index], None if self.seen is None else self.seen[..., index])


def row_row(sources: Float[Tensor, "S B P D"], targets: Float[Tensor, "T B P D"]) -> Float[Tensor, "B S T"]:
    """Source rows into target rows."""
    return torch.bmm(sources.flatten(2).transpose(0, 1), targets.flatten(2).permute(1, 2, 0))


def neuron_row(neurons: Neurons, targets: Float[Tensor, "T B P D"]) -> Float[Tensor, "B N T"]:
    """Single neurons into target rows."""
    columns = [(neurons.delta * (row @ neurons.w_out.T)).sum(1) for row in targets]
    return torch.stack(columns, dim=-1)


def neuron_head(neurons: Neurons, gradient: GradientSum, members: Sequence[Members]) -> Float[Tensor, "B N T"]:
    """Single neurons into sets of heads at an attention port; ``gradient`` holds its shares for the same sets."""
    (weight,) = read_weights(gradient.lens, gradient.group, neurons.w_out.dtype)
    virtual, shares = neurons.w_out @ weight.flatten(0, 1).T, gradient.joined_shares()
    columns, features = [], torch.empty_like(virtual)
    for b, g in enumerate(gradient.total[0].flatten(2)):
        heads = torch.mm(neurons.delta[b].T, g, out=features).mul_(virtual).view(-1, *weight.shape[:2]).sum(-1)
        sets = _sum_sets(heads, members, 1)
        columns.append(sets if neurons.seen is None else sets - (shares[b].T @ neurons.seen[b]).T)
    return torch.stack(columns)


def row_neuron(sources: Float[Tensor, "S B P D"], gradient: GradientSum) -> Float[Tensor, "B S M"]:
    """Source rows into single neurons."""
    weights = read_weights(gradient.lens, gradient.group, gradient.total[0].dtype)
    out = torch.stack([sum(((row @ weight.T) * g).sum(1) for weight, g in zip(weights, gradient.total, strict=True)) for row in sources], dim=1)
    return out - _seen_rows(sources, gradient)


def head_neuron(
    z: Float[Tensor, "B P H E"], w_o: Float[Tensor, "H E D"], members: Sequence[Members], rows: Float[Tensor, "S B P D"], gradient: GradientSum
) -> Float[Tensor, "B S M"]:
    """Sets of heads into single neurons: ``z`` is what the heads computed differently, ``rows`` what the sets wrote."""
    weights = read_weights(gradient.lens, gradient.group, gradient.total[0].dtype)
    virtuals, out = [w_o.flatten(0, 1) @ weight.T for weight in weights], []
    features = torch.empty_like(virtuals[0])
    for b, flat in enumerate(z.flatten(2)):
        heads = features.new_zeros((w_o.shape[0], features.shape[1]))
        for virtual, g in zip(virtuals, gradient.total, strict=True):
            heads += torch.mm(flat.T, g[b], out=features).mul_(virtual).view(*w_o.shape[:2], -1).sum(1)
        out.append(_sum_sets(heads, members, 0))
    return torch.stack(out) - _seen_rows(rows, gradient)


def neuron_neuron(neurons: Neurons, gradient: GradientSum) -> Iterator[tuple[slice, Iterator[Float[Tensor, "t M"]]]]:
    """Single neurons into single neurons: some source neurons at a time, and of these one example at a time, in a buffer used again."""
    virtuals = [neurons.w_out @ weight.T for weight in read_weights(gradient.lens, gradient.group, neurons.w_out.dtype)]
    count, width = virtuals[0].shape
    size, shares = max(1, TILE // width), gradient.joined_shares()
    for start in range(0, count, size):
        where = slice(start, min(start + size, count))
        yield where, _examples(neurons, gradient, [virtual[where] for virtual in virtuals], shares, where)


def _examples(neurons: Neurons, gradient: GradientSum, virtuals: Sequence[Tensor], shares: Sequence[Tensor], where: slice) -> Iterator[Float[Tensor, "t M"]]:
    weights = torch.empty_like(virtuals[0])
    for b, delta in enumerate(neurons.delta[..., where]):
        torch.mm(delta.T, gradient.total[0][b], out=weights).mul_(virtuals[0])
        for number in range(1, len(virtuals)):
            weights.addcmul_(virtuals[number], delta.T @ gradient.total[number][b])
        if neurons.seen is not None:
            weights.addmm_(neurons.seen[b, :, where].T, shares[b], alpha=-1)
        yield weights


def _seen_rows(rows: Float[Tensor, "S B P D"], gradient: GradientSum) -> Float[Tensor, "B S M"] | float:
    """The norm's correction for source rows into single neurons."""
    if not gradient.normals:
        return 0.0
    seen = torch.matmul(rows.permute(1, 2, 0, 3), torch.stack(gradient.normals, dim=-2).mT)  # [B, P, S, m]
    return torch.bmm(seen.permute(0, 2, 3, 1).flatten(2), torch.stack(gradient.joined_shares()))


def _sum_sets(heads: Tensor, members: Sequence[Members], dim: int) -> Tensor:
    """Σ over the heads of each set, along ``dim``."""
    if list(members) == [(head,) for head in range(heads.shape[dim])]:
        return heads
    return torch.stack([heads.index_select(dim, torch.tensor(chosen, device=heads.device)).sum(dim) for chosen in members], dim=dim)
