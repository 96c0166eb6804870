from collections.abc import Callable

import numpy as np
import pytest

from roicg.core.settings import RoiSettings
from roicg.core.sites import transformer_sites
from roicg.models.lens import Lens
from roicg.numerics.similarity import correlation, eigengap, rowabs, similarity_graph
from roicg.rois import quality
from roicg.rois.methods import agglomerative
from roicg.rois.partition import own_partition
from roicg.rois.quality import Halves, agreement, least_recovery, recovery
from roicg.rois.signatures import activation_signatures

SETTINGS = RoiSettings(null_draws=10)


def quality_of(lens: Lens, prompts: object, shuffle: int | None = None) -> quality.SiteQuality:
    signature = activation_signatures(lens, [prompts], SETTINGS)["m0"]
    if shuffle is not None:
        signature = np.random.default_rng(shuffle).permuted(signature, axis=1)
    return own_partition(lens.sites, {"m0": signature}, SETTINGS).quality["m0"]


@pytest.mark.parametrize("seed", ["seed2", "seed3"])
def test_groups_of_trained_models_stand_above_both_nulls(seed: str, modadd_lens: Callable, modadd_prompts: Callable) -> None:
    found = quality_of(modadd_lens(seed), modadd_prompts(0))
    assert found.above_null
    assert min(found.z_rotation, found.z_shuffle) >= 7.4
    assert found.p_rotation == found.p_shuffle == pytest.approx(1 / 11)
    assert found.stability > 0.9


@pytest.mark.parametrize("seed", [3, 16])
def test_untrained_models_are_not_above_the_nulls(seed: int, untrained_lens: Callable, modadd_prompts: Callable) -> None:
    """Two in which average linkage happens on a balanced split: its own draws alone give z > 600."""
    assert not quality_of(untrained_lens(seed), modadd_prompts(seed)).above_null


@pytest.mark.parametrize("seed", ["seed2", "seed3"])
def test_shuffled_prompts_are_not_above_the_nulls(seed: str, modadd_lens: Callable, modadd_prompts: Callable) -> None:
    assert not quality_of(modadd_lens(seed), modadd_prompts(0), shuffle=1).above_null


def test_features_that_share_directions_but_no_groups_are_not_above_the_null() -> None:
    rng = np.random.default_rng(0)
    signature = rng.standard_normal((120, 3)) @ rng.standard_normal((3, 300))
    found = own_partition(transformer_sites(1, 4, 120), {"m0": signature}, SETTINGS).quality["m0"]
    assert found.z_shuffle > 5 > found.z_rotation
    assert not found.above_null


def test_a_subset_stands_for_many_features(planted: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    signature, _ = planted((60, 50, 40), seed=0)
    monkeypatch.setattr(quality, "NULL_FEATURES", 100)
    found = own_partition(transformer_sites(1, 4, 150), {"m0": signature}, SETTINGS).quality["m0"]
    assert found.above_null
    assert found.n_rois == 3


def stability(signature: np.ndarray, k: int) -> float:
    return agreement(Halves.of(signature, np.random.default_rng(0)).groups(agglomerative, k, 0))


def test_stability_is_high_for_planted_groups_low_for_noise_and_zero_without_columns(planted: Callable) -> None:
    assert stability(planted((20, 20), seed=0)[0], 2) == 1.0
    noise = np.random.default_rng(0).standard_normal((40, 200))
    assert stability(noise, eigengap(similarity_graph(rowabs(correlation(noise))))) < 0.5
    assert stability(noise[:, :3], 2) == 0.0


def test_halves_cut_their_hierarchies_as_the_method_does(planted: Callable) -> None:
    halves = Halves.of(planted((20, 20), seed=0)[0], np.random.default_rng(0))
    for k in (2, 5, 40):
        for ours, theirs in zip(halves.cuts(k), halves.groups(agglomerative, k, 0), strict=True):
            assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_recovery_is_the_mean_largest_jaccard_index_over_halves() -> None:
    """By hand: group 0 = {0,1,2} is found as {0,1,2} and {0,1,2,3}: 1 and 3/4; group 7 = {3,4} as {3,4} and {4}: 1 and 1/2."""
    labels = np.array([0, 0, 0, 7, 7])
    assert recovery(labels, [(np.array([5, 5, 5, 1, 1]), np.array([2, 2, 2, 2, 3]))]) == {0: pytest.approx(7 / 8), 7: pytest.approx(3 / 4)}
    assert recovery(labels, []) == {}


def test_least_recovery_sees_the_crumb_that_ari_does_not() -> None:
    """By hand: {0..18} and the crumb {19} against {0..17, 19} and the crumb {18}: the crumb is found again as one of 19."""
    first, second = np.zeros(20, dtype=int), np.zeros(20, dtype=int)
    first[19], second[18] = 1, 1
    assert least_recovery([(first, second)]) == pytest.approx(1 / 19)
    assert least_recovery([(first, first), (first, second)]) == pytest.approx((1 + 1 / 19) / 2)
    assert least_recovery([]) == 0.0


def test_a_group_cut_at_random_is_found_again_by_half(planted: Callable) -> None:
    """Of two planted groups the second is cut in two at random: each part is half of what every half of the columns finds."""
    signature, truth = planted((30, 30), seed=0)
    labels = truth.copy()
    labels[np.flatnonzero(truth == 1)[::2]] = 2
    halves = Halves.of(signature, np.random.default_rng(0)).groups(agglomerative, 2, 0)
    assert recovery(labels, halves) == {0: 1.0, 1: pytest.approx(0.5), 2: pytest.approx(0.5)}
