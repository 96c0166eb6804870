"""The metric's gradient at the stream that a port reads, gathered along the path and split over the port's features.

With x the stream at a point of the path, x̂ its normalised form, σ its scale, W the port's weights (times the norm's
weight γ, centred for LayerNorm) and g = ∂metric/∂(what the port computed), the gradient before the norm is

    J_normᵀ · W · g = (W g − x̂ · ⟨W g, x̂⟩ / D) / σ ,     ⟨W g, x̂⟩ = ⟨g, Wᵀx̂⟩ = ⟨g, value − constant⟩

so the points of a path can be summed *before* the weights are applied: with ĝ = Σ_k α_k g_k / σ_k and, per member set,
s_k = α_k ⟨g_k, value_k − constant⟩ / (σ_k D), the target row is  G = W ĝ − Σ_k s_k x̂_k.  One product with the weights per port
instead of one per point, and nothing of the size heads × D is kept along the path.

Shapes: m points, B examples, P positions (answer positions in the tail), D d_model, H heads, E d_head, N neurons, T member sets.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from roicg.core.sites import PortGroup
from roicg.models.lens import Lens, Norm
from roicg.models.writers import Members


@dataclass(frozen=True, slots=True, eq=False)
class Normed:
    """The stream at points of the path, normalised: x̂ [mB,P,D] and 1/σ [mB,P,1]; both None where there is no norm."""

    normal: Float[Tensor, "mB P D"] | None
    inverse: Float[Tensor, "mB P 1"] | None

    @classmethod
    @torch.no_grad()
    def of(cls, norm: Norm, stream: Float[Tensor, "mB P D"]) -> "Normed":
        """``stream`` as ``norm`` sees it, before its weight and bias."""
        if norm.kind == "none":
            return cls(None, None)
        x = stream.detach().to(wide(stream.dtype))
        if norm.kind == "layer":
            x = x - x.mean(-1, keepdim=True)
        inverse = torch.rsqrt(torch.linalg.vecdot(x, x)[..., None] / x.shape[-1] + norm.eps)
        return cls(x * inverse, inverse)


@dataclass(frozen=True, slots=True, eq=False)
class PortGradient:
    """What a path yields: the gradient at what a port computed, at m stacked points of the path with the quadrature's weights."""

    group: PortGroup
    points: Normed
    value: tuple[Tensor, ...]
    gradient: tuple[Tensor, ...]
    weights: Float[Tensor, " m"]


