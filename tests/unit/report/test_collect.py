"""What the report reads: rows as the store gives them, with what is missing or not finite."""

import math
from typing import Any

import pytest

from roicg.core.errors import StoreError
from roicg.core.settings import Study
from roicg.report.collect import collect

STUDY = Study.model_validate(
    {
        "study": "hand",
        "models": [{"name": "toy", "source": {"kind": "native", "config": {}, "checkpoints": {"a": "w"}}}],
        "tasks": [{"name": "add", "prompts": {"kind": "generated", "recipe": "modadd"}}],
    }
)
SCORE = {"task": "add", "split": "eval", "metric": "m", "n": 5, "clean": 1.0, "corrupted": 0.0, "accuracy": 1.0, "solved": True}


class Rows:
    """A store with canned rows; what was asked is kept."""

    def __init__(self, **answers: list[dict[str, Any]]) -> None:
        self.answers = {name.replace("__", "."): rows for name, rows in answers.items()}
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def run(self, query: str, **params: Any) -> list[dict[str, Any]]:
        self.asked.append((query, params))
        return self.answers.get(query, [])


def slot(model: str = "toy", study: str = "hand", partition: str = "own", path: str = "ports", step: int = 3) -> dict[str, Any]:
    names = {"study": study, "model": model, "label": str(step), "step": step, "partition": partition, "path": path, "graph_id": "g"}
    return {"slot": f"{study}|{model}@{step}|{partition}|{path}", **names}


def circuit_row(analysis: str, n: int | None, phi: float | None, examples: int = 5, selection: str = "weight") -> dict[str, Any]:
    shared = {"total": 9, "kl": 0.0, "accuracy": 1.0, "area": math.nan, "reason": None, "solved": True}
    return {"selection": selection, "n_edges": n, "faithfulness": phi, "low": math.inf, "high": 1.0, "n_examples": examples, "analysis": analysis, **shared}


def test_only_this_study_and_path_and_never_the_controls() -> None:
    slots = [slot(step=10), slot(step=2), slot(partition="random"), slot(study="other"), slot(path="clean"), slot(model="gone")]
    store = Rows(house__slots=slots, tasks__scores=[SCORE, {**SCORE, "split": "edges"}])
    data = collect(STUDY, store)  # type: ignore[arg-type]
    assert [(model.name, [c.label for c in model.checkpoints], model.partitions) for model in data.models] == [("toy", ["2", "10"], ("own",))]
    assert [len(checkpoint.scores) for checkpoint in data.models[0].checkpoints] == [1, 1]
    assert {params["slot"] for query, params in store.asked if query == "structure.rois"} == {slots[0]["slot"], slots[1]["slot"]}


def test_by_name_every_model_and_task_that_is_published() -> None:
    store = Rows(house__slots=[slot(), slot(model="gone")], compare__node_set=[{"tasks": ["add", "max"]}])
    assert [(model.name, model.tasks) for model in collect("hand", store).models] == [("toy", ("add", "max")), ("gone", ("add", "max"))]  # type: ignore[arg-type]


@pytest.mark.parametrize("study", [STUDY, "hand"])
def test_nothing_published_is_one_sentence(study: Any) -> None:
    with pytest.raises(StoreError, match=r"nothing of study 'hand' is published under path 'ports'; run it first: roicg run STUDY\.yaml"):
        collect(study, Rows(house__slots=[slot(study="other")]))  # type: ignore[arg-type]


def test_a_curve_comes_from_one_analysis_and_has_only_finite_numbers() -> None:
    rows = [circuit_row("a", 4, 0.5), circuit_row("b", 9, 1.0, examples=50), circuit_row("b", 2, 0.1, examples=50), circuit_row("b", 3, math.nan, examples=50)]
    graph = collect(STUDY, Rows(house__slots=[slot()], circuits__faithfulness=rows)).models[0].checkpoints[0].graphs["own"]  # type: ignore[arg-type]
    (curve,) = graph.curves
    assert [(point.n_edges, point.phi, point.low, point.high) for point in curve.points] == [(2, 0.1, None, 1.0), (9, 1.0, None, 1.0)]
    assert (curve.area, curve.n_examples) == (None, 50)


def test_every_selection_has_its_curve_with_complement_and_coverage_where_they_were_measured() -> None:
    """Seen to fail with ``SELECTIONS`` of report/data.py cut to weight and random. Rows of old curves lack the columns."""
    new = {"complement": 0.1, "features": 0.5, "parameters": 0.4, "cpr_mib": 0.7, "cmd_mib": 0.3}
    rows = [{**circuit_row("a", 4, 0.5), "selection": "nodes", **new}, circuit_row("a", 4, 0.6)]
    graph = collect(STUDY, Rows(house__slots=[slot()], circuits__faithfulness=rows)).models[0].checkpoints[0].graphs["own"]  # type: ignore[arg-type]
    weight, nodes = graph.curves
    assert (nodes.selection, nodes.cpr, nodes.cmd) == ("nodes", 0.7, 0.3)
    assert (nodes.points[0].complement, nodes.points[0].features, nodes.points[0].parameters) == (0.1, 0.5, 0.4)
    assert (weight.selection, weight.points[0].complement, weight.cpr) == ("weight", None, None)


def test_no_effect_has_no_points() -> None:
    rows = [{**circuit_row("a", None, None), "reason": "no_effect"}]
    graph = collect(STUDY, Rows(house__slots=[slot()], circuits__faithfulness=rows)).models[0].checkpoints[0].graphs["own"]  # type: ignore[arg-type]
    assert [(curve.points, curve.reason) for curve in graph.curves] == [((), "no_effect")]


def test_many_circuits_show_fewer_edges_each() -> None:
    store = Rows(house__slots=[slot(step=step) for step in range(600)])
    collect(STUDY, store)  # type: ignore[arg-type]
    assert {params["edges"] for query, params in store.asked if query == "circuits.circuit"} == {100}
