"""Recipes that a model can be trained by: tasks with their cases, vocabulary, and defaults of model and training.

The next one is one entry in ``TAUGHT``. A recipe may have parameters of its own, which stand in the source's ``config``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Int

from roicg.core.errors import StudyError
from roicg.models.recipes import cue, multitask, parity
from roicg.models.recipes.modadd import modadd
from roicg.models.recipes.space import Space, held_out, key_of


@dataclass(frozen=True, slots=True)
class Taught:
    """``tasks``: name → cases; ``shares``: name → default share of a batch; ``held_out``: the task whose cases can be kept from training.

    ``model`` and ``training`` are the recipe's defaults where they differ from those of every recipe (``trained.py``).
    """

    tasks: Mapping[str, Space]
    shares: Mapping[str, float]
    n_vocab: int
    n_ctx: int
    held_out: str | None = None
    model: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, float] = field(default_factory=dict)


def _multitask() -> Taught:
    shares = {"add": 1.5, "max": 0.5, "induction": 2.0, "other": 1.5}
    return Taught(multitask.MULTITASK, shares, multitask.N_VOCAB, multitask.N_CTX, multitask.HELD_OUT_TASK)


def _cue() -> Taught:
    return Taught(cue.TRAINED, {"sum": 1.0, "cue": 1.0}, cue.N_VOCAB, cue.N_CTX, None, {"n_layers": 1, "n_heads": 1}, {"decay_steps": 600})


def _modadd(p: int = 59) -> Taught:
    model = {"n_layers": 1, "d_model": 128, "n_heads": 4, "d_mlp": 512, "normalization_type": None}
    training = {"learning_rate": 1e-3, "weight_decay": 1.0, "batch_size": 1024, "decay_steps": 1_000_000}
    return Taught({"modadd": modadd(p)}, {"modadd": 1.0}, p + 1, 3, "modadd", model, training)


def _parity() -> Taught:
    training = {"learning_rate": 3e-3, "batch_size": 512, "decay_steps": 400}
    model = {"n_layers": 1, "d_mlp": 128}
    return Taught(parity.TRAINED, dict.fromkeys(parity.TRAINED, 1.0), parity.N_VOCAB, parity.N_CTX, None, model, training)


TAUGHT: Mapping[str, tuple[Callable[..., Taught], tuple[str, ...]]] = {
    "multitask": (_multitask, ()),
    "cue": (_cue, ()),
    "modadd": (_modadd, ("p",)),
    "parity": (_parity, ()),
}
"""Recipe → what makes it, and the names of its parameters (whole numbers of at least 2)."""


def taught(recipe: str, config: Mapping[str, Any]) -> Taught:
    """The recipe with its parameters taken from ``config``; a parameter that is no whole number of at least 2 is a ``StudyError``."""
    make, names = TAUGHT[recipe]
    given = {name: config[name] for name in names if name in config}
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 2:
            raise StudyError(f"config {name}={value!r} must be a whole number of at least 2")
    return make(**given)


def parameters(recipe: str) -> tuple[str, ...]:
    """Names of the recipe's own parameters."""
    return TAUGHT[recipe][1]


def trained_numbers(space: Space, share: float) -> Int[np.ndarray, " n"] | None:
    """Case numbers that training may draw when ``share`` of the cases is held out, or None for all of them."""
    if share == 0:
        return None
    prompts, _ = space.decode(np.arange(space.size))
    return np.array([number for number, prompt in enumerate(prompts) if not held_out(key_of(tuple(prompt.tolist())), share)])
