"""From a TransformerBridge to a Lens, checked: the Lens must give the bridge's logits at every position.

1. Refuse by name what a Lens cannot hold (see :func:`refuse`).
2. Read the weights with the bridge's own accessors, never folded or centred; absent biases are zeros, key/value heads
   are repeated to query heads, rotary tables come from the model's own rotary module.
3. Run both on probe tokens and compare.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformer_lens.model_bridge import TransformerBridge

from roicg.core.errors import UnsupportedModel
from roicg.models.forward import logits
from roicg.models.lens import Attention, Lens, Mlp, Norm, Rotary
from roicg.models.refuse import refuse

PROBES, PROBE_LENGTH = 4, 24


@dataclass(frozen=True, slots=True)
class _Family:
    """Where one family of models keeps what the bridge's accessors do not show."""

    act: Callable[[Any], Callable[[Tensor], Tensor]]
    rotary: Callable[[Any], Any]
    style: Any
    n_ctx: Callable[[Any], int]
    parallel: Callable[[Any], bool] = lambda model: False
    scale: Callable[[Any, int], float] = lambda model, layer: float(_attention(model, layer).scaling)


def _attention(model: Any, layer: int) -> Any:
    block = (model.gpt_neox if hasattr(model, "gpt_neox") else model.model).layers[layer]
    return _inner(block.attention if hasattr(block, "attention") else block.self_attn)


def _inner(module: Any) -> Any:
    """The model's own module under the bridge's wrapper."""
    while isinstance(getattr(module, "original_component", None), nn.Module):
        module = module.original_component
    return module


