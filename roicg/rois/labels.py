"""A plain word on each ROI: how many features it has and on which task they are most active. Says nothing of their use."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from roicg.core.partition import Roi, RoiPartition

NOUN = {"mlp": "neuron", "attention": "head", "tok": "token feature", "logits": "metric"}


def labelled(partition: RoiPartition, signatures: Mapping[str, Float[np.ndarray, "feature column"]], tasks: Sequence[str]) -> RoiPartition:
    """The same partition with labels such as ``146 neurons, most active on add``; ids do not change, labels are no part of them.

    ``tasks``: the task of each signature column (``signatures.column_tasks``). The task named is the one with the largest
    mean |activation − mean over all columns| of the members, each scaled by its own standard deviation; it is named only
    when there are at least two tasks and the ROI is not ``rest``.
    """
    return replace(partition, rois=tuple(replace(roi, label=_label(roi, signatures.get(roi.site), tasks)) for roi in partition.rois))


def _label(roi: Roi, signature: Float[np.ndarray, "feature column"] | None, tasks: Sequence[str]) -> str:
    if roi.kind in ("tok", "logits"):
        return roi.key
    noun = NOUN[roi.kind] + ("" if roi.size == 1 else "s")
    if roi.is_rest:
        return f"{roi.size} {noun} that never vary"
    names = sorted(set(tasks))
    if signature is None or len(names) < 2:
        return f"{roi.size} {noun}"
    rows = signature[list(roi.members)].astype(np.float64)
    spread = rows.std(axis=1, keepdims=True)
    if not spread.any():
        return f"{roi.size} {noun}"
    deviation = np.abs(rows - rows.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1.0)
    column = np.asarray(tasks)
    means = [float(deviation[:, column == name].mean()) for name in names]
    return f"{roi.size} {noun}, most active on {names[int(np.argmax(means))]}"
