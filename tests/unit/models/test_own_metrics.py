"""A user's metric: found beside the study or installed, checked at every call, and part of the graph's id."""

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import torch

from roicg.attribution.edges import attribute_edges
from roicg.build import graph_id
from roicg.core import settings
from roicg.core.errors import StudyError
from roicg.core.graph import Checkpoint
from roicg.core.prompts import PromptPair, PromptSet, TaskPrompts
from roicg.core.settings import AttributionSettings, Study, TaskSettings
from roicg.core.study_file import load_study
from roicg.models.batches import batches
from roicg.models.fingerprint import prompts_fingerprint
from roicg.models.metrics import METRICS, logit_difference, metric, needs_wrong_answers
from roicg.models.own_metrics import open_metric
from roicg.models.prompts import task_prompts
from roicg.rois.controls import components
from tests.lenses import make_lens, make_prompts

TWICE = """
from roicg.models.metrics import logit_difference


def twice(logits, answers, wrong):
    return 2 * logit_difference(logits, answers, wrong)
"""
SUM = "def total(logits, answers, wrong):\n    return logits.sum((1, 2))\n\n\ntotal.needs_wrong_answers = False\n"


def written(folder: Path, text: str, name: str = "my_metrics") -> Path:
    (folder / f"{name}.py").write_text(text)
    return folder


def asked(name: str) -> torch.Tensor:
    pair = PromptPair("k", (0, 1), (1, 0), (1,), ((2,),), ((3,),))
    batch = next(batches(PromptSet("t", "eval", (pair,)), 8))
    return metric(name)(torch.arange(7.0).view(1, 1, 7).requires_grad_(), batch.answers, batch.wrong)


def test_a_function_beside_the_study_scores_as_its_own_code_says(tmp_path: Path) -> None:
    """Every weight doubles with the metric. Seen to fail with every task scored by ``logit_difference``."""
    key = open_metric("my_metrics:twice", written(tmp_path, TWICE))
    lens = make_lens(1)

    def weights(name: str) -> list[float]:
        found = attribute_edges(lens, [make_prompts(1, n=2, metric=name)], {"own": components(lens.sites)}, AttributionSettings(dtype="float64", steps=2))
        return found["own"].edges.weight[0].tolist()

    assert weights(key) == pytest.approx([2 * weight for weight in weights("logit_difference")], rel=1e-12)


def test_its_source_is_part_of_the_prompts_key_the_fingerprint_and_the_graph_id(tmp_path: Path) -> None:
    """Seen to fail with the key without its digest."""
    task = TaskSettings.model_validate({"name": "t", "prompts": {"kind": "generated", "recipe": "modadd", "n": 4}, "metric": "my_metrics:twice"})
    study = Study.model_validate({"study": "s", "models": [{"name": "m", "source": {"kind": "hf", "name": "x"}}], "tasks": [task.model_dump()]})
    seen = []
    for text in (TWICE, TWICE.replace("2 *", "3 *"), TWICE):
        prompts = task_prompts(task, folder=written(tmp_path, text))
        assert prompts.metric.startswith("my_metrics:twice@")
        checkpoint = Checkpoint("m", 0, "0", "weights")
        seen.append((prompts.metric, prompts_fingerprint(task, tmp_path), graph_id(checkpoint, [prompts], study, "own", checkpoint)))
        assert asked(prompts.metric).item() == (-3 if "3 *" in text else -2)
    assert seen[0] == seen[2]
    assert all(a != b for a, b in zip(seen[0], seen[1], strict=True))


