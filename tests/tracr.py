"""Three RASP programs compiled to transformers (tests/data/tracr/ORIGIN.md) as lenses and prompts whose true edges are known.

1. Haiku's parameters become TransformerLens names: a weight [in, heads·d_head] is cut into heads; both divide scores by √d_head.
2. The read-out is the unembedding, and it is linear: a categorical program's W_U selects the residual directions of its
   output labels, so that the answer's logit minus the mean of the rest is 1 where the program is right; a numerical
   program's W_U is [its direction, 0], so that logit 0 − logit 1 is the number itself.
3. Pairs are two random inputs of one length behind the same BOS; every position but BOS is asked.
4. Edges are renamed: ``embed`` → ``tok``, ``L1H0.q`` → port q of ``a1.h0``, ``MLP0.in`` → ``m0``. ``pos`` has Δ = 0 and is
   not drawn. The file's list stops before the output; the logits truly read whoever writes in the output's directions.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from roicg.core.prompts import PromptPair, PromptSet, TaskPrompts
from roicg.models.lens import Lens

FOLDER = Path(__file__).parent / "data" / "tracr"
PROGRAMS = ("frac_prevs_x", "hist", "length")
NUMERICAL = {"frac_prevs_x": "frac_prevs_9"}
OUTPUTS = {"hist": "hist_16:", "length": "length_1:"}

Edge = tuple[str, str, str]


@dataclass(frozen=True)
class Program:
    """One compiled program: ``true`` are the edges that may carry anything, keyed (source, target, port)."""

    name: str
    lens: Lens
    about: dict[str, Any]
    true: frozenset[Edge]

    def tokens(self, words: list[str]) -> tuple[int, ...]:
        """Token ids of ``words``, BOS among them."""
        return tuple(self.about["input_encoding"][word] for word in words)

    def named(self, key: str) -> str:
        """A ROI key of partition ``components`` (or its site) in the compiler's words."""
        if key == "tok":
            return "embed"
        layer, _, head = key[1:].partition(".h")
        return f"MLP{layer}" if key[0] == "m" else f"L{layer}H{head}"

    def prompts(self, n: int = 24, lengths: tuple[int, ...] = (5, 3), seed: int = 0) -> TaskPrompts:
        """``n`` pairs of random inputs, each of one of ``lengths`` words after BOS."""
        random = np.random.default_rng(seed)
        pairs = []
        for i in range(n):
            length = lengths[i % len(lengths)]
            clean, corrupted = (["BOS", *random.choice(self.about["vocab"], length)] for _ in range(2))
            places = tuple(range(1, length + 1))
            answers = tuple((self.answer(clean, place),) for place in places)
            wrong = tuple(tuple(label for label in range(self.lens.W_U.shape[1]) if label != answer) for (answer,) in answers)
            pairs.append(PromptPair(str(i), self.tokens(clean), self.tokens(corrupted), places, answers, wrong))
        again = tuple(PromptPair(f"eval-{p.key}", p.clean, p.corrupted, p.positions, p.answers, p.wrong_answers) for p in pairs)
        sets = (PromptSet(self.name, "rois", ()), PromptSet(self.name, "edges", tuple(pairs)), PromptSet(self.name, "eval", again))
        return TaskPrompts(self.name, "logit_minus_mean_rest", *sets)

    def answer(self, words: list[str], place: int) -> int:
        """The output label at ``place``, by the program's meaning and not by its weights; a number is always read as logit 0."""
        return {"frac_prevs_x": 0, "hist": words[1:].count(words[place]), "length": len(words) - 1}[self.name]


