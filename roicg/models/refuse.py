"""What a Lens cannot hold, refused by the name of the feature."""

from typing import Any

from transformer_lens.model_bridge import TransformerBridge

from roicg.core.errors import UnsupportedModel

POST_NORM = "a norm between writer and stream (post-norm)"
EXPERTS = "a mixture of experts"
SHARED = "key/value sharing across layers"
MULTIPLIER = "a residual multiplier"
MODEL_TYPES: dict[str, str] = {
    **dict.fromkeys(("gemma2", "gemma3", "gemma3_text", "olmo2", "olmo3", "glm4", "exaone4", "bert", "openai-gpt"), POST_NORM),
    **dict.fromkeys(("gemma3n", "gemma3n_text", "gemma4", "gemma4_text"), SHARED),
    **dict.fromkeys(
        ("mixtral", "qwen2_moe", "qwen3_moe", "olmoe", "deepseek_v2", "deepseek_v3", "gpt_oss", "phimoe", "jetmoe", "granitemoe", "llama4"), EXPERTS
    ),
    **dict.fromkeys(("granite", "minicpm"), MULTIPLIER),
    **dict.fromkeys(("mamba", "mamba2", "rwkv", "recurrent_gemma"), "a recurrent state"),
    **dict.fromkeys(("t5", "bart", "mt5", "marian", "whisper"), "an encoder and cross-attention"),
}
FIELDS: dict[str, tuple[Any, str]] = {
    "num_local_experts": (None, EXPERTS),
    "num_experts": (None, EXPERTS),
    "n_routed_experts": (None, EXPERTS),
    "num_kv_shared_layers": (0, SHARED),
    "residual_multiplier": (1.0, MULTIPLIER),
    "embedding_multiplier": (1.0, MULTIPLIER),
    "attn_logit_softcapping": (None, "a soft cap on attention scores"),
    "final_logit_softcapping": (None, "a soft cap on logits"),
    "scale_attn_weights": (True, "unscaled attention"),
    "scale_attn_by_inverse_layer_idx": (False, "attention scaled by the layer's number"),
    "use_qk_norm": (False, "a norm on queries and keys"),
    "add_cross_attention": (False, "cross-attention"),
    "sliding_window": (None, "attention over a window"),
}
ROTARY_TYPES = ("default", "linear", "llama3", "yarn")


def refuse(bridge: TransformerBridge, known: tuple[str, ...]) -> str:
    """The architecture's name, or ``UnsupportedModel``."""
    architecture = str(bridge.cfg.architecture)
    if architecture == "TransformerLensNative":
        refuse_native(bridge.cfg)
    else:
        refuse_hf(bridge.original_model.config, architecture, known)
    return architecture


def refuse_native(cfg: Any) -> None:
    """A native config may be built by other hands than ours: its honoured but unrepresented and its ignored fields are checked again."""
    if str(cfg.act_fn).lower() == "solu_ln" and not cfg.attn_only:
        raise UnsupportedModel(f"act_fn solu_ln is {POST_NORM}: its LayerNorm stands between the neurons and what they write")
    for field in ("attn_scores_soft_cap", "output_logits_soft_cap"):
        if float(getattr(cfg, field, -1.0)) > 0:
            raise UnsupportedModel(f"{field}={getattr(cfg, field)}: a soft cap is not represented")
    if cfg.attention_dir not in ("causal", "bidirectional"):
        raise UnsupportedModel(f"attention_dir={cfg.attention_dir!r}: allowed are causal and bidirectional")


def refuse_hf(config: Any, architecture: str, known: tuple[str, ...]) -> None:
    """Hugging Face configs: by model type, by field, by rotary type, then by the list of what is read."""
    if reason := MODEL_TYPES.get(str(getattr(config, "model_type", ""))):
        raise UnsupportedModel(f"{config.model_type} models have {reason}, which roicg does not represent")
    for field, (neutral, reason) in FIELDS.items():
        value = getattr(config, field, neutral)
        if value is not None and value != neutral:
            raise UnsupportedModel(f"config {field}={value!r}: {reason} is not represented")
    if architecture not in known:
        allowed = ", ".join(name for name in known if name != "TransformerLensNative")
        raise UnsupportedModel(f"the architecture {architecture} is not one that roicg reads; it reads {allowed} and native models")
    rope = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind not in ROTARY_TYPES:
        raise UnsupportedModel(f"rotary type {kind!r} changes with the prompt's length, which is not represented; allowed: {', '.join(ROTARY_TYPES)}")
