"""A plain line on each ROI: how many features, and where they vary. It says nothing of their use, which is for edges to show.

``146 neurons · add 0.62, max 0.21 · position 5 (0.90) · token '+' (0.80) · purity 0.49 · stable 0.97``

The score of a task (position, token) is the **share of the ROI's variance** that lies in the columns of that task (at that
position, of that token there), each member scaled to variance 1 first:

  share(S) = Σ_{c ∈ S} y_c / Σ_c y_c,   y_c = mean over members of (x_fc − mean of x_f)² / variance of x_f

Shares of tasks add up to 1, so do those of positions, and those of tokens. Where columns are alike the share of S is its
share of the columns, π. S is named when its share is at least ``NAMED`` above π and at least ``ABOVE_NULL`` standard
deviations of what it is when columns are shuffled (drawing |S| of the y_c without replacement: no draws are needed).

Purity = the largest (share − π) / (1 − π) of a task: 0 as columns are spread, 1 all in one task. Stable = how well halves of the
columns find the ROI again (mean largest Jaccard index). Activations are those of ``signatures.activation_differences``,
relative to their mean at each position of each task, whatever signature the ROIs were found by.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from roicg.core.partition import Roi, RoiPartition
from roicg.models.columns import Columns
from roicg.numerics.nulls import ABOVE_NULL

NOUN = {"mlp": "neuron", "attention": "head", "tok": "token feature", "logits": "metric"}
NAMED = 0.1
"""How far above its share of the columns the share of what a label names lies."""
MOST = 2
"""How many of a kind a label names at most."""
BLOCK = 512
"""Members that are scaled at once."""
SHOWN = 16
"""Characters of a token's text that are shown."""

TokenText = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Share:
    """``share`` of a ROI's variance in the columns of ``value``, which are ``chance`` of all; ``z`` against shuffled columns."""

    value: int
    share: float
    chance: float
    z: float

    @property
    def stands_out(self) -> bool:
        """Whether a label names it."""
        return self.share - self.chance >= NAMED and self.z >= ABOVE_NULL


def labelled(
    partition: RoiPartition, activations: Mapping[str, Float[np.ndarray, "feature column"]], columns: Columns, token_text: TokenText | None = None
) -> RoiPartition:
    """The same partition with a label on every ROI; ids do not change, labels are no part of them.

    ``columns``: what the columns of ``activations`` (site key → [feature, column]) are. ``token_text``: token id → text, where
    a tokenizer is known; else ids are shown.
    """
    recovered: Mapping[str, float] = partition.settings.get("recovery", {})
    rois = (replace(roi, label=_label(roi, activations.get(roi.site), columns, token_text, recovered.get(roi.key))) for roi in partition.rois)
    return replace(partition, rois=tuple(rois))


def column_energy(rows: Float[np.ndarray, "member column"]) -> Float[np.ndarray, " column"]:
    """y_c: mean over the rows that vary of their squared deviation over their variance; all 0 where none does."""
    total, varying = np.zeros(rows.shape[1]), 0
    for start in range(0, len(rows), BLOCK):
        some = rows[start : start + BLOCK].astype(np.float64)
        some = (some - some.mean(axis=1, keepdims=True)) ** 2
        variance = some.mean(axis=1)
        total += (some[variance > 0] / variance[variance > 0, None]).sum(axis=0)
        varying += int((variance > 0).sum())
    return total / max(varying, 1)


def shares(energy: Float[np.ndarray, " column"], kinds: Int[np.ndarray, " column"]) -> list[Share]:
    """The share of every value of ``kinds``, largest first, ties by value; empty where nothing varies."""
    n, total = len(energy), float(energy.sum())
    if total == 0.0:
        return []
    values, index, count = np.unique(kinds, return_inverse=True, return_counts=True)
    inside = np.bincount(index, weights=energy)
    spread = np.sqrt(count * (n - count) / max(n - 1, 1) * float(energy.var()))
    z = np.divide(inside - count * total / n, spread, out=np.zeros(len(values)), where=spread > 0)
    found = [Share(int(value), float(part) / total, float(c) / n, float(s)) for value, part, c, s in zip(values, inside, count, z, strict=True)]
    return sorted(found, key=lambda one: (-one.share, one.value))


def _label(roi: Roi, rows: Float[np.ndarray, "feature column"] | None, columns: Columns, token_text: TokenText | None, stable: float | None) -> str:
    if roi.kind in ("tok", "logits"):
        return roi.key
    size = f"{roi.size} {NOUN[roi.kind]}{'' if roi.size == 1 else 's'}"
    if roi.is_rest:
        return f"{size} that {'does' if roi.size == 1 else 'do'} not vary with the prompt"
    energy = column_energy(rows[list(roi.members)]) if rows is not None else np.zeros(len(columns))
    words = [size, *_where(energy, columns, token_text)]
    if stable is not None:
        words.append(f"stable {stable:.2f}")
    return " · ".join(words)


def _where(energy: Float[np.ndarray, " column"], columns: Columns, token_text: TokenText | None) -> Iterator[str]:
    """What a ROI's variance is found in: tasks, positions, tokens, and purity, each only where there is something to tell."""
    tasks = shares(energy, columns.task)
    if named := _named(tasks):
        yield ", ".join(f"{columns.tasks[one.value]} {one.share:.2f}" for one in named)
    if named := _named(shares(energy, columns.position)):
        yield f"position {_listed(str(one.value) + f' ({one.share:.2f})' for one in named)}"
    if named := _named(shares(energy, columns.token)):
        yield f"token {_listed(_text(one.value, token_text) + f' ({one.share:.2f})' for one in named)}"
    if len(tasks) > 1:
        yield f"purity {max((one.share - one.chance) / (1.0 - one.chance) for one in tasks):.2f}"


def _named(found: Sequence[Share]) -> list[Share]:
    return [one for one in found if one.stands_out][:MOST]


def _listed(words: Iterator[str]) -> str:
    return ", ".join(words)


def _text(token: int, token_text: TokenText | None) -> str:
    if token_text is None:
        return str(token)
    text = token_text(token)
    return repr(text if len(text) <= SHOWN else text[: SHOWN - 1] + "…")
