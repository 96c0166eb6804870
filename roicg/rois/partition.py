"""A site's features → ROIs.

1. Features whose variance is below 1e-6 of the site's largest are dead: they become the site's ``rest`` ROI.
2. Correlate the live ones and compare their rows of |correlation| (``numerics/similarity.py``); where there are very many,
   landmarks stand for them (``landmarks.py``).
3. K by the study's level (``levels.py``; default: eigengap of the normalised similarity graph, 2 ≤ K ≤ max(20, √n)); the
   method (default: average linkage) groups.
4. Name the groups by falling size, so that renumbering the features renames nothing unless two sizes are equal.
5. Quality against two nulls (``quality.py``). A partition that is not above them is returned all the same, and says so.

Sites with fewer than ``min_features`` features keep one ROI per feature. The defaults come from trained models of
modular addition; nothing in them knows about Fourier features.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from roicg.core.errors import LawError, StudyError
from roicg.core.partition import Roi, RoiPartition, SiteQuality
from roicg.core.settings import RoiSettings
from roicg.core.sites import Site
from roicg.numerics.similarity import graph_modularity, similarity_graph
from roicg.rois.landmarks import Clustered
from roicg.rois.levels import FEWEST_TO_GROUP, check_level, choose_level, hierarchy
from roicg.rois.methods import Method, find_method
from roicg.rois.quality import NO_GROUPS, Halves, against_nulls, agreement, recovery, sampled

DEAD_VARIANCE = 1e-6
"""Share of the site's largest variance below which a feature is dead."""
HALVES_STREAM = 1
"""Ends the seed of the halves' draws: other draws than those of the nulls (a 0 would be padding, and the same draws)."""
BLOCK = 1024
"""Features whose variance is computed at once."""

Signature = Float[np.ndarray, "feature column"]


def own_partition(sites: tuple[Site, ...], signatures: Mapping[str, Signature], settings: RoiSettings) -> RoiPartition:
    """Partition of kind ``own``: every feature of every site in exactly one ROI.

    ``signatures``: site key → [feature, column], needed for each site with at least ``settings.min_features`` features.
    ``settings`` of the result holds, besides what was asked for, ``k`` (site → groups before ``rest``), ``hierarchy`` (site →
    what other levels would give, see ``levels.py``) and ``recovery`` (ROI → how well halves of the columns find it again:
    mean largest Jaccard index). Raises ``LawError`` on missing, misshapen or non-finite signatures, ``StudyError`` on an
    unknown method and on a level that a site cannot have.
    """
    from threadpoolctl import threadpool_limits

    method = find_method(settings.method)
    rois: list[Roi] = []
    made_by: dict[str, Any] = {**settings.model_dump(), "similarity": "rowabs", "k": {}, "hierarchy": {}, "recovery": {}}
    quality: dict[str, SiteQuality] = {}
    for site in sites:
        if site.n_features < settings.min_features:
            rois.extend(feature_rois(site))
            continue
        signature = _checked(site, signatures)
        live = live_features(signature)
        members = np.flatnonzero(live)
        check_level(site.key, settings.level, len(members))
        with threadpool_limits(1):  # sums in one order whatever the number of cores; and faster than two threads on small matrices
            found = _grouped(site, signature if live.all() else signature[live], method, settings)
        named = _named(site, [members[group] for group in found.groups], np.flatnonzero(~live))
        rois.extend(named)
        quality[site.key] = found.quality
        made_by["k"][site.key] = len(found.groups)
        made_by["hierarchy"][site.key] = found.hierarchy
        made_by["recovery"] |= {roi.key: value for roi, value in zip(named, found.recovery, strict=False) if value is not None}
    return RoiPartition("own", sites, tuple(rois), settings=made_by, quality=quality)


def feature_key(site: Site, index: int) -> str:
    """Key of a ROI that holds one feature: ``tok``, ``tok[2]``, ``logits``, ``a0.h1``, ``m0.n17``."""
    if site.kind in ("tok", "logits"):
        return site.key if site.n_features == 1 else f"{site.key}[{index}]"
    return f"{site.key}.{'h' if site.kind == 'attention' else 'n'}{index}"


