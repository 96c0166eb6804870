"""Recipes that generate prompts: each is a numbered space of cases, so that drawing, training and splitting share one definition."""

import re
from collections.abc import Callable
from functools import partial

from roicg.core.errors import PromptError
from roicg.models.recipes.cue import SPACES as CUE
from roicg.models.recipes.modadd import modadd
from roicg.models.recipes.multitask import MULTITASK, is_held_out
from roicg.models.recipes.parity import PARITY
from roicg.models.recipes.space import Space, held_out

__all__ = ["RECIPES", "Space", "kept_from_training", "recipe_space"]

RECIPES: dict[str, Callable[[], Space]] = {
    "modadd": modadd,
    **{f"multitask.{name}": partial(MULTITASK.__getitem__, name) for name in MULTITASK},
    **{f"cue.{name}": partial(CUE.__getitem__, name) for name in CUE},
    **{f"parity.{name}": partial(PARITY.__getitem__, name) for name in PARITY},
}


def recipe_space(recipe: str, n_vocab: int | None = None) -> Space:
    """The cases of ``recipe``: ``modadd`` (p from the vocabulary, else 113), ``modadd.97`` (p = 97), ``multitask.add|max|induction|other``, ``cue.sum|cue|conflict``, ``parity.0`` … ``parity.7``."""
    if recipe == "modadd" and n_vocab is not None:
        return modadd(n_vocab - 1)
    if found := re.fullmatch(r"modadd\.([0-9]{1,4})", recipe):
        return modadd(int(found.group(1)))
    if recipe not in RECIPES:
        raise PromptError(f"no recipe {recipe!r}; known: {', '.join(sorted(RECIPES))}, modadd.<p>")
    return RECIPES[recipe]()


def kept_from_training(recipe: str, key: str, share: float) -> bool:
    """Whether a model trained with ``held_out: share`` has never seen the case ``key`` of ``recipe``; ``PromptError`` where recipes hold nothing out."""
    if recipe == "multitask.add":
        return is_held_out(key, share)
    if recipe.partition(".")[0] == "modadd":
        return held_out(key, share)
    raise PromptError(f"recipe {recipe!r} keeps no case from training; leave out cases and held_out")