@cache
def load_tracr(name: str) -> Program:
    """The program ``name`` opened as a native source, in float64."""
    from roicg.models.extract import lens_from_bridge
    from roicg.models.native import native_bridge

    about = json.loads((FOLDER / f"{name}.json").read_text())
    with np.load(FOLDER / f"{name}.npz") as arrays:
        haiku = {key: torch.tensor(arrays[key], dtype=torch.float64) for key in arrays.files}
    tensors = tl_tensors(haiku, about["n_layers"], about["n_heads"], about["key_size"]) | {"unembed.W_U": read_out(name, about["residual_labels"])}
    config = {
        "n_layers": about["n_layers"],
        "n_heads": about["n_heads"],
        "d_head": about["key_size"],
        "d_mlp": about["mlp_hidden"],
        "d_model": len(about["residual_labels"]),
        "d_vocab": len(about["input_encoding"]),
        "d_vocab_out": tensors["unembed.W_U"].shape[1],
        "n_ctx": tensors["pos_embed.W_pos"].shape[0],
        "act_fn": about["act"],
        "normalization_type": None,
        "attention_dir": "bidirectional",
    }
    lens = lens_from_bridge(native_bridge(config, tensors, name, torch.float64), name)
    return Program(name, lens, about, frozenset(_true_edges(about, lens)))


def tl_tensors(haiku: dict[str, torch.Tensor], n_layers: int, n_heads: int, d_head: int) -> dict[str, torch.Tensor]:
    """Haiku's parameters under TransformerLens names and layouts."""
    tensors = {"embed.W_E": haiku["token_embed|embeddings"], "pos_embed.W_pos": haiku["pos_embed|embeddings"]}
    for layer in range(n_layers):
        old, new = f"transformer/layer_{layer}", f"blocks.{layer}"
        for part, letter in (("query", "Q"), ("key", "K"), ("value", "V")):
            tensors[f"{new}.attn.W_{letter}"] = haiku[f"{old}/attn/{part}|w"].unflatten(1, (n_heads, d_head)).transpose(0, 1)
            tensors[f"{new}.attn.b_{letter}"] = haiku[f"{old}/attn/{part}|b"].unflatten(0, (n_heads, d_head))
        tensors[f"{new}.attn.W_O"] = haiku[f"{old}/attn/linear|w"].unflatten(0, (n_heads, d_head))
        tensors[f"{new}.attn.b_O"] = haiku[f"{old}/attn/linear|b"]
        for part, letter in (("linear_1", "in"), ("linear_2", "out")):
            tensors[f"{new}.mlp.W_{letter}"] = haiku[f"{old}/mlp/{part}|w"]
            tensors[f"{new}.mlp.b_{letter}"] = haiku[f"{old}/mlp/{part}|b"]
    return tensors


def read_out(name: str, labels: list[str]) -> torch.Tensor:
    """W_U [D, V]: the directions of the output's labels, or [direction, 0] for a number."""
    identity = torch.eye(len(labels), dtype=torch.float64)
    if name in NUMERICAL:
        direction = identity[labels.index(NUMERICAL[name])]
        return torch.stack((direction, torch.zeros_like(direction)), dim=1)
    return identity[:, [i for i, label in enumerate(labels) if label.startswith(OUTPUTS[name])]]


def _true_edges(about: dict[str, Any], lens: Lens) -> set[Edge]:
    edges = {(_key(source), *_port(target)) for source, target, _ in about["true_edges"] if source != "pos"}
    writes = {"tok": lens.W_E}
    for layer, (attention, mlp) in enumerate(zip(lens.attentions, lens.mlps, strict=True)):
        assert mlp is not None
        writes |= {f"a{layer}.h{h}": W for h, W in enumerate(attention.W_O)} | {f"m{layer}": mlp.W_out}
    return edges | {(source, "logits", "in") for source, weight in writes.items() if (weight @ lens.W_U).any()}


def _key(component: str) -> str:
    """Tracr's name of a component as a ROI key of partition ``components``."""
    if component == "embed":
        return "tok"
    return f"m{component[3:]}" if component.startswith("MLP") else "a{}.h{}".format(*component[1:].split("H"))


def _port(target: str) -> tuple[str, str]:
    component, port = target.rsplit(".", 1)
    return _key(component), port
