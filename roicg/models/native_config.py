"""The config of a native model: an allow-list of the fields that TransformerBridge's native models honour.

The bridge accepts many more fields and ignores them, so that a model that needs one would load and compute something
else. Such a field is accepted at its neutral value and refused by name at any other.
"""

from collections.abc import Mapping
from typing import Any

from roicg.core.errors import StudyError, UnsupportedModel
from roicg.core.nearest import did_you_mean

_SIZES = ("d_model", "d_head", "n_layers", "n_ctx", "n_heads", "d_mlp", "d_vocab", "d_vocab_out", "n_key_value_heads", "rotary_dim")
_CHOICES: dict[str, tuple[Any, ...]] = {
    "attention_dir": ("causal", "bidirectional"),
    "normalization_type": (None, "LN", "LNPre", "RMS", "RMSPre"),
    "positional_embedding_type": ("standard", "rotary"),
    "act_fn": ("gelu", "gelu_new", "relu", "silu", "swish", "solu", None),
    "attn_only": (False, True),
    "gated_mlp": (False, True),
    "final_rms": (False, True),
}
_DEFAULT_BY_MINUS_ONE = ("n_heads", "d_vocab_out")
_NUMBERS = ("eps", "attn_scale", "rotary_base")
_NEUTRAL: dict[str, tuple[tuple[Any, ...], str]] = {
    "use_attn_scale": ((True,), "attention is always scaled; for unscaled attention multiply W_Q and b_Q by sqrt(d_head)"),
    "scale_attn_by_inverse_layer_idx": ((False,), "scale W_Q and b_Q of layer l by 1/(l+1) instead"),
    "parallel_attn_mlp": ((False,), "native blocks are sequential; use an hf source for parallel blocks"),
    "rotary_adjacent_pairs": ((True,), "native rotary turns adjacent pairs; permute the columns of W_Q and W_K"),
    "use_qk_norm": ((False,), "a norm on queries and keys is not represented"),
    "use_local_attn": ((False,), "attention is over the whole context"),
    "window_size": ((None,), "attention is over the whole context"),
    "attn_types": ((None,), "every layer attends over the whole context"),
    "post_embedding_ln": ((False,), "a norm between the embedding and the stream is not represented"),
    "use_normalization_before_and_after": ((False,), "a norm between writer and stream is not represented"),
    "tie_word_embeddings": ((False,), "store W_U in the file"),
    "scale_embedding": ((None, False), "multiply W_E instead"),
    "attn_scores_soft_cap": ((-1, -1.0, None), "a soft cap on attention scores is not represented"),
    "output_logits_soft_cap": ((-1, -1.0, None), "a soft cap on logits is not represented"),
    "rmsnorm_uses_offset": ((False,), "add 1 to the norm weights instead"),
    "num_experts": ((None,), "mixtures of experts are not represented"),
    "experts_per_token": ((None,), "mixtures of experts are not represented"),
    "use_NTK_by_parts_rope": ((False,), "native rotary has no scaling"),
    "rope_scaling": ((None,), "native rotary has no scaling here"),
    "per_layer_head_dim": ((None,), "all layers share one shape: pad with zeros"),
    "per_layer_num_key_value_heads": ((None,), "all layers share one shape"),
    "relative_attention_max_distance": ((None,), "relative positions are not represented"),
    "relative_attention_num_buckets": ((None,), "relative positions are not represented"),
    "architecture": ((None, "TransformerLensNative"), "use an hf source for other architectures"),
}
_WITHOUT_EFFECT = frozenset(
    [
        "model_name",
        "original_architecture",
        "tokenizer_name",
        "seed",
        "init_mode",
        "init_weights",
        "initializer_range",
        "device",
        "dtype",
        "n_devices",
        "n_params",
        "default_prepend_bos",
        "from_checkpoint",
        "checkpoint_index",
        "checkpoint_label_type",
        "checkpoint_value",
        "use_attn_result",
        "use_split_qkv_input",
        "use_attn_in",
        "use_hook_mlp_in",
        "use_hook_tokens",
        "trust_remote_code",
        "tokenizer_prepends_bos",
        "tokenizer_appends_eos",
        "default_padding_side",
    ]
)
_REQUIRED = ("d_model", "d_head", "n_layers", "n_ctx", "d_vocab")
KNOWN = (*_SIZES, *_CHOICES, *_NUMBERS)


