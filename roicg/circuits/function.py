"""The function of an ROI, measured and not read off a graph: what ablating it takes from each task."""

import numpy as np
from jaxtyping import Float

from roicg.circuits.sets import Asked, feature_sites, features_kept
from roicg.core.partition import RoiPartition


def functions(asked: Asked, partition: RoiPartition) -> dict[str, Float[np.ndarray, " task"]]:
    """ROI of heads and neurons → 1 − φ of every task of ``asked`` with this ROI alone ablated; 0 where the task has no effect."""
    starts = np.cumsum([0, *(site.n_features for site in feature_sites(asked.lens))])
    at = dict(zip((site.key for site in feature_sites(asked.lens)), starts.tolist(), strict=False))
    rois = [roi for roi in partition.rois if roi.site in at]
    kept = np.ones((len(rois), int(starts[-1])), dtype=bool)
    for row, roi in zip(kept, rois, strict=True):
        row[at[roi.site] + np.array(roi.members, dtype=np.int64)] = False
    lost = np.nan_to_num(1.0 - features_kept(asked)(kept))
    return {roi.key: row for roi, row in zip(rois, lost, strict=True)}
