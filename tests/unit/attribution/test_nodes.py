"""Node scores: a feature's score is all that flows out of it on path ``inputs``, whatever the model is made of."""

import numpy as np
import pytest

from roicg.attribution.edges import attribute_edges
from roicg.attribution.nodes import example_scores, node_scores
from roicg.core.settings import AttributionSettings
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
