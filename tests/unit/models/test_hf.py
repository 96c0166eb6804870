"""Tiny random Hugging Face models, written by the test: the Lens gives their own logits at all positions."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import GPT2Config, GPT2LMHeadModel, GPTNeoXConfig, GPTNeoXForCausalLM, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from transformers.utils import logging

from roicg.core.errors import SourceError, UnsupportedModel
from roicg.core.settings import HfSource, ModelSettings
from roicg.models.forward import logits
from roicg.models.sources import checkpoint_labels, checkpoint_tokenize, open_checkpoint

torch.set_num_threads(1)
logging.disable_progress_bar()
GPT2 = {"vocab_size": 23, "n_positions": 16, "n_embd": 24, "n_layer": 2, "n_head": 4}
NEOX = {"vocab_size": 23, "max_position_embeddings": 16, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 30}
LLAMA = {**NEOX, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 30}
SCALED = {"rope_type": "llama3", "rope_theta": 10000.0, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8}
CASES: dict[str, Any] = {
    "GPT-2": lambda: GPT2LMHeadModel(GPT2Config(**GPT2)),
    "GPT-2, ReLU, few neurons": lambda: GPT2LMHeadModel(GPT2Config(**GPT2, n_inner=17, activation_function="relu")),
    "GPT-NeoX": lambda: GPTNeoXForCausalLM(GPTNeoXConfig(**NEOX, rotary_pct=0.25)),
    "GPT-NeoX, sequential": lambda: GPTNeoXForCausalLM(GPTNeoXConfig(**NEOX, use_parallel_residual=False)),
    "Llama": lambda: LlamaForCausalLM(LlamaConfig(**LLAMA)),
    "Llama, scaled rotary, tied, biases": lambda: LlamaForCausalLM(
        LlamaConfig(**LLAMA, rope_parameters=SCALED, tie_word_embeddings=True, attention_bias=True, mlp_bias=True, head_dim=8)
    ),
}


def save(model: Any, folder: Path) -> Any:
    """The model with every parameter random (norms and biases too), saved; returns it in float64."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.2 * torch.randn(parameter.shape, generator=generator)
    model.save_pretrained(folder)
    return model.double().eval()


def settings(**source: Any) -> ModelSettings:
    return ModelSettings(name="m", source=HfSource(kind="hf", **source))


