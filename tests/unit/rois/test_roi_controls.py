from collections.abc import Callable

import pytest

from roicg.core.partition import RoiPartition
from roicg.core.settings import RoiSettings
from roicg.core.sites import transformer_sites
from roicg.rois.controls import as_reference, components, random_like, singletons
from roicg.rois.partition import own_partition

SITES = transformer_sites(1, 4, 50)


@pytest.fixture
def own(planted: Callable) -> RoiPartition:
    signature, _ = planted((25, 15, 10), seed=0)
    signature[[3, 30]] = 0.0
    return own_partition(SITES, {"m0": signature}, RoiSettings(null_draws=2))


def test_components_are_heads_and_whole_mlps() -> None:
    partition = components(SITES)
    assert [roi.key for roi in partition.rois] == ["tok", "a0.h0", "a0.h1", "a0.h2", "a0.h3", "m0", "logits"]
    assert partition.rois[5].size == 50
    assert partition.kind == "components"


def test_singletons_are_single_features() -> None:
    partition = singletons(SITES)
    assert len(partition.rois) == 1 + 4 + 50 + 1
    assert partition.rois[5 + 17].key == "m0.n17"


def test_random_keeps_keys_sizes_rest_and_single_features(own: RoiPartition) -> None:
    random = random_like(own, 0)
    assert random.kind == "random"
    assert [(roi.key, roi.size, roi.is_rest) for roi in random.rois] == [(roi.key, roi.size, roi.is_rest) for roi in own.rois]
    kept = [(a.members == b.members) for a, b in zip(random.rois, own.rois, strict=True)]
    assert [roi.key for roi, same in zip(own.rois, kept, strict=True) if not same] == ["m0.r0", "m0.r1", "m0.r2"]


def test_random_draws_differ_by_seed_and_repeat_themselves(own: RoiPartition) -> None:
    ids = [random_like(own, seed).id for seed in range(20)]
    assert len(set(ids)) == 20
    assert ids[3] == random_like(own, 3).id


def test_random_of_single_features_is_the_same_rois() -> None:
    assert [roi.members for roi in random_like(singletons(SITES), 0).rois] == [roi.members for roi in singletons(SITES).rois]


def test_random_of_components_is_the_same_members() -> None:
    assert [roi.members for roi in random_like(components(SITES), 0).rois] == [roi.members for roi in components(SITES).rois]


def test_a_reference_has_the_same_rois(own: RoiPartition) -> None:
    reference = as_reference(own)
    assert reference.kind == "reference"
    assert reference.rois == own.rois
    assert reference.settings["own"] == own.id
