"""How far two groupings of the same items agree."""

from collections.abc import Hashable, Set

import numpy as np
from jaxtyping import Float, Int

Labels = Int[np.ndarray, " n"]


def adjusted_rand(first: Labels, second: Labels) -> float:
    """Adjusted Rand index (Hubert & Arabie 1985): 1 the same groups, about 0 by chance."""
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(first, second))


def normalised_mutual_information(first: Labels, second: Labels) -> float:
    """Mutual information over the mean of both entropies, in [0, 1]; not corrected for chance."""
    from sklearn.metrics import normalized_mutual_info_score

    return float(normalized_mutual_info_score(first, second))


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
    _, a = np.unique(first, return_inverse=True)
    _, b = np.unique(second, return_inverse=True)
    both = np.zeros((int(a.max()) + 1, int(b.max()) + 1))
    np.add.at(both, (a, b), 1.0)
    return np.asarray(both / (both.sum(axis=1)[:, None] + both.sum(axis=0)[None, :] - both))


def jaccard(first: Set[Hashable], second: Set[Hashable]) -> float:
    """Items in both over items in either; two empty sets are the same set, 1."""
    return len(first & second) / len(first | second) if first or second else 1.0
