"""Training a recipe: plain torch, one thread, the same bits on every run.

1. The model is the module that ``boot_native`` builds, initialised by the seed.
2. The batch at step s is drawn from a generator seeded by (seed, s): no random state has to be kept.
3. At each listed step the state to resume from (parameters and AdamW moments) is written first, then the weights in
   TransformerLens names; a step counts as saved when both are there.
4. A run resumes at its last saved step and goes on as if it had never stopped.
"""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Int
from torch import Tensor
from transformer_lens.model_bridge.sources.native import NativeModel, initialize_native_model

from roicg.core.errors import SourceError
from roicg.core.ids import digest
from roicg.core.settings import TrainedSource
from roicg.models.native import bridge_config, tl_names
from roicg.models.recipes.space import Space
from roicg.models.recipes.taught import taught, trained_numbers
from roicg.models.tensors import read_tensors, write_tensors
from roicg.models.trained import Progress, Training, training_settings, weights_path

_BRIDGE = {"tok_embed": "embed", "pos": "pos_embed", "layers": "blocks", "fc_in": "in", "fc_out": "out", "ln_out": "ln_final", "head": "unembed"}
_MOMENTS = ("exp_avg", "exp_avg_sq")


def train(source: TrainedSource, folder: Path, until: int, progress: Progress | None = None) -> None:
    """Train to step ``until``, saving every listed step on the way."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        _train(source, folder, until, progress)
    finally:
        torch.set_num_threads(threads)


def _train(source: TrainedSource, folder: Path, until: int, progress: Progress | None) -> None:
    config, training = training_settings(source)
    cfg = bridge_config(config, seed=source.seed)
    model = NativeModel(cfg)
    initialize_native_model(model, cfg)
    optimizer = torch.optim.AdamW(model.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay, betas=(0.9, 0.98))
    start = max((step for step in source.checkpoints if step <= until and _saved(folder, step)), default=None)
    if start is not None:
        _restore(model, optimizer, folder, start)
    recipe = taught(source.recipe, source.config)
    draw = {recipe.held_out: trained_numbers(recipe.tasks[recipe.held_out], source.held_out)} if recipe.held_out else {}
    for step in range(start or 0, until + 1):
        if step in source.checkpoints and step != start:
            _save(model, optimizer, folder, step, config["n_heads"], config["n_key_value_heads"] or config["n_heads"])
        if progress is not None and until > 0:
            progress(step, until)
        if step < until:
            tokens, answers = training_batch(source.seed, step, training, recipe.tasks, draw)
            _update(model, optimizer, tokens, answers, learning_rate(training, step))


def _update(model: NativeModel, optimizer: torch.optim.Optimizer, tokens: Tensor, answers: Tensor, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate
    loss = F.cross_entropy(model(tokens)[:, -1], answers)
    if not bool(torch.isfinite(loss)):
        raise SourceError("training diverged: the loss is no longer a finite number; lower learning_rate in the source's config")
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    optimizer.step()


def learning_rate(training: Training, step: int) -> float:
    """Half cosine from ``learning_rate`` to its ``floor`` share within ``decay_steps``, then constant."""
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, step / training.decay_steps)))
    return training.learning_rate * (training.floor + (1 - training.floor) * cosine)


def training_batch(
    seed: int, step: int, training: Training, spaces: Mapping[str, Space], draw: Mapping[str, Int[np.ndarray, " n"] | None]
) -> tuple[Tensor, Tensor]:
    """(tokens [B, P], answers [B]) of one step, a function of (seed, step) alone; ``draw``: the case numbers that a task may take, None or absent for all."""
    generator = torch.Generator().manual_seed(int(digest("batch", seed, step)[:15], 16))
    prompts, answers = [], []
    for task, count in counts(training).items():
        allowed = draw.get(task)
        size = spaces[task].size if allowed is None else len(allowed)
        numbers = torch.randint(size, (count,), generator=generator).numpy()
        x, y = spaces[task].decode(numbers if allowed is None else allowed[numbers])
        prompts.append(x)
        answers.append(y)
    return torch.from_numpy(np.concatenate(prompts)), torch.from_numpy(np.concatenate(answers))


def counts(training: Training) -> dict[str, int]:
    """Examples of each task in a batch: shares by largest remainder."""
    total = sum(training.shares.values())
    exact = {task: training.batch_size * share / total for task, share in training.shares.items()}
    whole = {task: int(value) for task, value in exact.items()}
    order = list(exact)
    left = sorted(exact, key=lambda task: (whole[task] - exact[task], order.index(task)))[: training.batch_size - sum(whole.values())]
    return {task: count + (task in left) for task, count in whole.items()}


def _state_path(folder: Path, step: int) -> Path:
    return folder / f"step-{step:08d}.state.safetensors"


def _saved(folder: Path, step: int) -> bool:
    return weights_path(folder, step).is_file() and _state_path(folder, step).is_file()


def _save(model: NativeModel, optimizer: torch.optim.Optimizer, folder: Path, step: int, heads: int, groups: int) -> None:
    state: dict[str, Tensor] = {}
    for name, parameter in model.named_parameters():
        state[f"parameter/{name}"] = parameter.detach()
        for moment in _MOMENTS:
            state[f"{moment}/{name}"] = optimizer.state[parameter].get(moment, torch.zeros_like(parameter))
    write_tensors(_state_path(folder, step), state)
    named = {".".join(_BRIDGE.get(part, part) for part in name.split(".")): parameter.detach() for name, parameter in model.named_parameters()}
    write_tensors(weights_path(folder, step), tl_names(named, heads, groups, "training"))


def _restore(model: NativeModel, optimizer: torch.optim.Optimizer, folder: Path, step: int) -> None:
    state = read_tensors(_state_path(folder, step))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(state[f"parameter/{name}"])
            if step:
                optimizer.state[parameter] = {"step": torch.tensor(float(step)), **{moment: state[f"{moment}/{name}"].clone() for moment in _MOMENTS}}
