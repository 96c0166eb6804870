"""How many groups a site has, and what every other level would give: structure is real at several levels, no K is the truth.

``auto``: the eigengap, which picks the coarsest strong level. ``fine``: the level up to K_max at which halves of the columns
agree on the most groups of at least two features (the smaller K wins a tie), if these are more than at ``auto``. Halves agree
on a level when their partitions have ARI ≥ ``AGREED`` and every group of one half shares at least ``FOUND_AGAIN`` with a group
of the other (Jaccard; mean over splits). ARI alone hardly sees crumbs (18 "groups" come of three planted ones), and single
features are found again by every half: a group that falls apart is no finer structure. A number: that many groups.

On the two given models of addition mod 113 ``auto`` finds the frequencies (4 and 3 groups) and ``fine`` phase sub-groups
within them: 6 and 6 with 256 prompts, 11 and 21 with 2,000, none across two frequencies. In a rotated feature basis halves agree with ARI .1 to .4,
on shuffled prompts with 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

from roicg.core.errors import StudyError
from roicg.numerics.similarity import eigengap, graph_modularity, largest_k, similarity_graph
from roicg.rois.landmarks import Clustered
from roicg.rois.methods import Method, agglomerative, cut, merge_tree
from roicg.rois.quality import Halves, Labels, agreement, least_recovery

AGREED = 0.9
"""ARI between halves of the columns from which on a finer level counts as reproducible."""
FOUND_AGAIN = 0.5
"""Jaccard index from which on a group of one half counts as found by the other: more in common than not."""
FEWEST_TO_GROUP = 4
"""With fewer live features no eigengap is left to choose from: they stay one group."""


@dataclass(frozen=True, slots=True)
class Level:
    """``k`` groups are asked for; ``auto`` is the eigengap's number, ``searched`` whether that was the choice."""

    k: int
    auto: int
    searched: bool


def check_level(site: str, level: Literal["auto", "fine"] | int, n_live: int) -> None:
    """``StudyError`` where a site has fewer live features than the groups a study asks for."""
    if isinstance(level, int) and n_live < max(level, FEWEST_TO_GROUP):
        raise StudyError(
            f"rois.level: {level} asks for {level} groups, but site {site} has {n_live} live features and needs at least "
            f"{max(level, FEWEST_TO_GROUP)}; ask for fewer, or for auto"
        )


def choose_level(site: str, level: Literal["auto", "fine"] | int, clustered: Clustered, n: int, halves: Halves, method: Method, seed: int) -> Level:
    """How many groups ``n`` live features get."""
    nodes, k_max = len(clustered.similarity), largest_k(n)
    auto = eigengap(similarity_graph(clustered.similarity), k_max)
    if level == "auto":
        return Level(auto, auto, True)
    if level == "fine":
        return Level(_finest(halves, auto, min(k_max, nodes), method, seed), auto, False)
    if level > nodes:
        raise StudyError(
            f"rois.level: {level} asks for {level} groups, but the {n} features of site {site} are grouped through {nodes} landmarks; ask for fewer"
        )
    return Level(level, auto, False)


def _halves(halves: Halves, method: Method, k: int, seed: int) -> tuple[tuple[Labels, Labels], ...]:
    return halves.cuts(k) if method is agglomerative else halves.groups(method, k, seed)


def _finest(halves: Halves, auto: int, k_max: int, method: Method, seed: int) -> int:
    chosen, most = auto, _shared(_halves(halves, method, auto, seed))
    for k in range(auto + 1, k_max + 1):
        pairs = _halves(halves, method, k, seed)
        if _shared(pairs) > most and least_recovery(pairs) >= FOUND_AGAIN and agreement(pairs) >= AGREED:
            chosen, most = k, _shared(pairs)
    return chosen


def _shared(pairs: tuple[tuple[Labels, Labels], ...]) -> int:
    """How many groups of at least two features every half has; 0 without halves."""
    return min((int((np.bincount(np.unique(half, return_inverse=True)[1]) > 1).sum()) for pair in pairs for half in pair), default=0)


def hierarchy(clustered: Clustered, halves: Halves, level: Level, n: int) -> dict[str, Any]:
    """What a reader chooses a level from: 2 … max(2·K, K_max) groups of average linkage with their ``sizes`` and ``modularity``.

    Also ``stability`` (ARI between halves) and ``least_recovery`` (the Jaccard index of the group they find again least).
    ``auto``: the eigengap's number. Cuts are nested: each level splits one group of the level above it. Keys are strings, as in JSON.
    """
    tree, graph = merge_tree(clustered.similarity), similarity_graph(clustered.similarity)
    finest = min(max(2 * level.k, largest_k(n)), len(graph))
    levels = {str(k): _level(clustered, graph, tree, halves, k) for k in range(2, finest + 1)}
    return {"auto": level.auto, "levels": levels}


def _level(clustered: Clustered, graph: Float[np.ndarray, "m m"], tree: Float[np.ndarray, "merge 4"], halves: Halves, k: int) -> Mapping[str, Any]:
    labels: Int[np.ndarray, " m"] = cut(tree, k)
    sizes = sorted(np.bincount(clustered.spread(labels)).tolist(), reverse=True)
    pairs = halves.cuts(k)
    return {"sizes": sizes, "modularity": graph_modularity(graph, labels), "stability": agreement(pairs), "least_recovery": least_recovery(pairs)}
