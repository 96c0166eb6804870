"""The edge sums of one port group for every partition: each pair of (source site, target site) is contracted once.

A partition's block [source ROI, target ROI] has its sources in partition order over all upstream sites. Sites that a
partition takes neuron by neuron are contracted neuron by neuron, all others as rows (plan.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from roicg.attribution.plan import RowPlan
from roicg.attribution.sources import Sources
from roicg.attribution.sums import EdgeSums
from roicg.attribution.targets import GradientSum
from roicg.attribution.weights import head_neuron, neuron_head, neuron_neuron, neuron_row, row_neuron, row_row
from roicg.core.partition import RoiPartition
from roicg.core.sites import PortGroup, Site
from roicg.models.writers import Members


@dataclass(frozen=True, slots=True)
class GroupBlocks:
    """Edge sums per partition name, for the edges into one port group."""

    plan: RowPlan
    group: PortGroup
    sums: Mapping[str, EdgeSums]

    @classmethod
    def of(cls, plan: RowPlan, partitions: Mapping[str, RoiPartition], group: PortGroup, n: int = 0) -> "GroupBlocks":
        """Empty blocks for ``n`` examples."""
        upstream = plan.upstream(group.site)
        shapes = {name: (sum(plan.size(name, site.key) for site in upstream), plan.size(name, group.site.key)) for name in partitions}
        return cls(plan, group, {name: EdgeSums(shape, n) for name, shape in shapes.items()})

    def merge(self, other: "GroupBlocks") -> None:
        """Add the sums of further examples."""
        for name, sums in self.sums.items():
            sums.merge(other.sums[name])

    @torch.no_grad()
    def add(self, gradient: GradientSum, sources: Sources) -> Float[Tensor, " B"]:
        """Add the weights of one batch; returns Σ of the first partition's edges per example (float64)."""
        plan, site = self.plan, self.group.site
        rows = sources.read_by(self.group)
        targets = gradient.rows(plan.members[site.key]) if plan.members[site.key] else None
        dense = None if targets is None else row_row(rows, targets)
        flow: Tensor | None = None
        for name, block in self.sums.items():
            pick = plan.picks[name][site.key]
            part, start, offset = torch.zeros(rows.shape[1], dtype=torch.float64, device=rows.device), 0, 0
            for source in plan.upstream(site):
                where = slice(start, start + plan.size(name, source.key))
                chosen, members = plan.picks[name][source.key], plan.members[source.key]
                if chosen is None:
                    part += self._from_neurons(name, source, gradient, sources, targets, where)
                else:
                    index = [offset + row for row in chosen]
                    if pick is None:
                        sets = [members[row] for row in chosen]
                        weights = self._into_neurons(source, sets, rows[index], gradient, sources)[:, :, list(plan.neurons[name, site.key])]
                    else:
                        assert dense is not None
                        weights = _pick(dense, index, pick)
                    block.add(weights, where)
                    part += weights.sum((1, 2), dtype=torch.float64)
                start, offset = where.stop, offset + len(members)
            flow = part if flow is None else flow
        assert flow is not None
        return flow

    def _from_neurons(self, name: str, source: Site, gradient: GradientSum, sources: Sources, targets: Tensor | None, where: slice) -> Float[Tensor, " B"]:
        """Add the edges of a source site that partition ``name`` takes neuron by neuron."""
        plan, site, block = self.plan, self.group.site, self.sums[name]
        neurons, pick = sources.neurons_read_by(gradient, source).ordered(plan.neurons[name, source.key]), plan.picks[name][site.key]
        if pick is None:
            order, part = list(plan.neurons[name, site.key]), torch.zeros(len(neurons.delta), dtype=torch.float64, device=neurons.delta.device)
            for tile, each in neuron_neuron(neurons, gradient):
                ordered = each if order == list(range(len(order))) else (weights[:, order] for weights in each)
                part += block.add_each(ordered, slice(where.start + tile.start, where.start + tile.stop))
            return part
        if site.kind == "attention" and _by_features(neurons.delta, gradient.total[0]):
            weights = neuron_head(neurons, gradient, plan.members[site.key])[:, :, list(pick)]
        else:
            assert targets is not None
            weights = neuron_row(neurons, targets[list(pick)])
        block.add(weights, where)
        return weights.sum((1, 2), dtype=torch.float64)

    def _into_neurons(
        self, source: Site, members: Sequence[Members], rows: Float[Tensor, "S B P D"], gradient: GradientSum, sources: Sources
    ) -> Float[Tensor, "B S M"]:
        """The edges from some sets of ``source`` into every neuron of this site."""
        if source.kind != "attention":
            return row_neuron(rows, gradient)
        assert source.layer is not None
        z, w_o = sources.computed_differently(self.group, source), gradient.lens.attentions[source.layer].W_O
        if not _by_features(rows[0], z):
            return row_neuron(rows, gradient)
        return head_neuron(z, w_o.to(z.dtype), members, rows, gradient)


def _by_features(other: Tensor, heads: Float[Tensor, "B P H E"]) -> bool:
    """Whether heads are taken feature by feature, cheaper than row by row where there are at least as many positions as features."""
    return other.shape[1] >= heads.shape[3]


def _pick(dense: Float[Tensor, "B S T"], sources: Sequence[int], targets: Sequence[int]) -> Float[Tensor, "B s t"]:
    """Some rows and columns; a run of neighbours is a view."""
    for axis, index in ((1, sources), (2, targets)):
        chosen = list(index)
        if chosen == list(range(chosen[0], chosen[0] + len(chosen))) if chosen else False:
            dense = dense.narrow(axis, chosen[0], len(chosen))
        else:
            dense = dense.index_select(axis, torch.tensor(chosen, device=dense.device, dtype=torch.long))
    return dense
