import contextlib
import io
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from roicg.core.errors import LawError, StudyError
from roicg.core.settings import RoiSettings
from roicg.core.sites import transformer_sites
from roicg.models.lens import Lens
from roicg.numerics.agreement import adjusted_rand
from roicg.rois.partition import own_partition
from roicg.rois.signatures import activation_signatures

FAST = RoiSettings(null_draws=2)
Planted = Callable[..., tuple[np.ndarray, np.ndarray]]


def sizes_of(partition: object, site: str = "m0") -> list[int]:
    return [roi.size for roi in partition.rois if roi.site == site]


@pytest.mark.parametrize("sizes", [(20, 20), (30, 20, 14), (16, 16, 16, 16, 16, 16)])
def test_planted_groups_are_found_exactly_and_named_by_size(planted: Planted, sizes: tuple[int, ...]) -> None:
    signature, truth = planted(sizes, seed=1)
    partition = own_partition(transformer_sites(1, 4, len(truth)), {"m0": signature}, FAST)
    assert adjusted_rand(partition.labels("m0"), truth) == 1.0
    assert sizes_of(partition) == sorted(sizes, reverse=True)
    assert [roi.key for roi in partition.rois] == ["tok", *(f"a0.h{i}" for i in range(4)), *(f"m0.r{i}" for i in range(len(sizes))), "logits"]
    assert partition.settings["k"] == {"m0": len(sizes)}


@pytest.mark.parametrize("seed", ["seed2", "seed3"])
def test_fourier_groups_of_trained_models_are_found_with_the_default_setting(
    seed: str,
    modadd_lens: Callable[[str], Lens],
    modadd_prompts: Callable,
    neuron_frequencies: Callable,
) -> None:
    lens = modadd_lens(seed)
    frequency, labelled = neuron_frequencies(seed)
    signatures = activation_signatures(lens, [modadd_prompts(0)], FAST)
    partition = own_partition(lens.sites, signatures, FAST)
    assert adjusted_rand(partition.labels("m0")[labelled], frequency[labelled]) >= 0.95


def test_features_that_do_not_vary_are_the_rest(planted: Planted) -> None:
    signature, truth = planted((20, 20), seed=2)
    signature[5] = 3.0
    signature[9] *= 1e-4
    partition = own_partition(transformer_sites(1, 4, 40), {"m0": signature}, FAST)
    rest = next(roi for roi in partition.rois if roi.is_rest)
    assert (rest.key, rest.members) == ("m0.rest", (5, 9))
    live = np.delete(np.arange(40), [5, 9])
    assert adjusted_rand(partition.labels("m0")[live], truth[live]) == 1.0


def test_there_is_no_rest_without_dead_features(planted: Planted) -> None:
    partition = own_partition(transformer_sites(1, 4, 40), {"m0": planted((20, 20), seed=2)[0]}, FAST)
    assert not any(roi.is_rest for roi in partition.rois)


@pytest.mark.parametrize("live", [0, 1, 3, 4, 5])
def test_hardly_any_live_feature_is_no_crash(live: int) -> None:
    signature = np.zeros((20, 50))
    signature[:live] = np.random.default_rng(0).standard_normal((live, 50))
    partition = own_partition(transformer_sites(1, 4, 20), {"m0": signature}, FAST)
    assert sum(sizes_of(partition)) == 20
    assert not partition.quality["m0"].above_null


def test_small_sites_keep_one_roi_per_feature_and_need_no_signature() -> None:
    partition = own_partition(transformer_sites(2, 4, 8, tok_features=3), {}, FAST)
    assert [roi.key for roi in partition.rois][:7] == ["tok[0]", "tok[1]", "tok[2]", "a0.h0", "a0.h1", "a0.h2", "a0.h3"]
    assert partition.rois[7].key == "m0.n0"
    assert not partition.quality


def test_many_heads_are_grouped(planted: Planted) -> None:
    signature, truth = planted((10, 8), seed=3)
    partition = own_partition(transformer_sites(1, 18, 0), {"a0": signature}, FAST)
    assert adjusted_rand(partition.labels("a0"), truth) == 1.0
    assert "a0.r0" in {roi.key for roi in partition.rois}


@pytest.mark.parametrize(
    ("signatures", "message"),
    [
        ({}, "no signature"),
        ({"m0": np.zeros((3, 5))}, "must be"),
        ({"m0": np.full((20, 5), np.nan)}, "not finite"),
    ],
)
def test_bad_signatures_are_refused(signatures: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(LawError, match=message):
        own_partition(transformer_sites(1, 4, 20), signatures, FAST)


def test_an_unknown_method_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(StudyError, match=r"did you mean 'spectral'"):
        own_partition(transformer_sites(1, 4, 8), {}, RoiSettings(method="spectrall"))


SCRIPT = """
import numpy as np
from roicg.core.settings import RoiSettings
from roicg.core.sites import transformer_sites
from roicg.rois.partition import own_partition
signature = np.random.default_rng(4).standard_normal((40, 100))
for method in ("agglomerative", "spectral", "kmeans", "leiden"):
    partition = own_partition(transformer_sites(1, 4, 40), {"m0": signature}, RoiSettings(method=method, null_draws=2, seed=3))
    print(partition.id, partition.quality)
"""


def test_another_process_finds_the_same() -> None:
    here = io.StringIO()
    with contextlib.redirect_stdout(here):
        exec(SCRIPT, {})
    there = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, check=True, text=True).stdout
    assert there.count("\n") == 4
    assert here.getvalue() == there