def test_two_studies_may_name_their_own_alike(tmp_path: Path) -> None:
    """Seen to fail with the key without its digest."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    keys = [open_metric("my_metrics:twice", written(tmp_path / folder, text)) for folder, text in (("a", TWICE), ("b", TWICE.replace("2 *", "5 *")))]
    assert [asked(key).item() for key in keys] == [-2, -5]


def test_a_module_on_the_path_and_a_dotted_one_beside_the_study_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pkg").mkdir()
    assert asked(open_metric("pkg.inner:twice", written(tmp_path, TWICE, "pkg/inner"))).item() == -2
    (tmp_path / "elsewhere").mkdir()
    written(tmp_path / "elsewhere", TWICE, "installed_metrics_of_a_test")
    monkeypatch.syspath_prepend(tmp_path / "elsewhere")
    assert asked(open_metric("installed_metrics_of_a_test:twice", tmp_path)).item() == -2
    sys.modules.pop("installed_metrics_of_a_test")


def test_an_entry_point_is_a_metric_by_its_bare_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("plugged", "roicg.models.metrics:logit_difference", "roicg.metrics")
    monkeypatch.setattr(settings, "entry_points", lambda group: [point] if group == "roicg.metrics" else [])
    task = TaskSettings.model_validate({"name": "t", "prompts": {"kind": "generated", "recipe": "modadd", "n": 4}, "metric": "plugged"})
    assert asked(task_prompts(task, folder=tmp_path).metric).item() == -1


def test_wrong_answers_are_filled_in_unless_the_function_says_otherwise(tmp_path: Path) -> None:
    """Seen to fail with the opposite default."""
    written(tmp_path, TWICE + SUM)
    assert needs_wrong_answers(open_metric("my_metrics:twice", tmp_path))
    assert not needs_wrong_answers(open_metric("my_metrics:total", tmp_path))


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (TWICE, "other_metrics:twice", "there is no module 'other_metrics'"),
        (TWICE, "my_metrics:thrice", "has no function 'thrice'; it has twice"),
        ("def twice(logits):\n    return logits\n", "my_metrics:twice", r"must be callable as twice\(logits, answers, wrong\)"),
        ("import nothing_of_this_name\n", "my_metrics:twice", "cannot be imported: ModuleNotFoundError"),
        ("twice = 2\n", "my_metrics:twice", "has no function"),
    ],
)
def test_what_cannot_be_opened_is_said(tmp_path: Path, text: str, name: str, said: str) -> None:
    with pytest.raises(StudyError, match=said):
        open_metric(name, written(tmp_path, text))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("logits.sum()", "must give one number per example"),
        ("logits[:, 0]", "must give one number per example"),
        ("1.0", "gave 1.0 for 1 examples"),
        ("logits.argmax(-1)[:, 0]", "int64"),
        ("logits.sum((1, 2)) * float('nan')", "not finite on some example"),
        ("logits.sum((1, 2)).detach()", "has no gradient"),
        ("logits.nothing()", "failed on logits of shape .* AttributeError"),
    ],
)
def test_what_is_not_one_finite_number_per_example_with_a_gradient_is_refused(tmp_path: Path, body: str, said: str) -> None:
    """Seen to fail, case by case, with its check taken out of ``checked``."""
    key = open_metric("my_metrics:m", written(tmp_path, f"def m(logits, answers, wrong):\n    return {body}\n"))
    with pytest.raises(StudyError, match=said):
        asked(key)


def test_the_study_file_takes_names_functions_and_nothing_else(tmp_path: Path) -> None:
    def study(name: str) -> Study:
        path = tmp_path / "study.yaml"
        path.write_text(
            "study: s\nmodels: [{name: m, source: {kind: hf, name: x}}]\n"
            f"tasks: [{{name: t, prompts: {{kind: generated, recipe: modadd}}, metric: '{name}'}}]\n"
        )
        return load_study(path)

    assert tuple(METRICS) == settings.BUILT_IN_METRICS
    assert [study(name).tasks[0].metric for name in (*METRICS, "my.metrics:f")] == [*METRICS, "my.metrics:f"]
    for name, said in (
        ("kl", "gradient of KL is zero at the clean run"),
        ("accuracy", "margin is positive where accuracy counts"),
        ("logit_diference", "did you mean 'logit_difference'"),
        ("../metrics:f", "module:function"),
        ("metrics:f()", "module:function"),
    ):
        with pytest.raises(StudyError, match=said):
            study(name)


def test_a_key_that_no_study_opened_is_an_error() -> None:
    with pytest.raises(StudyError, match="opened by the study that names it"):
        metric("my_metrics:twice@0123456789abcdef")


def test_a_batch_scored_in_parts_gives_the_same(tmp_path: Path) -> None:
    key = open_metric("my_metrics:twice", written(tmp_path, TWICE))
    prompts: TaskPrompts = make_prompts(3, n=4, metric=key)
    parts = [torch.cat([metric(key)(torch.ones(len(b), 1, 7) * torch.arange(7.0), b.answers, b.wrong) for b in batches(prompts.edges, n)]) for n in (1, 4)]
    assert torch.equal(*parts)
    whole = next(batches(prompts.edges, 4))
    assert torch.equal(parts[0], 2 * logit_difference(torch.ones(4, 1, 7) * torch.arange(7.0), whole.answers, whole.wrong))
