"""Modules that are known by construction: models stitched of parts that no weight joins (models/stitched.py)."""

from pathlib import Path

import numpy as np
import pytest

from roicg.attribution.nodes import attribution_signatures
from roicg.core.prompts import TaskPrompts
from roicg.core.settings import RoiSettings
from roicg.models.lens import Lens
from roicg.numerics.agreement import adjusted_rand
from roicg.rois.partition import own_partition
from roicg.rois.signatures import activation_signatures
from tests.stitched import noisy_signatures, raw_activations, stitched_model

SETTINGS = RoiSettings(null_draws=3)
Stitched = tuple[Lens, list[TaskPrompts], dict[str, np.ndarray]]


@pytest.fixture(scope="module", params=[("multitask", 30), ("modadd", 100)], ids=lambda param: f"{param[0]}-{param[1]}")
def stitched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stitched:
    """Three parts: two layers on four tasks each after 30 steps, or one layer on addition (moduli 11, 13, 17) after 100."""
    folder: Path = tmp_path_factory.mktemp("stitched")
    which, steps = request.param
    return stitched_model(which, steps, folder, n=32)


def agreement_with_parts(stitched: Stitched, found: dict[str, np.ndarray]) -> dict[str, float]:
    """Site → ARI between ROIs and parts, over the features that vary; and whether every site stands above its nulls."""
    lens, _, parts = stitched
    partition = own_partition(lens.sites, {site: found[site] for site in parts}, SETTINGS)
    scores = {}
    for site, part in parts.items():
        live = np.ones(len(part), dtype=bool)
        for roi in partition.rois:
            if roi.site == site and roi.is_rest:
                live[list(roi.members)] = False
        assert live.mean() > 0.8
        scores[site] = adjusted_rand(partition.labels(site)[live], part[live])
    return scores


def test_the_parts_are_found_at_every_mlp(stitched: Stitched) -> None:
    """Seen to fail with activations as they are, in which all features share the steps between tasks and positions: see the next test."""
    lens, prompts, parts = stitched
    assert agreement_with_parts(stitched, activation_signatures(lens, prompts, SETTINGS)) == dict.fromkeys(parts, 1.0)


def test_they_are_not_found_in_activations_as_they_are(stitched: Stitched) -> None:
    """The control: what taking out the means at each position of each task is for."""
    lens, prompts, _ = stitched
    assert max(agreement_with_parts(stitched, raw_activations(lens, prompts)).values()) < 0.5


def test_the_parts_are_found_by_attribution(stitched: Stitched) -> None:
    """Fewer neurons carry something than vary: those that carry nothing are the rest."""
    lens, prompts, parts = stitched
    found = attribution_signatures(lens, prompts, seed=0)
    partition = own_partition(lens.sites, {site: found[site] for site in parts}, SETTINGS)
    for site, part in parts.items():
        of_part = [set(part[list(roi.members)]) for roi in partition.rois if roi.site == site and not roi.is_rest]
        assert len(of_part) == 3
        assert all(len(one) == 1 for one in of_part)


@pytest.mark.parametrize("seed", range(3))
def test_the_parts_are_found_through_noise(stitched: Stitched, seed: int) -> None:
    """SNR 3 per feature: variance of what differs between prompts over variance of the noise (tests/stitched.py)."""
    lens, prompts, _ = stitched
    assert min(agreement_with_parts(stitched, noisy_signatures(lens, prompts, 3.0, seed)).values()) >= 0.9
