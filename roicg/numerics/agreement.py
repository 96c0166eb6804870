"""How far two groupings of the same items agree."""

import math
from collections.abc import Hashable, Set

import numpy as np
from jaxtyping import Float, Int

Labels = Int[np.ndarray, " n"]
EPSILON = float(np.finfo(np.float64).eps)


def adjusted_rand(first: Labels, second: Labels) -> float:
    """Adjusted Rand index (Hubert & Arabie 1985) of equally many labels: 1 the same groups, about 0 by chance.

    Counted in pairs of items, in whole numbers: the same float as scikit-learn's, without its checks, which would be most of
    the time of the many small comparisons between halves.
    """
    both = contingency(first, second)
    n = int(both.sum())
    together = int((both**2).sum())
    in_first, in_second = int((both.sum(axis=1) ** 2).sum()), int((both.sum(axis=0) ** 2).sum())
    tp, fn, fp = together - n, in_first - together, in_second - together
    tn = n * n - tp - fn - fp - n
    if fn == 0 and fp == 0:
        return 1.0
    return 2.0 * (tp * tn - fn * fp) / ((tp + fn) * (fn + tn) + (tp + fp) * (fp + tn))


def contingency(first: Labels, second: Labels) -> Int[np.ndarray, "group other"]:
    """How many items are in each group of ``first`` and each group of ``second``, in the order of their labels."""
    _, a = np.unique(first, return_inverse=True)
    _, b = np.unique(second, return_inverse=True)
    shape = (int(a.max(initial=-1)) + 1, int(b.max(initial=-1)) + 1)
    return np.bincount(a * shape[1] + b, minlength=shape[0] * shape[1]).reshape(shape)


def normalised_mutual_information(first: Labels, second: Labels) -> float:
    """Mutual information over the mean of both entropies, in [0, 1]; not corrected for chance.

    The same float as scikit-learn's, without its checks, which would be most of the time of a thousand shuffles.
    """
    both = contingency(first, second)
    rows, columns = both.sum(axis=1), both.sum(axis=0)
    if len(rows) == len(columns) <= 1:
        return 1.0
    if 1 in (len(rows), len(columns)):
        return 0.0
    log_n = math.log(len(first))
    u, v = np.nonzero(both)
    share = both[u, v] / len(first)
    parts = share * (np.log(both[u, v]) - log_n) + share * (-np.log(rows[u] * columns[v]) + log_n + log_n)
    shared = max(float(np.where(np.abs(parts) < EPSILON, 0.0, parts).sum()), 0.0)
    return shared / ((_entropy(rows) + _entropy(columns)) / 2) if shared else 0.0


def _entropy(counts: Int[np.ndarray, " group"]) -> float:
    """Of a grouping with groups of these sizes, in nats."""
    n = counts.sum()
    return float(-np.sum(counts / n * (np.log(counts) - math.log(n))))


def variation_of_information(first: Labels, second: Labels) -> float:
    """H(first | second) + H(second | first) in nats (Meilă 2007): 0 the same groups, at most log n; a metric."""
    if len(first) != len(second):
        raise ValueError(f"labels of {len(first)} and of {len(second)} items cannot be compared; both must label the same items")
    if len(first) == 0:
        return 0.0
    _, a = np.unique(first, return_inverse=True)
    _, b = np.unique(second, return_inverse=True)
    joint = np.zeros((int(a.max()) + 1, int(b.max()) + 1))
    np.add.at(joint, (a, b), 1.0 / len(a))
    rows, columns = np.nonzero(joint)
    mass = joint[rows, columns]
    h = -mass * (2 * np.log(mass) - np.log(joint.sum(axis=1)[rows]) - np.log(joint.sum(axis=0)[columns]))
    return float(max(h.sum(), 0.0))


def jaccard_table(first: Labels, second: Labels) -> Float[np.ndarray, "group other"]:
    """Jaccard index of every group of ``first`` with every group of ``second`` (rows and columns in the order of their labels)."""
    both = contingency(first, second).astype(np.float64)
    return np.asarray(both / (both.sum(axis=1)[:, None] + both.sum(axis=0)[None, :] - both))


def jaccard(first: Set[Hashable], second: Set[Hashable]) -> float:
    """Items in both over items in either; two empty sets are the same set, 1."""
    return len(first & second) / len(first | second) if first or second else 1.0
