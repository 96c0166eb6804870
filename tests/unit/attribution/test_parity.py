"""Sparse parity: what each of eight tasks must read is known, and its three strongest sources are just that."""

from pathlib import Path

import numpy as np

from roicg.attribution.edges import attribute_edges
from roicg.core.settings import AttributionSettings, ModelSettings, TaskSettings
from roicg.models.prompts import task_prompts
from roicg.models.recipes.parity import BITS, POSITIONS, TASKS
from roicg.models.scores import score_tasks
from roicg.models.sources import open_checkpoint
from roicg.rois.controls import components
from roicg.rois.positions import split_tokens

STEPS = 250


def test_the_three_positions_of_each_task_are_its_top_sources(tmp_path: Path) -> None:
    """Eight of eight, each solved on even bits. Seen to fail with the positions of the next task."""
    model = ModelSettings.model_validate({"name": "m", "source": {"kind": "trained", "recipe": "parity", "seed": 0, "checkpoints": [STEPS]}})
    _, lens = open_checkpoint(model, str(STEPS), folder=tmp_path, artifacts=tmp_path)
    settings = [{"name": str(task), "prompts": {"kind": "generated", "recipe": f"parity.{task}", "n": 64}} for task in range(TASKS)]
    prompts = [task_prompts(TaskSettings.model_validate(one), folder=tmp_path) for one in settings]
    assert min(score.accuracy for score in score_tasks(lens, prompts)) >= 0.99
    partition = split_tokens(components(lens.sites), lens.sites_with(BITS + 1))
    edges = attribute_edges(lens, prompts, {"split": partition}, AttributionSettings(path="inputs", steps=3))["split"].edges
    positions = list(partition.of_site("tok"))
    for task in range(TASKS):
        out = np.bincount(edges.source, weights=edges.strength[task], minlength=len(partition.rois))[positions]
        assert tuple(sorted(np.argsort(-out)[:3].tolist())) == POSITIONS[task]
        assert np.sort(out)[-3] > 1.5 * np.sort(out)[-4], "no close call"
