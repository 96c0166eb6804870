"""Running sums of per-example edge weights: their mean, standard error and mean absolute value, whatever the batch size."""

from collections.abc import Iterable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor


class EdgeSums:
    """Σw, Σw² and Σ|w| over ``n`` examples in float64, for one block of edges [source, target]."""

    def __init__(self, shape: tuple[int, int], n: int = 0) -> None:
        self.n = n
        self.total = np.zeros(shape)
        self.square = np.zeros(shape)
        self.absolute = np.zeros(shape)

    def add(self, weights: Float[Tensor, "B source target"], sources: slice = slice(None)) -> None:
        """Add the per-example weights of some ``sources`` (count the examples with :attr:`n`)."""
        values = weights.detach().to(torch.float64).cpu().numpy()
        self.total[sources] += values.sum(0)
        self.square[sources] += np.square(values).sum(0)
        self.absolute[sources] += np.abs(values).sum(0)

    def add_each(self, blocks: Iterable[Float[Tensor, "source target"]], sources: slice) -> Float[Tensor, " B"]:
        """Like :meth:`add`, one example at a time in the model's precision (for blocks too large to hold); returns Σw per example.

        The blocks are overwritten with their absolute values.
        """
        sums: list[Tensor] = []
        flow = []
        for block in blocks:
            sums = sums or [torch.zeros_like(block) for _ in range(3)]
            sums[0] += block
            sums[1].addcmul_(block, block)
            flow.append(block.sum(1).double().sum())
            sums[2] += block.abs_()
        for column, part in zip((self.total, self.square, self.absolute), sums, strict=True):
            column[sources] += part.to(torch.float64).cpu().numpy()
        return torch.stack(flow)

    def merge(self, other: "EdgeSums") -> None:
        """Add what ``other`` has summed over further examples (and leave ``other`` to its fate: its arrays may be taken over)."""
        if self.n == 0:
            self.n, self.total, self.square, self.absolute = other.n, other.total, other.square, other.absolute
            return
        self.n += other.n
        self.total += other.total
        self.square += other.square
        self.absolute += other.absolute

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
