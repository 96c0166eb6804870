"""Rank edges by strength: rank is stored, so that every circuit size is one comparison."""

import numpy as np
from jaxtyping import Float, Int


def rank_edges(weight: Float[np.ndarray, "task edge"], source_keys: list[str], target_keys: list[str], ports: list[str]) -> Int[np.ndarray, "task edge"]:
    """Rank 1 = strongest |weight| of its task; ties by (source key, target key, port), so the rank is unique and stable."""
    by_name = np.lexsort((np.array(ports, dtype=str), np.array(target_keys, dtype=str), np.array(source_keys, dtype=str)))
    ranks = np.empty(weight.shape, dtype=np.int64)
    for row in range(weight.shape[0]):
        order = by_name[np.argsort(-np.abs(weight[row, by_name]), kind="stable")]
        ranks[row, order] = np.arange(1, weight.shape[1] + 1)
    return ranks