@dataclass(slots=True)
class GradientSum:
    """ĝ and s_k of one port group over the points of a path; ``members`` are the sets that s_k is split over (None: single neurons)."""

    lens: Lens
    group: PortGroup
    members: Sequence[Members] | None
    total: list[Tensor] = field(default_factory=list)
    normals: list[Tensor] = field(default_factory=list)
    shares: list[Tensor] = field(default_factory=list)

    @torch.no_grad()
    def add(self, part: PortGradient) -> None:
        """Add the m points of ``part``."""
        m, dtype = len(part.weights), wide(part.gradient[0].dtype)
        alpha = part.weights.to(dtype).repeat_interleave(part.gradient[0].shape[0] // m).view(-1, 1, 1)
        factor = alpha if part.points.inverse is None else alpha * part.points.inverse
        for number, g in enumerate(part.gradient):
            g = g.to(dtype)
            weighed = factor if g.ndim == 3 else factor[..., None]
            if number == len(self.total):
                self.total.append(g.new_zeros((g.shape[0] // m, *g.shape[1:])))
            if m == 1:
                self.total[number].addcmul_(g, weighed)
            else:
                self.total[number] += _by_point(g * weighed, m).sum(0)
        if part.points.normal is None:
            return
        shares = _share(self.lens, self.group, part, self.members).mul_(factor / part.points.normal.shape[-1])
        self.normals += _by_point(part.points.normal, m).unbind(0)
        self.shares += _by_point(shares, m).unbind(0)

    @property
    def largest(self) -> float:
        """The largest entry of ĝ: 0 where the port was flat at every point of the path."""
        return max(float(part.abs().amax()) for part in self.total)

    def joined_shares(self) -> list[Float[Tensor, "mP T"]]:
        """s_k per example, the points of the path one after the other (empty without a norm)."""
        return list(torch.cat(self.shares, dim=1)) if self.shares else []

    @torch.no_grad()
    def rows(self, members: Sequence[Members]) -> Float[Tensor, "T B P D"]:
        """G per member set: ∂metric/∂(stream before the norm) through this port alone, along the path."""
        if self.group.site.kind == "logits":
            return self.total[0][None]
        rows = pull_rows(self.lens, self.group, self.total, members)
        if self.normals:
            shares = self.shares if self.members is not None else [sum_sets(share, members) for share in self.shares]
            normal, share = torch.stack(self.normals, dim=2).flatten(0, 1), torch.stack(shares, dim=2).flatten(0, 1)
            rows -= torch.bmm(share.transpose(1, 2), normal).transpose(0, 1).reshape(rows.shape)
        return rows


def _by_point(values: Float[Tensor, "mB ..."], m: int) -> Float[Tensor, "m B ..."]:
    return values.reshape(m, -1, *values.shape[1:])


def wide(dtype: torch.dtype) -> torch.dtype:
    """The dtype that sums are held in: float32 for half-precision models."""
    return torch.float32 if dtype in (torch.bfloat16, torch.float16) else dtype


def norm_of(lens: Lens, group: PortGroup) -> Norm:
    """The norm between the stream and ``group``; none for the logits, whose port is the stream itself."""
    layer = group.site.layer
    if layer is None:
        return Norm("none")
    mlp = lens.mlps[layer]
    if group.site.kind == "attention" or mlp is None:
        return lens.attentions[layer].norm
    return mlp.norm


def read_weights(lens: Lens, group: PortGroup, dtype: torch.dtype) -> tuple[Tensor, ...]:
    """γ ∘ W, centred for LayerNorm: [H,E,D] of an attention port, [N,D] per part (linear, gate) of an MLP."""
    assert group.site.layer is not None
    if group.site.kind == "attention":
        a = lens.attentions[group.site.layer]
        raw = [{"q": a.W_Q, "k": a.W_K, "v": a.W_V}[group.port].transpose(1, 2)]
    else:
        mlp = lens.mlps[group.site.layer]
        assert mlp is not None
        raw = [mlp.W_in.T] if mlp.W_gate is None else [mlp.W_in.T, mlp.W_gate.T]
    norm, weights = norm_of(lens, group), []
    for weight in raw:
        weight = weight.to(dtype) if norm.weight is None else weight.to(dtype) * norm.weight.to(dtype)
        weights.append(weight - weight.mean(-1, keepdim=True) if norm.kind == "layer" else weight)
    return tuple(weights)


def pull_rows(lens: Lens, group: PortGroup, gradient: Sequence[Tensor], members: Sequence[Members]) -> Float[Tensor, "T B P D"]:
    """W g per member set, the norm's correction left out."""
    weights = read_weights(lens, group, gradient[0].dtype)
    size, length = gradient[0].shape[:2]
    rows = gradient[0].new_empty((len(members), size, length, weights[0].shape[-1]))
    if group.site.kind == "attention":
        heads = gradient[0].flatten(0, 1).transpose(0, 1)
        if list(members) == [(head,) for head in range(heads.shape[0])]:
            torch.bmm(heads, weights[0], out=rows.flatten(1, 2))
            return rows
        for row, chosen in enumerate(members):
            flat = heads[list(chosen)].transpose(0, 1).flatten(1)
            torch.mm(flat, weights[0][list(chosen)].flatten(0, 1), out=rows[row].flatten(0, 1))
        return rows
    for row, chosen in enumerate(members):
        target, index = rows[row].flatten(0, 1), list(chosen)
        for number, (g, weight) in enumerate(zip(gradient, weights, strict=True)):
            flat = g.flatten(0, 1)
            some, its = (flat, weight) if len(index) == flat.shape[1] else (flat[:, index], weight[index])
            torch.mm(some, its, out=target) if number == 0 else target.addmm_(some, its)
    return rows


def _share(lens: Lens, group: PortGroup, part: PortGradient, members: Sequence[Members] | None) -> Float[Tensor, "mB P T"]:
    """⟨g, value − constant⟩ per member set: what the port's features and the normalised stream have in common."""
    constants = _constants(lens, group)
    dtype = wide(part.gradient[0].dtype)
    if group.site.kind == "attention":
        heads = ((part.value[0].detach().to(dtype) - constants[0]) * part.gradient[0]).sum(-1)
        assert members is not None
        if list(members) == [(head,) for head in range(heads.shape[-1])]:
            return heads
        return torch.stack([heads[..., list(chosen)].sum(-1) for chosen in members], dim=-1)
    neurons: Tensor | None = None
    for value, constant, g in zip(part.value, constants, part.gradient, strict=True):
        product = (value.detach().to(dtype) - constant).mul_(g)
        neurons = product if neurons is None else neurons.add_(product)
    assert neurons is not None
    return neurons if members is None else sum_sets(neurons, members)


def sum_sets(values: Float[Tensor, "... N"], members: Sequence[Members]) -> Float[Tensor, "... T"]:
    """Σ over each member set, as one product with its indicator."""
    indicator = values.new_zeros((values.shape[-1], len(members)))
    for column, chosen in enumerate(members):
        indicator[list(chosen), column] = 1
    return values @ indicator


def _constants(lens: Lens, group: PortGroup) -> tuple[Tensor, ...]:
    """What the port computes from x̂ = 0: b + β W, per part."""
    assert group.site.layer is not None
    bias = norm_of(lens, group).bias
    if group.site.kind == "attention":
        a = lens.attentions[group.site.layer]
        weight, b = {"q": (a.W_Q, a.b_Q), "k": (a.W_K, a.b_K), "v": (a.W_V, a.b_V)}[group.port]
        return (b if bias is None else b + torch.einsum("d,hde->he", bias, weight),)
    mlp = lens.mlps[group.site.layer]
    assert mlp is not None
    linear = mlp.b_in if bias is None else mlp.b_in + bias @ mlp.W_in
    if mlp.W_gate is None:
        return (linear,)
    gate = torch.zeros_like(linear) if mlp.b_gate is None else mlp.b_gate
    return (linear, gate if bias is None else gate + bias @ mlp.W_gate)
