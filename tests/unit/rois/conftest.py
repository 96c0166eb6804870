"""Planted groups, and the two trained mod-113 models as a Lens, with prompts drawn as a study draws them."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from roicg.core.prompts import PromptPair, PromptSet, TaskPrompts
from roicg.models.lens import Attention, Lens, Mlp, Norm
from roicg.models.recipes.modadd import modadd
from roicg.models.recipes.space import key_of, split_of

ROOT = Path(__file__).parents[3]
PLAIN = Norm("none")


def planted_signature(sizes: tuple[int, ...], seed: int, columns: int = 400, noise: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    """Rows that follow one hidden signal per group, each with a sign and noise of its own; and the group of each row."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    rng.shuffle(labels)
    signal = rng.standard_normal((len(sizes), columns))[labels] * rng.choice([-1.0, 1.0], size=(len(labels), 1))
    return signal + noise * rng.standard_normal(signal.shape), labels


@pytest.fixture(scope="session")
def planted() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    return planted_signature


@pytest.fixture(scope="session")
def modadd_lens() -> Callable[[str], Lens]:
    return lambda seed: _lens(load_file(ROOT / "pipelines" / "studies" / "weights" / f"modadd113_{seed}.safetensors"))


@pytest.fixture(scope="session")
def untrained_lens(modadd_lens: Callable[[str], Lens]) -> Callable[[int], Lens]:
    weights = load_file(ROOT / "pipelines" / "studies" / "weights" / "modadd113_seed2.safetensors")

    def make(seed: int) -> Lens:
        generator = torch.Generator().manual_seed(seed)
        drawn = {name: torch.randn(weight.shape, generator=generator) * 0.8 / 128**0.5 for name, weight in weights.items()}
        return _lens({name: torch.zeros_like(weight) if name.split(".")[-1].startswith("b_") else weight for name, weight in drawn.items()})

    return make


@pytest.fixture(scope="session")
def neuron_frequencies() -> Callable[[str], tuple[np.ndarray, np.ndarray]]:
    labels = json.loads((ROOT / "tests" / "data" / "neuron_frequency_labels.json").read_text())
    return lambda seed: (np.array(labels[seed]["best_freq"]), np.array(labels[seed]["frac_var"]) > 0.85)


@pytest.fixture(scope="session")
def modadd_prompts() -> Callable[..., TaskPrompts]:
    return draw_modadd


def draw_modadd(seed: int, n: int = 256, task: str = "add") -> TaskPrompts:
    space = modadd(113)
    pairs: list[PromptPair] = []
    for number in np.random.default_rng(seed).permutation(space.size):
        prompt, answer = space.case(int(number))
        if split_of(key_of(prompt)) == "rois":
            other = (prompt[0], (prompt[1] + 1) % 113, prompt[2])
            pairs.append(PromptPair(key_of(prompt), prompt, other, (2,), ((answer,),), (((answer + 1) % 113,),)))
        if len(pairs) == n:
            break
    return TaskPrompts(task, "logit_difference", PromptSet(task, "rois", tuple(pairs)), PromptSet(task, "edges", ()), PromptSet(task, "eval", ()))


def _lens(w: dict[str, torch.Tensor]) -> Lens:
    def of(name: str) -> torch.Tensor:
        return w[f"blocks.0.{name}"]

    heads = {f"{kind}_{part}": of(f"attn.{kind}_{part}") for part in "QKVO" for kind in "Wb"}
    mlp = {name: of(f"mlp.{name}") for name in ("W_in", "b_in", "W_out", "b_out")}
    return Lens(
        W_E=w["embed.W_E"],
        W_pos=w["pos_embed.W_pos"],
        attentions=(Attention(**heads, scale=32**-0.5, norm=PLAIN),),
        mlps=(Mlp(**mlp, act=torch.relu, norm=PLAIN),),
        final_norm=PLAIN,
        W_U=w["unembed.W_U"],
        b_U=w["unembed.b_U"],
        n_ctx=3,
        causal=True,
        parallel=False,
        rotary=None,
        weights_digest="test",
    )
