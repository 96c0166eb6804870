"""Lay edge blocks out as one edge list per partition, in an order that never changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from roicg.attribution.sums import EdgeSums
from roicg.core.graph import EdgeTable
from roicg.core.partition import RoiPartition
from roicg.core.rank import rank_edges
from roicg.core.sites import PortGroup, is_upstream, port_groups


@dataclass(frozen=True, slots=True)
class EdgeLayout:
    """Per port group the source and target ROIs (indices into the partition) of its block [source, target]."""

    partition: RoiPartition
    groups: tuple[PortGroup, ...]
    sources: Mapping[str, tuple[int, ...]]
    targets: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, partition: RoiPartition) -> "EdgeLayout":
        """The layout of ``partition``: groups in stream order, ROIs in partition order."""
        groups = port_groups(partition.sites)
        sources = {g.key: tuple(i for site in partition.sites if is_upstream(site, g.site) for i in partition.of_site(site.key)) for g in groups}
        return cls(partition, groups, sources, {g.key: partition.of_site(g.site.key) for g in groups})

    def shape(self, group: PortGroup) -> tuple[int, int]:
        """Sources × targets of one group's block."""
        return len(self.sources[group.key]), len(self.targets[group.key])


def assemble(layout: EdgeLayout, tasks: Sequence[str], blocks: Mapping[tuple[str, str], EdgeSums]) -> EdgeTable:
    """One edge table from the blocks of every (task, port group key)."""
    source = np.concatenate([np.repeat(layout.sources[g.key], len(layout.targets[g.key])) for g in layout.groups]).astype(np.int64)
    target = np.concatenate([np.tile(layout.targets[g.key], len(layout.sources[g.key])) for g in layout.groups]).astype(np.int64)
    port = tuple(g.port for g in layout.groups for _ in range(layout.shape(g)[0] * layout.shape(g)[1]))
    columns = {
        name: np.stack([np.concatenate([getattr(blocks[task, g.key], name).ravel() for g in layout.groups]) for task in tasks])
        for name in ("mean", "standard_error", "mean_abs")
    }
    keys = [roi.key for roi in layout.partition.rois]
    ranks = rank_edges(columns["mean"], [keys[i] for i in source], [keys[i] for i in target], list(port))
    return EdgeTable(tuple(tasks), source, target, port, columns["mean"], columns["standard_error"], columns["mean_abs"], ranks)
