"""A graph whose ROIs have hostile keys and labels, one neuron each."""

import numpy as np

from roicg.core.graph import Checkpoint, ComputationalGraph, EdgeTable
from roicg.core.partition import Roi, RoiPartition
from roicg.core.rank import rank_edges
from roicg.core.sites import transformer_sites
from roicg.store.protocol import Slot
from tests.hostile import HOSTILE

NAMES = [name for what, name in HOSTILE.items() if what != "half a surrogate"]
"""Those that are text."""


def hostile_graph() -> tuple[ComputationalGraph, Slot]:
    """``tok`` → each ROI → ``logits``; keys are ``m0.`` and a name, labels the name, one ROI plainly called ``m0.r0``."""
    sites = transformer_sites(1, 1, len(NAMES) + 1)
    rois = [Roi("tok", "tok", None, "tok", (0,)), Roi("a0.h0", "a0", 0, "attention", (0,)), Roi("m0.r0", "m0", 0, "mlp", (len(NAMES),))]
    rois += [Roi(f"m0.{name}", "m0", 0, "mlp", (i,), label=name) for i, name in enumerate(NAMES)]
    rois.append(Roi("logits", "logits", None, "logits", (0,)))
    partition = RoiPartition("own", sites, tuple(rois), {name: name for name in NAMES})
    middle = range(2, len(rois) - 1)
    source = np.array([0] * len(middle) + list(middle))
    target = np.array([*middle, *([len(rois) - 1] * len(middle))])
    weight = np.random.default_rng(0).normal(size=(1, len(source)))
    keys = [roi.key for roi in rois]
    rank = rank_edges(weight, [keys[u] for u in source], [keys[v] for v in target], ["in"] * len(source))
    table = EdgeTable(("add",), source, target, ("in",) * len(source), weight, np.abs(weight) / 10, np.abs(weight), rank)
    graph = ComputationalGraph("hostile", Checkpoint("toy", 1, "1", "w"), partition, table, (), (), {"path": "ports"} | {name: name for name in NAMES})
    return graph, Slot("hostile", "toy", "1", 1, "own", "ports")