@pytest.mark.parametrize("name", CASES)
def test_lens_gives_the_logits_of_the_model(name: str, tmp_path: Path) -> None:
    model = save(CASES[name](), tmp_path / "model")
    tokens = torch.randint(23, (3, 16), generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        theirs = model(tokens).logits
    for dtype, allowed in (("float64", 1e-6), ("float32", 1e-5)):
        checkpoint, lens = open_checkpoint(settings(path="model"), "final", folder=tmp_path, artifacts=tmp_path / "artifacts", dtype=dtype)
        assert float((logits(lens, tokens) - theirs).abs().max() / theirs.abs().max()) < allowed
        assert checkpoint.label == "final"
        assert checkpoint.weights_digest == lens.weights_digest
    assert lens.parallel == (name == "GPT-NeoX")


def test_checkpoints_come_in_the_order_of_their_steps(tmp_path: Path) -> None:
    for step in (200, 5, 1000):
        save(CASES["GPT-2"](), tmp_path / "run" / f"checkpoint-{step}")
    (tmp_path / "run" / "checkpoint-7").mkdir()
    model = settings(path="run")
    assert checkpoint_labels(model, tmp_path) == (("5", 5), ("200", 200), ("1000", 1000))
    assert open_checkpoint(model, "200", folder=tmp_path, artifacts=tmp_path)[0].step == 200
    with pytest.raises(SourceError, match="it has 5, 200, 1000"):
        open_checkpoint(model, "7", folder=tmp_path, artifacts=tmp_path)


def test_revisions_are_ordered_by_their_number() -> None:
    model = settings(name="org/model", revisions=("step1000", "step0", "step143000"))
    assert checkpoint_labels(model, Path()) == (("step0", 0), ("step1000", 1000), ("step143000", 143000))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model_type": "mixtral", "architectures": ["MixtralForCausalLM"]}, "mixture of experts"),
        ({"model_type": "gemma2", "architectures": ["Gemma2ForCausalLM"]}, "post-norm"),
        ({"model_type": "granite", "architectures": ["GraniteForCausalLM"]}, "residual multiplier"),
        ({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "scale_attn_weights": False}, "unscaled attention"),
        ({"num_kv_shared_layers": 1}, "sharing across layers"),
        ({"architectures": ["LlamaForSequenceClassification"]}, "LlamaForSequenceClassification"),
        ({"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0}}, "dynamic"),
    ],
)
def test_models_that_are_not_represented_are_refused_by_name(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    save(CASES["Llama"](), tmp_path / "model")
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    (tmp_path / "model" / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(UnsupportedModel, match=words):
        open_checkpoint(settings(path="model"), "final", folder=tmp_path, artifacts=tmp_path)


def test_missing_and_misshapen_weights_are_refused_and_never_random(tmp_path: Path) -> None:
    save(CASES["Llama"](), tmp_path / "model")
    weights = load_file(tmp_path / "model" / "model.safetensors")
    name = "model.layers.1.mlp.up_proj.weight"
    save_file({key: tensor for key, tensor in weights.items() if key != name}, tmp_path / "model" / "model.safetensors", {"format": "pt"})
    with pytest.raises(SourceError, match=r"lacks 1 weights .*model\.layers\.1\.mlp\.up_proj\.weight"):
        open_checkpoint(settings(path="model"), "final", folder=tmp_path, artifacts=tmp_path)
    save_file(weights | {name: torch.zeros(3, 3)}, tmp_path / "model" / "model.safetensors", {"format": "pt"})
    with pytest.raises(SourceError, match="cannot load"):
        open_checkpoint(settings(path="model"), "final", folder=tmp_path, artifacts=tmp_path)


def test_text_is_tokenised_without_special_tokens_where_there_is_a_tokenizer(tmp_path: Path) -> None:
    save(CASES["GPT-2"](), tmp_path / "model")
    assert checkpoint_tokenize(settings(path="model"), "final", tmp_path) is None
    words = Tokenizer(WordLevel({"[BOS]": 0, "a": 1, "b": 2, "c": 3}, unk_token="c"))
    words.pre_tokenizer = Whitespace()
    words.post_processor = TemplateProcessing(single="[BOS] $A", special_tokens=[("[BOS]", 0)])
    PreTrainedTokenizerFast(tokenizer_object=words, bos_token="[BOS]").save_pretrained(tmp_path / "model")
    tokenize = checkpoint_tokenize(settings(path="model"), "final", tmp_path)
    assert tokenize is not None
    assert tokenize("b a b") == [2, 1, 2]


def test_pickled_weights_nan_and_missing_folders_are_refused(tmp_path: Path) -> None:
    save(CASES["GPT-2"](), tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").unlink()
    torch.save({}, tmp_path / "model" / "pytorch_model.bin")
    with pytest.raises(SourceError, match="safetensors"):
        open_checkpoint(settings(path="model"), "final", folder=tmp_path, artifacts=tmp_path)
    model = CASES["GPT-2"]()
    with torch.no_grad():
        model.transformer.h[1].mlp.c_fc.weight[0, 0] = float("nan")
    model.save_pretrained(tmp_path / "nan")
    with pytest.raises(SourceError, match=r"transformer\.h\.1\.mlp\.c_fc\.weight"):
        open_checkpoint(settings(path="nan"), "final", folder=tmp_path, artifacts=tmp_path)
    with pytest.raises(SourceError, match="does not exist"):
        checkpoint_labels(settings(path="nowhere"), tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=r"config\.json"):
        checkpoint_labels(settings(path="empty"), tmp_path)
