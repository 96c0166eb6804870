"""Can the graph say what an ablation does before it is done? Random sets of ROIs, predicted on split ``edges``, measured on split ``eval``.

R² is without a refit, sign agreement over the sets that change the metric by more than 2 standard errors
(roicg/circuits/calibration.py). The naive sum of edges, which counts a path once per member it crosses, is the control.
"""

from dataclasses import replace

import numpy as np
import torch

from roicg.attribution.edges import attribute_edges
from roicg.build import choose_partitions, find_rois
from roicg.circuits.calibration import Calibration, calibrate, random_sets
from roicg.circuits.intervene import Intervention
from roicg.core.graph import ComputationalGraph
from roicg.core.partition import RoiPartition
from roicg.core.settings import AttributionSettings
from tests.bench.evaluated import SEEDS, least, mean, opened, study
from tests.bench.figures import Figure, keep

KINDS = ("own", "components")
METHODS = ("flow", "integrated", "clean", "naive")
NAMES = {
    "flow": "flow through the graph alone",
    "integrated": "masked backward passes",
    "clean": "masked backward pass at the clean run",
    "naive": "naive sums (control)",
}
SETS = 60


def single_rois(partition: RoiPartition) -> tuple[Intervention, ...]:
    """The ablation of each ROI of heads or neurons."""
    return tuple(Intervention("ablate", (roi.key,)) for roi in partition.rois if roi.kind in ("attention", "mlp"))


def calibrations(seed: int) -> dict[tuple[str, str], list[Calibration]]:
    """Per partition and method one calibration per task; single ROIs under the method ``edge sums``."""
    place, found = opened(seed), {}
    prompts = list(place.prompts)
    own = find_rois(place.lens, prompts, study())
    for kind, partition in choose_partitions(place.lens, prompts, own, KINDS, study()).items():
        one = attribute_edges(place.lens, prompts, {"own": partition}, AttributionSettings())["own"]
        graph = ComputationalGraph("bench", place.checkpoint, one.partition, one.edges, one.port_groups, ())
        for calibration in calibrate(place.lens, graph, prompts, random_sets(partition, SETS), METHODS):
            found.setdefault((kind, calibration.method), []).append(calibration)
        for calibration in calibrate(place.lens, graph, prompts, single_rois(partition), ("naive",)):
            if calibration.method == "naive":
                found.setdefault((kind, "edge sums"), []).append(calibration)
    return found


def rows(which: str, found: dict[tuple[str, str], list[Calibration]]) -> list[Figure]:
    """R² and signs per partition and method."""
    figures = []
    for (kind, method), some in found.items():
        r2, sign = [one.r2 or 0.0 for one in some], [one.sign if one.sign is not None else 0.0 for one in some]
        clear = sum(one.n_clear for one in some) / sum(len(one.sets) for one in some)
        note = f"{clear:.0%} of the sets change the metric clearly"
        if method in ("flow", "integrated"):
            figures.append(least(f"R², {kind}, {NAMES[method]}, {which}", r2, 0.8))
            figures.append(least(f"same sign, {kind}, {NAMES[method]}, {which}", sign, 0.95))
        elif method == "edge sums":
            figures.append(mean(f"R², {kind}, single ROIs by their edge sums, {which}", r2, note))
            right, of = sum(round((one.sign or 0.0) * one.n_clear) for one in some), sum(one.n_clear for one in some)
            signs = least(f"same sign, {kind}, single ROIs by their edge sums, {which}", sign, 0.95)
            figures.append(replace(signs, note=f"{signs.note}; {right} of {of} ROIs in all, so that one ROI of a task's {of // len(some)} decides"))
        else:
            figures.append(mean(f"R², {kind}, {NAMES.get(method, 'ceiling: measured on split edges')}, {which}", r2, f"{note}, same sign {np.mean(sign):.2f}"))
    return figures


def test_interventions() -> None:
    torch.set_num_threads(1)
    figures: list[Figure] = []
    for which, seeds in SEEDS.items():
        found: dict[tuple[str, str], list[Calibration]] = {}
        for seed in seeds:
            for key, some in calibrations(seed).items():
                found.setdefault(key, []).extend(some)
        figures += rows(which, found)
    keep("prediction", figures, "make bench ARGS=tests/bench/bench_interventions.py")
    assert all(np.isfinite(figure.value) for figure in figures)
