"""Each law is kept by an honest graph and broken by a tampered one."""

from dataclasses import replace

import numpy as np
import pytest

from roicg import laws
from roicg.attribution.edges import attribute_edges
from roicg.core.graph import Checkpoint, ComputationalGraph
from roicg.core.partition import SiteQuality
from roicg.core.settings import AttributionSettings
from roicg.models.scores import score_tasks
from roicg.rois.controls import components
from tests.lenses import make_lens, make_prompts


@pytest.fixture(scope="module")
def graph() -> ComputationalGraph:
    lens, prompts = make_lens(1, scale=0.3), make_prompts(1)
    found = attribute_edges(lens, [prompts], {"own": components(lens.sites)}, AttributionSettings(dtype="float64"))["own"]
    return ComputationalGraph(
        "id", Checkpoint("m", 0, "0", "d"), found.partition, found.edges, found.port_groups, score_tasks(lens, [prompts]), {"dtype": "float64"}
    )


def test_an_honest_graph_breaks_no_law(graph: ComputationalGraph) -> None:
    assert laws.not_finite(graph) == laws.unbalanced(graph) == laws.not_read_back(graph, graph) == laws.wide_gaps(graph) == []


def test_a_group_without_a_number_is_named(graph: ComputationalGraph) -> None:
    broken = replace(graph, port_groups=(replace(graph.port_groups[0], gap=np.nan), *graph.port_groups[1:]))
    (sentence,) = laws.not_finite(broken)
    assert "task a0.q" in sentence


def test_a_changed_weight_unbalances_the_books(graph: ComputationalGraph) -> None:
    weight = graph.edges.weight.copy()
    weight[0, np.argmax(np.abs(weight[0]))] *= 1.001
    (sentence,) = laws.unbalanced(replace(graph, edges=replace(graph.edges, weight=weight)))
    assert "the books of task at" in sentence


def test_another_graph_is_not_what_was_written(graph: ComputationalGraph) -> None:
    assert laws.not_read_back(graph, replace(graph, edges=replace(graph.edges, se=graph.edges.se * 2)))


def test_incomplete_and_saturated_groups_are_warned_of(graph: ComputationalGraph) -> None:
    first, second, *rest = graph.port_groups
    sentences = laws.wide_gaps(replace(graph, port_groups=(replace(first, complete=False), replace(second, saturated=True), *rest)))
    assert len(sentences) == 2
    assert sentences[1].endswith("(saturated)")


def test_groups_at_their_null_and_unsolved_tasks_are_warned_of(graph: ComputationalGraph) -> None:
    weak = SiteQuality(3, 0.1, 9.0, 1.5, 0.05, 0.2, 0.9, above_null=False)
    strong = replace(weak, z_shuffle=9.0, above_null=True)
    assert laws.at_null(replace(graph.partition, quality={"m0": weak, "m1": strong})) == ["the ROIs of m0 do not stand above their null (z 1.5)"]
    scores = [replace(graph.scores[1], split="eval", accuracy=accuracy, solved=solved) for accuracy, solved in ((0.5, False), (0.95, True))]
    (sentence,) = laws.unsolved(scores)
    assert sentence.startswith("task is not solved (accuracy 0.500")
