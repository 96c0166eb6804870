"""Levels: structure within structure, planted; what a stored partition tells of every level; what cannot be asked for."""

from collections.abc import Callable

import numpy as np
import pytest

from roicg.core.errors import StudyError
from roicg.core.partition import RoiPartition
from roicg.core.settings import RoiSettings
from roicg.core.sites import transformer_sites
from roicg.numerics.agreement import adjusted_rand
from roicg.rois import landmarks
from roicg.rois.partition import own_partition


def nested(seed: int, columns: int = 4000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three groups of three sub-groups of 8 rows: each row follows its group's signal, more weakly its sub-group's, and noise; and both truths."""
    rng = np.random.default_rng(seed)
    sub = rng.permutation(np.repeat(np.arange(9), 8))
    rows = rng.standard_normal((3, columns))[sub // 3] + 0.7 * rng.standard_normal((9, columns))[sub] + 0.5 * rng.standard_normal((72, columns))
    return rows, sub // 3, sub


def found(rows: np.ndarray, **settings: object) -> RoiPartition:
    return own_partition(transformer_sites(1, 1, len(rows)), {"m0": rows}, RoiSettings(null_draws=3, **settings))


@pytest.mark.parametrize("seed", range(3))
def test_auto_finds_the_groups_and_fine_the_sub_groups(seed: int) -> None:
    """Halves of the columns agree on the sub-groups and on nothing finer. Seen to fail with ARI as the only criterion."""
    rows, group, sub = nested(seed)
    assert adjusted_rand(found(rows).labels("m0"), group) == 1.0
    for method in ("agglomerative", "spectral"):
        assert adjusted_rand(found(rows, level="fine", method=method).labels("m0"), sub) == 1.0


def test_fine_falls_back_to_the_groups_where_nothing_finer_is_reproducible(planted: Callable) -> None:
    """Seen to fail with the largest K: a group of 14 that falls apart into single features does so on every half."""
    rows, truth = planted((30, 20, 14), seed=1)
    assert adjusted_rand(found(rows, level="fine").labels("m0"), truth) == 1.0
    noise = np.random.default_rng(0).standard_normal((60, 300))
    assert found(noise, level="fine").id == found(noise).id


@pytest.mark.parametrize("k", [2, 3, 9, 40])
def test_a_number_gives_every_clustered_site_that_many_groups(k: int) -> None:
    rows, _, sub = nested(0)
    rows[5] = 1.0
    partition = found(rows, level=k)
    groups = [roi for roi in partition.rois if roi.site == "m0" and not roi.is_rest]
    assert len(groups) == partition.settings["k"]["m0"] == partition.quality["m0"].n_rois == k
    assert sum(roi.size for roi in groups) == 71
    live = np.delete(np.arange(72), 5)
    assert k != 9 or adjusted_rand(partition.labels("m0")[live], sub[live]) == 1.0


def test_a_level_beyond_the_live_features_is_refused() -> None:
    rows = nested(0)[0][:20]
    rows[:14] = 1.0
    with pytest.raises(StudyError, match=r"rois\.level: 7 asks for 7 groups, but site m0 has 6 live features and needs at least 7; ask for fewer"):
        found(rows, level=7)
    assert found(rows, level=6).settings["k"]["m0"] == 6
    with pytest.raises(StudyError, match="site m0 has 3 live features and needs at least 4"):
        found(np.concatenate([np.ones((17, 50)), np.random.default_rng(0).standard_normal((3, 50))]), level=2)


def test_a_method_that_finds_its_own_number_takes_no_level() -> None:
    with pytest.raises(StudyError, match=r"method 'leiden' gave site m0 3 groups where 5 were asked for"):
        found(nested(0)[0], level=5, method="leiden")


def test_a_level_beyond_the_landmarks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landmarks, "LANDMARKS", 30)
    with pytest.raises(StudyError, match="grouped through 30 landmarks"):
        found(nested(0)[0], level=31)


def test_the_stored_hierarchy_tells_what_each_level_would_give() -> None:
    """Every line of it is what a study with that level gets. Seen to fail with the sizes of one level more."""
    rows, _, _ = nested(1)
    kept = found(rows).settings["hierarchy"]["m0"]
    assert kept["auto"] == 3
    assert list(kept["levels"]) == [str(k) for k in range(2, 21)]  # K_max is 20
    for k in (2, 3, 9, 15):
        partition = found(rows, level=k)
        told = kept["levels"][str(k)]
        assert told["sizes"] == [roi.size for roi in partition.rois if roi.site == "m0"]
        assert told["modularity"] == pytest.approx(partition.quality["m0"].modularity)
        assert told["stability"] == pytest.approx(partition.quality["m0"].stability)
    assert kept["levels"]["3"]["least_recovery"] == kept["levels"]["9"]["least_recovery"] == 1.0
    agreed = {
        int(k): sum(size > 1 for size in level["sizes"]) for k, level in kept["levels"].items() if level["stability"] >= 0.9 <= 0.4 + level["least_recovery"]
    }
    fine = max(agreed, key=lambda k: (agreed[k], -k))
    assert fine == found(rows, level="fine").settings["k"]["m0"] == 9, "what fine would choose can be read from it"


def test_the_quality_is_that_of_the_level_that_was_chosen() -> None:
    """Surrogates are cut at the level that was asked for; those of auto find their own K. Seen to fail with the eigengap's K in every surrogate."""
    rows, _, _ = nested(2)
    auto, three, nine = found(rows).quality["m0"], found(rows, level=3).quality["m0"], found(rows, level=9).quality["m0"]
    assert three.modularity == auto.modularity > nine.modularity
    assert three.n_rois == auto.n_rois == 3
    assert three.stability == nine.stability == 1.0
    assert three.z_rotation != auto.z_rotation
    noise = np.random.default_rng(0).standard_normal((60, 300))
    for k in (3, 8, 20):
        assert not found(noise, level=k).quality["m0"].above_null
