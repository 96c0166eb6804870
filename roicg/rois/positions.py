"""``positions: split``: one token feature per position, which together are ``tok``."""

from dataclasses import replace

from roicg.core.partition import Roi, RoiPartition
from roicg.core.sites import Site
from roicg.rois.partition import feature_rois


def split_tokens(partition: RoiPartition, sites: tuple[Site, ...]) -> RoiPartition:
    """``partition`` with its ``tok`` ROI replaced by one ROI per position of ``sites``' token site (``tok[0]``, ``tok[1]``, …)."""
    rois: list[Roi] = []
    for site in sites:
        rois.extend(feature_rois(site) if site.kind == "tok" else (partition.rois[i] for i in partition.of_site(site.key)))
    return replace(partition, sites=sites, rois=tuple(rois))
