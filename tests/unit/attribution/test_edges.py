"""The fast paths equal the literal ones on every branch, and obey the laws of the edges (more of them in tests/property)."""

import numpy as np
import pytest
import torch

from roicg.attribution.edges import attribute_edges
from roicg.core.partition import Roi, RoiPartition
from roicg.core.settings import AttributionSettings
from roicg.models.forward import logits
from roicg.numerics.quadrature import quadrature
from roicg.rois.controls import components, random_like, singletons
from roicg.rois.positions import split_tokens
from tests import literal
from tests.lenses import QUESTIONS, VARIANTS, make_lens, make_prompts


def grouped(lens) -> RoiPartition:
    """Two ROIs per MLP, one per head."""
    whole = components(lens.sites)
    rois = [r for r in whole.rois if r.kind != "mlp"]
    for site in lens.sites:
        if site.kind == "mlp":
            rois += [Roi(f"{site.key}.r0", site.key, site.layer, "mlp", (0, 2, 4)), Roi(f"{site.key}.r1", site.key, site.layer, "mlp", (1, 3))]
    order = [site.key for site in lens.sites]
    return RoiPartition("own", lens.sites, tuple(sorted(rois, key=lambda r: order.index(r.site))))


def as_dict(attribution) -> dict[tuple[str, str, str], float]:
    keys = [roi.key for roi in attribution.partition.rois]
    e = attribution.edges
    return {(keys[u], keys[v], p): w for u, v, p, w in zip(e.source, e.target, e.port, e.weight[0], strict=True)}


def settings(path: str = "ports", steps: int = 3, **more) -> AttributionSettings:
    return AttributionSettings(path=path, steps=steps, dtype="float64", **{"max_steps": steps, "tolerance": 0.5, **more})


def assert_equals_literal(lens, prompts, path: str, steps: int = 3) -> None:
    partition = grouped(lens)
    fast = as_dict(attribute_edges(lens, [prompts], {"own": partition}, settings(path, steps))["own"])
    points, weights = ([1.0], [1.0]) if path == "clean" else quadrature("gauss-legendre", steps)
    slow = literal.edges(lens, prompts.edges.pairs, partition, path, points, weights, prompts.metric)
    assert fast.keys() == slow.keys()
    largest = max(abs(w) for w in slow.values())
    assert largest > 0
    for edge, weight in slow.items():
        assert fast[edge] == pytest.approx(weight, abs=1e-10 * largest, rel=1e-9), edge


@pytest.mark.parametrize("path", ["ports", "inputs", "clean", "exact"])
@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_every_path_equals_its_literal_twin(variant: str, path: str) -> None:
    """Seen to fail with the quadrature's weights repeated by example instead of by point, and with the gate's
    constant taken from the linear part (caught by the gated RMS variant alone).
    """
    assert_equals_literal(make_lens(3, **VARIANTS[variant]), make_prompts(1, **QUESTIONS["last position"]), path)


@pytest.mark.parametrize("path", ["ports", "inputs", "clean", "exact"])
@pytest.mark.parametrize("question", sorted(QUESTIONS.keys() - {"last position"}))
def test_every_path_equals_its_literal_twin_whatever_is_asked(question: str, path: str) -> None:
    """Seen to fail with the rows of the tail read at the answer positions in the wrong order (``sources._at``)."""
    assert_equals_literal(make_lens(3, norm="rms", kv_groups=1, causal=False), make_prompts(1, **QUESTIONS[question]), path)


@pytest.mark.parametrize("path", ["ports", "exact"])
@pytest.mark.parametrize("metric", ["log_probability", "logit_minus_mean_rest", "margin"])
def test_every_metric_equals_its_literal_twin(metric: str, path: str) -> None:
    """Seen to fail with every task scored by ``logit_difference``."""
    assert_equals_literal(make_lens(4, n_layers=1), make_prompts(2, n=2, lengths=(3,), metric=metric), path)


