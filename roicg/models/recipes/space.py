"""A numbered space of cases: number → prompt, answer and the key that determines the answer."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from roicg.core.prompts import SPLITS, Split

Decode = Callable[[Int[np.ndarray, " n"]], tuple[Int[np.ndarray, "n P"], Int[np.ndarray, " n"]]]


@dataclass(frozen=True, slots=True)
class Space:
    """``size`` cases; ``decode`` turns case numbers into prompts [n, P] and answers [n], asked at the last position.

    ``answers``: every token that can be an answer. The key of a case is its prompt's tokens, joined.
    """

    name: str
    size: int
    decode: Decode
    answers: tuple[int, ...]

    def case(self, number: int) -> tuple[tuple[int, ...], int]:
        """Prompt and answer of one case."""
        prompts, answers = self.decode(np.array([number]))
        return tuple(int(token) for token in prompts[0]), int(answers[0])


def key_of(prompt: tuple[int, ...]) -> str:
    """The case key of a generated prompt."""
    return " ".join(map(str, prompt))


def split_of(key: str) -> Split:
    """The split a case belongs to: a hash of its key, the same in every process, order and study."""
    return SPLITS[int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % 3]


def held_out(key: str, share: float) -> bool:
    """Whether a case belongs to the ``share`` kept from training; independent of :func:`split_of`, and nested as the share grows."""
    return int.from_bytes(hashlib.sha256(b"held out " + key.encode()).digest()[:8], "big") < share * 2.0**64
