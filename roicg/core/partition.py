"""ROIs: features of one site that act alike, and partitions that give every feature exactly one ROI."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from jaxtyping import Int

from roicg.core.errors import LawError
from roicg.core.ids import digest
from roicg.core.sites import Site, SiteKind

PartitionKind = Literal["own", "reference", "components", "singletons", "random", "directions"]
PARTITION_KINDS: tuple[PartitionKind, ...] = ("own", "reference", "components", "singletons", "random", "directions")


@dataclass(frozen=True, slots=True)
class Roi:
    """A region of interest. Keys: ``tok``, ``a0.h1`` (one head), ``m0.r3``, ``m0.rest``, ``m0`` (a whole site), ``logits``."""

    key: str
    site: str
    layer: int | None
    kind: SiteKind
    members: tuple[int, ...]
    is_rest: bool = False
    label: str = ""

    @property
    def size(self) -> int:
        """Number of features."""
        return len(self.members)


@dataclass(frozen=True, slots=True)
class SiteQuality:
    """How real the groups of one site are: modularity against two nulls (the smaller z counts); ``above_null`` = both z ≥ 5."""

    n_rois: int
    modularity: float
    z_rotation: float
    z_shuffle: float
    p_rotation: float
    p_shuffle: float
    stability: float
    above_null: bool


@dataclass(frozen=True, slots=True)
class RoiPartition:
    """Every feature of every site in exactly one ROI (checked); ROIs in site order, then key order within the method.

    ``quality`` holds one entry per site that was clustered; sites that keep one ROI per feature have none.
    ``settings`` is what made it (method, signature, seed, …) and is part of the id, as are the members.
    """

    kind: PartitionKind
    sites: tuple[Site, ...]
    rois: tuple[Roi, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    quality: Mapping[str, SiteQuality] = field(default_factory=dict)

    def __post_init__(self) -> None:
        keys = [roi.key for roi in self.rois]
        if len(set(keys)) != len(keys):
            raise LawError(f"partition {self.kind!r}: two ROIs share a key")
        known = {site.key for site in self.sites}
        for site in self.sites:
            members = sorted(index for roi in self.rois if roi.site == site.key for index in roi.members)
            if members != list(range(site.n_features)):
                raise LawError(f"partition {self.kind!r}: the ROIs of site {site.key} do not hold each of its {site.n_features} features exactly once")
        for roi in self.rois:
            if roi.site not in known:
                raise LawError(f"partition {self.kind!r}: ROI {roi.key} names the unknown site {roi.site}")

    @property
    def id(self) -> str:
        """Content id: kind, keys and members; labels and quality are no part of it."""
        return digest(self.kind, [[roi.key, roi.site, list(roi.members), roi.is_rest] for roi in self.rois])

    def of_site(self, site: str) -> tuple[int, ...]:
        """Indices (into ``rois``) of the ROIs of ``site``."""
        return tuple(i for i, roi in enumerate(self.rois) if roi.site == site)

    def labels(self, site: str) -> Int[np.ndarray, " feature"]:
        """For each feature of ``site`` the position of its ROI within ``of_site(site)``."""
        n = next(s.n_features for s in self.sites if s.key == site)
        labels = np.empty(n, dtype=np.int64)
        for position, index in enumerate(self.of_site(site)):
            labels[list(self.rois[index].members)] = position
        return labels
