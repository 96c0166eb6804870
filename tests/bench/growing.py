"""A training run without a model: checkpoints of 5,000 edges and four tasks on one node set, as large as one likes and in no time."""

import numpy as np

from roicg.core.graph import Checkpoint, ComputationalGraph, EdgeTable, PortGroupEffect, TaskScore
from roicg.core.partition import Roi, RoiPartition
from roicg.core.rank import rank_edges
from roicg.core.sites import is_upstream, port_groups, transformer_sites
from roicg.store.protocol import Slot

TASKS = ("add", "max", "induction", "other")
LAYERS, HEADS, GROUPS, NEURONS = 4, 4, 20, 256
EDGES = 5000
"""Kept of the 5,153 between these ROIs."""
STUDY, MODEL = "growing", "grown"


def partition() -> RoiPartition:
    """Heads, and ``GROUPS`` groups of each MLP's neurons."""
    sites = transformer_sites(LAYERS, HEADS, NEURONS)
    rois: list[Roi] = []
    for site in sites:
        if site.kind == "mlp":
            rois += [Roi(f"{site.key}.r{i}", site.key, site.layer, site.kind, tuple(range(i, NEURONS, GROUPS))) for i in range(GROUPS)]
        elif site.kind == "attention":
            rois += [Roi(f"{site.key}.h{i}", site.key, site.layer, site.kind, (i,)) for i in range(HEADS)]
        else:
            rois.append(Roi(site.key, site.key, None, site.kind, (0,)))
    return RoiPartition("reference", sites, tuple(rois), {"method": "made up"}, {})


def grown(step: int, draw: int = 0) -> ComputationalGraph:
    """The graph of checkpoint ``step``: weights that drift from step to step, another history for every ``draw``."""
    rois = partition()
    ends = [(u, v, port) for u, v, port in _possible(rois)]
    drawn = np.sort(np.random.default_rng(0).permutation(len(ends))[:EDGES])
    sources, targets, ports = ([ends[i][part] for i in drawn] for part in range(3))
    early, late = (np.random.default_rng([7, end, draw if end else 0]).normal(size=(len(TASKS), EDGES)) for end in (0, 1))
    weight = early / (1 + step) + late * step / 200
    names = [[rois.rois[i].key for i in side] for side in (sources, targets)]
    table = EdgeTable(TASKS, np.array(sources), np.array(targets), tuple(ports), weight, np.abs(weight) / 10, np.abs(weight), rank_edges(weight, *names, ports))
    effects = tuple(PortGroupEffect(group.key, task, 1.0, 0.0, 5, "ports", True, False) for task in TASKS for group in port_groups(rois.sites))
    scores = tuple(TaskScore(task, "logit_difference", "eval", 50, 1.0, -1.0, min(1.0, step / 100), step >= 90, "made up") for task in TASKS)
    given = {"path": "ports", "rule": "gauss-legendre", "steps": "5", "baseline": "corrupted", "dtype": "float64"}
    return ComputationalGraph(f"grown-{draw}-{step}", Checkpoint(MODEL, step, str(step), f"weights {draw} {step}"), rois, table, effects, scores, given)


def slot_of(graph: ComputationalGraph) -> Slot:
    """Its place in the sequence."""
    return Slot(STUDY, MODEL, graph.checkpoint.label, graph.checkpoint.step, "reference", "ports")


def _possible(rois: RoiPartition) -> list[tuple[int, int, str]]:
    sites = {site.key: site for site in rois.sites}
    found = []
    for u, source in enumerate(rois.rois):
        for v, target in enumerate(rois.rois):
            if is_upstream(sites[source.site], sites[target.site]):
                found += [(u, v, port) for port in sites[target.site].ports]
    return found
