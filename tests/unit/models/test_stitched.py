"""Stitched models: every part computes on its own prompts what it computes alone, and nothing leads from one to another."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from roicg.attribution.edges import attribute_edges
from roicg.core.errors import StudyError
from roicg.core.settings import AttributionSettings, ModelSettings, StitchedSource, TaskSettings
from roicg.models.fingerprint import checkpoint_fingerprint
from roicg.models.forward import logits
from roicg.models.prompts import task_prompts
from roicg.models.recipes.multitask import N_VOCAB
from roicg.models.sources import checkpoint_labels, open_checkpoint
from roicg.models.stitched import part_of_features, stitched_config
from roicg.rois.controls import components

PART: dict[str, Any] = {"n_layers": 2, "d_model": 8, "n_heads": 2, "d_mlp": 12, "batch_size": 16, "normalization_type": None}
WIDER = {**PART, "d_model": 12, "n_heads": 3, "d_mlp": 20}


def source(*configs: dict[str, Any]) -> StitchedSource:
    parts = [{"recipe": "multitask", "seed": i, "config": config} for i, config in enumerate(configs or (PART, WIDER, PART))]
    return StitchedSource.model_validate({"kind": "stitched", "parts": parts, "checkpoints": [0, 4]})


def test_a_part_says_in_the_whole_what_it_says_alone(tmp_path: Path) -> None:
    """Seen to fail with W_O joined as W_Q is, and with the third part's seed given to the first."""
    whole = source()
    _, lens = open_checkpoint(ModelSettings(name="m", source=whole), "4", folder=tmp_path, artifacts=tmp_path, dtype="float64")
    tokens = torch.randint(N_VOCAB, (5, 6), generator=torch.Generator().manual_seed(0))
    for i, part in enumerate(whole.trained()):
        _, alone = open_checkpoint(ModelSettings(name="p", source=part), "4", folder=tmp_path, artifacts=tmp_path, dtype="float64")
        mine = slice(i * N_VOCAB, (i + 1) * N_VOCAB)
        torch.testing.assert_close(logits(lens, tokens + i * N_VOCAB)[..., mine], logits(alone, tokens), rtol=0, atol=1e-10)
        elsewhere = logits(lens, (tokens + i * N_VOCAB) % (3 * N_VOCAB))
        elsewhere[..., mine] = 0.0
        assert float(elsewhere.std(dim=0).max()) < 1e-12, "the other parts say the same on every prompt of this one"


def test_no_edge_leads_from_one_part_to_another(tmp_path: Path) -> None:
    """Seen to fail with one weight of W_in outside the blocks set to 1."""
    model = ModelSettings(name="m", source=source(PART, PART))
    _, lens = open_checkpoint(model, "4", folder=tmp_path, artifacts=tmp_path, dtype="float64")
    tasks = [{"name": str(i), "prompts": {"kind": "generated", "recipe": "multitask.max", "n": 8, "shift": i * N_VOCAB}} for i in range(2)]
    prompts = [task_prompts(TaskSettings.model_validate(task), folder=tmp_path, n_vocab=lens.W_E.shape[0], n_ctx=lens.n_ctx) for task in tasks]
    heads = components(lens.sites)
    edges = attribute_edges(lens, prompts, {"c": heads}, AttributionSettings(dtype="float64"))["c"].edges
    part = [part_of_features(source(PART, PART)).get(roi.site, (None,) * 99)[roi.members[0]] if roi.kind == "attention" else None for roi in heads.rois]
    across = [e for e in range(len(edges)) if None not in (pair := (part[edges.source[e]], part[edges.target[e]])) and pair[0] != pair[1]]
    assert across
    assert np.abs(edges.weight[:, across]).max() <= 1e-12 * np.abs(edges.weight).max()
    for task in range(2):  # the heads of the other part carry nothing of this task
        other = [e for e in range(len(edges)) if part[edges.source[e]] == 1 - task]
        assert np.abs(edges.weight[task, other]).max() <= 1e-12 * np.abs(edges.weight).max()


def test_a_drawn_order_changes_no_output_and_the_parts_are_known_in_it(tmp_path: Path) -> None:
    """Neurons and heads of part i write nothing but part i's share of the stream. Seen to fail with W_out in the parts' own order, and with
    ``part_of_features`` in it."""
    plain = source(PART, WIDER, PART)
    drawn = plain.model_copy(update={"seed": 5})
    lenses = [open_checkpoint(ModelSettings(name="m", source=one), "4", folder=tmp_path, artifacts=tmp_path, dtype="float64")[1] for one in (plain, drawn)]
    tokens = torch.randint(3 * N_VOCAB, (5, 6), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(logits(lenses[1], tokens), logits(lenses[0], tokens), rtol=0, atol=1e-10)
    parts = part_of_features(drawn)
    assert parts["m0"] != parts["m1"] != part_of_features(plain)["m1"]
    stream = np.repeat([0, 1, 2], [8, 12, 8])
    for layer, (mlp, attention) in enumerate(zip(lenses[1].mlps, lenses[1].attentions, strict=True)):
        assert mlp is not None
        for neuron, part in enumerate(parts[f"m{layer}"]):
            assert set(stream[mlp.W_out[neuron].numpy() != 0]) == {part}
        for head, part in enumerate(parts[f"a{layer}"]):
            assert set(stream[(attention.W_O[head].numpy() != 0).any(axis=0)]) == {part}


def test_labels_sizes_and_the_fingerprint_are_those_of_all_parts(tmp_path: Path) -> None:
    model = ModelSettings(name="m", source=source())
    assert checkpoint_labels(model, tmp_path) == (("0", 0), ("4", 4))
    config = stitched_config(source())
    assert (config["d_model"], config["n_heads"], config["d_mlp"], config["d_vocab"]) == (28, 7, 44, 3 * N_VOCAB)
    assert checkpoint_fingerprint(model, "4", tmp_path, tmp_path) is None
    open_checkpoint(model, "4", folder=tmp_path, artifacts=tmp_path)
    assert checkpoint_fingerprint(model, "4", tmp_path, tmp_path) is not None
    assert part_of_features(source())["m1"] == (0,) * 12 + (1,) * 20 + (2,) * 12


@pytest.mark.parametrize(
    ("second", "words"),
    [({"normalization_type": "LN"}, "a norm would join the parts"), ({"n_layers": 1}, "differ in n_layers"), ({"n_heads": 4}, "differ in d_head")],
)
def test_parts_that_cannot_stand_side_by_side_are_refused(second: dict[str, Any], words: str) -> None:
    with pytest.raises(StudyError, match=words):
        stitched_config(source(PART, {**PART, **second}))
