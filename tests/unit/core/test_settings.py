from pathlib import Path

import pytest
import yaml

from roicg.core.errors import StudyError
from roicg.core.settings import Study
from roicg.core.study_file import inside, load_study

GOOD = {
    "study": "small",
    "models": [{"name": "m", "source": {"kind": "native", "config": {"n_layers": 1}, "checkpoints": {"final": "m.safetensors"}}}],
    "tasks": [{"name": "t", "prompts": {"kind": "generated", "recipe": "modadd"}}],
}


def write(folder: Path, data: object) -> Path:
    path = folder / "study.yaml"
    path.write_text(data if isinstance(data, str) else yaml.safe_dump(data))
    return path


def changed(**change: object) -> dict:
    return {**GOOD, **change}


def test_a_study_is_read_with_its_defaults(tmp_path: Path) -> None:
    study = load_study(write(tmp_path, GOOD))
    assert study.folder == tmp_path.resolve()
    assert (study.attribution.path, study.attribution.steps, study.attribution.tolerance) == ("ports", 5, 0.01)
    assert study.partitions == ("own", "reference", "components", "random")
    assert [task.name for task in study.tasks_of(study.models[0])] == ["t"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (changed(roi={"method": "spectral"}), "unknown key 'roi' in the study; did you mean 'rois'"),
        (changed(attribution={"step": 3}), "unknown key 'step' in attribution; did you mean 'steps'"),
        (changed(attribution={"steps": 0}), "attribution.steps"),
        (changed(attribution={"path": "port"}), "'ports', 'inputs', 'clean' or 'exact'"),
        (changed(models=[{**GOOD["models"][0], "sauce": 1}]), "unknown key 'sauce' in models.0; did you mean 'source'"),
        (changed(models=[{"name": "m", "source": {"kind": "pickle"}}]), "pickle"),
        (changed(models=[{"name": "m"}]), "models.0.source is required"),
        (changed(models=[{**GOOD["models"][0], "tasks": ["u"]}]), "names the unknown task 'u'"),
        (changed(models=GOOD["models"] * 2), "two models are named 'm'"),
        (changed(models=[*GOOD["models"], {**GOOD["models"][0], "name": "n"}]), "tasks is required as soon as there is more than one model"),
        (changed(study="../x"), "study"),
        (changed(folder="/tmp"), "unknown key 'folder'"),
        ("just text", "must hold a mapping"),
        ("a: [1", "not valid YAML"),
    ],
)
def test_a_wrong_study_is_one_sentence_that_names_place_and_remedy(tmp_path: Path, data: object, words: str) -> None:
    with pytest.raises(StudyError) as error:
        load_study(write(tmp_path, data))
    assert words in str(error.value)
    assert "too short" not in str(error.value)
    assert "at least 1 item" not in str(error.value)


def test_a_missing_study_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"cannot read the study .*nowhere\.yaml"):
        load_study(tmp_path / "nowhere.yaml")


def test_paths_stay_inside_the_studys_folder(tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    assert inside(tmp_path / "study", "w/a.safetensors").name == "a.safetensors"
    (tmp_path / "study" / "link").symlink_to(tmp_path)
    for path in ("../a", "/etc/passwd", "link/a"):
        with pytest.raises(StudyError, match="leaves the study's folder"):
            inside(tmp_path / "study", path)


def test_checkpoints_rise() -> None:
    source = {"kind": "trained", "recipe": "multitask", "checkpoints": [5, 3]}
    with pytest.raises(ValueError, match="rising steps"):
        Study.model_validate(changed(models=[{"name": "m", "source": source}]))
