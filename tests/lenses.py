"""Small random lenses on every branch of the forward code, and prompts to ask them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F

from roicg.core.prompts import PromptPair, PromptSet, TaskPrompts
from roicg.models.lens import Attention, Lens, Mlp, Norm, Rotary

VARIANTS: dict[str, dict[str, Any]] = {
    "layer norm, learned positions": {},
    "no norm": {"norm": "none"},
    "rms norm, rotary halves": {"norm": "rms", "rotary": "half"},
    "rotary pairs, partly turned": {"rotary": "adjacent", "rotated": 2},
    "gated": {"gated": True, "act": F.silu},
    "parallel": {"parallel": True},
    "parallel, gated, rotary": {"parallel": True, "gated": True, "rotary": "half"},
    "neox: parallel, rotary halves, partly turned": {"parallel": True, "rotary": "half", "rotated": 2},
    "attention only": {"d_mlp": 0},
    "bidirectional": {"causal": False},
    "relu, no positions": {"act": torch.relu, "positions": False},
    "one layer": {"n_layers": 1},
    "grouped queries": {"kv_groups": 1},
    "no biases": {"biases": False},
    "gated, no gate bias": {"gated": True, "act": F.silu, "gate_bias": False},
    "gated, rms norm": {"gated": True, "act": F.silu, "norm": "rms"},
    "layer norm without weights": {"norm_weights": False},
    "rms norm without weight, bidirectional": {"norm": "rms", "norm_weights": False, "causal": False},
    "llama": {"norm": "rms", "rotary": "half", "gated": True, "act": F.silu, "gate_bias": False, "biases": False, "kv_groups": 1},
    "attention only, parallel, grouped queries": {"d_mlp": 0, "parallel": True, "kv_groups": 1, "rotary": "half"},
}
QUESTIONS: dict[str, dict[str, Any]] = {
    "last position": {"n": 2, "lengths": (3,)},
    "all positions": {"n": 2, "lengths": (3,), "all_positions": True},
    "mixed lengths": {"n": 3, "lengths": (2, 4, 3)},
    "mixed lengths, all positions": {"n": 3, "lengths": (4, 3, 3), "all_positions": True},
}


def make_lens(
    seed: int = 0,
    *,
    n_layers: int = 2,
    d_model: int = 8,
    n_heads: int = 2,
    d_head: int = 4,
    d_mlp: int = 5,
    n_vocab: int = 7,
    n_ctx: int = 6,
    norm: str = "layer",
    act: Callable[[torch.Tensor], torch.Tensor] = F.gelu,
    gated: bool = False,
    parallel: bool = False,
    causal: bool = True,
    positions: bool = True,
    rotary: str | None = None,
    rotated: int | None = None,
    kv_groups: int | None = None,
    biases: bool = True,
    gate_bias: bool = True,
    norm_weights: bool = True,
    scale: float = 0.5,
    dtype: torch.dtype = torch.float64,
) -> Lens:
    """A lens with random weights, drawn in float64 from ``seed``; ``kv_groups``: query heads own copies of so many key/value heads."""
    g = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> torch.Tensor:
        return (torch.randn(*shape, generator=g, dtype=torch.float64) * scale).to(dtype)

    def bias(*shape: int) -> torch.Tensor:
        return draw(*shape) * biases

    def make_norm() -> Norm:
        if norm == "none" or not norm_weights:
            return Norm(norm)
        return Norm("layer", 1 + draw(d_model), draw(d_model) if biases else None) if norm == "layer" else Norm("rms", 1 + draw(d_model))

    def make_attention() -> Attention:
        parts = [draw(n_heads, d_model, d_head) if i % 2 == 0 else bias(n_heads, d_head) for i in range(6)]
        if kv_groups is not None:
            parts[2:] = [part[:kv_groups].repeat_interleave(n_heads // kv_groups, dim=0) for part in parts[2:]]
        return Attention(*parts, draw(n_heads, d_head, d_model), bias(d_model), d_head**-0.5, make_norm())

    def make_mlp() -> Mlp:
        gate = (draw(d_model, d_mlp), draw(d_mlp) if gate_bias else None) if gated else (None, None)
        return Mlp(draw(d_model, d_mlp), bias(d_mlp), draw(d_mlp, d_model), bias(d_model), act, make_norm(), *gate)

    turned = None
    if rotary is not None:
        width = rotated or d_head
        angles = torch.arange(n_ctx, dtype=torch.float64)[:, None] / 10 ** (torch.arange(width // 2) / width)
        angles = torch.cat((angles, angles), -1) if rotary == "half" else angles.repeat_interleave(2, -1)
        turned = Rotary(angles.cos().to(dtype), angles.sin().to(dtype), "half" if rotary == "half" else "adjacent")
    return Lens(
        W_E=draw(n_vocab, d_model),
        W_pos=draw(n_ctx, d_model) if positions and rotary is None else None,
        attentions=tuple(make_attention() for _ in range(n_layers)),
        mlps=tuple(make_mlp() if d_mlp else None for _ in range(n_layers)),
        final_norm=make_norm(),
        W_U=draw(d_model, n_vocab),
        b_U=bias(n_vocab),
        n_ctx=n_ctx,
        causal=causal,
        parallel=parallel,
        rotary=turned,
        weights_digest=f"random-{seed}",
    )


def permuted(lens: Lens, neurons: list[int], heads: list[int]) -> Lens:
    """The same function with neurons and heads renumbered: new number i is old number neurons[i]."""
    attentions = tuple(replace(a, **{name: getattr(a, name)[heads] for name in ("W_Q", "b_Q", "W_K", "b_K", "W_V", "b_V", "W_O")}) for a in lens.attentions)
    mlps = tuple(
        None
        if m is None
        else replace(
            m,
            W_in=m.W_in[:, neurons],
            b_in=m.b_in[neurons],
            W_out=m.W_out[neurons],
            W_gate=None if m.W_gate is None else m.W_gate[:, neurons],
            b_gate=None if m.b_gate is None else m.b_gate[neurons],
        )
        for m in lens.mlps
    )
    return replace(lens, attentions=attentions, mlps=mlps)


def make_prompts(
    seed: int = 0, *, n: int = 6, lengths: tuple[int, ...] = (4,), n_vocab: int = 7, all_positions: bool = False, metric: str = "logit_difference"
) -> TaskPrompts:
    """Random pairs; split ``eval`` asks the same questions as ``edges`` under other keys."""
    g = torch.Generator().manual_seed(1000 + seed)
    pairs = []
    for i in range(n):
        length = lengths[i % len(lengths)]
        clean, corrupted = (tuple(torch.randint(0, n_vocab, (length,), generator=g).tolist()) for _ in range(2))
        places = tuple(range(1, length)) if all_positions else (length - 1,)
        answers = [torch.randperm(n_vocab, generator=g).tolist() for _ in places]
        pairs.append((clean, corrupted, places, tuple((a[0],) for a in answers), tuple(tuple(a[1:3]) for a in answers)))

    def split(name: str) -> PromptSet:
        return PromptSet("task", name, tuple(PromptPair(f"{name}-{i}", *pair) for i, pair in enumerate(pairs)))

    return TaskPrompts("task", metric, split("rois"), split("edges"), split("eval"))
