"""Laws of the edges over random models, partitions and prompts."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from roicg.attribution.edges import attribute_edges
from roicg.core.partition import Roi, RoiPartition
from roicg.core.settings import AttributionSettings
from roicg.models.lens import Lens
from roicg.rois.controls import components, singletons
from tests.lenses import VARIANTS, make_lens, make_prompts

SMALL = settings(max_examples=12, deadline=None)
PATHS = st.sampled_from(["ports", "inputs", "clean"])


def weights(lens: Lens, prompts, partition: RoiPartition, path: str) -> dict[tuple[str, str, str], float]:
    chosen = AttributionSettings(path=path, steps=2, max_steps=2, dtype="float64")
    edges = attribute_edges(lens, [prompts], {"own": partition}, chosen)["own"].edges
    keys = [roi.key for roi in partition.rois]
    return {(keys[u], keys[v], port): weight for u, v, port, weight in zip(edges.source, edges.target, edges.port, edges.weight[0], strict=True)}


def permuted(lens: Lens, neurons: list[int], heads: list[int]) -> Lens:
    """The same function with neurons and heads renumbered: new number i is old number neurons[i]."""
    attentions = tuple(replace(a, **{name: getattr(a, name)[heads] for name in ("W_Q", "b_Q", "W_K", "b_K", "W_V", "b_V", "W_O")}) for a in lens.attentions)
    mlps = tuple(
        None
        if m is None
        else replace(
            m,
            W_in=m.W_in[:, neurons],
            b_in=m.b_in[neurons],
            W_out=m.W_out[neurons],
            W_gate=None if m.W_gate is None else m.W_gate[:, neurons],
            b_gate=None if m.b_gate is None else m.b_gate[neurons],
        )
        for m in lens.mlps
    )
    return replace(lens, attentions=attentions, mlps=mlps)


@SMALL
@given(seed=st.integers(0, 99), variant=st.sampled_from(sorted(VARIANTS)), neurons=st.permutations(range(5)), heads=st.permutations(range(2)), path=PATHS)
def test_renumbering_features_renumbers_the_graph_and_nothing_else(seed: int, variant: str, neurons: list[int], heads: list[int], path: str) -> None:
    lens, prompts = make_lens(seed, **VARIANTS[variant]), make_prompts(seed, n=3)
    before = weights(lens, prompts, singletons(lens.sites), path)
    after = weights(permuted(lens, neurons, heads), prompts, singletons(lens.sites), path)

    def old(key: str) -> str:
        site, _, feature = key.partition(".")
        return key if not feature else f"{site}.n{neurons[int(feature[1:])]}" if feature[0] == "n" else f"{site}.h{heads[int(feature[1:])]}"

    largest = max(map(abs, before.values()))
    for (u, v, port), weight in after.items():
        assert abs(weight - before[old(u), old(v), port]) <= 1e-9 * largest


@SMALL
@given(seed=st.integers(0, 99), cut=st.sets(st.integers(0, 4), min_size=1, max_size=4), path=PATHS)
def test_splitting_a_roi_changes_no_sum(seed: int, cut: set[int], path: str) -> None:
    lens, prompts = make_lens(seed), make_prompts(seed, n=3)
    whole = components(lens.sites)
    parts = [Roi(f"m0.r{i}", "m0", 0, "mlp", tuple(sorted(members))) for i, members in enumerate((cut, set(range(5)) - cut))]
    rois = [part for roi in whole.rois for part in (parts if roi.key == "m0" else [roi])]
    before, after = weights(lens, prompts, whole, path), weights(lens, prompts, replace(whole, rois=tuple(rois)), path)
    merged: dict[tuple[str, str, str], float] = {}
    for (u, v, port), weight in after.items():
        edge = ("m0" if u.startswith("m0.") else u, "m0" if v.startswith("m0.") else v, port)
        merged[edge] = merged.get(edge, 0.0) + weight
    largest = max(map(abs, before.values()))
    assert merged.keys() == before.keys()
    assert all(abs(merged[edge] - before[edge]) <= 1e-10 * largest for edge in before)


@SMALL
@given(seed=st.integers(0, 99), order=st.permutations(range(6)), path=PATHS)
def test_the_order_of_prompts_changes_nothing(seed: int, order: list[int], path: str) -> None:
    lens, prompts = make_lens(seed), make_prompts(seed, n=6, lengths=(3, 4))
    shuffled = replace(prompts, edges=replace(prompts.edges, pairs=tuple(prompts.edges.pairs[i] for i in order)))
    before, after = weights(lens, prompts, components(lens.sites), path), weights(lens, shuffled, components(lens.sites), path)
    largest = max(map(abs, before.values()))
    assert all(abs(after[edge] - before[edge]) <= 1e-10 * largest for edge in before)


@SMALL
@given(seed=st.integers(0, 99))
def test_flow_through_a_linear_model_is_conserved(seed: int) -> None:
    """Without norm, activation and attention's softmax in the way, what flows into the MLP flows out: Σ_in = Σ_out."""
    lens, prompts = make_lens(seed, norm="none", act=lambda x: x, n_layers=1), make_prompts(seed, n=3)
    found = weights(lens, prompts, components(lens.sites), "clean")
    inflow = sum(weight for (_, v, _), weight in found.items() if v == "m0")
    outflow = sum(weight for (u, _, _), weight in found.items() if u == "m0")
    np.testing.assert_allclose(inflow, outflow, atol=1e-10 * max(1.0, abs(inflow)))
