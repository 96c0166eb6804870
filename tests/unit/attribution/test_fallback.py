"""Groups that a path cannot be trusted in are done again by exact patching, and say so."""

from dataclasses import replace

import pytest
from pydantic import ValidationError

from roicg.attribution.edges import EdgeAttribution, attribute_edges
from roicg.core.settings import AttributionSettings
from roicg.models.lens import Lens
from roicg.rois.controls import components, singletons
from tests.lenses import make_lens, make_prompts


def found(lens: Lens, path: str, **more: object) -> dict[str, EdgeAttribution]:
    chosen = AttributionSettings(**{"path": path, "steps": 1, "max_steps": 2, "tolerance": 0.02, "dtype": "float64", **more})
    partitions = {"components": components(lens.sites), "singletons": singletons(lens.sites)}
    return attribute_edges(lens, [make_prompts(5, n=4)], partitions, chosen)


def by_group(attribution: EdgeAttribution) -> dict[str, dict[tuple[str, str], float]]:
    keys, edges = [roi.key for roi in attribution.partition.rois], attribution.edges
    groups: dict[str, dict[tuple[str, str], float]] = {}
    for u, v, port, weight in zip(edges.source, edges.target, edges.port, edges.weight[0], strict=True):
        groups.setdefault(f"{keys[v].split('.')[0]}.{port}", {})[keys[u], keys[v]] = float(weight)
    return groups


@pytest.mark.parametrize("path", ["ports", "inputs", "clean"])
def test_flagged_groups_get_exact_edges_and_the_rest_keep_theirs(path: str) -> None:
    """For every partition at once; effect, method, steps and flags follow.

    Seen to fail with the method and the books of the exact pass beside the old edges.
    """
    lens, tolerance = make_lens(11, scale=0.3), 0.02 if path == "ports" else 0.15  # so that some groups are flagged, and not all
    before, after = found(lens, path, group_effects=True, tolerance=tolerance), found(lens, path, fallback="exact", tolerance=tolerance)
    exact = found(lens, "exact")
    for name in before:
        flagged = {group.group for group in before[name].port_groups if group.saturated or not group.complete}
        assert 0 < len(flagged) < len(before[name].port_groups)
        weights = [by_group(attribution[name]) for attribution in (before, after, exact)]
        for old, new, oracle in zip(before[name].port_groups, after[name].port_groups, exact[name].port_groups, strict=True):
            if old.group in flagged:
                assert new.method == "exact"
                assert new.complete
                assert weights[1][old.group] == pytest.approx(weights[2][old.group], abs=1e-13)
                assert new.effect == pytest.approx(oracle.effect, abs=1e-13)
                assert new.gap == pytest.approx(oracle.effect - sum(weights[2][old.group].values()), abs=1e-12)
            else:
                assert new == old
                assert weights[1][old.group] == weights[0][old.group]


def test_without_a_flag_nothing_falls_back() -> None:
    lens = make_lens(11, scale=0.2)
    found_ = found(lens, "ports", max_steps=64, fallback="exact")["components"]
    assert {group.method for group in found_.port_groups} == {"ports"}


@pytest.mark.parametrize("path", ["inputs", "clean"])
def test_effects_are_measured_where_they_are_asked_for(path: str) -> None:
    """The effect of a group does not depend on the path; unasked it is null, and the edges are the same either way."""
    lens = make_lens(12)
    without, given, ports = found(lens, path)["components"], found(lens, path, group_effects=True)["components"], found(lens, "ports")["components"]
    assert (without.edges.weight == given.edges.weight).all()
    for group, measured, reference in zip(without.port_groups, given.port_groups, ports.port_groups, strict=True):
        assert measured.effect == pytest.approx(reference.effect, abs=1e-13)
        if group.group != "logits.in":
            assert group == replace(group, effect=None, gap=None)
            assert group.complete


def test_effects_cannot_be_left_out_where_edges_are_checked_against_them() -> None:
    for wrong in ({"path": "ports"}, {"path": "inputs", "fallback": "exact"}):
        with pytest.raises(ValidationError, match="nothing to check the edges against"):
            AttributionSettings(group_effects=False, **wrong)
