"""Prompt pairs as tensors: one batch holds one length and one number of answer positions and is never padded in tokens.

Shapes: B examples, P positions, A answer positions per example, K (padded) tokens per answer position, V vocabulary.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from roicg.core.prompts import PromptPair, PromptSet


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """Token ids per answer position, padded with id 0 where ``mask`` is False; a position may have none."""

    index: Int[Tensor, "B A K"]
    mask: Bool[Tensor, "B A K"]

    @property
    def given(self) -> Bool[Tensor, "B A"]:
        """Where there is at least one token."""
        return self.mask.any(dim=-1)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Pairs of equal length with equally many answer positions; ``rows[b]`` is the index of example b in its ``PromptSet``."""

    clean: Int[Tensor, "B P"]
    corrupted: Int[Tensor, "B P"]
    positions: Int[Tensor, "B A"]
    answers: Choices
    wrong: Choices
    rows: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def at_answers(self, values: Float[Tensor, "B P V"]) -> Float[Tensor, "B A V"]:
        """``values`` (logits, or the final stream) at the answer positions."""
        return values.gather(1, self.positions.unsqueeze(-1).expand(-1, -1, values.shape[-1]))


def batches(prompts: PromptSet, batch_size: int, device: str | torch.device = "cpu") -> Iterator[Batch]:
    """All pairs of ``prompts`` in batches of at most ``batch_size``: buckets by (length, answer positions) ascending, file order within."""
    buckets: dict[tuple[int, int], list[int]] = {}
    for row, pair in enumerate(prompts.pairs):
        buckets.setdefault((len(pair.clean), len(pair.positions)), []).append(row)
    for shape in sorted(buckets):
        rows = buckets[shape]
        for start in range(0, len(rows), batch_size):
            yield batch_of(prompts.pairs, rows[start : start + batch_size], device)


def batch_of(pairs: Sequence[PromptPair], rows: Sequence[int], device: str | torch.device = "cpu") -> Batch:
    """The pairs at ``rows`` as one batch; they must share length and number of answer positions."""
    chosen = [pairs[row] for row in rows]
    return Batch(
        clean=torch.tensor([pair.clean for pair in chosen], device=device),
        corrupted=torch.tensor([pair.corrupted for pair in chosen], device=device),
        positions=torch.tensor([pair.positions for pair in chosen], device=device),
        answers=_choices([pair.answers for pair in chosen], device),
        wrong=_choices([pair.wrong_answers for pair in chosen], device),
        rows=tuple(rows),
    )


def _choices(tokens: Sequence[Sequence[Sequence[int]]], device: str | torch.device) -> Choices:
    width = max(1, max(len(ids) for example in tokens for ids in example))
    index = torch.tensor([[[*ids, *[0] * (width - len(ids))] for ids in example] for example in tokens], device=device)
    count = torch.tensor([[len(ids) for ids in example] for example in tokens], device=device)
    return Choices(index=index, mask=torch.arange(width, device=device) < count.unsqueeze(-1))
