"""Native sources: the two trained mod-113 models with their published figures, and every bad file refused by name."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from roicg.core.errors import SourceError, StudyError, UnsupportedModel
from roicg.core.settings import ModelSettings, NativeSource
from roicg.models.forward import logits
from roicg.models.native_config import native_config
from roicg.models.sources import checkpoint_labels, open_checkpoint
from tests.unit.models.test_extract import BASE, random_tensors

torch.set_num_threads(1)
WEIGHTS = Path(__file__).parents[3] / "pipelines" / "studies" / "weights"
MODADD: dict[str, Any] = {
    "n_layers": 1, "d_model": 128, "n_heads": 4, "d_head": 32, "d_mlp": 512, "n_ctx": 3, "d_vocab": 114, "act_fn": "relu", "normalization_type": None,
}  # fmt: skip


def settings(config: dict[str, Any], **checkpoints: str) -> ModelSettings:
    return ModelSettings(name="m", source=NativeSource(kind="native", config=config, checkpoints=checkpoints))


@pytest.mark.parametrize(("seed", "accuracy", "loss"), [(2, 1.0, 6.8e-6), (3, 0.99984, 6.8e-4)])
def test_modadd_models_reproduce_their_accuracy_and_cross_entropy(seed: int, accuracy: float, loss: float, tmp_path: Path) -> None:
    model = settings(MODADD, final=f"modadd113_seed{seed}.safetensors")
    checkpoint, lens = open_checkpoint(model, "final", folder=WEIGHTS, artifacts=tmp_path)
    a, b = torch.arange(113 * 113) // 113, torch.arange(113 * 113) % 113
    out = logits(lens, torch.stack([a, b, torch.full_like(a, 113)], dim=1))[:, -1, :113].double()
    answers = (a + b) % 113
    assert float((out.argmax(-1) == answers).double().mean()) == pytest.approx(accuracy, abs=1e-4)
    assert float(F.cross_entropy(out, answers)) == pytest.approx(loss, rel=0.02)
    assert checkpoint.step == 0


def write(folder: Path, tensors: dict[str, Tensor]) -> str:
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "w.safetensors")
    return "w.safetensors"


def opened(folder: Path, tensors: dict[str, Tensor], config: dict[str, Any] | None = None) -> Any:
    return open_checkpoint(settings(BASE if config is None else config, final=write(folder, tensors)), "final", folder=folder, artifacts=folder)


def test_missing_biases_are_zeros_and_neutral_extras_are_dropped(tmp_path: Path) -> None:
    tensors = random_tensors(BASE)
    for name in [name for name in tensors if ".b" in name]:
        tensors[name].zero_()
    _, full = opened(tmp_path, tensors)
    bare = {name: tensor for name, tensor in tensors.items() if ".b" not in name}
    extras = {
        "blocks.0.attn.mask": torch.ones(7, 7),
        "blocks.0.attn.IGNORE": torch.tensor(-1e5),
        "blocks.0.mlp.W_gate": torch.zeros(2),
        "ln_extra.w": torch.ones(3),
    }
    _, lens = opened(tmp_path, bare | extras)
    tokens = torch.arange(7).unsqueeze(0)
    assert torch.equal(logits(lens, tokens), logits(full, tokens))


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"blocks.1.attn.W_Q": None}, SourceError, r"lacks the weight 'blocks\.1\.attn\.W_Q' of shape \[4, 12, 3\]"),
        ({"ln_final.w": None}, SourceError, r"ln_final\.w"),
        (
            {"blocks.0.mlp.W_in": torch.zeros(10, 12)},
            SourceError,
            r"'blocks\.0\.mlp\.W_in' has shape \[10, 12\], the config calls for \[12, 10\]; layers are not uniform",
        ),
        ({"embed.W_E": torch.zeros(12, 9)}, SourceError, r"embed\.W_E.*\[12, 9\].*\[9, 12\]"),
        ({"blocks.0.attn.W_K": torch.full((4, 12, 3), float("nan"))}, SourceError, r"blocks\.0\.attn\.W_K.*NaN"),
        ({"unembed.W_U": torch.full((12, 9), float("inf"))}, SourceError, r"unembed\.W_U"),
        ({"blocks.0.mlp.b_gate": torch.ones(10)}, UnsupportedModel, r"blocks\.0\.mlp\.b_gate"),
        ({"blocks.0.attn.q.weight": torch.zeros(12, 12)}, SourceError, r"both mean 'blocks\.0\.attn\.W_Q'"),
        ({"blocks.0.attn.rotary_cos": torch.ones(7, 2)}, UnsupportedModel, "rotary_cos"),
    ],
)
def test_files_that_do_not_fit_are_refused_by_tensor(change: dict[str, Tensor | None], error: type[Exception], words: str, tmp_path: Path) -> None:
    tensors = {**random_tensors(BASE), **change}
    with pytest.raises(error, match=words):
        opened(tmp_path, {name: tensor for name, tensor in tensors.items() if tensor is not None})


def test_pickles_damaged_and_missing_files_are_refused(tmp_path: Path) -> None:
    torch.save(random_tensors(BASE), tmp_path / "w.pt")
    (tmp_path / "disguised.safetensors").write_bytes((tmp_path / "w.pt").read_bytes())
    (tmp_path / "damaged.safetensors").write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00not json at all!")
    for name, words in [
        ("w.pt", "pickle"),
        ("disguised.safetensors", "pickle"),
        ("damaged.safetensors", "not a readable"),
        ("none.safetensors", "cannot read"),
    ]:
        with pytest.raises(SourceError, match=words):
            open_checkpoint(settings(BASE, final=name), "final", folder=tmp_path, artifacts=tmp_path)
    with pytest.raises(StudyError, match="leaves the study's folder"):
        open_checkpoint(settings(BASE, final="../w.safetensors"), "final", folder=tmp_path, artifacts=tmp_path)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"normalisation_type": "LN"}, StudyError, "did you mean 'normalization_type'"),
        ({"normalization_type": "None"}, UnsupportedModel, "null"),
        ({"normalization_type": "BN"}, UnsupportedModel, "LNPre"),
        ({"attention_dir": "casual"}, UnsupportedModel, "bidirectional"),
        ({"use_attn_scale": False}, UnsupportedModel, "use_attn_scale"),
        ({"parallel_attn_mlp": True}, UnsupportedModel, "parallel_attn_mlp"),
        ({"use_qk_norm": True}, UnsupportedModel, "use_qk_norm"),
        ({"use_local_attn": True}, UnsupportedModel, "use_local_attn"),
        ({"tie_word_embeddings": True}, UnsupportedModel, "tie_word_embeddings"),
        ({"scale_embedding": True}, UnsupportedModel, "scale_embedding"),
        ({"post_embedding_ln": True}, UnsupportedModel, "post_embedding_ln"),
        ({"scale_attn_by_inverse_layer_idx": True}, UnsupportedModel, "scale_attn_by_inverse_layer_idx"),
        ({"use_normalization_before_and_after": True}, UnsupportedModel, "between writer and stream"),
        ({"num_experts": 4}, UnsupportedModel, "experts"),
        ({"act_fn": "solu_ln"}, UnsupportedModel, "act_fn"),
        ({"act_fn": None}, StudyError, "act_fn"),
        ({"positional_embedding_type": "alibi"}, UnsupportedModel, "rotary"),
        ({"attn_scale": 1.0}, UnsupportedModel, "sqrt"),
        ({"attn_scale": 0}, StudyError, "positive"),
        ({"output_logits_soft_cap": 30.0}, UnsupportedModel, "soft cap"),
        ({"d_mlp": 0}, StudyError, "attn_only: true"),
        ({"n_layers": 0}, StudyError, "n_layers=0"),
        ({"n_heads": "four"}, StudyError, "whole number"),
        ({"n_heads": -1, "d_head": 5}, StudyError, "multiple"),
        ({"n_key_value_heads": 3}, StudyError, "multiple"),
        ({"positional_embedding_type": "rotary"}, StudyError, "even"),
        ({"positional_embedding_type": "rotary", "rotary_adjacent_pairs": False}, UnsupportedModel, "adjacent"),
    ],
)
def test_config_fields_that_would_be_ignored_or_misread_are_refused(change: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        native_config(BASE | change)


def test_neutral_values_and_fields_without_effect_are_accepted() -> None:
    dump = {"use_attn_scale": True, "use_local_attn": False, "init_mode": "gpt2", "seed": 3, "model_name": "x", "d_vocab_out": -1, "window_size": None}
    assert native_config(BASE | dump) == native_config(BASE)
    with pytest.raises(StudyError, match="d_vocab"):
        native_config({key: value for key, value in BASE.items() if key != "d_vocab"})


def test_the_digest_follows_weights_and_config_not_dtype_or_file_order(tmp_path: Path) -> None:
    tensors = random_tensors(BASE)
    first, _ = opened(tmp_path, tensors)
    again, lens = opened(tmp_path, dict(reversed(tensors.items())))
    wide, _ = open_checkpoint(settings(BASE, final="w.safetensors"), "final", folder=tmp_path, artifacts=tmp_path, dtype="float64")
    other_config, _ = opened(tmp_path, tensors, BASE | {"act_fn": "gelu"})
    changed, _ = opened(tmp_path, tensors | {"unembed.b_U": tensors["unembed.b_U"] + 1e-3})
    assert first.weights_digest == again.weights_digest == wide.weights_digest == lens.weights_digest
    assert len({first.weights_digest, other_config.weights_digest, changed.weights_digest}) == 3


def test_labels_are_ordered_by_step_and_must_not_collide(tmp_path: Path) -> None:
    assert checkpoint_labels(settings(BASE, step200="a", step50="b"), tmp_path) == (("step50", 50), ("step200", 200))
    assert checkpoint_labels(settings(BASE, first="a", last="b"), tmp_path) == (("first", 0), ("last", 1))
    with pytest.raises(StudyError, match="same step"):
        checkpoint_labels(settings(BASE, a="x", final0="y"), tmp_path)
    with pytest.raises(SourceError, match="no checkpoint 'final'; it has"):
        open_checkpoint(settings(BASE, step200="a"), "final", folder=tmp_path, artifacts=tmp_path)


def test_a_device_that_is_not_there_and_an_unknown_dtype_are_refused(tmp_path: Path) -> None:
    model = settings(BASE, final=write(tmp_path, random_tensors(BASE)))
    with pytest.raises(StudyError, match="use cpu"):
        open_checkpoint(model, "final", folder=tmp_path, artifacts=tmp_path, device="cuda:99")
    with pytest.raises(StudyError, match="float64"):
        open_checkpoint(model, "final", folder=tmp_path, artifacts=tmp_path, dtype="float16")
