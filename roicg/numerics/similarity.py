"""Similarity of features: two are alike when they relate alike to all others.

1. C = Pearson correlation of the rows of a signature [feature, column]; a row without variance correlates 0 with all.
2. R = |C| without its diagonal: how strongly a feature moves with each other one, whatever the sign or phase.
3. similarity = Pearson correlation of the rows of R (``rowabs``). Signed correlation would split a function by phase.
4. The similarity graph is max(similarity, 0) without self-loops; its normalised form D^-1/2 S D^-1/2 gives K by eigengap.
"""

import numpy as np
from jaxtyping import Float, Int

DENSE_EIGENVALUES_UP_TO = 4096
"""Above this many nodes Lanczos; below, a dense solver, which also counts exactly repeated eigenvalues, and is the faster one:
beyond its gap the spectrum of such a graph is a bulk in which Lanczos converges slowly (at 4,096 nodes 7 s against 10 to 46 s)."""
LANCZOS_TOLERANCE = 1e-3
"""Residual at which an eigenvalue counts as found; its error is of the order of the square, 1e-6, and gaps are of 1e-2."""
TIE = 1e-9
"""Gaps that differ by less are equal: renumbering the nodes moves eigenvalues in their last digits, and must not move K."""

Square = Float[np.ndarray, "n n"]


def standardise(rows: Float[np.ndarray, "n column"]) -> Float[np.ndarray, "n column"]:
    """Rows with mean 0 and length 1, so that their Gram matrix is their correlation; rows without variance become 0."""
    centred = rows - rows.mean(axis=1, keepdims=True, dtype=np.float64).astype(rows.dtype)
    length = np.sqrt(np.einsum("ij,ij->i", centred, centred, dtype=np.float64))
    floor = 1e-12 * np.sqrt(rows.shape[1]) * np.abs(rows).max(axis=1, initial=0.0)
    scale = np.divide(1.0, length, out=np.zeros_like(length), where=length > floor)
    return np.asarray(centred * scale[:, None].astype(rows.dtype))


def correlation(rows: Float[np.ndarray, "n column"]) -> Square:
    """Pearson correlation of the rows in float64, diagonal 1, clipped to [-1, 1]; rows without variance correlate 0 with all others."""
    unit = standardise(rows.astype(np.float64, copy=False))
    matrix: np.ndarray = np.clip(unit @ unit.T, -1.0, 1.0)
    np.fill_diagonal(matrix, 1.0)
    return matrix


def rowabs(corr: Square) -> Square:
    """Second-order similarity: Pearson correlation of the rows of |``corr``| with the diagonal removed (set to 0); in [-1, 1]."""
    strength = np.abs(corr)
    np.fill_diagonal(strength, 0.0)
    return correlation(strength)


def similarity_graph(similarity: Square) -> Square:
    """Weights max(similarity, 0) without self-loops."""
    graph: np.ndarray = np.maximum(similarity, 0.0)
    np.fill_diagonal(graph, 0.0)
    return graph


def normalised(graph: Square) -> Square:
    """D^-1/2 S D^-1/2; a node without edges keeps a row of zeros."""
    degree = graph.sum(axis=1)
    root = np.divide(1.0, np.sqrt(degree), out=np.zeros_like(degree), where=degree > 0)
    return np.asarray(graph * root[:, None] * root[None, :])


def top_eigenvalues(matrix: Square, count: int) -> Float[np.ndarray, " count"]:
    """The ``count`` largest eigenvalues of a symmetric matrix, descending."""
    n = len(matrix)
    if n <= DENSE_EIGENVALUES_UP_TO or count >= n - 1:
        from scipy.linalg import eigh

        values = eigh(matrix, eigvals_only=True, subset_by_index=(n - count, n - 1), check_finite=False)
    else:
        from scipy.sparse.linalg import eigsh

        start = np.random.default_rng(0).standard_normal(n)  # fixed, so that two runs agree
        values = eigsh(matrix, k=count, which="LA", v0=start, tol=LANCZOS_TOLERANCE, return_eigenvectors=False)
    return np.sort(np.asarray(values))[::-1]


def largest_k(n: int) -> int:
    """The largest number of groups looked for among ``n`` features: max(20, √n), and below n."""
    return min(max(20, int(np.sqrt(n))), n - 1)


def eigengap(graph: Square, k_max: int | None = None) -> int:
    """Number of groups K = argmax over 2 ≤ K ≤ ``k_max`` of λ_K − λ_{K+1} of the normalised graph; the smaller K wins a tie.

    ``k_max`` (default :func:`largest_k` of the graph's nodes; at most one less than these) is that of all features where the
    graph is a sample of them. Needs at least three nodes. One group is no possible answer: that is what the nulls are for.
    """
    k_max = largest_k(len(graph)) if k_max is None else min(k_max, len(graph) - 1)
    values = top_eigenvalues(normalised(graph), k_max + 1)
    gaps = values[1:k_max] - values[2:]
    return int(np.argmax(gaps >= gaps.max() - TIE)) + 2


def graph_modularity(graph: Square, labels: Int[np.ndarray, " n"]) -> float:
    """Newman modularity Q = Σ_c (inside_c / 2m − (degree_c / 2m)²) of a weighted graph without self-loops; 0 without edges."""
    total = float(graph.sum())
    if total == 0.0:
        return 0.0
    _, group = np.unique(labels, return_inverse=True)
    indicator = np.eye(int(group.max()) + 1)[group]
    inside = np.einsum("ic,ic->c", indicator, graph @ indicator)
    degree = indicator.T @ graph.sum(axis=1)
    return float(np.sum(inside / total - (degree / total) ** 2))