FAMILIES: dict[str, _Family] = {
    "TransformerLensNative": _Family(
        act=lambda model: _inner(_inner(model.layers[0]).mlp).act,
        rotary=lambda model: model.rotary,
        style="adjacent",
        n_ctx=lambda model: int(model.cfg.n_ctx),
        scale=lambda model, layer: 1.0 / _inner(_inner(model.layers[layer]).attn).scale,
    ),
    "GPT2LMHeadModel": _Family(
        act=lambda model: _inner(_inner(model.transformer.h[0]).mlp).act,
        rotary=lambda model: None,
        style="half",
        n_ctx=lambda model: int(model.config.n_positions),
        scale=lambda model, layer: float((model.config.n_embd // model.config.n_head) ** -0.5),
    ),
    "GPTNeoXForCausalLM": _Family(
        act=lambda model: _inner(_inner(model.gpt_neox.layers[0]).mlp).act,
        rotary=lambda model: model.gpt_neox.rotary_emb,
        style="half",
        n_ctx=lambda model: int(model.config.max_position_embeddings),
        parallel=lambda model: bool(model.config.use_parallel_residual),
    ),
    "LlamaForCausalLM": _Family(
        act=lambda model: _inner(_inner(model.model.layers[0]).mlp).act_fn,
        rotary=lambda model: model.model.rotary_emb,
        style="half",
        n_ctx=lambda model: int(model.config.max_position_embeddings),
    ),
}


def lens_from_bridge(bridge: TransformerBridge, weights_digest: str, *, check: bool = True) -> Lens:
    """The Lens of ``bridge`` in the bridge's dtype and on its device; ``UnsupportedModel`` where it would not be the same model."""
    architecture = refuse(bridge, tuple(FAMILIES))
    family, model = FAMILIES[architecture], bridge.original_model
    blocks = list(bridge.blocks)
    attn_only = bool(bridge.cfg.attn_only)
    W_U = bridge.unembed.W_U
    with torch.no_grad():
        lens = Lens(
            W_E=_own(bridge.embed.W_E),
            W_pos=_own(bridge.pos_embed.W_pos) if "pos_embed" in dict(bridge.named_children()) else None,
            attentions=tuple(_read_attention(block, family.scale(model, layer), bridge.cfg) for layer, block in enumerate(blocks)),
            mlps=tuple(None if attn_only else _read_mlp(block, family.act(model)) for block in blocks),
            final_norm=read_norm(bridge.ln_final),
            W_U=_own(W_U),
            b_U=_own(bridge.unembed.b_U) if bridge.unembed.b_U is not None else W_U.new_zeros(W_U.shape[1]),
            n_ctx=family.n_ctx(model),
            causal=getattr(bridge.cfg, "attention_dir", "causal") == "causal",
            parallel=family.parallel(model),
            rotary=_read_rotary(_inner(family.rotary(model)), family, model, W_U),
            weights_digest=weights_digest,
        )
        if check:
            check_logits(bridge, lens)
    return lens


def check_logits(bridge: TransformerBridge, lens: Lens) -> float:
    """Largest relative difference of the logits on probe tokens; ``UnsupportedModel`` beyond 1e-10 (float64), 1e-5 (float64 through float32 norms), 1e-4 (float32), 5e-2 (half precision)."""
    length = min(PROBE_LENGTH, lens.n_ctx)
    tokens = torch.randint(lens.W_E.shape[0], (PROBES, length), generator=torch.Generator().manual_seed(0)).to(lens.device)
    with torch.no_grad():
        theirs, ours = bridge(tokens, return_type="logits"), logits(lens, tokens)
    difference = float((theirs - ours).abs().max() / theirs.abs().max().clamp_min(1e-30))
    norms = [lens.final_norm, *(attention.norm for attention in lens.attentions)]
    through_float32 = any(norm.float32 for norm in norms)
    allowed = {torch.float64: 1e-5 if through_float32 else 1e-10, torch.float32: 1e-4}.get(lens.dtype, 5e-2)
    if not difference <= allowed:
        raise UnsupportedModel(
            f"read as writers and ports, this model gives other logits than its own code: largest difference {difference:.2g} of the largest logit, "
            f"allowed {allowed:g}; it needs something roicg does not represent"
        )
    return difference


def read_norm(bridge_norm: Any) -> Norm:
    """The norm as its own module defines it; RMS norms with a weight compute in float32 by their own code."""
    module = _inner(bridge_norm)
    name = type(module).__name__
    if isinstance(module, nn.Identity):
        return Norm("none")
    weight, bias = (getattr(module, part, None) for part in ("weight", "bias"))
    eps = float(getattr(module, "eps", getattr(module, "variance_epsilon", 0.0)))
    kind = "rms" if "RMSNorm" in name else "layer" if "LayerNorm" in name else None
    if kind is None or eps <= 0:
        raise UnsupportedModel(f"the norm {name} is not LayerNorm or RMSNorm, which are all that roicg represents")
    own = [None if part is None else _own(part) for part in (weight, bias)]
    return Norm("rms" if kind == "rms" else "layer", own[0], own[1], eps, float32=kind == "rms" and weight is not None)


def _own(tensor: Tensor) -> Tensor:
    return tensor.detach().clone().contiguous()


def _read_attention(block: Any, scale: float, cfg: Any) -> Attention:
    attn = block.attn
    heads = int(cfg.n_heads)
    parts: dict[str, Tensor] = {}
    for part in "QKV":
        weight = getattr(attn, f"W_{part}")
        bias = getattr(attn, f"b_{part}")
        bias = weight.new_zeros(weight.shape[0], weight.shape[2]) if bias is None else bias
        repeats = heads // weight.shape[0]
        parts[f"W_{part}"], parts[f"b_{part}"] = (_own(x.repeat_interleave(repeats, dim=0)) for x in (weight, bias))
    W_O, b_O = attn.W_O, attn.b_O
    return Attention(**parts, W_O=_own(W_O), b_O=W_O.new_zeros(W_O.shape[2]) if b_O is None else _own(b_O), scale=scale, norm=read_norm(block.ln1))


def _read_mlp(block: Any, act: Callable[[Tensor], Tensor]) -> Mlp:
    mlp = block.mlp
    W_in, W_out, gate = mlp.W_in, mlp.W_out, getattr(mlp, "gate", None)

    def bias(name: str, size: int) -> Tensor:
        value = getattr(mlp, name).bias
        return W_in.new_zeros(size) if value is None else _own(value)

    return Mlp(
        W_in=_own(W_in),
        b_in=bias("in", W_in.shape[1]),
        W_out=_own(W_out),
        b_out=bias("out", W_out.shape[1]),
        act=act,
        norm=read_norm(block.ln2),
        W_gate=None if gate is None else _own(mlp.W_gate),
        b_gate=None if gate is None or gate.bias is None else _own(gate.bias),
    )


def _read_rotary(module: Any, family: _Family, model: Any, like: Tensor) -> Rotary | None:
    if module is None:
        return None
    if hasattr(module, "cos_cached"):
        return Rotary(_own(module.cos_cached).to(like), _own(module.sin_cached).to(like), family.style)
    positions = torch.arange(family.n_ctx(model), device=like.device).unsqueeze(0)
    cos, sin = module(like, positions)
    return Rotary(_own(cos[0]), _own(sin[0]), family.style)
