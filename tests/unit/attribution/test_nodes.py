"""Node scores: a feature's score is all that flows out of it on path ``inputs``, whatever the model is made of."""

from dataclasses import replace

import numpy as np
import pytest

from roicg.attribution import nodes
from roicg.attribution.edges import attribute_edges
from roicg.attribution.nodes import attribution_signatures, example_scores, node_scores
from roicg.core.errors import PromptError
from roicg.core.prompts import PromptSet, TaskPrompts
from roicg.core.settings import AttributionSettings
from roicg.models import columns
from roicg.models.columns import signature_columns
from roicg.rois.controls import singletons
from tests.lenses import QUESTIONS, VARIANTS, make_lens, make_prompts


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("question", ["last position", "mixed lengths, all positions"])
def test_a_score_is_the_outflow_of_the_feature_on_path_inputs(variant: str, question: str) -> None:
    """Every way on from a feature is an edge. Seen to fail with z of the clean run differentiated in place of the moving one's."""
    lens, task = make_lens(**VARIANTS[variant]), make_prompts(**QUESTIONS[question])
    partition = singletons(lens.sites)
    settings = AttributionSettings(path="inputs", steps=3, dtype="float64")
    edges = attribute_edges(lens, [task], {"s": partition}, settings)["s"].edges
    outflow = np.bincount(edges.source, weights=edges.weight[0], minlength=len(partition.rois))
    found = node_scores(lens, [task], steps=3)["task"]
    for site, scores in found.items():
        np.testing.assert_allclose(scores, outflow[list(partition.of_site(site))], rtol=0, atol=1e-10 * np.abs(outflow).max())


def test_examples_average_to_the_score_and_any_split_can_be_asked() -> None:
    lens, task = make_lens(), make_prompts(n=5, lengths=(3, 4))
    rows = example_scores(lens, task, task.rois)
    assert {site: row.shape for site, row in rows.items()} == {"a0": (5, 2), "m0": (5, 5), "a1": (5, 2), "m1": (5, 5)}
    for site, scores in node_scores(lens, [task])["task"].items():
        np.testing.assert_allclose(rows[site].mean(axis=0), scores, rtol=1e-12)


@pytest.mark.parametrize("question", ["last position", "mixed lengths, all positions"])
def test_signature_columns_are_the_terms_of_the_scores_task_by_task_at_unit_variance(question: str) -> None:
    """Seen to fail with examples and positions exchanged, and with one scale for both tasks."""
    lens = make_lens()
    tasks = [make_prompts(seed, **QUESTIONS[question]) for seed in (1, 2)]
    found = attribution_signatures(lens, tasks, seed=0)
    made_of = signature_columns(tasks, seed=0)
    assert {site: rows.shape[1] for site, rows in found.items()} == dict.fromkeys(("a0", "m0", "a1", "m1"), len(made_of))
    for index, task in enumerate(tasks):
        here = made_of.task == index
        starts = np.flatnonzero(made_of.position[here] == 0)
        for site, rows in found.items():
            block = rows[:, here].astype(np.float64)
            assert block.var(axis=1).mean() == pytest.approx(1.0)
            sums = np.add.reduceat(block, starts, axis=1).T  # over the positions of each example
            scores = example_scores(lens, task, task.rois)[site]
            scale = float((sums * scores).sum() / (scores**2).sum())
            np.testing.assert_allclose(sums, scores * scale, rtol=0, atol=1e-5 * np.abs(sums).max())


def test_a_task_that_moves_nothing_is_zeros_and_no_prompt_is_refused() -> None:
    lens, task = make_lens(), make_prompts(n=4)
    still = PromptSet("still", "rois", tuple(replace(pair, corrupted=pair.clean) for pair in task.rois.pairs))
    nothing, empty = replace(task, rois=still), PromptSet("none", "rois", ())
    rows = attribution_signatures(lens, [nothing], seed=0)["m0"]
    assert not rows.any()
    assert rows.shape == (5, sum(len(pair.clean) for pair in task.rois.pairs))
    with pytest.raises(PromptError, match="split rois"):
        attribution_signatures(lens, [TaskPrompts("none", task.metric, empty, empty, empty)], seed=0)


def test_a_subset_of_columns_is_the_same_as_that_of_the_activations(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scale is that of what is kept. Seen to fail with the batch's start not counted on."""
    monkeypatch.setattr(nodes, "BATCH", 2)
    lens, task = make_lens(), make_prompts(n=9)
    whole, places = attribution_signatures(lens, [task], seed=0)["m1"], signature_columns([task], 0)
    monkeypatch.setattr(columns, "MAX_COLUMNS", 10)
    some, kept = attribution_signatures(lens, [task], seed=0)["m1"], columns.kept_columns([task], 0)[0]
    assert some.shape[1] == len(kept) == 10
    assert signature_columns([task], 0).token.tolist() == places.token[kept].tolist()
    scale = float((some * whole[:, kept]).sum() / (whole[:, kept] ** 2).sum())
    np.testing.assert_allclose(some, whole[:, kept] * scale, rtol=0, atol=1e-5 * np.abs(some).max())
