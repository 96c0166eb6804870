import numpy as np
import pytest

from roicg.numerics.similarity import (
    DENSE_EIGENVALUES_UP_TO,
    LANCZOS_TOLERANCE,
    correlation,
    eigengap,
    graph_modularity,
    largest_k,
    normalised,
    rowabs,
    similarity_graph,
    standardise,
    top_eigenvalues,
)


def rows(n: int = 12, columns: int = 40, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, columns))


def test_correlation_is_pearson() -> None:
    x = rows() + 5.0
    np.testing.assert_allclose(correlation(x), np.corrcoef(x), atol=1e-12)


def test_a_row_without_variance_correlates_with_nothing() -> None:
    x = rows()
    x[3] = 0.1
    corr = correlation(x)
    assert corr[3, 3] == 1.0
    assert not np.delete(corr[3], 3).any()
    assert np.isfinite(rowabs(corr)).all()
    assert not standardise(x)[3].any()


def test_rowabs_correlates_rows_of_absolute_correlation_without_the_diagonal() -> None:
    corr = np.corrcoef(rows())
    strength = np.abs(corr)
    for i in range(len(corr)):
        strength[i, i] = 0.0
    np.testing.assert_allclose(rowabs(corr), np.corrcoef(strength), atol=1e-12)


def test_rowabs_does_not_see_signs() -> None:
    x = rows()
    flipped = x * np.random.default_rng(1).choice([-1.0, 1.0], size=(len(x), 1))
    np.testing.assert_allclose(rowabs(correlation(x)), rowabs(correlation(flipped)), atol=1e-12)


def test_normalised_graph_has_largest_eigenvalue_one_and_survives_a_lone_node() -> None:
    graph = similarity_graph(rowabs(correlation(rows())))
    assert top_eigenvalues(normalised(graph), 1)[0] == pytest.approx(1.0)
    graph[2, :] = graph[:, 2] = 0.0
    assert np.isfinite(normalised(graph)).all()


@pytest.mark.parametrize("blocks", [2, 3, 7])
def test_eigengap_counts_disconnected_cliques(blocks: int) -> None:
    graph = np.kron(np.eye(blocks), np.ones((5, 5)))
    np.fill_diagonal(graph, 0.0)
    assert eigengap(graph) == blocks


def test_lanczos_agrees_with_the_dense_solver_as_far_as_its_tolerance_promises() -> None:
    """The error of an eigenvalue is of the order of its residual's square over the gap. Seen to fail with a tolerance of 0.1."""
    n = DENSE_EIGENVALUES_UP_TO + 10
    matrix = rows(n, n, seed=2)
    matrix = (matrix + matrix.T) / 2
    np.testing.assert_allclose(top_eigenvalues(matrix, 5), np.linalg.eigvalsh(matrix)[::-1][:5], rtol=LANCZOS_TOLERANCE**2)


def test_largest_k_grows_with_the_root_and_stays_below_n() -> None:
    assert [largest_k(n) for n in (3, 16, 100, 900)] == [2, 15, 20, 30]


def test_modularity_equals_the_double_sum() -> None:
    graph = similarity_graph(rowabs(correlation(rows())))
    labels = np.arange(12) % 3
    degree, total = graph.sum(1), graph.sum()
    literal = sum((graph[i, j] - degree[i] * degree[j] / total) / total for i in range(12) for j in range(12) if labels[i] == labels[j])
    assert graph_modularity(graph, labels) == pytest.approx(literal, abs=1e-12)


def test_modularity_of_one_group_and_of_no_edges_is_zero() -> None:
    assert graph_modularity(np.ones((4, 4)) - np.eye(4), np.zeros(4, dtype=int)) == pytest.approx(0.0)
    assert graph_modularity(np.zeros((4, 4)), np.arange(4)) == 0.0
