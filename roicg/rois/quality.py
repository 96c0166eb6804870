"""How real the groups of one site are: modularity against two nulls, and stability over halves of the columns.

1. Observe Q, the modularity of the partition on its similarity graph.
2. Rotation null: the same correlations in a random basis of feature space. Shuffle null: every feature's columns permuted.
3. Every surrogate goes through the whole procedure (similarity, eigengap, method), so that choosing K earns nothing, and
   once more with the spectral method; the better Q of the two counts. Average linkage is bistable where there are no
   groups (one giant and crumbs, Q near 0, or a balanced split, Q near .3), so its own draws alone have next to no spread
   and a balanced split of an untrained model would stand out by hundreds of standard deviations.
4. z and p of Q against each; ``above_null`` = both z ≥ 5. Eigengap and contrast alone raise false alarms on untrained models.
5. Stability: mean adjusted Rand index between the partitions of two halves of the columns, K as in the whole.

Above ``NULL_FEATURES`` features steps 1 to 5 use one random subset of them (drawn by seed), observed value included, so
that like is compared with like; the published modularity is that of all features.
"""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float

from roicg.core.partition import SiteQuality
from roicg.numerics.agreement import adjusted_rand
from roicg.numerics.nulls import ABOVE_NULL, rotated_correlation, shuffled_correlation, z_and_p
from roicg.numerics.similarity import correlation, eigengap, graph_modularity, rowabs, similarity_graph, standardise
from roicg.rois.methods import Method, spectral

NULL_FEATURES = 1024
HALVES = 3
CHUNKS = 32
NO_GROUPS = SiteQuality(n_rois=1, modularity=0.0, z_rotation=0.0, z_shuffle=0.0, p_rotation=1.0, p_shuffle=1.0, stability=0.0, above_null=False)
"""Of a site with too few live features to be grouped."""


def modularity_of(corr: Float[np.ndarray, "n n"], methods: Iterable[Method], seed: int) -> float:
    """The best Q of ``methods`` after the whole procedure on a feature correlation: similarity, K by eigengap, method, modularity."""
    similarity = rowabs(corr)
    graph = similarity_graph(similarity)
    k = eigengap(graph)
    return max(graph_modularity(graph, method(similarity, k, seed)) for method in methods)


def site_quality(
    signature: Float[np.ndarray, "feature column"], k: int, n_rois: int, modularity: float, method: Method, *, draws: int, seed: int, stream: bytes
) -> SiteQuality:
    """Quality of a partition of live features with ``n_rois`` groups and modularity ``modularity``; ``stream`` names the site in the random draws."""
    rng = np.random.default_rng([seed, *stream])
    observed = modularity
    if len(signature) > NULL_FEATURES:
        signature = signature[np.sort(rng.choice(len(signature), NULL_FEATURES, replace=False))]
        observed = modularity_of(correlation(signature), [method], seed)
    corr = correlation(signature)
    against = {method, spectral}
    rotation = [modularity_of(rotated_correlation(corr, rng), against, seed) for _ in range(draws)]
    unit = standardise(signature.astype(np.float32))
    shuffle = [modularity_of(shuffled_correlation(unit, rng), against, seed) for _ in range(draws)]
    z_rotation, p_rotation = z_and_p(observed, rotation)
    z_shuffle, p_shuffle = z_and_p(observed, shuffle)
    return SiteQuality(
        n_rois=n_rois,
        modularity=modularity,
        z_rotation=z_rotation,
        z_shuffle=z_shuffle,
        p_rotation=p_rotation,
        p_shuffle=p_shuffle,
        stability=stability(signature, k, method, seed, rng),
        above_null=bool(min(z_rotation, z_shuffle) >= ABOVE_NULL),
    )


def stability(signature: Float[np.ndarray, "feature column"], k: int, method: Method, seed: int, rng: np.random.Generator) -> float:
    """Mean ARI between partitions of two halves of the columns into ``k`` groups, over three splits.

    A half is made of whole chunks of neighbouring columns, one of each pair of chunks: positions of one example stay
    together, so the halves share no example, and each task is in both. 0 when there are too few columns to halve.
    """
    n_chunks = min(CHUNKS, signature.shape[1] // 2 * 2)
    if n_chunks < 4:
        return 0.0
    chunks = np.array_split(np.arange(signature.shape[1]), n_chunks)
    scores = []
    for _ in range(HALVES):
        first = rng.integers(0, 2, size=n_chunks // 2)
        halves = [np.concatenate([chunks[2 * pair + (side ^ int(first[pair]))] for pair in range(n_chunks // 2)]) for side in (0, 1)]
        a, b = (method(rowabs(correlation(signature[:, half])), k, seed) for half in halves)
        scores.append(adjusted_rand(a, b))
    return float(np.mean(scores))
