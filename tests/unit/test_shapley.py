"""The experiment that explains misses of agreement: patching in every context obeys the sum law exactly, whatever the orders."""

import numpy as np
import pytest

from roicg.attribution.edges import attribute_edges
from roicg.core.settings import AttributionSettings
from roicg.rois.controls import components
from tests.bench.shapley import shapley_edges
from tests.lenses import make_lens, make_prompts


def test_edges_of_a_group_sum_to_its_effect() -> None:
    """Seen to fail with the clean stream in place of the corrupted one under the edges that are on."""
    lens, prompts = make_lens(3, norm="rms"), make_prompts(4, n=6)
    partition = components(lens.sites)
    found = shapley_edges(lens, prompts, partition, orders=3)
    exact = attribute_edges(lens, [prompts], {"own": partition}, AttributionSettings(path="exact", dtype="float64"))["own"]
    effects = {group.group: group.effect for group in exact.port_groups}
    assert set(found) == set(effects)
    for group, edges in found.items():
        assert edges.sum() == pytest.approx(effects[group], abs=1e-9)
    assert max(np.abs(edges).max() for edges in found.values()) > 1e-3


def test_where_edges_add_up_every_context_is_the_same() -> None:
    """Into the logits without a norm the metric is linear: each edge has its exact weight in any order.

    Seen to fail with the steps left in the drawn order (``[place]`` left out).
    """
    lens, prompts = make_lens(5, norm="none"), make_prompts(6, n=4)
    partition = components(lens.sites)
    edges = attribute_edges(lens, [prompts], {"own": partition}, AttributionSettings(path="exact", dtype="float64"))["own"].edges
    into = np.array([port == "in" and partition.rois[v].kind == "logits" for v, port in zip(edges.target, edges.port, strict=True)])
    found = shapley_edges(lens, prompts, partition, orders=1)["logits.in"][:, 0]
    np.testing.assert_allclose(found, edges.weight[0][into], atol=1e-9)
    assert len(set(np.round(found, 9))) > 2