@pytest.mark.parametrize("port", ["k", "v"])
def test_the_heads_of_a_group_share_out_the_gradient_of_their_one_key_or_value(port: str) -> None:
    """Under grouped queries the sum over a group's heads is the edge into its one key (value) head, computed once and read twice.

    Seen to fail with half of W_Q, W_K and W_V in ``read_weights``.
    """
    lens, prompts = make_lens(8, n_layers=1, norm="rms", kv_groups=1, causal=False), make_prompts(4, n=2, lengths=(3,))
    found = as_dict(attribute_edges(lens, [prompts], {"own": components(lens.sites)}, settings("clean"))["own"])
    a, m = lens.attentions[0], lens.mlps[0]
    expected = 0.0
    for pair in prompts.edges.pairs:
        stream = lens.W_E[list(pair.clean)] + lens.W_pos[:3]
        probe = torch.zeros_like(stream, requires_grad=True)
        x, moved = literal.norm(a.norm, stream), literal.norm(a.norm, stream + probe)
        key, value = (moved if port == letter else x for letter in "kv")
        key, value = key @ a.W_K[0] + a.b_K[0], value @ a.W_V[0] + a.b_V[0]
        z = [((x @ W + b) @ key.T * a.scale).softmax(-1) @ value for W, b in zip(a.W_Q, a.b_Q, strict=True)]
        after = stream + sum(head @ W for head, W in zip(z, a.W_O, strict=True)) + a.b_O
        after = after + m.act(literal.norm(m.norm, after) @ m.W_in + m.b_in) @ m.W_out + m.b_out
        score = literal.metric(literal.norm(lens.final_norm, after) @ lens.W_U + lens.b_U, pair)
        delta = lens.W_E[list(pair.clean)] - lens.W_E[list(pair.corrupted)]
        expected += float((delta * torch.autograd.grad(score, probe)[0]).sum()) / 2
    assert found["tok", "a0.h0", port] + found["tok", "a0.h1", port] == pytest.approx(expected, rel=1e-10)
    assert expected != 0


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_the_forward_equals_the_literal_forward(variant: str) -> None:
    """Seen to fail without the position embedding."""
    lens, prompts = make_lens(5, **VARIANTS[variant]), make_prompts(2, n=3)
    for pair in prompts.edges.pairs:
        slow = literal.forward(lens, pair.clean, literal.nothing)[0]
        torch.testing.assert_close(logits(lens, torch.tensor([pair.clean]))[0], slow, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_the_sum_law_of_every_port_group(variant: str) -> None:
    """Seen to fail with the norm's correction added instead of subtracted (``GradientSum.rows``)."""
    lens, prompts = make_lens(7, **VARIANTS[variant]), make_prompts(3, n=4)
    found = attribute_edges(lens, [prompts], {"own": components(lens.sites)}, AttributionSettings(dtype="float64", steps=5, max_steps=320, tolerance=1e-3))[
        "own"
    ]
    smooth = VARIANTS[variant].get("act") is not torch.relu
    for group in found.port_groups:
        assert group.complete or not smooth, group
        assert abs(group.gap) <= 0.02 * max(abs(group.effect), 0.1), group


def test_the_gap_falls_as_steps_grow() -> None:
    """Seen to fail with one step for every group whatever the settings say."""
    lens, prompts = make_lens(11, scale=0.2), make_prompts(4, n=4)
    gaps = [
        max(abs(g.gap) for g in attribute_edges(lens, [prompts], {"own": components(lens.sites)}, settings(steps=m))["own"].port_groups)
        for m in (1, 2, 4, 8, 16)
    ]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < 0.01 * gaps[0]


def test_steps_double_only_where_the_gap_asks_for_it() -> None:
    """Seen to fail with the steps of complete groups doubled, too."""
    lens, prompts = make_lens(11, scale=0.2), make_prompts(4, n=4)
    found = attribute_edges(lens, [prompts], {"own": components(lens.sites)}, AttributionSettings(dtype="float64", steps=1, max_steps=32, tolerance=1e-4))[
        "own"
    ]
    steps = {group.group: group.steps for group in found.port_groups}
    assert set(steps.values()) <= {1, 2, 4, 8, 16, 32}
    assert len(set(steps.values())) > 1
    assert all(group.complete for group in found.port_groups)


def test_at_the_cap_a_group_says_that_it_is_not_complete() -> None:
    """Seen to fail with every group called complete."""
    lens, prompts = make_lens(11, scale=0.2), make_prompts(4, n=4)
    found = attribute_edges(lens, [prompts], {"own": components(lens.sites)}, AttributionSettings(dtype="float64", steps=1, max_steps=1, tolerance=1e-9))["own"]
    assert any(not group.complete for group in found.port_groups)


def test_a_flat_gradient_with_an_effect_is_called_saturated() -> None:
    """Seen to fail with no group called saturated."""
    lens = make_lens(1, n_layers=1, d_mlp=2, norm="none", act=lambda x: torch.sign(x) * (x.detach() * 0 + 1) + 0 * x)
    found = attribute_edges(lens, [make_prompts(5, n=8)], {"own": components(lens.sites)}, settings(tolerance=0.01))["own"]
    (mlp,) = [group for group in found.port_groups if group.group == "m0.in"]
    assert mlp.effect != 0
    assert mlp.saturated
    assert not mlp.complete


@pytest.mark.parametrize("path", ["ports", "inputs", "clean"])
def test_roi_edges_are_sums_of_member_edges_whatever_the_partition(path: str) -> None:
    """Seen to fail with the first neuron of a set written for the whole of it (``write_rows``)."""
    lens, prompts = make_lens(13), make_prompts(6)
    own = grouped(lens)
    partitions = {"own": own, "components": components(lens.sites), "random": random_like(own, 1), "singletons": singletons(lens.sites)}
    found = attribute_edges(lens, [prompts], partitions, settings(path))
    single = as_dict(found["singletons"])
    for name in ("own", "components", "random"):
        partition = partitions[name]
        sums: dict[tuple[str, str, str], float] = {}
        owner = {key: roi.key for roi in partition.rois for key in _single_keys(roi)}
        for (u, v, port), weight in single.items():
            edge = (owner[u], owner[v], port)
            sums[edge] = sums.get(edge, 0.0) + weight
        for edge, weight in as_dict(found[name]).items():
            assert weight == pytest.approx(sums[edge], abs=1e-12), edge


def _single_keys(roi: Roi) -> list[str]:
    return [roi.key] if roi.kind in ("tok", "logits", "attention") else [f"{roi.site}.n{i}" for i in roi.members]


@pytest.mark.parametrize("path", ["ports", "inputs", "clean", "exact"])
def test_batch_size_and_order_change_nothing(path: str) -> None:
    """Seen to fail with only the first batch's examples counted (``EdgeSums.merge``)."""
    lens, prompts = make_lens(17), make_prompts(7, n=12, lengths=(3, 4, 5))
    whole = attribute_edges(lens, [prompts], {"own": grouped(lens)}, settings(path, batch_size=64))["own"]
    for batch_size in (1, 3):
        parts = attribute_edges(lens, [prompts], {"own": grouped(lens)}, settings(path, batch_size=batch_size))["own"]
        for column in ("weight", "se", "mean_abs"):
            np.testing.assert_allclose(getattr(parts.edges, column), getattr(whole.edges, column), rtol=1e-9, atol=1e-13)


def test_mixed_lengths_equal_one_run_per_length() -> None:
    """Seen to fail with the last batch's sums in place of all (``EdgeSums.merge``)."""
    lens = make_lens(17)
    both, short, long = (make_prompts(7, n=2, lengths=lengths) for lengths in ((3, 4), (3,), (4,)))
    mixed = attribute_edges(lens, [both], {"own": components(lens.sites)}, settings())["own"]
    from dataclasses import replace

    alone = [
        attribute_edges(lens, [replace(both, edges=replace(both.edges, pairs=(pair,)))], {"own": components(lens.sites)}, settings())["own"].edges.weight
        for pair in both.edges.pairs
    ]
    np.testing.assert_allclose(mixed.edges.weight, np.mean(alone, axis=0), atol=1e-12)
    assert len(short.edges.by_length()) == len(long.edges.by_length()) == 1


def test_split_positions_sum_to_tok() -> None:
    """Seen to fail with the last position of the token site left out (``_token_rows``)."""
    lens, prompts = make_lens(19), make_prompts(8)
    whole, split = components(lens.sites), split_tokens(components(lens.sites), lens.sites_with(4))
    together, apart = (
        as_dict(attribute_edges(lens, [prompts], {"own": whole}, settings())["own"]),
        as_dict(attribute_edges(lens, [prompts], {"own": split}, settings())["own"]),
    )
    for (u, v, port), weight in together.items():
        if u == "tok":
            assert sum(apart[f"tok[{p}]", v, port] for p in range(4)) == pytest.approx(weight, abs=1e-12)


def test_se_is_the_standard_error_over_examples() -> None:
    """Seen to fail with the variance over n instead of n − 1."""
    lens, prompts = make_lens(41), make_prompts(13, n=5)
    from dataclasses import replace

    found = attribute_edges(lens, [prompts], {"own": components(lens.sites)}, settings())["own"].edges
    each = np.stack(
        [
            attribute_edges(lens, [replace(prompts, edges=replace(prompts.edges, pairs=(p,)))], {"own": components(lens.sites)}, settings())[
                "own"
            ].edges.weight[0]
            for p in prompts.edges.pairs
        ]
    )
    np.testing.assert_allclose(found.se[0], each.std(0, ddof=1) / np.sqrt(5), atol=1e-12)
    np.testing.assert_allclose(found.mean_abs[0], np.abs(each).mean(0), atol=1e-12)
