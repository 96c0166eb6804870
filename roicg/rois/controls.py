"""Partitions that a claim about ROIs is compared with: the two extremes, groups of the same sizes at random, and the reference."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from roicg.core.partition import Roi, RoiPartition
from roicg.core.sites import Site
from roicg.rois.partition import feature_rois


def components(sites: tuple[Site, ...]) -> RoiPartition:
    """Kind ``components``: one ROI per attention head, one per MLP (key ``m0``), one per feature elsewhere."""
    return RoiPartition("components", sites, tuple(roi for site in sites for roi in _component_rois(site)), settings={})


def singletons(sites: tuple[Site, ...]) -> RoiPartition:
    """Kind ``singletons``: one ROI per feature (``m0.n17``, ``a0.h1``)."""
    return RoiPartition("singletons", sites, tuple(roi for site in sites for roi in feature_rois(site)), settings={})


def random_like(partition: RoiPartition, seed: int) -> RoiPartition:
    """Kind ``random``: the same keys and sizes with members drawn anew within each site.

    Kept as they are: ``rest`` ROIs (their features are dead) and sites that hold one ROI per feature.
    """
    rois: list[Roi] = []
    for site in partition.sites:
        here = [partition.rois[i] for i in partition.of_site(site.key)]
        drawn = [roi for roi in here if not roi.is_rest]
        if all(roi.size == 1 for roi in drawn):
            rois.extend(replace(roi, label="") for roi in here)
            continue
        pool = np.array(sorted(index for roi in drawn for index in roi.members))
        pool = np.random.default_rng([seed, *site.key.encode()]).permutation(pool)
        ends = np.cumsum([roi.size for roi in drawn])
        parts = iter(np.split(pool, ends[:-1]))
        rois.extend(replace(roi, label="") if roi.is_rest else replace(roi, members=tuple(sorted(next(parts).tolist())), label="") for roi in here)
    return RoiPartition("random", partition.sites, tuple(rois), settings={"like": partition.id, "seed": seed})


def as_reference(partition: RoiPartition) -> RoiPartition:
    """The same ROIs as kind ``reference``: the node set that all checkpoints of a model share."""
    return replace(partition, kind="reference", settings={**partition.settings, "own": partition.id})


def _component_rois(site: Site) -> Iterable[Roi]:
    if site.kind == "mlp":
        return (Roi(site.key, site.key, site.layer, site.kind, tuple(range(site.n_features))),)
    return feature_rois(site)
