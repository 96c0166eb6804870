from collections.abc import Callable
from importlib.metadata import EntryPoint

import numpy as np
import pytest

from roicg.numerics.agreement import adjusted_rand
from roicg.numerics.similarity import correlation, rowabs
from roicg.rois import methods
from roicg.rois.methods import METHODS, cut, find_method, merge_tree


@pytest.mark.parametrize("name", sorted(METHODS))
def test_every_method_finds_planted_groups_and_repeats_itself(name: str, planted: Callable) -> None:
    signature, truth = planted((30, 20, 14), seed=5)
    similarity = rowabs(correlation(signature))
    labels = METHODS[name](similarity, 3, 0)
    assert adjusted_rand(labels, truth) == 1.0
    assert np.array_equal(labels, METHODS[name](similarity, 3, 0))


@pytest.mark.parametrize("k", [1, 2, 5, 19, 20])
def test_a_cut_is_scipys(k: int) -> None:
    from scipy.cluster.hierarchy import cut_tree

    tree = merge_tree(rowabs(correlation(np.random.default_rng(0).standard_normal((20, 30)))))
    assert adjusted_rand(cut(tree, k), cut_tree(tree, n_clusters=k)[:, 0]) == 1.0
    assert len(np.unique(cut(tree, k))) == k


def test_a_cut_of_tied_merges_still_has_k_groups() -> None:
    tree = merge_tree(np.eye(6))
    assert [len(np.unique(cut(tree, k))) for k in range(1, 7)] == [1, 2, 3, 4, 5, 6]


def test_a_package_can_add_a_method(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("mine", "roicg.rois.methods:agglomerative", "roicg.rois")
    monkeypatch.setattr(methods, "entry_points", lambda group: [point] if group == "roicg.rois" else [])
    assert find_method("mine") is methods.agglomerative
