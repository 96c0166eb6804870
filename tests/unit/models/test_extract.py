"""Every native variant: the Lens read from the bridge gives the bridge's logits at all positions."""

from typing import Any

import pytest
import torch
from torch import Tensor

from roicg.core.errors import UnsupportedModel
from roicg.models.extract import check_logits, lens_from_bridge
from roicg.models.forward import logits
from roicg.models.native import expected_shapes, native_bridge
from roicg.models.native_config import native_config

torch.set_num_threads(1)
BASE: dict[str, Any] = {"n_layers": 2, "d_model": 12, "n_heads": 4, "d_head": 3, "d_mlp": 10, "n_ctx": 7, "d_vocab": 9, "act_fn": "relu"}
VARIANTS: dict[str, dict[str, Any]] = {
    "LN": {},
    "no norm": {"normalization_type": None},
    "LNPre": {"normalization_type": "LNPre", "act_fn": "gelu"},
    "RMS": {"normalization_type": "RMS", "act_fn": "gelu_new"},
    "RMSPre": {"normalization_type": "RMSPre", "act_fn": "silu"},
    "final RMS": {"normalization_type": "LN", "final_rms": True},
    "no norm but final RMS": {"normalization_type": None, "final_rms": True},
    "gated": {"gated_mlp": True, "act_fn": "silu", "normalization_type": "RMS"},
    "solu": {"act_fn": "solu"},
    "rotary": {"positional_embedding_type": "rotary", "rotary_dim": 2},
    "rotary, bidirectional": {"positional_embedding_type": "rotary", "d_head": 4, "attention_dir": "bidirectional", "rotary_base": 500},
    "attention only": {"attn_only": True},
    "bidirectional": {"attention_dir": "bidirectional", "normalization_type": None},
    "grouped queries": {"n_key_value_heads": 2},
    "one key/value head": {"n_key_value_heads": 1, "positional_embedding_type": "rotary", "rotary_dim": 2},
    "other output vocabulary": {"d_vocab_out": 2},
    "wide heads": {"d_head": 5},
    "one head as wide as the model": {"n_heads": 1, "d_head": 12, "d_mlp": 12},
    "one neuron": {"d_mlp": 1, "n_ctx": 2},
    "own attention scale": {"attn_scale": 2.5},
}


def random_tensors(config: dict[str, Any], seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shapes = expected_shapes(native_config(config))
    return {name: 0.5 * torch.randn(shape, generator=generator) + (1.0 if name.endswith(".w") else 0.0) for name, shape in shapes.items()}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("name", VARIANTS)
def test_lens_gives_the_logits_of_the_bridge(name: str, dtype: torch.dtype) -> None:
    config = BASE | VARIANTS[name]
    bridge = native_bridge(config, random_tensors(config), "test", dtype)
    lens = lens_from_bridge(bridge, "digest")
    tokens = torch.randint(9, (5, config["n_ctx"]), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        theirs = bridge(tokens, return_type="logits")
    exact = dtype == torch.float64 and "RMS" not in [config.get("normalization_type"), "RMS" if config.get("final_rms") else None]
    torch.testing.assert_close(logits(lens, tokens), theirs, rtol=0, atol=float(theirs.abs().max()) * (1e-12 if exact else 1e-5))
    assert lens.dtype == dtype
    assert [attention.W_K.shape[0] for attention in lens.attentions] == [config["n_heads"]] * 2
    assert not any(tensor.requires_grad for tensor in (lens.W_E, lens.W_U, lens.attentions[0].W_Q))


def test_bridge_names_load_like_transformer_lens_names() -> None:
    config = BASE | {"n_key_value_heads": 2, "d_vocab_out": 4}
    first = native_bridge(config, random_tensors(config), "test", torch.float64)
    second = native_bridge(config, dict(first.state_dict()), "test", torch.float64)
    tokens = torch.arange(7).unsqueeze(0)
    assert torch.equal(first(tokens, return_type="logits"), second(tokens, return_type="logits"))


def test_a_lens_that_computes_something_else_is_refused_with_the_difference() -> None:
    bridge = native_bridge(BASE, random_tensors(BASE), "test")
    lens = lens_from_bridge(bridge, "digest")
    with torch.no_grad():
        lens.attentions[1].W_V[0, 0, 0] += 1.0
    with pytest.raises(UnsupportedModel, match="largest difference"):
        check_logits(bridge, lens)


@pytest.mark.parametrize(
    ("field", "value"), [("output_logits_soft_cap", 5.0), ("attn_scores_soft_cap", 5.0), ("attention_dir", "casual"), ("act_fn", "solu_ln")]
)
def test_bridges_built_by_other_hands_are_refused_by_field(field: str, value: Any) -> None:
    from transformer_lens.config import TransformerBridgeConfig
    from transformer_lens.model_bridge.sources.native import boot

    bridge = boot(TransformerBridgeConfig(**{**BASE, field: value}, device="cpu", seed=0))
    with pytest.raises(UnsupportedModel, match=value if isinstance(value, str) else field):
        lens_from_bridge(bridge, "digest")
