"""Second-order similarity of many features by way of a few of them, the landmarks: nothing of size n × n is ever formed.

1. The landmarks are the ``m`` rows whose content hashes least with the seed: a random set that does not depend on how the
   rows are numbered, only on what is in them.
2. Landmarks are clustered like any features (``similarity.py``).
3. The profile of a row is its |correlation| with each landmark, standardised; n × m in float32, made in blocks of rows. The
   product of two profiles is the similarity of ``rowabs`` with "all others" replaced by the landmarks.
4. Every other row joins the group of landmarks with which its mean similarity is largest: what average linkage would ask.

What is given up: a group of which fewer than about three rows are landmarks cannot be seen, and its rows join others. Renumbering
the rows renumbers the result, up to rounding and to rows of equal content.
"""

import hashlib
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from roicg.numerics.similarity import standardise

BLOCK = 1024
"""Rows that are worked on at once; does not depend on free memory, so that sums stay what they are."""

Rows = Float[np.ndarray, "n column"]


def content_order(rows: Rows, seed: int) -> Int[np.ndarray, " n"]:
    """Row indices by rising hash of (seed, bytes of the row): a random order that moves with the rows; equal rows keep theirs."""
    key = str(seed).encode()
    marks = [hashlib.blake2b(np.ascontiguousarray(row).tobytes(), digest_size=8, key=key).digest() for row in rows]
    return np.argsort(np.array([int.from_bytes(mark, "big") for mark in marks], dtype=np.uint64), kind="stable")


def landmark_profiles(rows: Rows, landmarks: Int[np.ndarray, " m"]) -> Float[np.ndarray, "n m"]:
    """Standardised |correlation| of every row with each landmark, float32; a landmark's correlation with itself counts 0."""
    marks = standardise(rows[landmarks].astype(np.float32))
    own = {int(row): place for place, row in enumerate(landmarks)}
    profiles = np.empty((len(rows), len(landmarks)), dtype=np.float32)
    for start, block in _blocks(rows):
        strength = np.abs(standardise(block.astype(np.float32)) @ marks.T)
        for row in range(start, start + len(block)):
            if row in own:
                strength[row - start, own[row]] = 0.0
        profiles[start : start + len(block)] = standardise(strength)
    return profiles


def nearest_groups(profiles: Float[np.ndarray, "n m"], landmarks: Int[np.ndarray, " m"], labels: Int[np.ndarray, " m"]) -> Int[np.ndarray, " n"]:
    """Labels of all rows: landmarks keep theirs, every other row takes that of the landmarks it is most similar to on average; the smaller label wins a tie."""
    names, group = np.unique(labels, return_inverse=True)
    means = np.zeros((len(names), profiles.shape[1]), dtype=np.float32)
    np.add.at(means, group, profiles[landmarks])
    means /= np.bincount(group)[:, None].astype(np.float32)
    nearest = np.empty(len(profiles), dtype=np.int64)
    for start, block in _blocks(profiles):
        nearest[start : start + len(block)] = np.argmax(block @ means.T, axis=1)
    nearest[landmarks] = group
    return np.asarray(names[nearest], dtype=np.int64)


def _blocks(rows: Rows) -> Iterator[tuple[int, Rows]]:
    for start in range(0, len(rows), BLOCK):
        yield start, rows[start : start + BLOCK]
