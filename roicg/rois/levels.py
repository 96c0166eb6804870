"""How many groups a site has, and what every other level would give: structure is real at several levels, no K is the truth.

``auto``: the eigengap, which picks the coarsest strong level. ``fine``: the largest K up to K_max whose partitions of halves
of the columns still agree (ARI ≥ ``AGREED``), never below that of ``auto``. A number: that many groups.

``AGREED`` is far from what chance gives: on the two given models of addition mod 113 halves agree with ARI .73 to 1 at every
K up to 60 (phase sub-groups of a frequency are real), .1 to .4 where the feature basis is rotated, 0 where prompts are shuffled.
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
from roicg.rois.quality import Halves, agreement

AGREED = 0.9
"""ARI between halves of the columns from which on a finer level counts as reproducible."""
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
        agreed = (k for k in range(min(k_max, nodes), auto, -1) if _agreement(halves, method, k, seed) >= AGREED)
        return Level(next(agreed, auto), auto, False)
    if level > nodes:
        raise StudyError(
            f"rois.level: {level} asks for {level} groups, but the {n} features of site {site} are grouped through {nodes} landmarks; ask for fewer"
        )
    return Level(level, auto, False)


def _agreement(halves: Halves, method: Method, k: int, seed: int) -> float:
    return agreement(halves.cuts(k) if method is agglomerative else halves.groups(method, k, seed))


def hierarchy(clustered: Clustered, halves: Halves, level: Level, n: int) -> dict[str, Any]:
    """What a reader chooses a level from: for 2 … max(2·K, K_max) groups of average linkage their ``sizes``, ``modularity`` and ``stability``.

    ``auto``: the eigengap's number. Cuts are nested: each level splits one group of the level above it. Keys are strings, as in JSON.
    """
    tree, graph = merge_tree(clustered.similarity), similarity_graph(clustered.similarity)
    finest = min(max(2 * level.k, largest_k(n)), len(graph))
    levels = {str(k): _level(clustered, graph, tree, halves, k) for k in range(2, finest + 1)}
    return {"auto": level.auto, "levels": levels}


def _level(clustered: Clustered, graph: Float[np.ndarray, "m m"], tree: Float[np.ndarray, "merge 4"], halves: Halves, k: int) -> Mapping[str, Any]:
    labels: Int[np.ndarray, " m"] = cut(tree, k)
    sizes = sorted(np.bincount(clustered.spread(labels)).tolist(), reverse=True)
    return {"sizes": sizes, "modularity": graph_modularity(graph, labels), "stability": agreement(halves.cuts(k))}
