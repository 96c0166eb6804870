"""The ``trained`` source: settings of a toy model, where its checkpoints lie, and training them when they are not there yet."""

import fcntl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from torch import Tensor

from roicg.core.errors import SourceError, StudyError
from roicg.core.ids import digest
from roicg.core.nearest import did_you_mean
from roicg.core.settings import TrainedSource
from roicg.models.native_config import native_config
from roicg.models.recipes.taught import Taught, parameters, taught
from roicg.models.tensors import read_tensors

Progress = Callable[[int, int], None]
"""Called with (steps done, steps to do), the latter at least 1."""
_MODEL = {"n_layers": 2, "d_model": 64, "n_heads": 4, "d_mlp": 256, "act_fn": "relu", "normalization_type": "LN"}


@dataclass(frozen=True, slots=True)
class Training:
    """How the model is trained: AdamW on batches with a fixed share of each task (``shares``, up to a common factor).

    The learning rate falls as a half cosine to ``floor`` of itself within ``decay_steps`` and stays there: it depends on
    the step alone, so a longer list of checkpoints continues the same run. With a held-out share, generalisation comes
    long after memorising: set ``decay_steps`` beyond the last checkpoint and a ``weight_decay`` near 0.5.
    """

    shares: Mapping[str, float]
    learning_rate: float = 2e-3
    weight_decay: float = 0.1
    batch_size: int = 256
    decay_steps: int = 1200
    floor: float = 0.02


_TRAINING = tuple(field.name for field in fields(Training) if field.name != "shares")


def training_settings(source: TrainedSource) -> tuple[dict[str, Any], Training]:
    """(native config, training) from ``source.config``; unknown or impossible values are a ``StudyError``."""
    recipe = taught(source.recipe, source.config)
    if source.held_out and recipe.held_out is None:
        raise StudyError(f"held_out {source.held_out}: recipe {source.recipe} has no task whose cases can be held out")
    names = [*_TRAINING, *recipe.tasks, *parameters(source.recipe)]
    model = {key: value for key, value in source.config.items() if key not in names}
    for key in model:
        if key not in (*_MODEL, "d_head", "attn_only", "gated_mlp", "attention_dir", "n_key_value_heads", "eps"):
            raise StudyError(f"unknown key {key!r} in the config of recipe {source.recipe}{did_you_mean(key, [*_MODEL, *names])}")
    merged = {**_MODEL, **recipe.model, **model}
    for key in ("d_model", "n_heads"):
        if isinstance(merged[key], bool) or not isinstance(merged[key], int) or merged[key] < 1:
            raise StudyError(f"config {key}={merged[key]!r} must be a whole number of at least 1")
    if "d_head" not in model and merged["d_model"] % merged["n_heads"]:
        raise StudyError(f"config: d_model {merged['d_model']} is no multiple of n_heads {merged['n_heads']}; give d_head")
    config = native_config({"d_head": merged["d_model"] // merged["n_heads"], **merged, "n_ctx": recipe.n_ctx, "d_vocab": recipe.n_vocab})
    return config, _training(recipe, {key: value for key, value in source.config.items() if key in (*_TRAINING, *recipe.tasks)})


def _training(recipe: Taught, given: Mapping[str, Any]) -> Training:
    for key, value in given.items():
        whole = key in ("batch_size", "decay_steps")
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or value < (1 if whole else 0):
            raise StudyError(f"config {key}={value!r} must be {'a whole number of at least 1' if whole else 'a number of at least 0'}")
    exact: dict[str, Any] = {key: value if key in ("batch_size", "decay_steps") else float(value) for key, value in given.items()}  # 1 and 1.0 are one run
    shares = {task: exact.get(task, share) for task, share in recipe.shares.items()}
    training = Training(shares, **{**recipe.training, **{key: value for key, value in exact.items() if key in _TRAINING}})
    if sum(shares.values()) <= 0 or training.learning_rate <= 0:
        raise StudyError("config: the learning rate and at least one task's share must be positive")
    return training


def training_folder(source: TrainedSource, artifacts: Path) -> Path:
    """Where this run's checkpoints lie: named by what determines the weights, which the list of checkpoints does not."""
    config, training = training_settings(source)
    settings = {name: getattr(training, name) for name in _TRAINING} | dict(training.shares)
    return artifacts / "training" / f"{source.recipe}-{digest(source.recipe, source.seed, source.held_out, config, settings)[:16]}"


def weights_path(folder: Path, step: int) -> Path:
    """The weights of one step, in TransformerLens names."""
    return folder / f"step-{step:08d}.safetensors"


def trained_tensors(source: TrainedSource, step: int, artifacts: Path, progress: Progress | None = None) -> tuple[dict[str, Any], dict[str, Tensor], str]:
    """(native config, weights, path) of the checkpoint at ``step``, trained first where it is missing (resuming the last saved step)."""
    from roicg.models.training import train

    if step not in source.checkpoints:
        raise SourceError(f"no checkpoint {step} in this source; it has {', '.join(map(str, source.checkpoints))}")
    folder = training_folder(source, artifacts)
    path = weights_path(folder, step)
    if not path.is_file():
        with _one_at_a_time(folder):
            train(source, folder, step, progress)
    return training_settings(source)[0], read_tensors(path), str(path)


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """A second process that wants the same run waits and then finds it done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / ".lock").open("w")
    except OSError as error:
        raise SourceError(f"cannot write {folder}: {error.strerror or error}; free some space or set ROICG_HOME elsewhere") from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
