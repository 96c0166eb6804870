"""Stitched models with a few steps of training, and their activations with noise: what modules a partition must find is known."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from roicg.core.prompts import TaskPrompts
from roicg.core.settings import ModelSettings, RoiSettings, StitchedSource, TaskSettings
from roicg.models.columns import Columns, signature_columns
from roicg.models.lens import Lens
from roicg.models.prompts import task_prompts
from roicg.models.sources import open_checkpoint
from roicg.models.stitched import part_of_features
from roicg.models.trained import training_settings
from roicg.rois import signatures

TASKS = ("add", "max", "induction", "other")
PARTS: dict[str, tuple[dict[str, Any], ...]] = {
    "multitask": tuple(
        {"recipe": "multitask", "seed": seed, "config": {"n_layers": 2, "d_model": 16, "n_heads": 2, "d_mlp": 24, "normalization_type": None, "batch_size": 64}}
        for seed in range(3)
    ),
    "modadd": tuple(
        {"recipe": "modadd", "seed": i, "config": {"p": p, "d_model": 32, "n_heads": 2, "d_mlp": 48, "batch_size": 128}} for i, p in enumerate((11, 13, 17))
    ),
}


def stitched_model(which: str, steps: int, folder: Path, n: int) -> tuple[Lens, list[TaskPrompts], dict[str, np.ndarray]]:
    """Three parts trained for ``steps``, every task of every part with ``n`` prompts a split, and the part of every feature of every MLP site."""
    source = StitchedSource.model_validate({"kind": "stitched", "parts": PARTS[which], "checkpoints": [steps]})
    _, lens = open_checkpoint(ModelSettings(name="stitched", source=source), str(steps), folder=folder, artifacts=folder)
    prompts, shift = [], 0
    for i, part in enumerate(source.trained()):
        recipes = [f"multitask.{task}" for task in TASKS] if which == "multitask" else [f"modadd.{part.config['p']}"]
        for recipe in recipes:
            task = {"name": f"part{i}-{recipe}", "prompts": {"kind": "generated", "recipe": recipe, "n": n, "shift": shift}}
            prompts.append(task_prompts(TaskSettings.model_validate(task), folder=folder, n_vocab=lens.W_E.shape[0], n_ctx=lens.n_ctx))
        shift += training_settings(part)[0]["d_vocab"]
    return lens, prompts, {site: np.array(parts) for site, parts in part_of_features(source).items() if site.startswith("m")}


def raw_activations(lens: Lens, prompts: list[TaskPrompts]) -> dict[str, np.ndarray]:
    """The MLP activations themselves, columns as in the signatures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signatures, "within_positions", lambda values, position: values)
        patch.setattr(signatures, "even_positions", lambda rows, position: rows)
        return {site: rows for site, rows in signatures.activation_signatures(lens, prompts, RoiSettings()).items() if site.startswith("m")}


def within(rows: np.ndarray, columns: Columns) -> np.ndarray:
    """Activations relative to their mean at each position of each task."""
    parts = []
    for task in range(len(columns.tasks)):
        here = columns.task == task
        parts.append(signatures.within_positions(torch.from_numpy(rows[:, here].T.copy()), torch.from_numpy(columns.position[here])).T.numpy())
    return np.concatenate(parts, axis=1)


def noisy_signatures(lens: Lens, prompts: list[TaskPrompts], snr: float, seed: int, *, of_all: bool = False) -> dict[str, np.ndarray]:
    """Signatures of activations to which Gaussian noise was added before anything else.

    SNR per feature = variance of the signal over variance of the noise. The signal is what differs between prompts of a task
    at a position, its variance taken over all columns, those of the other parts' tasks (where it is 0) among them. With
    ``of_all`` the signal is the whole activation, steps between tasks and positions among it: more noise.
    """
    rng, columns = np.random.default_rng(seed), signature_columns(prompts, 0)
    found = {}
    for site, rows in raw_activations(lens, prompts).items():
        signal = rows if of_all else within(rows, columns)
        noise = np.sqrt(signal.var(axis=1, keepdims=True) / snr) * rng.standard_normal(rows.shape)
        found[site] = signatures.even_positions(within(rows + noise, columns), columns.position)
    return found
