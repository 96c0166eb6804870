"""Training: the same bits on every run and after a kill, learning that shows, and settings that are checked."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import roicg.models.training as training_module
from roicg.core.errors import SourceError, StudyError
from roicg.core.settings import GeneratedPrompts, ModelSettings, TaskSettings, TrainedSource
from roicg.models.batches import batches
from roicg.models.forward import logits
from roicg.models.metrics import accuracy
from roicg.models.prompts import task_prompts
from roicg.models.recipes.multitask import MULTITASK, TASKS, is_held_out
from roicg.models.recipes.space import key_of
from roicg.models.recipes.taught import TAUGHT, taught, trained_numbers
from roicg.models.sources import checkpoint_labels, open_checkpoint
from roicg.models.tensors import read_tensors
from roicg.models.trained import Training, trained_tensors, training_folder, training_settings
from roicg.models.training import counts, learning_rate, training_batch, weights_path
from tests.unit.models.test_prompts import literal_answer

torch.set_num_threads(1)
TINY: dict[str, Any] = {"n_layers": 1, "d_model": 16, "n_heads": 2, "d_mlp": 24, "batch_size": 32}


def source(**change: Any) -> TrainedSource:
    return TrainedSource.model_validate({"kind": "trained", "recipe": "multitask", "config": TINY, "checkpoints": (0, 5, 12)} | change)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.safetensors")}


def test_two_runs_and_a_resumed_run_write_the_same_bytes(tmp_path: Path) -> None:
    whole = source()
    trained_tensors(whole, 12, tmp_path / "a")
    for step in (0, 5, 12):
        trained_tensors(whole, step, tmp_path / "b")
    first, second = (files(training_folder(whole, tmp_path / name)) for name in "ab")
    assert len(first) == 6
    assert first == second
    trained_tensors(source(seed=1), 5, tmp_path / "a")
    assert weights_path(training_folder(source(seed=1), tmp_path / "a"), 5).read_bytes() != first["step-00000005.safetensors"]


class Killed(BaseException):
    """Stands for a kill signal."""


def test_a_run_killed_between_and_inside_saves_goes_on_as_if_it_had_not_been(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained_tensors(source(), 12, tmp_path / "a")

    def stop(done: int, total: int) -> None:
        if done == 9:
            raise Killed

    with pytest.raises(Killed):
        trained_tensors(source(), 12, tmp_path / "b", stop)
    write = training_module.write_tensors

    def die_before_the_weights(path: Path, tensors: Any) -> None:
        if path.name == "step-00000012.safetensors":
            raise Killed
        write(path, tensors)

    monkeypatch.setattr(training_module, "write_tensors", die_before_the_weights)
    with pytest.raises(Killed):
        trained_tensors(source(), 12, tmp_path / "b")
    monkeypatch.undo()
    seen: list[int] = []
    trained_tensors(source(), 12, tmp_path / "b", lambda done, total: seen.append(done))
    assert seen == list(range(5, 13)), "it resumes at the last step whose weights and state are both there"
    assert files(training_folder(source(), tmp_path / "a")) == files(training_folder(source(), tmp_path / "b"))


def test_a_longer_list_of_checkpoints_continues_the_same_run(tmp_path: Path) -> None:
    short, long = source(checkpoints=(5,)), source(checkpoints=(3, 5, 8))
    assert training_folder(short, tmp_path) == training_folder(long, tmp_path)
    trained_tensors(short, 5, tmp_path)
    seen: list[tuple[int, int]] = []
    trained_tensors(source(checkpoints=(0,), seed=9), 0, tmp_path, lambda done, total: seen.append((done, total)))
    assert seen == [], "nothing to do is no progress to divide by"
    trained_tensors(long, 8, tmp_path, lambda done, total: seen.append((done, total)))
    assert seen == [(5, 8), (6, 8), (7, 8), (8, 8)]
    _, early, _ = trained_tensors(long, 3, tmp_path)
    assert early.keys() == read_tensors(weights_path(training_folder(long, tmp_path), 8)).keys()


def test_a_few_steps_learn_the_easiest_task_and_checkpoints_open_as_a_lens(tmp_path: Path) -> None:
    shares = {"add": 0, "max": 0, "induction": 0, "other": 1, "learning_rate": 0.01, "batch_size": 128}
    model = ModelSettings(name="m", source=source(config={**TINY, **shares, "d_model": 32}, checkpoints=(0, 60)))
    assert checkpoint_labels(model, tmp_path) == (("0", 0), ("60", 60))
    task = {"name": "other", "prompts": {"kind": "generated", "recipe": "multitask.other", "n": 60}, "metric": "logit_minus_mean_rest"}
    from roicg.core.settings import TaskSettings

    prompts = task_prompts(TaskSettings.model_validate(task), folder=tmp_path, n_vocab=29, n_ctx=6).eval
    scores = []
    for label in ("0", "60"):
        checkpoint, lens = open_checkpoint(model, label, folder=tmp_path, artifacts=tmp_path)
        assert (checkpoint.step, checkpoint.label) == (int(label), label)
        (batch,) = batches(prompts, 100)
        scores.append(float(accuracy(batch.at_answers(logits(lens, batch.clean)), batch.answers, batch.wrong).mean()))
    assert scores[0] < 0.2
    assert scores[1] > 0.9


def test_batches_are_a_function_of_seed_and_step_and_never_hold_held_out_cases() -> None:
    training = Training(dict.fromkeys(TASKS, 1.0), batch_size=200)
    draw = {"add": trained_numbers(MULTITASK["add"], 0.5)}
    tokens, answers = training_batch(3, 7, training, MULTITASK, draw)
    assert torch.equal(tokens, training_batch(3, 7, training, MULTITASK, draw)[0])
    assert not torch.equal(tokens, training_batch(3, 8, training, MULTITASK, draw)[0])
    assert not torch.equal(tokens, training_batch(4, 7, training, MULTITASK, draw)[0])
    assert [literal_answer(tuple(prompt)) for prompt in tokens.tolist()] == answers.tolist()
    keys = [key_of(tuple(prompt)) for prompt in tokens.tolist()]
    assert not any(is_held_out(key, 0.5) for key in keys)
    every = [key_of(tuple(prompt)) for prompt in training_batch(3, 7, training, MULTITASK, {})[0].tolist()]
    assert any(is_held_out(key, 0.5) for key in every)


def test_a_whole_number_and_the_same_float_are_one_run(tmp_path: Path) -> None:
    whole, exact = ({**TINY, "add": number, "weight_decay": number} for number in (1, 1.0))
    assert training_folder(source(config=whole), tmp_path) == training_folder(source(config=exact), tmp_path)


def test_shares_fill_the_batch_and_the_rate_falls_to_its_floor() -> None:
    assert counts(Training(dict.fromkeys(TASKS, 1), batch_size=11)) == {"add": 3, "max": 3, "induction": 3, "other": 2}
    assert counts(Training({"add": 1, "max": 0, "induction": 0, "other": 0}, batch_size=10)) == {"add": 10, "max": 0, "induction": 0, "other": 0}
    training = Training({}, learning_rate=2.0, decay_steps=10, floor=0.25)
    rates = [learning_rate(training, step) for step in range(20)]
    assert rates[0] == 2.0
    assert rates[10:] == [0.5] * 10
    assert all(np.diff(rates[:11]) < 0)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"n_layer": 2}, "did you mean 'n_layers'"),
        ({"learning_rat": 0.1}, "did you mean 'learning_rate'"),
        ({"d_model": 30}, "multiple of n_heads"),
        ({"d_model": "wide"}, "whole number"),
        ({"n_ctx": 9}, "unknown key 'n_ctx'"),
        ({"batch_size": 0}, "at least 1"),
        ({"learning_rate": -1}, "at least 0"),
        ({"add": 0, "max": 0, "induction": 0, "other": 0}, "share must be positive"),
        ({"normalization_type": "BN"}, "LNPre"),
        ({"p": 7}, "unknown key 'p' in the config of recipe multitask"),
    ],
)
def test_settings_that_cannot_be_trained_are_refused(config: dict[str, Any], words: str) -> None:
    from roicg.core.errors import RoicgError

    with pytest.raises(RoicgError, match=words):
        training_settings(source(config=config))


@pytest.mark.parametrize("recipe", sorted(TAUGHT))
def test_every_recipe_trains_and_its_tasks_are_asked(recipe: str, tmp_path: Path) -> None:
    """A few steps of the smallest model; every task's prompts fit it and its answers are those of the recipe."""
    small = source(recipe=recipe, config={**TINY, "n_layers": 1}, checkpoints=(0, 3))
    model = ModelSettings(name="m", source=small)
    _, lens = open_checkpoint(model, "3", folder=tmp_path, artifacts=tmp_path)
    for name, space in taught(recipe, small.config).tasks.items():
        prompts = GeneratedPrompts(kind="generated", recipe=space.name.removesuffix(".trained"), n=3)
        asked = task_prompts(TaskSettings(name=name, prompts=prompts), folder=tmp_path, n_vocab=lens.W_E.shape[0], n_ctx=lens.n_ctx)
        assert all(len(split.pairs) == 3 for split in (asked.rois, asked.edges, asked.eval))


