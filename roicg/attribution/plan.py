"""What is computed once so that every partition can be read from it: which member sets are rows, which sites go neuron by neuron.

An edge is the dot product of a source row (what a member set wrote differently) with a target row (the metric's gradient
for a member set), so edges are additive over members by construction. The distinct member sets of all partitions are
the rows of a site; a partition then picks its rows. A site that a partition splits into more than ``MAX_ROWS`` single
neurons is taken neuron by neuron through virtual weights instead (weights.py), where rows would not fit.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from roicg.core.partition import RoiPartition
from roicg.core.sites import Site, is_upstream
from roicg.models.writers import Members

MAX_ROWS = 64
"""A site with more single-neuron ROIs than this is taken neuron by neuron."""


@dataclass(frozen=True, slots=True)
class RowPlan:
    """Per site the distinct member sets (rows) of all partitions; per partition and site the rows of its ROIs, in ROI order.

    Where ``picks[partition][site]`` is None the partition has one ROI per neuron there, in the order ``neurons[partition, site]``.
    """

    sites: tuple[Site, ...]
    members: Mapping[str, tuple[Members, ...]]
    picks: Mapping[str, Mapping[str, tuple[int, ...] | None]]
    neurons: Mapping[tuple[str, str], tuple[int, ...]]

    def n_rows(self) -> int:
        """Rows over all sites: what memory is counted in."""
        return sum(len(rows) for rows in self.members.values())

    def size(self, partition: str, site: str) -> int:
        """How many ROIs ``partition`` has at ``site``."""
        pick = self.picks[partition][site]
        return len(self.neurons[partition, site] if pick is None else pick)

    def by_neuron(self, site: str) -> bool:
        """Whether some partition takes ``site`` neuron by neuron."""
        return any(key == site for _, key in self.neurons)

    def upstream(self, site: Site) -> tuple[Site, ...]:
        """The sites whose writing ``site`` can read, in stream order: always the first so many of the writing sites."""
        return tuple(s for s in self.sites if is_upstream(s, site))


def plan_rows(partitions: Mapping[str, RoiPartition], max_rows: int | None = None) -> RowPlan:
    """The rows that serve all of ``partitions`` (which must be over the same sites); ``max_rows`` defaults to ``MAX_ROWS``."""
    most = MAX_ROWS if max_rows is None else max_rows
    sites = next(iter(partitions.values())).sites
    members: dict[str, list[Members]] = {site.key: [] for site in sites}
    index: dict[tuple[str, Members], int] = {}
    picks: dict[str, dict[str, tuple[int, ...] | None]] = {}
    neurons: dict[tuple[str, str], tuple[int, ...]] = {}
    for name, partition in partitions.items():
        if partition.sites != sites:
            raise ValueError(f"partition {name!r} is over other sites")
        picks[name] = {}
        for site in sites:
            sets = [partition.rois[i].members for i in partition.of_site(site.key)]
            if site.kind == "mlp" and len(sets) > most and all(len(row) == 1 for row in sets):
                picks[name][site.key] = None
                neurons[name, site.key] = tuple(row[0] for row in sets)
                continue
            chosen = []
            for row in sets:
                if (site.key, row) not in index:
                    index[site.key, row] = len(members[site.key])
                    members[site.key].append(row)
                chosen.append(index[site.key, row])
            picks[name][site.key] = tuple(chosen)
    return RowPlan(sites, {key: tuple(rows) for key, rows in members.items()}, picks, neurons)
