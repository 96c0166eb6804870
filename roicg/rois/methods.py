"""Clustering methods as data: name → ``method(similarity, k, seed) -> labels``.

``similarity`` is [feature, feature] in [-1, 1] with diagonal 1, ``k`` the number of groups asked for (Leiden finds its
own), ``seed`` makes the method deterministic, labels are [feature] integers of any values. A package can add one under
the entry-point group ``roicg.rois``.
"""

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import TypeAlias

import numpy as np
from jaxtyping import Float, Int

from roicg.core.errors import StudyError
from roicg.core.nearest import did_you_mean
from roicg.numerics.similarity import normalised, similarity_graph

Method: TypeAlias = Callable[[Float[np.ndarray, "n n"], int, int], Int[np.ndarray, " n"]]
ENTRY_POINTS = "roicg.rois"


def merge_tree(similarity: Float[np.ndarray, "n n"]) -> Float[np.ndarray, "merge 4"]:
    """The whole hierarchy: average linkage on 1 − similarity, in SciPy's form (two clusters, height, size) with n − 1 merges."""
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform

    distance = np.maximum(1.0 - similarity, 0.0)
    np.fill_diagonal(distance, 0.0)
    return np.asarray(linkage(squareform(distance, checks=False), method="average"))


def cut(tree: Float[np.ndarray, "merge 4"], k: int) -> Int[np.ndarray, " n"]:
    """Labels of the ``k`` groups that are left when the last k − 1 merges of ``tree`` are undone."""
    n = len(tree) + 1
    merges = tree[: n - k, :2].astype(np.int64)
    root = np.arange(2 * n - 1)
    for index in range(len(merges) - 1, -1, -1):  # from the last merge down: both sides belong to whatever it belongs to
        root[merges[index]] = root[n + index]
    return np.asarray(np.unique(root[:n], return_inverse=True)[1], dtype=np.int64)


def agglomerative(similarity: Float[np.ndarray, "n n"], k: int, seed: int) -> Int[np.ndarray, " n"]:
    """Average linkage on 1 − similarity cut at ``k`` groups; has no randomness."""
    return cut(merge_tree(similarity), k)


def spectral(similarity: Float[np.ndarray, "n n"], k: int, seed: int) -> Int[np.ndarray, " n"]:
    """k-means on the row-normalised top ``k`` eigenvectors of the normalised similarity graph (Ng, Jordan & Weiss 2001)."""
    from scipy.linalg import eigh

    n = len(similarity)
    _, vectors = eigh(normalised(similarity_graph(similarity)), subset_by_index=(n - k, n - 1), check_finite=False)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return _k_means(np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0), k, seed)


def kmeans(similarity: Float[np.ndarray, "n n"], k: int, seed: int) -> Int[np.ndarray, " n"]:
    """k-means on the rows of the similarity, ten starts."""
    return _k_means(similarity, k, seed)


def leiden(similarity: Float[np.ndarray, "n n"], k: int, seed: int) -> Int[np.ndarray, " n"]:
    """Leiden modularity communities of the full similarity graph (Traag et al. 2019); ``k`` is not used, Leiden finds its own number."""
    import igraph
    import leidenalg

    weights = similarity_graph(similarity)
    rows, columns = np.nonzero(np.triu(weights))
    graph = igraph.Graph(n=len(weights), edges=np.column_stack([rows, columns]).tolist())
    found = leidenalg.find_partition(graph, leidenalg.ModularityVertexPartition, weights=weights[rows, columns].tolist(), seed=seed)
    return np.asarray(found.membership, dtype=np.int64)


METHODS: Mapping[str, Method] = {"agglomerative": agglomerative, "spectral": spectral, "kmeans": kmeans, "leiden": leiden}


def find_method(name: str) -> Method:
    """The method called ``name``, from here or from a package's entry point; an unknown name is a ``StudyError`` with the known ones."""
    if name in METHODS:
        return METHODS[name]
    added = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if name in added:
        method: Method = added[name].load()
        return method
    known = sorted({*METHODS, *added})
    raise StudyError(f"rois.method: {name!r} is not known; choose one of {', '.join(known)}{did_you_mean(name, known)}")


def _k_means(points: Float[np.ndarray, "n d"], k: int, seed: int) -> Int[np.ndarray, " n"]:
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # sums in one order, whatever the machine's number of cores
        labels = KMeans(n_clusters=k, n_init=10, random_state=seed).fit(points).labels_
    return np.asarray(labels, dtype=np.int64)
