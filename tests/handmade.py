"""Graphs small enough to know every answer by heart: eight ROIs, two tasks, three checkpoints, all weights written down.

::

    tok ─→ a0.h0, a0.h1 (q, k, v) ─→ m0.r0, m0.r1, m0.r2 ─→ logits       and past each of them; m0.rest does nothing

``reference_graph(step)`` shares its ROIs over steps 0, 100, 200 (the common node set). ``own_graph(step)`` has the ROIs
that steps 100 and 200 would find on their own, so that one is born, one dies, one splits and two merge.
"""

from dataclasses import replace

import numpy as np

from roicg.core.graph import Checkpoint, ComputationalGraph, EdgeTable, FaithfulnessCurve, PortGroupEffect, TaskScore
from roicg.core.partition import PartitionKind, Roi, RoiPartition, SiteQuality
from roicg.core.rank import rank_edges
from roicg.core.sites import port_groups, transformer_sites
from roicg.store.protocol import Slot

STEPS = (0, 100, 200)
TASKS = ("add", "max")
SITES = transformer_sites(1, 2, 12)
QUALITY = SiteQuality(n_rois=3, modularity=0.4, z_rotation=9.0, z_shuffle=7.5, p_rotation=0.05, p_shuffle=0.05, stability=0.9, above_null=True)

# (source, target, port): weights at step 0, 100, 200 for add, then for max
WEIGHTS: dict[tuple[str, str, str], tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    ("tok", "a0.h0", "q"): ((0.20, 0.10, 0.10), (0.001, 0.01, 0.02)),
    ("tok", "a0.h0", "k"): ((0.00, -0.10, -0.20), (0.001, 0.01, 0.01)),
    ("tok", "a0.h0", "v"): ((0.01, 0.20, 0.50), (0.001, 0.03, 0.06)),
    ("tok", "a0.h1", "v"): ((0.01, 0.05, 0.10), (0.002, 0.60, 0.80)),
    ("tok", "m0.r0", "in"): ((0.00, 0.15, 0.30), (0.001, 0.10, 0.28)),
    ("tok", "m0.r1", "in"): ((0.05, 0.12, 0.20), (0.001, 0.02, 0.03)),
    ("tok", "m0.rest", "in"): ((0.00, 0.00, 0.00), (0.000, 0.00, 0.00)),
    ("a0.h0", "m0.r0", "in"): ((0.02, 0.30, 0.60), (-0.001, -0.02, -0.05)),
    ("a0.h0", "m0.r1", "in"): ((0.01, 0.11, 0.25), (0.001, 0.01, 0.015)),
    ("a0.h0", "logits", "in"): ((0.01, 0.08, 0.15), (0.001, 0.01, 0.012)),
    ("a0.h1", "m0.r2", "in"): ((0.00, 0.04, 0.08), (0.003, 0.50, 0.70)),
    ("a0.h1", "logits", "in"): ((0.00, 0.01, 0.02), (0.004, 0.15, 0.20)),
    ("m0.r0", "logits", "in"): ((0.04, 0.50, 0.90), (0.002, 0.20, 0.30)),
    ("m0.r1", "logits", "in"): ((0.01, -0.25, -0.40), (0.001, 0.02, 0.04)),
    ("m0.r2", "logits", "in"): ((0.00, 0.02, 0.05), (0.003, 0.55, 0.75)),
    ("m0.rest", "logits", "in"): ((0.00, 0.00, 0.00), (0.000, 0.00, 0.00)),
}
SE = {0: 0.03, 100: 0.01, 200: 0.01}
# mean |weight| is |weight| everywhere but here: effects that cancel in the mean
MEAN_ABS = {("add", 200, ("tok", "a0.h1", "v")): 0.9, ("add", 200, ("a0.h1", "logits", "in")): 0.3}
ACCURACY = {"add": (0.05, 0.60, 1.00), "max": (0.30, 0.95, 0.98)}

REFERENCE = {"m0.r0": (0, 1, 2), "m0.r1": (3, 4), "m0.r2": (5, 8, 9, 10, 11), "m0.rest": (6, 7)}
OWN = {
    100: {"m0.r0": (0, 1, 2, 3), "m0.r1": (4, 5), "m0.r2": (8,), "m0.r3": (9,), "m0.r4": (10, 11), "m0.rest": (6, 7)},
    200: {"m0.r0": (0, 1), "m0.r1": (2, 3), "m0.r2": (4, 5), "m0.r3": (6,), "m0.r4": (9, 10, 11), "m0.rest": (7, 8)},
}


def partition(kind: PartitionKind, neurons: dict[str, tuple[int, ...]]) -> RoiPartition:
    """The eight ROIs' partition, with these groups of the twelve neurons."""
    rois = [Roi("tok", "tok", None, "tok", (0,)), Roi("a0.h0", "a0", 0, "attention", (0,)), Roi("a0.h1", "a0", 0, "attention", (1,))]
    rois += [Roi(key, "m0", 0, "mlp", members, is_rest=key == "m0.rest") for key, members in neurons.items()]
    rois.append(Roi("logits", "logits", None, "logits", (0,)))
    return RoiPartition(kind, SITES, tuple(rois), {"method": "by hand"}, {"m0": QUALITY})


