"""From MODEL@STEP and names of ROIs to a prediction, a measurement and the other tasks."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from roicg.core.graph import Checkpoint
from roicg.places import Opened
from tests.lenses import make_lens, make_prompts
from tests.unit.circuits.test_predict import graph_of

STUDY = """
study: small
models: [{name: m, source: {kind: trained, recipe: multitask, checkpoints: [0, 50]}, tasks: [add, max]}]
tasks:
  - {name: add, prompts: {kind: generated, recipe: multitask.add, n: 6}, metric: logit_minus_mean_rest}
  - {name: max, prompts: {kind: generated, recipe: multitask.max, n: 6}, metric: logit_minus_mean_rest}
partitions: [components]
attribution: {steps: 2, max_steps: 2, tolerance: 1}
"""


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("ROICG_HOME", str(tmp_path / "home"))
    path = tmp_path / "small.yaml"
    path.write_text(STUDY)
    return str(path)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """A random lens with two tasks in place of the study's model."""
    lens, prompts = make_lens(3), make_prompts(1, n=6)
    graph = graph_of(lens, prompts)
    graph = replace(graph, edges=replace(graph.edges, tasks=("add",)))
    add, other = replace(prompts, task="add"), replace(make_prompts(2, n=6), task="max")
    both = replace(
        graph,
        edges=replace(
            graph.edges, tasks=("add", "max"), **{name: getattr(graph.edges, name).repeat(2, axis=0) for name in ("weight", "se", "mean_abs", "rank")}
        ),
    )
    monkeypatch.setattr("roicg.cli.intervene._open", lambda place, partition: (Opened(Checkpoint("m", 0, "0", "d"), lens, (other, add)), both))


def test_prediction_comes_first_then_measurement_then_the_other_tasks(study: str, opened: None, roicg) -> None:
    """Broken on purpose: tasks not sorted, so that the first table is that of another task."""
    result = roicg("intervene", "m@50", "--task", "add", "--ablate", "a0.h1,m1.r0", "--study", study)
    assert result.exit_code == 0, result.output
    first, second, third = (result.stdout.index(words) for words in ("predicted change of the metric of add", "measured on 6 pairs", "other tasks"))
    assert first < second < third
    assert "m@50, own: ablate a0.h1, m1.r0" in result.stdout
    assert result.stdout[second:third].count("add") == 1
    assert result.stdout[third:].count("max") == 1


def test_the_json_holds_the_same(study: str, opened: None, roicg) -> None:
    """Broken on purpose: the factor dropped."""
    words = ("intervene", "m@0", "--task", "max", "--study", study, "--json")
    found = json.loads(roicg(*words, "--scale", "a0.h1,m1.r0=-0.5", "--edges", "tok>a1.h0:q, a0.h0>logits:in").stdout)
    assert found["intervention"]["rois"] == ["a0.h1", "m1.r0"]
    assert found["intervention"]["edges"] == [["a0.h0", "logits", "in"], ["tok", "a1.h0", "q"]]
    assert found["intervention"]["factor"] == -0.5
    assert [row["prediction"] for row in found["predicted"]] == ["naive", "bounded", "flow", "clean", "integrated"]
    assert found["measured"]["task"] == "max"
    assert found["measured"]["after"] - found["measured"]["before"] == pytest.approx(found["measured"]["change"])
    assert found["predicted"][-1]["change"] == pytest.approx(found["measured"]["change"], rel=0.2)
    assert found["measured"]["predicted"] == found["predicted"][2]["change"]
    assert [row["task"] for row in found["off_target"]] == ["add"]
    alone = json.loads(roicg(*words, "--edges", "tok>a1.h0:q").stdout)
    assert (alone["intervention"]["kind"], alone["intervention"]["rois"]) == ("ablate", [])
    donor = json.loads(roicg(*words, "--patch", "a0.h1", "--from", "1,2,3,4").stdout)
    assert [row["prediction"] for row in donor["predicted"]] == ["clean", "integrated"]


