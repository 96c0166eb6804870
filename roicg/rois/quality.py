"""How real the groups of one site are: modularity against two nulls, and agreement between halves of the columns.

1. Observe Q, the modularity of the partition on its similarity graph.
2. Rotation null: the same correlations in a random basis of feature space. Shuffle null: every feature's columns permuted.
3. Every surrogate goes through the whole procedure (similarity, K, method), so that choosing K earns nothing, and once
   more with the spectral method; the better Q of the two counts. Average linkage is bistable where there are no groups
   (one giant and crumbs, Q near 0, or a balanced split, Q near .3), so its own draws alone have next to no spread and a
   balanced split of an untrained model would stand out by hundreds of standard deviations. K is that of the surrogate's
   own eigengap where the study's level is ``auto``, else the K that was chosen: a level is compared with the same level of
   what has no groups. Q falls where real groups are cut further, so a level finer than these need not stand above its null
   (and one that does need not add to a coarser one): what speaks for a finer level is that halves agree on it (5).
4. z and p of Q against each; ``above_null`` = both z ≥ 5. Eigengap and contrast alone raise false alarms on untrained models.
5. Stability: mean adjusted Rand index between the partitions of two halves of the columns, K as in the whole.

Above ``NULL_FEATURES`` features steps 1 to 5 use one random subset of them, observed value included, so that like is
compared with like; the published modularity is that of all features (or of the landmarks that stand for them).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from roicg.core.partition import SiteQuality
from roicg.numerics.agreement import adjusted_rand, jaccard_table
from roicg.numerics.landmarks import content_order
from roicg.numerics.nulls import ABOVE_NULL, rotated_correlation, shuffled_correlation, z_and_p
from roicg.numerics.similarity import correlation, eigengap, graph_modularity, largest_k, rowabs, similarity_graph, standardise
from roicg.rois.methods import Method, cut, merge_tree, spectral

NULL_FEATURES = 1024
"""Of 20,000 features with planted groups z is 12, 17 and 226 on 512, 1,024 and 2,000 of them, at .7, 1.1 and 5.8 s for a draw of both
nulls: enough to decide, at a fifth of the time that twice as many take."""
HALVES = 3
CHUNKS = 32
NO_GROUPS = SiteQuality(n_rois=1, modularity=0.0, z_rotation=0.0, z_shuffle=0.0, p_rotation=1.0, p_shuffle=1.0, stability=0.0, above_null=False)
"""Of a site with too few live features to be grouped."""

Square = Float[np.ndarray, "n n"]
Labels = Int[np.ndarray, " n"]


def sampled(signature: Float[np.ndarray, "n column"], seed: int) -> Int[np.ndarray, " sample"]:
    """The features that stand for all in nulls and halves: all of them, or ``NULL_FEATURES`` drawn by seed and content."""
    return np.arange(len(signature)) if len(signature) <= NULL_FEATURES else content_order(signature, seed)[:NULL_FEATURES]


@dataclass(frozen=True)
class Halves:
    """Similarities of the same features on two halves of the columns, for each of three splits; no pair where there are too few columns."""

    pairs: tuple[tuple[Square, Square], ...]

    @classmethod
    def of(cls, signature: Float[np.ndarray, "n column"], rng: np.random.Generator) -> "Halves":
        """A half is made of whole chunks of neighbouring columns, one of each pair of chunks: positions of one example stay
        together, so the halves share no example, and each task is in both."""
        n_chunks = min(CHUNKS, signature.shape[1] // 2 * 2)
        if n_chunks < 4:
            return cls(())
        chunks = np.array_split(np.arange(signature.shape[1]), n_chunks)
        pairs = []
        for _ in range(HALVES):
            first = rng.integers(0, 2, size=n_chunks // 2)
            halves = [np.concatenate([chunks[2 * pair + (side ^ int(first[pair]))] for pair in range(n_chunks // 2)]) for side in (0, 1)]
            a, b = (rowabs(correlation(signature[:, half])) for half in halves)
            pairs.append((a, b))
        return cls(tuple(pairs))

    @cached_property
    def trees(self) -> tuple[tuple[Any, Any], ...]:
        """The hierarchies of average linkage of every half."""
        return tuple((merge_tree(a), merge_tree(b)) for a, b in self.pairs)

    def groups(self, method: Method, k: int, seed: int) -> tuple[tuple[Labels, Labels], ...]:
        """The partitions of every half into ``k`` groups (at most one per feature)."""
        return tuple((method(a, min(k, len(a)), seed), method(b, min(k, len(b)), seed)) for a, b in self.pairs)

    def cuts(self, k: int) -> tuple[tuple[Labels, Labels], ...]:
        """The same by average linkage, whose hierarchy is made once for all ``k``."""
        return tuple((cut(a, min(k, len(a) + 1)), cut(b, min(k, len(b) + 1))) for a, b in self.trees)


def agreement(pairs: Iterable[tuple[Labels, Labels]]) -> float:
    """Mean ARI between the partitions of two halves, over the splits; 0 without any."""
    scores = [adjusted_rand(a, b) for a, b in pairs]
    return float(np.mean(scores)) if scores else 0.0


def recovery(labels: Labels, pairs: Iterable[tuple[Labels, Labels]]) -> dict[int, float]:
    """Group → mean over all halves of its largest Jaccard index with a group of the half: 1 where every half has it as it is."""
    found = [jaccard_table(labels, half).max(axis=1) for pair in pairs for half in pair]
    return dict(zip(np.unique(labels).tolist(), np.mean(found, axis=0).tolist(), strict=True)) if found else {}


def least_recovery(pairs: Iterable[tuple[Labels, Labels]]) -> float:
    """Of the group of one half that the other half finds again least its largest Jaccard index there, mean over the splits; 0 without any.

    A group counts however small it is, where ARI hardly sees crumbs that break off large groups.
    """
    tables = [jaccard_table(a, b) for a, b in pairs]
    return float(np.mean([min(table.max(axis=1).min(), table.max(axis=0).min()) for table in tables])) if tables else 0.0


def modularity_of(corr: Square, methods: Iterable[Method], seed: int, k: int | None, k_max: int) -> float:
    """The best Q of ``methods`` after the whole procedure on a correlation: similarity, ``k`` (None: by eigengap), method, modularity."""
    similarity = rowabs(corr)
    graph = similarity_graph(similarity)
    groups = eigengap(graph, k_max) if k is None else min(k, len(graph))
    return max(graph_modularity(graph, method(similarity, groups, seed)) for method in methods)


def against_nulls(
    signature: Float[np.ndarray, "n column"], modularity: float, method: Method, k: int | None, n: int, draws: int, seed: int, rng: np.random.Generator
) -> dict[str, Any]:
    """z and p of ``modularity`` against both nulls, from the sample ``signature`` of ``n`` features; where it is not all, Q is measured on it, too."""
    k_max = largest_k(n)
    corr = correlation(signature)
    observed = modularity if len(signature) == n else modularity_of(corr, [method], seed, k, k_max)
    against = {method, spectral}
    rotation = [modularity_of(rotated_correlation(corr, rng), against, seed, k, k_max) for _ in range(draws)]
    unit = standardise(signature.astype(np.float32))
    shuffle = [modularity_of(shuffled_correlation(unit, rng), against, seed, k, k_max) for _ in range(draws)]
    (z_rotation, p_rotation), (z_shuffle, p_shuffle) = z_and_p(observed, rotation), z_and_p(observed, shuffle)
    above = bool(min(z_rotation, z_shuffle) >= ABOVE_NULL)
    return {"z_rotation": z_rotation, "p_rotation": p_rotation, "z_shuffle": z_shuffle, "p_shuffle": p_shuffle, "above_null": above}