def native_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Every honoured field with its value, defaults filled in as TransformerBridge does.

    ``StudyError`` for unknown keys (with the nearest name) and impossible values, ``UnsupportedModel`` for a field that
    the bridge would ignore. Note that square matrices hide a transposed layout: ``W_Q`` is [head, d_model, d_head],
    ``W_O`` [head, d_head, d_model], ``W_in`` [d_model, d_mlp], ``W_E`` [d_vocab, d_model].
    """
    for key, value in config.items():
        _check_key(key, value)
    config = {key: value for key, value in config.items() if not (value == -1 and key in _DEFAULT_BY_MINUS_ONE)}
    for key in _REQUIRED:
        if key not in config:
            raise StudyError(f"the native config lacks {key!r}; it needs {', '.join(_REQUIRED)}")
    full: dict[str, Any] = {
        "n_heads": config["d_model"] // config["d_head"],
        "d_mlp": 4 * config["d_model"],
        "d_vocab_out": config["d_vocab"],
        "n_key_value_heads": None,
        "act_fn": "relu",
        "normalization_type": "LN",
        "attention_dir": "causal",
        "positional_embedding_type": "standard",
        "attn_only": False,
        "gated_mlp": False,
        "final_rms": False,
        "eps": 1e-5,
        "attn_scale": -1.0,
        "rotary_base": 10000,
        "rotary_dim": config["d_head"],
    }
    full.update({key: config[key] for key in KNOWN if key in config and not (config[key] is None and key in _SIZES)})
    _check_together(config, full)
    return full


def _check_key(key: str, value: Any) -> None:
    if key in _NEUTRAL:
        allowed, advice = _NEUTRAL[key]
        if not any(value is option or (value == option and type(value) is type(option)) for option in allowed):
            raise UnsupportedModel(f"config {key}={value!r}: native models ignore this field ({advice})")
    elif key in _CHOICES:
        if not any(value is option or (isinstance(value, str) and value == option) for option in _CHOICES[key]):
            shown = ", ".join("null" if option is None else str(option).lower() if isinstance(option, bool) else option for option in _CHOICES[key])
            near = "; in YAML no norm is written null" if key == "normalization_type" and str(value).lower() == "none" else ""
            raise UnsupportedModel(f"config {key}={value!r} is not supported; allowed: {shown}{near}")
    elif key in _SIZES:
        _check_size(key, value)
    elif key in _NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise StudyError(f"config {key}={value!r} must be a number")
    elif key not in _WITHOUT_EFFECT:
        hint = did_you_mean(str(key), [*KNOWN, *_NEUTRAL])
        raise StudyError(f"unknown key {key!r} in the native config{hint} (known: {', '.join(sorted(KNOWN))})")


def _check_size(key: str, value: Any) -> None:
    if value is None and key not in _REQUIRED:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise StudyError(f"config {key}={value!r} must be a whole number")
    if value < 1 and not (value == -1 and key in _DEFAULT_BY_MINUS_ONE):
        hint = "; for a model without MLPs say attn_only: true" if key == "d_mlp" else ""
        raise StudyError(f"config {key}={value} must be at least 1{hint}")


def _check_together(config: Mapping[str, Any], full: Mapping[str, Any]) -> None:
    if "n_heads" not in config and config["d_model"] % config["d_head"]:
        raise StudyError(f"config: d_model {config['d_model']} is no multiple of d_head {config['d_head']}; give n_heads")
    groups = full["n_key_value_heads"]
    if groups is not None and full["n_heads"] % groups:
        raise StudyError(f"config: n_heads {full['n_heads']} is no multiple of n_key_value_heads {groups}")
    if full["attn_scale"] == 1.0 and full["d_head"] > 1:
        raise UnsupportedModel("config attn_scale=1.0: native models refuse unscaled attention; multiply W_Q and b_Q by sqrt(d_head) and leave attn_scale out")
    if full["attn_scale"] <= 0 and full["attn_scale"] != -1:
        raise StudyError(f"config attn_scale={full['attn_scale']}: scores are divided by it, so it must be positive (or left out: sqrt(d_head))")
    if full["act_fn"] is None and not full["attn_only"]:
        raise StudyError("config act_fn is null: name the activation (relu, gelu, gelu_new, silu, solu), or say attn_only: true")
    if full["eps"] <= 0:
        raise StudyError(f"config eps={full['eps']} must be positive")
    if full["positional_embedding_type"] == "rotary":
        if full["rotary_dim"] % 2 or full["rotary_dim"] > full["d_head"]:
            raise StudyError(f"config rotary_dim={full['rotary_dim']} must be even and at most d_head {full['d_head']}")
        if full["rotary_base"] != int(full["rotary_base"]) or full["rotary_base"] <= 0:
            raise UnsupportedModel(f"config rotary_base={full['rotary_base']}: native models cut it to a whole number")
