"""Signatures of ROIs and the match of two graphs by them, on real graphs of small models, without a database."""

from dataclasses import replace

import numpy as np
import pytest

from roicg.attribution.edges import EdgeAttribution, attribute_edges
from roicg.core.errors import StoreError
from roicg.core.settings import AttributionSettings
from roicg.models.lens import Lens
from roicg.rois.controls import singletons
from roicg.store.signature import SignatureMatch, match_signatures
from tests.handmade import own_graph, reference_graph
from tests.lenses import make_lens, make_prompts, permuted
from tests.profiles import Profiles, profile_rows

NEURONS, HEADS = [7, 2, 9, 0, 4, 11, 1, 8, 3, 10, 6, 5], [2, 0, 3, 1]


def model(seed: int, **shape: object) -> Lens:
    return make_lens(seed, n_heads=4, d_mlp=12, **shape)


def graph(lens: Lens, seed: int = 0) -> EdgeAttribution:
    """Single heads and neurons, two tasks."""
    prompts = [replace(make_prompts(seed + i, n=4), task=task) for i, task in enumerate(("first", "second"))]
    return attribute_edges(lens, prompts, {"own": singletons(lens.sites)}, AttributionSettings(steps=2, max_steps=2, dtype="float64"))["own"]


def match(one: EdgeAttribution, other: EdgeAttribution, draws: int = 99) -> SignatureMatch:
    store = Profiles(a=profile_rows(one.partition, one.edges), b=profile_rows(other.partition, other.edges))
    return match_signatures(store, "a", "b", draws=draws)


def test_a_model_with_its_neurons_and_heads_permuted_is_matched_image_by_image() -> None:
    """Seen to fail with reads left out of the profile of the one graph, and with ROIs paired by index."""
    lens = model(0)
    found = match(graph(lens), graph(permuted(lens, NEURONS, HEADS)))

    def image(key: str) -> str:
        site, _, feature = key.partition(".")
        order = NEURONS if feature[0] == "n" else HEADS
        return f"{site}.{feature[0]}{order.index(int(feature[1:]))}"

    assert len(found.pairs) == 32
    assert all(b == image(a) for a, b, _ in found.pairs)
    assert [s for _, _, s in found.pairs] == pytest.approx([1.0] * 32)
    assert found.nearest == ()
    assert found.within == "site"
    assert found.tasks == ("first", "second")
    assert (found.verdict.p, found.verdict.twins) == (pytest.approx(0.01), 32)
    assert found.verdict.index_p > 0.05


def test_two_random_models_do_not_agree() -> None:
    ps = [match(graph(model(2 * seed)), graph(model(2 * seed + 1)), draws=19).verdict.p for seed in range(5)]
    assert sum(p <= 0.05 for p in ps) <= 1


def test_models_of_other_depth_and_width_are_matched_within_kinds() -> None:
    shallow, deep = model(1, n_layers=1), model(1, n_layers=2)
    found = match(graph(shallow), graph(deep))
    assert found.within == "kind"
    assert len(found.pairs) == 4 + 12
    assert {(a[0], b[0]) for a, b, _ in found.pairs} == {("a", "a"), ("m", "m")}
    assert {b for _, b, _ in found.nearest} | {b for _, b, _ in found.pairs} > {f"m1.n{i}" for i in range(3)}
    wide = graph(make_lens(2, n_heads=6, d_mlp=20))
    assert len(match(graph(model(1)), wide).pairs) == 32


def test_where_layers_differ_what_is_of_one_kind_is_added() -> None:
    """Seen to fail with the last layer's weight in place of the sum."""
    place = {"roi": "m.n0", "index": 0, "kind": "mlp", "task": "add", "side": "reads", "port": "in", "other_kind": "attention"}
    deep = [{**place, "layer": 1, "other_layer": layer, "weight": weight} for layer, weight in ((0, 1.0), (1, 2.0))]
    shallow = [{**place, "layer": 0, "other_layer": 0, "weight": 5.0}]
    loop = {"roi": "m.n1", "index": 1, "side": "writes"}
    deep += [{**row, **loop, "weight": weight} for row, weight in zip(deep, (2.0, 2.0), strict=True)]
    shallow += [{**shallow[0], **loop, "weight": 20.0 / 3}]
    found = match_signatures(Profiles(a=deep, b=shallow), "a", "b", draws=2)
    assert found.pairs == (("m.n0", "m.n0", pytest.approx(1.0)), ("m.n1", "m.n1", pytest.approx(1.0)))


def test_the_unit_of_a_metric_and_the_strength_of_a_graph_do_not_count() -> None:
    """One task in other units, the other graph ten times as strong; seen to fail without the scale per task."""
    one, other = graph(model(3)), graph(model(4))
    scaled = replace(other, edges=replace(other.edges, weight=other.edges.weight * np.array([[1000.0], [0.1]])))
    before, after = match(one, other, 9), match(one, scaled, 9)
    assert [(a, b) for a, b, _ in before.pairs] == [(a, b) for a, b, _ in after.pairs]
    assert after.verdict.similarity == pytest.approx(before.verdict.similarity)


def test_only_what_both_graphs_have_counts() -> None:
    one = graph(model(5))
    half = replace(one, edges=replace(one.edges, tasks=("first", "third")))
    found = match(one, half)
    assert found.tasks == ("first",)
    assert found.verdict.held_out is None
    assert all(a == b for a, b, _ in found.pairs)


def test_nothing_to_match_says_why() -> None:
    one, other = (profile_rows(graph_.partition, graph_.edges) for graph_ in (reference_graph(200), own_graph(100)))
    renamed = [{**row, "task": f"other {row['task']}"} for row in other]
    with pytest.raises(StoreError, match="nothing with heads or neurons is published in slot 'nowhere'"):
        match_signatures(Profiles(a=one), "a", "nowhere")
    with pytest.raises(StoreError, match=r"no task in common \(add, max; other add, other max\)"):
        match_signatures(Profiles(a=one, b=renamed), "a", "b")
    heads, neurons = ([row for row in one if row["kind"] == kind] for kind in ("attention", "mlp"))
    with pytest.raises(StoreError, match="no kind of ROI in common"):
        match_signatures(Profiles(a=heads, b=neurons), "a", "b")
