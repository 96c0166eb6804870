"""The arithmetic of one layer of the Lens: norms, projections, attention with rotary positions, plain and gated MLPs.

Shapes: B examples, P positions, D d_model, H heads, E d_head, N neurons, A answer positions, I in, O out.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from roicg.models.lens import Attention, Lens, Mlp, Norm, Rotary


def normalise(norm: Norm, x: Float[Tensor, "... D"]) -> Float[Tensor, "... D"]:
    """LayerNorm, RMSNorm or nothing; in float32 where the model's own code does so."""
    if norm.kind == "none":
        return x
    if norm.kind == "layer" and not norm.float32:
        return F.layer_norm(x, x.shape[-1:], norm.weight, norm.bias, norm.eps)
    y = x.float() if norm.float32 else x
    if norm.kind == "layer":
        y = y - y.mean(-1, keepdim=True)
    y = y * torch.rsqrt(y.square().mean(-1, keepdim=True) + norm.eps)
    y = y.to(x.dtype)
    y = y if norm.weight is None else y * norm.weight
    return y if norm.bias is None else y + norm.bias


def project(x: Float[Tensor, "B P D"], weight: Float[Tensor, "H D E"], bias: Float[Tensor, "H E"]) -> Float[Tensor, "B P H E"]:
    """x·W + b per head, as one matrix product."""
    heads, d_model, d_head = weight.shape
    flat = affine(x, weight.permute(1, 0, 2).reshape(d_model, heads * d_head), bias.flatten())
    return flat.reshape(*flat.shape[:-1], heads, d_head)


def affine(x: Float[Tensor, "B P I"], weight: Float[Tensor, "I O"], bias: Float[Tensor, " O"]) -> Float[Tensor, "B P O"]:
    """x·W + b in one pass."""
    return torch.addmm(bias, x.flatten(0, 1), weight).reshape(*x.shape[:-1], weight.shape[1])


def attend(
    lens: Lens,
    attention: Attention,
    q: Float[Tensor, "B A H E"],
    k: Float[Tensor, "B P H E"],
    v: Float[Tensor, "B P H E"],
    at: Int[Tensor, "B A"] | None = None,
) -> Float[Tensor, "B A H E"]:
    """Attention-weighted values per head, before W_O, of the queries at ``at`` (without it: of all positions).

    Rotary positions are turned here (q and k are cached unturned).
    """
    if lens.rotary is not None:
        q, k = rotate(lens.rotary, q, at), rotate(lens.rotary, k)
    mask = None
    if at is not None and lens.causal:
        mask = (torch.arange(k.shape[1], device=k.device) <= at[:, :, None])[:, None]
    z = F.scaled_dot_product_attention(
        q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), attn_mask=mask, is_causal=lens.causal and at is None, scale=attention.scale
    )
    return z.transpose(1, 2)


def rotate(rotary: Rotary, x: Float[Tensor, "B A H E"], at: Int[Tensor, "B A"] | None = None) -> Float[Tensor, "B A H E"]:
    """Rotary position embedding on the first ``rotated`` features of each head, for positions ``at`` (without it: 0, 1, …)."""
    rotated = rotary.cos.shape[1]
    cos, sin = (table[: x.shape[1], None] if at is None else table[at][:, :, None] for table in (rotary.cos, rotary.sin))
    head, rest = x[..., :rotated], x[..., rotated:]
    if rotary.style == "half":
        first, second = head.chunk(2, dim=-1)
        turned = torch.cat((-second, first), dim=-1)
    else:
        turned = torch.stack((-head[..., 1::2], head[..., 0::2]), dim=-1).flatten(-2)
    return torch.cat((head * cos + turned * sin, rest), dim=-1)


def write_heads(attention: Attention, z: Float[Tensor, "B P H E"]) -> Float[Tensor, "B P D"]:
    """What all heads write together, with b_O."""
    return affine(z.flatten(2), attention.W_O.flatten(0, 1), attention.b_O)


def write_mlp(mlp: Mlp, post: Float[Tensor, "B P N"]) -> Float[Tensor, "B P D"]:
    """What all neurons write together, with b_out."""
    return affine(post, mlp.W_out, mlp.b_out)


def read_mlp(mlp: Mlp, x: Float[Tensor, "B P D"]) -> tuple[Float[Tensor, "B P N"], ...]:
    """Pre-activations ``(linear,)`` or ``(linear, gate)``."""
    linear = affine(x, mlp.W_in, mlp.b_in)
    if mlp.W_gate is None:
        return (linear,)
    gate = x @ mlp.W_gate
    return (linear, gate if mlp.b_gate is None else gate + mlp.b_gate)


def activate(mlp: Mlp, pre: tuple[Float[Tensor, "B P N"], ...]) -> Float[Tensor, "B P N"]:
    """Neuron activations from the pre-activations."""
    return mlp.act(pre[0]) if mlp.W_gate is None else mlp.act(pre[1]) * pre[0]
