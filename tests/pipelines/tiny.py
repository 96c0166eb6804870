"""Studies that run in a second: a folder of Hugging Face checkpoints that grows, and a native model with many random checkpoints."""

import json
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

SETTINGS = """\
tasks:
  - {name: modadd, prompts: {kind: generated, recipe: modadd.7, n: 12}, metric: logit_minus_mean_rest}
rois: {null_draws: 2}
partitions: [components]
circuits: {fractions: [0.1, 1.0], selections: [weight], random_draws: 1, bootstrap: 20, partitions: [components]}
"""
GPT2 = {
    "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": 8, "n_positions": 4, "n_ctx": 4, "n_embd": 16, "n_layer": 1, "n_head": 2,
    "n_inner": 16, "bos_token_id": 7, "eos_token_id": 7, "tie_word_embeddings": True,
}  # fmt: skip
NATIVE = "{n_layers: 1, d_model: 16, n_heads: 2, d_head: 8, d_mlp: 16, n_ctx: 3, d_vocab: 8, d_vocab_out: 8, act_fn: relu, normalization_type: null}"


def growing_study(folder: Path, name: str = "growing") -> Path:
    """A study of the folder ``run`` beside it, which need not be there yet."""
    path = folder / f"{name}.yaml"
    path.write_text(f"study: {name}\nmodels:\n  - {{name: g, source: {{kind: hf, path: run}}}}\n{SETTINGS}")
    return path


def native_study(folder: Path, checkpoints: int, name: str = "many", models: tuple[str, ...] = ("n",)) -> Path:
    """A study of native models with ``checkpoints`` random checkpoints each, written beside it."""
    lines = []
    for place, model in enumerate(models):
        files = {f"s{step}": f"{model}{step}.safetensors" for step in range(checkpoints)}
        for step, file in enumerate(files.values()):
            save_file(native_weights(1000 * place + step), folder / file)
        lines.append(f"  - {{name: {model}, tasks: [modadd], source: {{kind: native, config: {NATIVE}, checkpoints: {json.dumps(files)}}}}}")
    path = folder / f"{name}.yaml"
    path.write_text(f"study: {name}\nmodels:\n" + "\n".join(lines) + f"\n{SETTINGS}")
    return path


def write_checkpoint(folder: Path, step: int) -> Path:
    """``checkpoint-<step>`` of a tiny random GPT-2 in ``folder``, as a trainer leaves it."""
    made = folder / f"checkpoint-{step}"
    made.mkdir(parents=True)
    made.joinpath("config.json").write_text(json.dumps(GPT2))
    save_file(gpt2_weights(step), made / "model.safetensors")
    return made


def gpt2_weights(seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    shapes = {
        "wte.weight": (8, 16), "wpe.weight": (4, 16), "ln_f.weight": (16,), "ln_f.bias": (16,),
        "h.0.ln_1.weight": (16,), "h.0.ln_1.bias": (16,), "h.0.ln_2.weight": (16,), "h.0.ln_2.bias": (16,),
        "h.0.attn.c_attn.weight": (16, 48), "h.0.attn.c_attn.bias": (48,), "h.0.attn.c_proj.weight": (16, 16), "h.0.attn.c_proj.bias": (16,),
        "h.0.mlp.c_fc.weight": (16, 16), "h.0.mlp.c_fc.bias": (16,), "h.0.mlp.c_proj.weight": (16, 16), "h.0.mlp.c_proj.bias": (16,),
    }  # fmt: skip
    return {f"transformer.{name}": random.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()}


def native_weights(seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    shapes: dict[str, tuple[int, ...]] = {
        "embed.W_E": (8, 16), "pos_embed.W_pos": (3, 16), "unembed.W_U": (16, 8), "unembed.b_U": (8,),
        **{f"blocks.0.attn.W_{one}": (2, 16, 8) for one in "QKV"}, **{f"blocks.0.attn.b_{one}": (2, 8) for one in "QKV"},
        "blocks.0.attn.W_O": (2, 8, 16), "blocks.0.attn.b_O": (16,),
        "blocks.0.mlp.W_in": (16, 16), "blocks.0.mlp.b_in": (16,), "blocks.0.mlp.W_out": (16, 16), "blocks.0.mlp.b_out": (16,),
    }  # fmt: skip
    return {name: random.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()}


def rest(seconds: float = 0.05) -> None:
    """Let files come to rest for tests that count a file as quiet after a moment."""
    time.sleep(seconds)