def reference_graph(step: int, model: str = "toy", kind: PartitionKind = "reference") -> ComputationalGraph:
    """The graph of one checkpoint on the common node set."""
    weight = np.array([[WEIGHTS[edge][task][STEPS.index(step)] for edge in WEIGHTS] for task in range(len(TASKS))])
    return graph_of(partition(kind, REFERENCE), tuple(WEIGHTS), weight, step, model)


def own_graph(step: int, model: str = "toy") -> ComputationalGraph:
    """The graph of one checkpoint on its own ROIs: every neuron ROI is read by the logits with weight 0.1."""
    edges = tuple((key, "logits", "in") for key in OWN[step] if key != "m0.rest")
    return graph_of(partition("own", OWN[step]), edges, np.full((len(TASKS), len(edges)), 0.1), step, model)


def graph_of(rois: RoiPartition, edges: tuple[tuple[str, str, str], ...], weight: np.ndarray, step: int, model: str) -> ComputationalGraph:
    """A whole graph around given weights: ranks, errors, port groups (gap 0 but for add's logits: 0.01), scores."""
    index = {roi.key: i for i, roi in enumerate(rois.rois)}
    sources, targets, ports = ([edge[i] for edge in edges] for i in range(3))
    se = np.full(weight.shape, SE[step])
    mean_abs = np.array([[MEAN_ABS.get((task, step, edge), abs(weight[t, e])) for e, edge in enumerate(edges)] for t, task in enumerate(TASKS)])
    table = EdgeTable(
        TASKS,
        np.array([index[key] for key in sources]),
        np.array([index[key] for key in targets]),
        tuple(ports),
        weight,
        se,
        mean_abs,
        rank_edges(weight, sources, targets, ports),
    )
    groups = []
    for t, task in enumerate(TASKS):
        for group in port_groups(rois.sites):
            total = sum(w for w, target, port in zip(weight[t], targets, ports, strict=True) if target.split(".")[0] == group.site.key and port == group.port)
            gap = 0.01 if (task, group.key) == ("add", "logits.in") else 0.0
            groups.append(PortGroupEffect(group.key, task, float(total) + gap, gap, 5, "ports", gap == 0.0, False))
    scores = []
    for task in TASKS:
        accuracy = ACCURACY[task][STEPS.index(step)]
        scores.append(TaskScore(task, "logit_difference", "eval", 50, 2.0 * accuracy, -1.0, accuracy, accuracy >= 0.9, f"prompts of {task}"))
    return ComputationalGraph(
        id=f"{model}-{step}-{rois.kind}",
        checkpoint=Checkpoint(model, step, str(step), f"weights of {model} at {step}"),
        partition=rois,
        edges=table,
        port_groups=tuple(groups),
        scores=tuple(scores),
        provenance={"path": "ports", "rule": "gauss-legendre", "steps": "5", "baseline": "corrupted", "dtype": "float64"},
    )


def slot_of(graph: ComputationalGraph, path: str = "ports", study: str = "hand") -> Slot:
    """The slot in which a hand-made graph belongs."""
    checkpoint = graph.checkpoint
    return Slot(study, checkpoint.model, checkpoint.label, checkpoint.step, graph.partition.kind, path)


def curves(step: int) -> tuple[FaithfulnessCurve, ...]:
    """φ(n): add reaches .9 with 9 of 16 edges at step 200 only, max with 4 at step 200 and 16 at step 100; no effect at step 0."""
    phi = {("add", 100): (0.2, 0.4, 0.6, 0.8), ("add", 200): (0.5, 0.8, 0.95, 1.0), ("max", 100): (0.3, 0.6, 0.8, 1.0), ("max", 200): (0.92, 0.96, 0.99, 1.0)}
    sizes = (4, 6, 9, 16)
    found = []
    for task in TASKS:
        solved = ACCURACY[task][STEPS.index(step)] >= 0.9
        blank = FaithfulnessCurve(task, "weight", 16, (), (), (), (), (), (), None, "no_effect", 50, solved)
        if step == 0:
            found += [blank, replace(blank, selection="random")]
            continue
        for selection, scale in (("weight", 1.0), ("random", 0.5)):
            values = tuple(scale * value for value in phi[task, step])
            low, high = tuple(v - 0.05 for v in values), tuple(v + 0.05 for v in values)
            shown = FaithfulnessCurve(task, selection, 16, sizes, values, low, high, (0.4, 0.3, 0.2, 0.1), values, 0.7 * scale, None, 50, solved)
            if selection == "weight":
                more = {"complement": (0.4, 0.1, 0.05, 0.0), "features": (0.25, 0.5, 0.75, 1.0), "parameters": (0.2, 0.4, 0.6, 1.0)}
                shown = replace(shown, cpr_mib=0.65, cmd_mib=0.35, **more)
            found.append(shown)
    return tuple(found)
