"""The copied model computes the same; its copies are directions and not neurons."""

import numpy as np
import pytest
import torch

from roicg.attribution.edges import attribute_edges
from roicg.circuits.effects import pair_runs
from roicg.circuits.run import keep_masks, run_circuits
from roicg.core.errors import LawError
from roicg.core.settings import AttributionSettings
from roicg.models.directions import along, principal
from roicg.models.forward import logits, run
from roicg.rois.controls import components
from tests.lenses import VARIANTS, make_lens, make_prompts

WITH_MLP = [name for name, options in VARIANTS.items() if options.get("d_mlp", 5)]


def bases(seed: int = 0, width: int = 5) -> dict[str, tuple[np.ndarray, ...]]:
    rng = np.random.default_rng(seed)
    turned = [np.linalg.qr(rng.standard_normal((width, width)))[0] for _ in range(2)]
    return {"m0": (turned[0][:, :1], turned[0][:, 1:3], turned[0][:, 3:]), "m1": (turned[1][:, :2], turned[1][:, 2:])}


@pytest.mark.parametrize("variant", WITH_MLP)
def test_copies_compute_what_the_model_computes(variant: str) -> None:
    """Seen to fail with the projector on the wrong side of W_out's copies: W_out P_r in place of P_r W_out does not even fit."""
    lens = make_lens(**VARIANTS[variant])
    found = along(lens, {key: groups for key, groups in bases().items() if int(key[1:]) < lens.n_layers})
    tokens = torch.randint(7, (4, 5), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(logits(found.lens, tokens), logits(lens, tokens), rtol=0, atol=1e-10)


def test_an_edge_of_an_mlp_is_the_sum_of_the_edges_of_its_directions() -> None:
    """Seen to fail with the second group's copies left out of the partition's ROI."""
    lens, task = make_lens(), make_prompts(n=5)
    settings = AttributionSettings(dtype="float64")
    whole = attribute_edges(lens, [task], {"c": components(lens.sites)}, settings)["c"]
    found = along(lens, bases())
    parts = attribute_edges(found.lens, [task], {"d": found.partition}, settings)["d"]
    sites = [roi.site if roi.kind == "mlp" else roi.key for roi in parts.partition.rois]
    summed: dict[tuple[str, str, str], float] = {}
    for u, v, port, weight in zip(parts.edges.source, parts.edges.target, parts.edges.port, parts.edges.weight[0], strict=True):
        key = sites[u], sites[v], port
        summed[key] = summed.get(key, 0.0) + float(weight)
    rois = [roi.key for roi in whole.partition.rois]
    for u, v, port, weight in zip(whole.edges.source, whole.edges.target, whole.edges.port, whole.edges.weight[0], strict=True):
        assert summed[rois[u], rois[v], port] == pytest.approx(float(weight), abs=1e-10)


def test_a_circuit_without_a_direction_lacks_its_projection_only() -> None:
    """By hand: the MLP's activations move from corrupted to clean along all directions but one."""
    lens, task = make_lens(n_layers=1), make_prompts(n=3, lengths=(3,))
    found = along(lens, {"m0": bases()["m0"]})
    edges = attribute_edges(found.lens, [task], {"d": found.partition}, AttributionSettings(dtype="float64"))["d"].edges
    (pair,) = pair_runs(found.lens, task, "eval")
    dropped = next(i for i, roi in enumerate(found.partition.rois) if roi.key == "m0.d1")
    final = run_circuits(pair, found.partition, keep_masks(edges, found.partition, (edges.source != dropped)[None]))[0]
    clean, corrupted = (run(lens, tokens) for tokens in (pair.batch.clean, pair.batch.corrupted))
    basis = torch.from_numpy(bases()["m0"][1])
    missing = (clean.post[0] - corrupted.post[0]) @ basis @ basis.T @ lens.mlps[0].W_out
    torch.testing.assert_close(final, clean.final - missing, rtol=0, atol=1e-10)


def test_what_is_shown_has_the_same_rois_over_the_models_own_sites() -> None:
    """Seen to fail with the copies' members shown: site m0 would have 15 features where the model has 5."""
    lens = make_lens()
    found = along(lens, bases())
    assert [roi.key for roi in found.shown.rois] == [roi.key for roi in found.partition.rois]
    assert found.shown.sites == lens.sites
    assert {roi.key: roi.members for roi in found.shown.rois if roi.site == "m0"} == {"m0.d0": (0,), "m0.d1": (1, 2), "m0.d2": (3, 4)}
    assert (found.shown.kind, found.shown.rois[3].label, found.shown.rois[4].label) == ("directions", "direction 0", "2 further directions")


def test_principal_directions_are_those_of_greatest_variance() -> None:
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    signature = axes[:, :2] @ (np.array([[9.0], [3.0]]) * rng.standard_normal((2, 4000))) + 0.1 * rng.standard_normal((6, 4000)) + 5.0
    groups = principal(signature, 3)
    assert [group.shape for group in groups] == [(6, 1), (6, 1), (6, 4)]
    np.testing.assert_allclose(np.abs(groups[0][:, 0] @ axes[:, 0]), 1.0, atol=1e-3)
    np.testing.assert_allclose(np.abs(groups[1][:, 0] @ axes[:, 1]), 1.0, atol=1e-3)
    np.testing.assert_allclose(sum(group @ group.T for group in groups), np.eye(6), atol=1e-12)


def test_directions_that_are_not_complete_are_refused() -> None:
    with pytest.raises(LawError, match="do not add up"):
        along(make_lens(), {**bases(), "m1": bases()["m1"][:1]})
