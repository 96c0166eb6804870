"""Native models: TransformerLens-named tensors and a config become a TransformerBridge, strictly.

1. The config is checked against what native models honour (``native_config.py``).
2. Bridge names (``attn.q.weight``) are turned into TransformerLens names (``attn.W_Q``).
3. Every tensor the config calls for is there in its shape; missing biases are zeros, missing weights an error. Extra
   tensors are dropped where they change nothing (zero, or one for norm weights) and refused otherwise.
4. ``convert_tl_checkpoint`` makes the bridge's layout, which is loaded with ``strict=True``.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor
from transformer_lens.config import TransformerBridgeConfig
from transformer_lens.model_bridge import TransformerBridge
from transformer_lens.model_bridge.sources.native import boot as boot_native
from transformer_lens.utilities.tl_checkpoint_conversion import convert_tl_checkpoint

from roicg.core.errors import SourceError, UnsupportedModel
from roicg.models.native_config import native_config

Shape = tuple[int, ...]
_BRIDGE_NAMES = {
    "embed.weight": "embed.W_E",
    "pos_embed.weight": "pos_embed.W_pos",
    "unembed.weight": "unembed.W_U",
    "unembed.bias": "unembed.b_U",
    **{f"attn.{part.lower()}.weight": f"attn.W_{part}" for part in "QKVO"},
    **{f"attn.{part.lower()}.bias": f"attn.b_{part}" for part in "QKVO"},
    **{f"mlp.{part}.weight": f"mlp.W_{part}" for part in ("in", "out", "gate")},
    **{f"mlp.{part}.bias": f"mlp.b_{part}" for part in ("in", "out", "gate")},
    **{f"{norm}.{long}": f"{norm}.{short}" for norm in ("ln1", "ln2", "ln_final") for long, short in (("weight", "w"), ("bias", "b"))},
}


def bridge_config(full: Mapping[str, Any], seed: int | None = None) -> TransformerBridgeConfig:
    """TransformerBridge's config of a checked native config; ``seed`` fixes the initial weights."""
    return TransformerBridgeConfig(**{**full, "act_fn": full["act_fn"] or "relu"}, device="cpu", seed=seed)


def native_bridge(config: Mapping[str, Any], tensors: Mapping[str, Tensor], where: str, dtype: torch.dtype = torch.float32) -> TransformerBridge:
    """A bridge with exactly these weights; ``where`` names the file in errors."""
    full = native_config(config)
    cfg = bridge_config(full, seed=0)
    fitted = fit_tensors(full, tensors, where)
    bridge: Any = boot_native(cfg, device="cpu", dtype=dtype)
    converted = convert_tl_checkpoint({name: tensor.to(dtype) for name, tensor in fitted.items()}, bridge.cfg)
    bridge.load_state_dict(converted, strict=True)
    _check_rotary(bridge.original_model.rotary, tensors, where)
    bridge.eval()
    return cast(TransformerBridge, bridge)


def expected_shapes(full: Mapping[str, Any]) -> dict[str, Shape]:
    """TransformerLens names of all tensors a checked config calls for, with their shapes."""
    d, heads, e, n = full["d_model"], full["n_heads"], full["d_head"], full["d_mlp"]
    groups = full["n_key_value_heads"] or heads
    shapes: dict[str, Shape] = {"embed.W_E": (full["d_vocab"], d), "unembed.W_U": (d, full["d_vocab_out"]), "unembed.b_U": (full["d_vocab_out"],)}
    if full["positional_embedding_type"] == "standard":
        shapes["pos_embed.W_pos"] = (full["n_ctx"], d)
    mlp: dict[str, Shape] = {"mlp.W_in": (d, n), "mlp.W_out": (n, d)}
    mlp |= {"mlp.W_gate": (d, n)} if full["gated_mlp"] else {"mlp.b_in": (n,), "mlp.b_out": (d,)}
    attention = {"Q": (heads, d, e), "K": (groups, d, e), "V": (groups, d, e)}
    for layer in range(full["n_layers"]):
        block: dict[str, Shape] = {f"attn.W_{part}": shape for part, shape in attention.items()}
        block |= {f"attn.b_{part}": (shape[0], e) for part, shape in attention.items()}
        block |= {"attn.W_O": (heads, e, d), "attn.b_O": (d,)} | ({} if full["attn_only"] else mlp)
        block |= {f"{norm}.{part}": (d,) for norm in ("ln1", "ln2")[: 1 if full["attn_only"] else 2] for part in _norm_parts(full["normalization_type"])}
        shapes |= {f"blocks.{layer}.{name}": shape for name, shape in block.items()}
    final = {"LN": "RMS", "LNPre": "RMSPre", None: "RMS"}.get(full["normalization_type"], full["normalization_type"]) if full["final_rms"] else None
    return shapes | {f"ln_final.{part}": (d,) for part in _norm_parts(final or full["normalization_type"])}


