"""One site with very many features, in a process of its own: ``python -m tests.bench.many_features N COLUMNS`` prints seconds and peak memory as JSON."""

import json
import sys
from time import perf_counter, process_time
from types import SimpleNamespace

import numpy as np

from tests.bench.memory import resident

GROUPS, NOISE = 50, 1.0


def planted(n: int, columns: int, seed: int = 0, groups: int = GROUPS, noise: float = NOISE) -> tuple[np.ndarray, np.ndarray]:
    """Rows that follow the signal of their group with a sign and noise of their own (float32), group sizes falling as 1/rank; and the group of each row."""
    rng = np.random.default_rng(seed)
    weight = 1 / np.arange(1, groups + 1)
    sizes = np.maximum((weight / weight.sum() * n).astype(int), 1)
    sizes[0] += n - sizes.sum()
    labels = rng.permutation(np.repeat(np.arange(groups), sizes))
    signal = rng.standard_normal((groups, columns), dtype=np.float32)
    rows = np.empty((n, columns), dtype=np.float32)
    for start in range(0, n, 512):
        here = labels[start : start + 512]
        sign = rng.choice(np.array([-1, 1], dtype=np.float32), size=(len(here), 1))
        rows[start : start + 512] = signal[here] * sign + noise * rng.standard_normal((len(here), columns), dtype=np.float32)
    return rows, labels


def measure(n: int, columns: int) -> dict[str, float]:
    """The whole way from signature to labelled ROIs with the default settings: nulls, stability, hierarchy and all."""
    from roicg.core.settings import RoiSettings
    from roicg.core.sites import transformer_sites
    from roicg.models.columns import Columns
    from roicg.numerics.agreement import adjusted_rand
    from roicg.rois.labels import labelled
    from roicg.rois.partition import own_partition

    rows, truth = planted(n, columns)
    made_of = Columns(("a", "b"), np.arange(columns) % 2, np.arange(columns) % 8, np.arange(columns) % 97)
    before, wall, cpu = resident("VmRSS"), perf_counter(), process_time()
    partition = own_partition(transformer_sites(1, 1, n), {"m0": rows}, RoiSettings())
    partition = labelled(partition, {"m0": rows}, made_of)
    found = SimpleNamespace(wall=perf_counter() - wall, cpu=process_time() - cpu)
    quality = partition.quality["m0"]
    return {
        "cpu_s": found.cpu,
        "wall_s": found.wall,
        "peak_mib": resident("VmHWM"),
        "before_mib": before,
        "ari": adjusted_rand(partition.labels("m0"), truth),
        "rois": quality.n_rois,
        "z": min(quality.z_rotation, quality.z_shuffle),
        "stability": quality.stability,
    }


if __name__ == "__main__":
    print(json.dumps(measure(*(int(word) for word in sys.argv[1:]))))
