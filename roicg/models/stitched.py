"""The ``stitched`` source: trained models side by side in one block-diagonal model, whose modules are therefore known.

1. Widths, heads, neurons and vocabularies add up; no weight leads from one part to another. Positions are shared.
2. Part i's tokens are its own (t + the vocabularies before it), embedded by part i alone and unembedded by part i alone. So
   on a prompt of part i every other part does the same whatever the prompt, and the logits of part i's tokens are its own.
3. With a seed the heads and neurons of every layer are put in a random order, which no output depends on.
4. A norm would divide every part by the size of all: parts must have none. They must agree in layers, positions,
   activation and ``d_head`` (attention is scaled by it).
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from roicg.core.errors import StudyError
from roicg.core.settings import StitchedSource
from roicg.models.trained import Progress, trained_tensors, training_settings

_EQUAL = ("n_layers", "n_ctx", "d_head", "act_fn", "normalization_type", "attention_dir", "attn_only", "gated_mlp", "n_key_value_heads")
_WIDTHS = {"a": "n_heads", "m": "d_mlp"}
_FEATURES = {
    **dict.fromkeys(("W_Q", "W_K", "W_V", "W_O", "b_Q", "b_K", "b_V"), ("a", 0)),
    **dict.fromkeys(("W_in", "W_gate"), ("m", 1)),
    **dict.fromkeys(("W_out", "b_in"), ("m", 0)),
}
"""Weights with a dimension of heads or neurons: the site's letter, and which one."""
_ADDED = ("d_model", "n_heads", "d_mlp", "d_vocab", "d_vocab_out")


def stitched_config(source: StitchedSource) -> dict[str, Any]:
    """The native config of the whole; ``StudyError`` where parts cannot stand side by side."""
    configs = [training_settings(part)[0] for part in source.trained()]
    first = configs[0]
    for i, config in enumerate(configs):
        if config["normalization_type"] is not None:
            raise StudyError(
                f"part {i} of a stitched model has normalization_type {config['normalization_type']!r}: a norm would join the parts; train them with null"
            )
        for key in _EQUAL:
            if config[key] != first[key]:
                raise StudyError(f"parts 0 and {i} of a stitched model differ in {key} ({first[key]!r}, {config[key]!r}); parts share layers and positions")
    if first["n_key_value_heads"] is not None:
        raise StudyError("parts of a stitched model share no keys and values between heads; leave n_key_value_heads out")
    return {**first, **{key: sum(config[key] for config in configs) for key in _ADDED}}


def stitched_tensors(source: StitchedSource, step: int, artifacts: Path, progress: Progress | None = None) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """(native config, weights in TransformerLens names) at ``step`` of every part; parts that are missing are trained."""
    config = stitched_config(source)
    parts = [trained_tensors(part, step, artifacts, _of_all(progress, i, len(source.parts)))[1] for i, part in enumerate(source.trained())]
    joined = {name: _JOIN[name.rsplit(".", 1)[1]]([part[name] for part in parts]) for name in parts[0]}
    return config, {name: _in_order(source, config, name, tensor) for name, tensor in joined.items()}


def part_of_features(source: StitchedSource) -> Mapping[str, tuple[int, ...]]:
    """For the features of every attention and MLP site (heads, neurons) the part they belong to."""
    found: dict[str, tuple[int, ...]] = {}
    configs = [training_settings(part)[0] for part in source.trained()]
    for letter, key in _WIDTHS.items():
        parts = np.array([i for i, config in enumerate(configs) for _ in range(config[key])])
        for layer in range(configs[0]["n_layers"]):
            found[f"{letter}{layer}"] = tuple(parts[_order(source, letter, layer, len(parts))].tolist())
    return found


def _order(source: StitchedSource, letter: str, layer: int, count: int) -> Int[np.ndarray, " feature"]:
    """Which feature of the parts put after each other stands where, at one site."""
    if source.seed is None:
        return np.arange(count)
    return np.random.default_rng([source.seed, ord(letter), layer]).permutation(count)


def _in_order(source: StitchedSource, config: Mapping[str, Any], name: str, tensor: Tensor) -> Tensor:
    """``tensor`` with its heads or neurons in the drawn order; others as they are."""
    letter, dimension = _FEATURES.get(name.rsplit(".", 1)[1], ("", 0))
    if not letter:
        return tensor
    order = _order(source, letter, int(name.split(".")[1]), config[_WIDTHS[letter]])
    return tensor.index_select(dimension, torch.from_numpy(order))


def _of_all(progress: Progress | None, i: int, n: int) -> Progress | None:
    return None if progress is None else lambda done, total: progress(i * total + done, n * total)


def _diagonal(parts: Sequence[Tensor]) -> Tensor:
    return cast(Tensor, torch.block_diag(*parts))  # type: ignore[no-untyped-call]


def _along(dimension: int) -> Callable[[Sequence[Tensor]], Tensor]:
    return lambda parts: torch.cat(list(parts), dim=dimension)


def _heads_read(parts: Sequence[Tensor]) -> Tensor:
    """[head, d_model, d_head] of each part → all heads, each reading its own part of the stream."""
    return torch.cat([_padded(part, 1, parts, i) for i, part in enumerate(parts)])


def _heads_write(parts: Sequence[Tensor]) -> Tensor:
    """[head, d_head, d_model] of each part → all heads, each writing to its own part of the stream."""
    return torch.cat([_padded(part, 2, parts, i) for i, part in enumerate(parts)])


def _padded(part: Tensor, dimension: int, parts: Sequence[Tensor], i: int) -> Tensor:
    """``part`` with zeros where the other parts of the stream are."""
    around = [
        part.new_zeros([*part.shape[:dimension], sum(p.shape[dimension] for p in some), *part.shape[dimension + 1 :]]) for some in (parts[:i], parts[i + 1 :])
    ]
    return torch.cat([around[0], part, around[1]], dim=dimension)


_JOIN: Mapping[str, Callable[[Sequence[Tensor]], Tensor]] = {
    "W_E": _diagonal,
    "W_U": _diagonal,
    "W_in": _diagonal,
    "W_gate": _diagonal,
    "W_out": _diagonal,
    "W_pos": _along(1),
    **dict.fromkeys(("W_Q", "W_K", "W_V"), _heads_read),
    "W_O": _heads_write,
    **dict.fromkeys(("b_Q", "b_K", "b_V", "b_O", "b_in", "b_out", "b_U"), _along(0)),
}
