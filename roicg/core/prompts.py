"""Prompt pairs: what is asked of a model, twice, with the difference that the edges explain."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from roicg.core.errors import PromptError
from roicg.core.ids import digest

Split = Literal["rois", "edges", "eval"]
SPLITS: tuple[Split, ...] = ("rois", "edges", "eval")


@dataclass(frozen=True, slots=True)
class PromptPair:
    """One clean and one corrupted prompt of equal length.

    ``positions[i]`` (non-negative, < length) is where ``answers[i]`` are the right next tokens and ``wrong_answers[i]``
    the wrong ones (possibly empty). One position for an ordinary task, several with ``position: all``. ``key`` is what
    determines the answer; the split is its hash.
    """

    key: str
    clean: tuple[int, ...]
    corrupted: tuple[int, ...]
    positions: tuple[int, ...]
    answers: tuple[tuple[int, ...], ...]
    wrong_answers: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        if len(self.clean) != len(self.corrupted):
            raise PromptError(f"prompt {self.key!r}: clean has {len(self.clean)} tokens, corrupted {len(self.corrupted)}; both must be equally long")
        if not (len(self.positions) == len(self.answers) == len(self.wrong_answers) > 0):
            raise PromptError(f"prompt {self.key!r}: needs as many answers and wrong answers as answer positions, and at least one")
        for position in self.positions:
            if not 0 <= position < len(self.clean):
                raise PromptError(f"prompt {self.key!r}: answer position {position} is outside its {len(self.clean)} tokens")
        if any(not answers for answers in self.answers):
            raise PromptError(f"prompt {self.key!r}: an answer position has no answer token")


@dataclass(frozen=True, slots=True)
class PromptSet:
    """The pairs of one task and split, in a fixed order; ``dropped`` counts by reason what could not be used."""

    task: str
    split: Split
    pairs: tuple[PromptPair, ...]
    dropped: Mapping[str, int] = field(default_factory=dict)
    note: str = ""

    @property
    def id(self) -> str:
        """Content id: the pairs only, no task name, so that a rename changes nothing."""
        return _pairs_id(self.pairs)

    def by_length(self) -> dict[int, tuple[PromptPair, ...]]:
        """Pairs bucketed by length (ascending): a batch holds one length and is never padded."""
        lengths = sorted({len(pair.clean) for pair in self.pairs})
        return {n: tuple(pair for pair in self.pairs if len(pair.clean) == n) for n in lengths}


@dataclass(frozen=True, slots=True)
class TaskPrompts:
    """The three disjoint splits of one task with the metric that scores it."""

    task: str
    metric: str
    rois: PromptSet
    edges: PromptSet
    eval: PromptSet

    def __post_init__(self) -> None:
        keys = [{pair.key for pair in split.pairs} for split in (self.rois, self.edges, self.eval)]
        if keys[0] & keys[1] or keys[0] & keys[2] or keys[1] & keys[2]:
            raise PromptError(f"task {self.task!r}: its splits share a case")


@lru_cache(maxsize=64)
def _pairs_id(pairs: tuple[PromptPair, ...]) -> str:
    return digest([[p.key, p.clean, p.corrupted, p.positions, p.answers, p.wrong_answers] for p in pairs])
