"""Graphs of any size in no time, for what depends on size only."""

import numpy as np

from roicg.core.graph import Checkpoint, ComputationalGraph, EdgeTable
from roicg.core.partition import Roi, RoiPartition
from roicg.core.sites import is_upstream, transformer_sites


def wide_graph(rows: int, seed: int, tasks: tuple[str, ...] = ("add", "max")) -> ComputationalGraph:
    """A graph of single features of four layers with ``rows`` edges (over all tasks), drawn at random; one slot for all seeds."""
    neurons = int((rows / len(tasks) / 6) ** 0.5) + 1
    sites = transformer_sites(4, 4, neurons)
    rois = tuple(Roi(f"{site.key}.{i}", site.key, site.layer, site.kind, (i,)) for site in sites for i in range(site.n_features))
    members = {site.key: [i for i, roi in enumerate(rois) if roi.site == site.key] for site in sites}
    sources, targets, ports = [], [], []
    for one in sites:
        for other in sites:
            for port in other.ports if is_upstream(one, other) else ():
                sources.append(np.repeat(members[one.key], len(members[other.key])))
                targets.append(np.tile(members[other.key], len(members[one.key])))
                ports.append(np.full(len(sources[-1]), port))
    rng = np.random.default_rng(seed)
    source, target, port = (np.concatenate(column) for column in (sources, targets, ports))
    kept = np.sort(rng.permutation(len(source))[: rows // len(tasks)])
    weight = rng.normal(size=(len(tasks), len(kept)))
    rank = np.empty(weight.shape, dtype=np.int64)
    for row, strength in zip(rank, np.abs(weight), strict=True):
        row[np.argsort(-strength, kind="stable")] = np.arange(1, len(kept) + 1)
    table = EdgeTable(tasks, source[kept], target[kept], tuple(port[kept].tolist()), weight, np.abs(weight) / 10, np.abs(weight), rank)
    partition = RoiPartition("singletons", sites, rois, {"method": "none"}, {})
    provenance = {"path": "ports", "rule": "gauss-legendre", "steps": "5"}
    return ComputationalGraph(f"wide-{rows}-{seed}", Checkpoint("wide", 1, "1", f"weights {seed}"), partition, table, (), (), provenance)
