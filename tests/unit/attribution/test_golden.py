"""Our edges are the published package's, after the one scale factor its README states (its scores are divided by n once more).

Broken on purpose: the derivative of a norm without that of its mean (``inputs``, ``clean``), the sign of ``exact`` (``exact``).
"""

import numpy as np
import pytest

from roicg.attribution.edges import attribute_edges
from roicg.circuits.faithfulness import faithfulness_curves
from roicg.core.graph import Checkpoint, ComputationalGraph
from roicg.core.settings import AttributionSettings, CircuitSettings
from roicg.rois.controls import components
from tests.golden import load_golden


def assert_agrees(which: str, path: str, steps: int, score: str, scale: float) -> None:
    golden = load_golden(which)
    settings = AttributionSettings(path=path, rule="left", steps=steps, dtype="float64")
    found = attribute_edges(golden.lens, [golden.prompts], {"components": components(golden.lens.sites)}, settings)["components"]
    ours, theirs = golden.dense(found), golden.arrays[score] * scale
    assert len(found.edges) == golden.real.sum()
    np.testing.assert_allclose(ours[golden.real], theirs[golden.real], rtol=1e-9, atol=1e-9 * np.abs(theirs[golden.real]).max())


@pytest.mark.parametrize("which", ["random", "trained"])
@pytest.mark.parametrize("steps", [1, 5, 10, 20])
def test_inputs_equals_published_eap_ig(which: str, steps: int) -> None:
    assert_agrees(which, "inputs", steps, f"score.eap_ig_inputs_m{steps}", scale=len(load_golden(which).prompts.edges.pairs))


@pytest.mark.parametrize("which", ["random", "trained"])
def test_clean_equals_published_eap(which: str) -> None:
    assert_agrees(which, "clean", 1, "score.eap", scale=len(load_golden(which).prompts.edges.pairs))


@pytest.mark.parametrize("which", ["random", "trained"])
def test_exact_equals_published_exact_patching(which: str) -> None:
    assert_agrees(which, "exact", 1, "score.exact", scale=1.0)


def test_circuits_of_the_trained_model_keep_what_the_published_ones_keep() -> None:
    golden = load_golden("trained")
    partition = components(golden.lens.sites)
    found = attribute_edges(golden.lens, [golden.prompts], {"own": partition}, AttributionSettings(path="exact", dtype="float64"))["own"]
    graph = ComputationalGraph("id", Checkpoint("golden", 0, "0", "digest"), partition, found.edges, found.port_groups, ())
    published = golden.about["faithfulness"]["exact"]
    curve, control = faithfulness_curves(
        golden.lens,
        graph,
        [golden.prompts],
        CircuitSettings(fractions=tuple(n / 110 for n in published["n"]), selections=("weight", "random"), random_draws=3),
    )
    assert curve.n_edges == tuple(published["n"])
    np.testing.assert_allclose(curve.phi, published["f"], atol=6e-5)
    assert curve.area == pytest.approx(published["cpr"], abs=1e-4)
    assert control.area is not None
    assert control.area < 0.5


def test_the_default_path_agrees_with_exact_patching() -> None:
    """The goal of science.md: over the strongest edges that carry 95 % of Σ|exact|, sign ≥ .95 and top-10 ≥ 9/10."""
    golden = load_golden("trained")
    found = attribute_edges(golden.lens, [golden.prompts], {"own": components(golden.lens.sites)}, AttributionSettings(dtype="float64"))["own"]
    ours, exact = golden.dense(found)[golden.real], golden.arrays["score.exact"][golden.real]
    order = np.argsort(-np.abs(exact))
    carrying = order[: max(20, int(np.searchsorted(np.cumsum(np.abs(exact[order])), 0.95 * np.abs(exact).sum())) + 1)]
    assert (np.sign(ours[carrying]) == np.sign(exact[carrying])).mean() >= 0.95
    assert len(set(order[:10]) & set(np.argsort(-np.abs(ours))[:10])) >= 9