def feature_rois(site: Site) -> tuple[Roi, ...]:
    """One ROI per feature of ``site``."""
    return tuple(Roi(feature_key(site, i), site.key, site.layer, site.kind, (i,)) for i in range(site.n_features))


def live_features(signature: Signature) -> Bool[np.ndarray, " feature"]:
    """Which features vary: variance above 1e-6 of the largest, and above rounding (1e-12 of the largest squared value)."""
    if signature.shape[1] == 0:
        return np.zeros(len(signature), dtype=bool)
    variance = np.concatenate([signature[i : i + BLOCK].var(axis=1, dtype=np.float64) for i in range(0, len(signature), BLOCK)])
    rounding = 1e-12 * float(max(signature.max(initial=0.0), -signature.min(initial=0.0))) ** 2
    return np.asarray(variance > max(DEAD_VARIANCE * float(variance.max(initial=0.0)), rounding))


def _checked(site: Site, signatures: Mapping[str, Signature]) -> Signature:
    if site.key not in signatures:
        raise LawError(
            f"site {site.key} has {site.n_features} features to group and no signature; pass one, or raise rois.min_features above {site.n_features}"
        )
    signature = signatures[site.key]
    if signature.ndim != 2 or len(signature) != site.n_features:
        raise LawError(f"the signature of site {site.key} has shape {signature.shape}; it must be [{site.n_features} features, columns]")
    if not np.isfinite(signature).all():
        raise LawError(f"the signature of site {site.key} holds values that are not finite; check the weights of this checkpoint")
    return signature


@dataclass(frozen=True, slots=True, eq=False)
class _Grouped:
    """Groups of live features (largest first, ties by smallest member) and what is kept with them; ``recovery`` per group, None where its sample is empty."""

    groups: list[Int[np.ndarray, " member"]]
    quality: SiteQuality
    hierarchy: dict[str, Any]
    recovery: list[float | None]


def _grouped(site: Site, signature: Signature, method: Method, settings: RoiSettings) -> _Grouped:
    n, seed = len(signature), settings.seed
    if n < FEWEST_TO_GROUP:
        return _Grouped([np.arange(n)] if n else [], NO_GROUPS, {}, [])
    clustered, sample = Clustered.of(signature, seed), sampled(signature, seed)
    stands = signature if len(sample) == n else signature[sample]
    halves = Halves.of(stands, np.random.default_rng([seed, *site.key.encode(), HALVES_STREAM]))
    level = choose_level(site.key, settings.level, clustered, n, halves, method, seed)
    nodes = method(clustered.similarity, level.k, seed)
    labels = clustered.spread(nodes)
    groups = sorted((np.flatnonzero(labels == label) for label in np.unique(labels)), key=lambda group: (-len(group), group[0]))
    if isinstance(settings.level, int) and len(groups) != settings.level:
        raise StudyError(
            f"rois.level: method {settings.method!r} gave site {site.key} {len(groups)} groups where {settings.level} were asked for; it takes no number"
        )
    modularity = graph_modularity(similarity_graph(clustered.similarity), nodes)
    k = None if level.searched else level.k
    nulls = against_nulls(stands, modularity, method, k, n, settings.null_draws, seed, np.random.default_rng([seed, *site.key.encode()]))
    again = halves.groups(method, level.k, seed)
    quality = SiteQuality(n_rois=len(groups), modularity=modularity, stability=agreement(again), **nulls)
    found = recovery(labels[sample], again)
    return _Grouped(groups, quality, hierarchy(clustered, halves, level, n), [found.get(int(labels[group[0]])) for group in groups])


def _named(site: Site, groups: list[Int[np.ndarray, " member"]], dead: Int[np.ndarray, " member"]) -> list[Roi]:
    rois = [Roi(f"{site.key}.r{i}", site.key, site.layer, site.kind, tuple(group.tolist())) for i, group in enumerate(groups)]
    if len(dead):
        rois.append(Roi(f"{site.key}.rest", site.key, site.layer, site.kind, tuple(dead.tolist()), is_rest=True))
    return rois
