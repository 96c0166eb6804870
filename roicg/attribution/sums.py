"""Running sums of per-example edge weights: their mean, standard error and mean absolute value, whatever the batch size."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor


class EdgeSums:
    """Σw, Σw² and Σ|w| over examples in float64, for one block of edges [source, target]."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.n = 0
        self.total = np.zeros(shape)
        self.square = np.zeros(shape)
        self.absolute = np.zeros(shape)

    def add(self, weights: Float[Tensor, "B source target"]) -> None:
        """Add the per-example weights of one batch."""
        values = weights.detach().to(torch.float64).cpu().numpy()
        self.n += values.shape[0]
        self.total += values.sum(0)
        self.square += np.square(values).sum(0)
        self.absolute += np.abs(values).sum(0)

    @property
    def mean(self) -> Float[np.ndarray, "source target"]:
        """The weight: the mean over all examples."""
        return self.total / self.n

    @property
    def standard_error(self) -> Float[np.ndarray, "source target"]:
        """Standard error of the mean (0 with a single example)."""
        if self.n < 2:
            return np.zeros_like(self.total)
        variance = np.maximum(self.square / self.n - np.square(self.mean), 0) * self.n / (self.n - 1)
        return np.asarray(np.sqrt(variance / self.n))

    @property
    def mean_abs(self) -> Float[np.ndarray, "source target"]:
        """Mean of the per-example absolute weight."""
        return self.absolute / self.n