def _norm_parts(kind: str | None) -> tuple[str, ...]:
    return {"LN": ("w", "b"), "RMS": ("w",)}.get(kind or "", ())


def fit_tensors(full: Mapping[str, Any], tensors: Mapping[str, Tensor], where: str) -> dict[str, Tensor]:
    """Exactly the expected tensors, or a ``SourceError`` that names what is missing, misshapen or not representable."""
    named = tl_names(tensors, full["n_heads"], full["n_key_value_heads"] or full["n_heads"], where)
    shapes = expected_shapes(full)
    for name in sorted(named.keys() - shapes.keys()):
        _check_extra(name, named[name], where)
    fitted: dict[str, Tensor] = {}
    for name, shape in shapes.items():
        if name in named:
            fitted[name] = _shaped(name, named[name], shape, named, where)
        elif name.rsplit(".", 1)[1].startswith("b"):
            fitted[name] = torch.zeros(shape, dtype=named["embed.W_E"].dtype if "embed.W_E" in named else torch.float32)
        else:
            raise SourceError(f"{where} lacks the weight {name!r} of shape {list(shape)}, which the config calls for")
    return fitted


def tl_names(tensors: Mapping[str, Tensor], heads: int, groups: int, where: str) -> dict[str, Tensor]:
    """Tensors under TransformerLens names and layouts: bridge names are translated, masks dropped, ``_W_K`` read as ``W_K``."""
    named: dict[str, Tensor] = {}
    for given, tensor in tensors.items():
        if given.endswith((".mask", ".IGNORE")):
            continue
        block = re.match(r"blocks\.[0-9]+\.", given)
        prefix = block.group() if block else ""
        stem = given[len(prefix) :].replace("attn._", "attn.")
        if stem in _BRIDGE_NAMES:
            stem = _BRIDGE_NAMES[stem]
            tensor = _tl_layout(stem, tensor, groups if stem[-1] in "KV" else heads, given, where)
        if prefix + stem in named:
            raise SourceError(f"{where}: two tensors both mean {prefix + stem!r}; keep one")
        named[prefix + stem] = tensor
    return named


def _tl_layout(name: str, tensor: Tensor, heads: int, given: str, where: str) -> Tensor:
    part = name.rsplit(".", 1)[1]
    if part in ("W_in", "W_out", "W_gate", "W_U") and tensor.ndim == 2:
        return tensor.T
    if not name.startswith("attn.") or part == "b_O":
        return tensor
    merged = 1 if part == "W_O" else 0
    if tensor.ndim != (1 if part.startswith("b") else 2) or tensor.shape[merged] % heads:
        raise SourceError(f"{where}: tensor {given!r} has shape {list(tensor.shape)}, which does not divide into {heads} heads")
    if part == "W_O":
        return tensor.T.reshape(heads, -1, tensor.shape[0])
    return tensor.reshape(heads, -1) if part.startswith("b") else tensor.reshape(heads, -1, tensor.shape[1]).transpose(1, 2)


def _shaped(name: str, tensor: Tensor, shape: Shape, named: Mapping[str, Tensor], where: str) -> Tensor:
    if tuple(tensor.shape) == shape:
        return tensor
    stem = name.split(".", 2)[-1]
    elsewhere = name.startswith("blocks.") and any(
        k.startswith("blocks.") and k.split(".", 2)[-1] == stem and tuple(t.shape) == shape for k, t in named.items()
    )
    hint = "; layers are not uniform: pad the smaller ones with zeros" if elsewhere else ""
    raise SourceError(f"{where}: tensor {name!r} has shape {list(tensor.shape)}, the config calls for {list(shape)}{hint}")


def _check_rotary(rotary: Any, tensors: Mapping[str, Tensor], where: str) -> None:
    """Rotary tables in the file say which pairs turn and how fast: they must be those of the native model."""
    for name, tensor in tensors.items():
        if name.endswith((".rotary_sin", ".rotary_cos")):
            table = None if rotary is None else (rotary.cos_cached if name.endswith("cos") else rotary.sin_cached)
            if table is None or table.shape != tensor.shape or not torch.allclose(table.float(), tensor.float(), atol=1e-4):
                raise UnsupportedModel(f"{where}: {name!r} is not the rotary table of the native model (adjacent pairs turn together, base as in the config)")


def _check_extra(name: str, tensor: Tensor, where: str) -> None:
    if name.endswith((".rotary_sin", ".rotary_cos")):
        return
    is_norm_weight = re.search(r"(^|\.)ln\w*\.(w|weight)$", name) is not None
    neutral = 1.0 if is_norm_weight else 0.0
    if not bool((tensor == neutral).all()):
        raise UnsupportedModel(f"{where}: tensor {name!r} is not {neutral:g} everywhere and the config has no place for it; correct the config or the file")
