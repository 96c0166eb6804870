"""Laws of every partition: each feature in exactly one ROI, and renumbering features renumbers members and nothing else."""

from collections import Counter
from random import Random

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from roicg.core.partition import RoiPartition
from roicg.core.settings import RoiSettings
from roicg.core.sites import transformer_sites
from roicg.numerics.agreement import adjusted_rand
from roicg.rois.controls import random_like
from roicg.rois.methods import METHODS
from roicg.rois.partition import own_partition


def signature_of(seed: int, n: int, groups: int, dead: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((groups, 60))[rng.integers(0, groups, n)] + 0.5 * rng.standard_normal((n, 60))
    rows[:dead] = rng.standard_normal()
    return rows


def partition_of(signature: np.ndarray, method: str = "agglomerative") -> RoiPartition:
    return own_partition(transformer_sites(1, 1, len(signature)), {"m0": signature}, RoiSettings(method=method, null_draws=2, min_features=2))


cases = st.tuples(st.integers(0, 10_000), st.integers(2, 40), st.integers(1, 6), st.integers(0, 5))


@settings(max_examples=40, deadline=None)
@given(cases, st.sampled_from(sorted(METHODS)))
def test_every_feature_is_in_exactly_one_roi_and_names_fall_by_size(case: tuple[int, int, int, int], method: str) -> None:
    own = partition_of(signature_of(*case), method)
    for partition in (own, random_like(own, case[0])):
        members = sorted(index for roi in partition.rois if roi.site == "m0" for index in roi.members)
        assert members == list(range(case[1]))
        groups = [roi for roi in partition.rois if roi.site == "m0" and not roi.is_rest]
        assert [roi.key for roi in groups] == [f"m0.r{i}" for i in range(len(groups))]
        assert [roi.size for roi in groups] == sorted((roi.size for roi in groups), reverse=True)
        assert all(roi.size > 0 for roi in partition.rois)


@settings(max_examples=40, deadline=None)
@given(cases, st.randoms(use_true_random=False))
@example((0, 8, 1, 0), Random(0))
def test_renumbering_features_renumbers_the_result_and_nothing_else(case: tuple[int, int, int, int], random: Random) -> None:
    """The example has two gaps equal to the last digit. Seen to fail there with a tie decided by rounding."""
    signature = signature_of(*case)
    order = np.array(random.sample(range(len(signature)), len(signature)))
    before, after = partition_of(signature), partition_of(signature[order])
    assert adjusted_rand(before.labels("m0")[order], after.labels("m0")) == 1.0
    assert sorted(roi.size for roi in before.rois) == sorted(roi.size for roi in after.rois)
    assert before.settings["k"] == after.settings["k"]


@settings(max_examples=25, deadline=None)
@given(cases)
def test_each_level_splits_one_group_of_the_level_above_it(case: tuple[int, int, int, int]) -> None:
    """Sizes of 2, 3, … groups, as they are stored. Seen to fail with cuts that skip a merge."""
    partition = partition_of(signature_of(*case))
    kept = partition.settings["hierarchy"]["m0"]
    live = sum(roi.size for roi in partition.rois if roi.site == "m0" and not roi.is_rest)
    levels = {int(k): Counter(level["sizes"]) for k, level in kept.get("levels", {}).items()}
    assert list(levels) == list(range(2, len(levels) + 2))
    for k, sizes in levels.items():
        assert sizes.total() == k
        assert sum(size * count for size, count in sizes.items()) == live
        if k + 1 in levels:
            (whole,) = (sizes - levels[k + 1]).elements()
            assert sum((levels[k + 1] - sizes).elements()) == whole
