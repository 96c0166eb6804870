"""Ids hash the settings that differ from their defaults: who adds a key moves no id, who changes a default bumps NUMERICS."""

import pytest

from roicg.build import graph_id
from roicg.core.errors import StudyError
from roicg.core.graph import Checkpoint
from roicg.core.prompts import PromptPair, PromptSet, TaskPrompts
from roicg.core.settings import AttributionSettings, CircuitSettings, RoiSettings, Study
from roicg.core.study_file import load_study

STUDY = Study.model_validate({
    "study": "s",
    "models": [{"name": "m", "source": {"kind": "trained", "recipe": "modadd", "checkpoints": [0]}}],
    "tasks": [{"name": "t", "prompts": {"kind": "generated", "recipe": "modadd"}}],
})  # fmt: skip


class LongerRois(RoiSettings):
    a_new_key: int = 7


class LongerAttribution(AttributionSettings):
    a_new_key: str = "as before"


def id_of(study: Study) -> str:
    sets = (PromptSet("t", split, (PromptPair(split, (1, 2), (1, 3), (1,), ((4,),), ((5,),)),)) for split in ("rois", "edges", "eval"))
    checkpoint = Checkpoint("m", 0, "0", "weights")
    return graph_id(checkpoint, [TaskPrompts("t", "logit_difference", *sets)], study, "own", checkpoint)


def test_a_new_key_with_its_default_moves_no_id_and_with_another_value_it_does() -> None:
    """Seen to fail with ``model_dump()`` in ``graph_id``."""
    longer = STUDY.model_copy(update={"rois": LongerRois(), "attribution": LongerAttribution()})
    assert id_of(longer) == id_of(STUDY)
    other = STUDY.model_copy(update={"rois": LongerRois(a_new_key=8)})
    assert id_of(other) != id_of(STUDY)


def test_a_default_that_is_written_down_is_the_same_question() -> None:
    assert RoiSettings(method="agglomerative", level="auto").changed() == RoiSettings().changed() == {}
    assert RoiSettings(level=5, seed=1).changed("seed") == {"level": 5}
    assert CircuitSettings(random_draws=9).changed() == {"random_draws": 9}


@pytest.mark.parametrize("change", [{"level": "fine"}, {"level": 7}, {"signature": "attribution"}, {"method": "spectral"}, {"seed": 1}])
def test_every_choice_of_rois_is_another_graph(change: dict) -> None:
    assert id_of(STUDY.model_copy(update={"rois": RoiSettings(**change)})) != id_of(STUDY)


def test_the_batch_size_is_no_part_of_the_question() -> None:
    assert id_of(STUDY.model_copy(update={"attribution": AttributionSettings(batch_size=3)})) == id_of(STUDY)


@pytest.mark.parametrize("level", [1, 0, "coarse", True, 2.5])
def test_levels_that_mean_nothing_are_refused(level: object, tmp_path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(
        f"study: s\nmodels: [{{name: m, source: {{kind: hf, name: x}}}}]\ntasks: [{{name: t, prompts: {{kind: file, path: x}}}}]\nrois: {{level: {str(level).lower()}}}\n"
    )
    with pytest.raises(StudyError, match=r"rois\.level: must be auto, fine, or how many groups a site has"):
        load_study(path)
