"""A site's features → ROIs.

1. Features whose variance is below 1e-6 of the site's largest are dead: they become the site's ``rest`` ROI.
2. Correlate the live ones and compare their rows of |correlation| (``numerics/similarity.py``).
3. K = eigengap of the normalised similarity graph, 2 ≤ K ≤ max(20, √n); the method (default: average linkage) groups.
4. Name the groups by falling size, so that renumbering the features renames nothing unless two sizes are equal.
5. Quality against two nulls (``quality.py``). A partition that is not above them is returned all the same, and says so.

Sites with fewer than ``min_features`` features keep one ROI per feature. The defaults come from trained models of
modular addition; nothing in them knows about Fourier features.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float, Int

from roicg.core.errors import LawError
from roicg.core.partition import Roi, RoiPartition, SiteQuality
from roicg.core.settings import RoiSettings
from roicg.core.sites import Site
from roicg.numerics.similarity import correlation, eigengap, graph_modularity, rowabs, similarity_graph
from roicg.rois.methods import Method, cut, find_method, merge_tree
from roicg.rois.quality import NO_GROUPS, site_quality

DEAD_VARIANCE = 1e-6
"""Share of the site's largest variance below which a feature is dead."""
FEWEST_TO_GROUP = 4
"""With fewer live features no eigengap is left to choose from: they stay one group."""

Signature = Float[np.ndarray, "feature column"]


def own_partition(sites: tuple[Site, ...], signatures: Mapping[str, Signature], settings: RoiSettings) -> RoiPartition:
    """Partition of kind ``own``: every feature of every site in exactly one ROI.

    ``signatures``: site key → [feature, column], needed for each site with at least ``settings.min_features`` features.
    ``settings`` of the result holds, besides what was asked for, ``k`` (site → groups before ``rest``) and ``hierarchy``
    (site → number of groups → their sizes, coarser and finer). Raises ``LawError`` on missing, misshapen or non-finite
    signatures and ``StudyError`` on an unknown method.
    """
    from threadpoolctl import threadpool_limits

    method = find_method(settings.method)
    rois: list[Roi] = []
    quality: dict[str, SiteQuality] = {}
    k: dict[str, int] = {}
    hierarchy: dict[str, dict[str, list[int]]] = {}
    for site in sites:
        if site.n_features < settings.min_features:
            rois.extend(feature_rois(site))
            continue
        signature = _checked(site, signatures)
        live = live_features(signature)
        with threadpool_limits(1):  # sums in one order whatever the number of cores; and faster than two threads on small matrices
            groups, hierarchy[site.key], quality[site.key] = _groups(site, signature[live], method, settings)
        members = np.flatnonzero(live)
        rois.extend(_named(site, [members[group] for group in groups], np.flatnonzero(~live)))
        k[site.key] = len(groups)
    made_by = {**settings.model_dump(), "similarity": "rowabs", "k": k, "hierarchy": hierarchy}
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
    variance = signature.var(axis=1, dtype=np.float64)
    rounding = 1e-12 * float(np.abs(signature).max(initial=0.0)) ** 2
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


def _groups(
    site: Site, signature: Signature, method: Method, settings: RoiSettings
) -> tuple[list[Int[np.ndarray, " member"]], dict[str, list[int]], SiteQuality]:
    """Groups of live features (largest first, ties by smallest member), sizes of coarser and finer cuts, quality."""
    n = len(signature)
    if n < FEWEST_TO_GROUP:
        return ([np.arange(n)] if n else []), {}, NO_GROUPS
    similarity = rowabs(correlation(signature))
    graph = similarity_graph(similarity)
    k = eigengap(graph)
    labels = method(similarity, k, settings.seed)
    groups = sorted((np.flatnonzero(labels == label) for label in np.unique(labels)), key=lambda group: (-len(group), group[0]))
    quality = site_quality(
        signature, k, len(groups), graph_modularity(graph, labels), method, draws=settings.null_draws, seed=settings.seed, stream=site.key.encode()
    )
    return groups, _cut_sizes(similarity, k), quality


def _cut_sizes(similarity: Float[np.ndarray, "n n"], k: int) -> dict[str, list[int]]:
    """Sizes of the average-linkage cuts into 2 … 2k groups: the levels around the one that was chosen."""
    tree = merge_tree(similarity)
    finest = min(2 * k, len(similarity))
    return {str(count): sorted(np.bincount(cut(tree, count)).tolist(), reverse=True) for count in range(2, finest + 1)}


def _named(site: Site, groups: list[Int[np.ndarray, " member"]], dead: Int[np.ndarray, " member"]) -> list[Roi]:
    rois = [Roi(f"{site.key}.r{i}", site.key, site.layer, site.kind, tuple(group.tolist())) for i, group in enumerate(groups)]
    if len(dead):
        rois.append(Roi(f"{site.key}.rest", site.key, site.layer, site.kind, tuple(dead.tolist()), is_rest=True))
    return rois