def test_a_calibration_prints_every_method_and_draws_a_plot(study: str, opened: None, roicg, tmp_path: Path) -> None:
    """Broken on purpose: the task of ``--task`` not put first."""
    words = ("intervene", "m@50", "--calibrate", "8", "--study", study, "--task", "add")
    svg, page = tmp_path / "c.svg", tmp_path / "c.html"
    result = roicg(*words, "--plot", str(svg))
    assert result.exit_code == 0, result.output
    assert all(f"{method}" in result.stdout for method in ("naive", "bounded", "flow", "clean", "integrated", "ceiling"))
    assert result.stdout.index("add") < result.stdout.index("max")
    assert len(ET.parse(svg).getroot().findall(".//{http://www.w3.org/2000/svg}circle")) == 2 * 6 * 8
    found = json.loads(roicg(*words, "--plot", str(page), "--json").stdout)
    assert page.read_text().startswith("<!doctype html>")
    assert {(one["task"], len(one["sets"])) for one in found["calibrations"]} == {("add", 8), ("max", 8)}


def test_a_real_checkpoint_is_opened_with_its_graph(study: str, roicg) -> None:
    """Nothing replaced: an untrained model, its prompts and its component graph, made now."""
    result = roicg("intervene", "m@0", "--task", "max", "--ablate", "m1", "--study", study, "--partition", "components", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["measured"]["n"] == 6
    assert found["predicted"][-1]["change"] != 0.0
    unknown = roicg("intervene", "m@0", "--task", "max", "--ablate", "a0.h9", "--study", study, "--partition", "components")
    assert unknown.exit_code == 1
    assert "no ROI 'a0.h9' in partition 'components'; did you mean a0.h" in " ".join(unknown.stderr.split())
    assert unknown.stdout == ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("m@0", "--task", "add"), "say what to do: --ablate ROI"),
        (("m@0", "--ablate", "tok"), "say for which task the prediction is, with --task TASK"),
        (("m@0", "--task", "add", "--ablate", "tok", "--patch", "tok"), "--ablate and --patch cannot be given together"),
        (("m@0", "--calibrate", "9", "--ablate", "tok"), "--calibrate draws its own random sets"),
        (("m@0", "--task", "add", "--ablate", "tok", "--plot", "x.svg"), "--plot draws a calibration"),
        (("m@0", "--task", "add", "--ablate", "tok", "--from", "1"), "--from names the prompt that --patch takes values from"),
        (("m@0", "--task", "add", "--patch", "tok", "--from", "one"), "must be token ids with commas between them"),
        (("m@0", "--task", "add", "--scale", "tok"), "--scale needs ROIs and a factor, such as"),
        (("m@0", "--task", "add", "--scale", "tok=x"), "--scale needs ROIs and a factor, such as"),
        (("m@0", "--task", "add", "--edges", "tok-a0.h0"), "the edge 'tok-a0.h0' must be SOURCE>TARGET:PORT"),
        (("m@0", "--task", "add", "--ablate", ","), "nothing to ablate: name at least one ROI"),
        (("m", "--task", "add", "--ablate", "tok"), "must be MODEL@STEP"),
        (("n@0", "--task", "add", "--ablate", "tok"), "no model 'n' in study 'small'"),
        (("m@7", "--task", "add", "--ablate", "tok"), "no checkpoint '7' of m in study 'small'; it has 0, 50"),
        (("m@0", "--task", "ad", "--ablate", "tok"), "m has no task 'ad'; it has add, max; did you mean 'add'?"),
        (("m@0", "--task", "add", "--ablate", "tok"), "study 'small' has no partition 'own'; it has components"),
    ],
)
def test_wrong_words_are_named_before_anything_is_loaded(words, sentence: str, study: str, roicg) -> None:
    result = roicg("intervene", *words, "--study", study)
    assert result.exit_code in (1, 3, 7)
    assert sentence in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_without_a_study_the_shipped_one_with_the_model_is_taken(roicg) -> None:
    result = roicg("intervene", "nobody@0", "--task", "add", "--ablate", "tok")
    assert result.exit_code == 3
    assert "the model 'nobody' is in none of those that come with roicg; name its study with --study STUDY.yaml" in " ".join(result.stderr.split())
    known = roicg("intervene", "multitask-s0@7", "--task", "add", "--ablate", "tok")
    assert "no checkpoint '7' of multitask-s0 in study 'demo'" in " ".join(known.stderr.split())