def test_a_recipe_has_parameters_of_its_own(tmp_path: Path) -> None:
    config, _ = training_settings(source(recipe="modadd", config={**TINY, "p": 7}))
    assert (config["d_vocab"], config["n_ctx"], config["normalization_type"]) == (8, 3, None)
    with pytest.raises(StudyError, match="whole number of at least 2"):
        training_settings(source(recipe="modadd", config={"p": 1}))
    with pytest.raises(StudyError, match="no task whose cases can be held out"):
        training_settings(source(recipe="parity", config={}, held_out=0.1))


def test_what_determines_the_weights_names_the_folder(tmp_path: Path) -> None:
    variants = [source(), source(seed=1), source(held_out=0.25), source(config={**TINY, "d_mlp": 25}), source(config={**TINY, "weight_decay": 0.5})]
    assert len({training_folder(variant, tmp_path) for variant in variants}) == len(variants)
    assert training_settings(source(config={}))[0]["d_head"] == 16
    with pytest.raises(StudyError):
        training_settings(source(config={"act_fn": None}))


def test_an_unlisted_step_a_diverging_run_and_a_place_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no checkpoint 3"):
        trained_tensors(source(), 3, tmp_path)
    with pytest.raises(SourceError, match=r"diverged|NaN"):
        trained_tensors(source(config={**TINY, "learning_rate": 1e30}), 12, tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="cannot write"):
        trained_tensors(source(), 0, tmp_path / "file")


def test_no_case_is_drawn_outside_its_space() -> None:
    assert {task: space.size for task, space in MULTITASK.items()} == {"add": 529, "max": 279_841, "induction": 535_348, "other": 1012}
