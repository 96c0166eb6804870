"""Signatures and partitions as files: named by what determines them, the same from a script as from the stages."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from roicg import stages
from roicg.attribution.nodes import attribution_signatures
from roicg.build import find_rois, find_signatures, graph_id
from roicg.core.settings import Study
from roicg.places import Place, open_place
from roicg.rois.signatures import activation_signatures

SOURCE = {"kind": "trained", "recipe": "modadd", "config": {"p": 7, "d_model": 16, "d_mlp": 32, "n_heads": 2}, "checkpoints": [0]}
TASK = {"name": "add", "prompts": {"kind": "generated", "recipe": "modadd.7", "n": 12}}


def place(home: Path, task: dict[str, Any] | None = None, attribution: dict[str, Any] | None = None, **rois: Any) -> Place:
    models, tasks = [{"name": "m", "source": SOURCE}], [{**TASK, **(task or {})}]
    study = Study.model_validate({"study": "s", "models": models, "tasks": tasks, "rois": {"null_draws": 2, **rois}, "attribution": attribution or {}})
    return Place(study, "m", "0", home)


@pytest.mark.parametrize("rois", [{}, {"signature": "attribution"}, {"level": 5}, {"level": "fine", "method": "spectral"}])
def test_the_stages_find_the_rois_of_a_script(tmp_path: Path, rois: dict[str, Any]) -> None:
    """Seen to fail with the activations in both signatures' place."""
    here = place(tmp_path, **rois)
    opened = open_place(here)
    made = find_signatures(opened.lens, opened.prompts, here.study)["m0"]
    scores, activations = attribution_signatures(opened.lens, opened.prompts, 0), activation_signatures(opened.lens, opened.prompts, here.study.rois)
    np.testing.assert_array_equal(made, (scores if "signature" in rois else activations)["m0"])
    script, staged = find_rois(opened.lens, opened.prompts, here.study), stages.own_rois(here)
    assert script.id == staged.id
    assert [roi.label for roi in script.rois] == [roi.label for roi in staged.rois]
    assert staged.settings["signature"] == rois.get("signature", "activation")
    assert ("signature_path" in staged.settings) == ("signature" in rois)
    assert stages.planned_graph_ids(here)["own"] == graph_id(opened.checkpoint, opened.prompts, here.study, "own", opened.checkpoint)


def test_a_signature_is_named_by_what_determines_it_and_by_nothing_else(tmp_path: Path) -> None:
    """Seen to fail with all of the ROIs' settings in the name, and with the metric left out of that of node scores."""

    def name(**change: Any) -> str:
        return str(stages.signature_stage(place(tmp_path, **change))["signature_id"])

    plain = name()
    assert len({plain, name(signature="attribution"), name(seed=1), name(attribution={"dtype": "float64"})}) == 4
    assert name(level=5) == name(method="kmeans") == name(null_draws=3) == plain
    metrics = [{"metric": "margin"}, {"metric": "logit_minus_mean_rest"}]  # two of the same wrong answers
    assert name(task=metrics[0]) == name(task=metrics[1])
    assert name(task=metrics[0], signature="attribution") != name(task=metrics[1], signature="attribution")


def test_a_partition_file_holds_the_names_of_its_own_study(tmp_path: Path) -> None:
    """Another study may ask the same under another name. Seen to fail with the name left out: the second study's labels said what the first calls it."""
    two = [{**TASK, "name": "sum"}, {"name": "again", "prompts": {**TASK["prompts"], "seed": 1}}]  # type: ignore[dict-item]
    labels = []
    for names in (("sum", "again"), ("plus", "minus")):
        here = place(tmp_path)
        tasks = [{**task, "name": name} for task, name in zip(two, names, strict=True)]
        study = Study.model_validate({**here.study.model_dump(), "tasks": tasks})
        labels.append(stages.own_rois(Place(study, "m", "0", tmp_path)))
    assert labels[0].id == labels[1].id
    assert len(list((tmp_path / "artifacts" / "partitions").glob("*.json"))) == 2
    assert len(list((tmp_path / "artifacts" / "signatures").glob("*.safetensors"))) == 1
