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
from roicg.attribution.weights import neuron_neuron, neuron_row, row_neuron, row_row
from roicg.core.partition import RoiPartition
from roicg.core.sites import PortGroup, Site
from roicg.models.lens import Lens


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
        shapes = {name: (sum(len(p.of_site(site.key)) for site in upstream), len(p.of_site(group.site.key))) for name, p in partitions.items()}
        return cls(plan, group, {name: EdgeSums(shape, n) for name, shape in shapes.items()})

    def merge(self, other: "GroupBlocks") -> None:
        """Add the sums of further examples."""
        for name, sums in self.sums.items():
            sums.merge(other.sums[name])

    @torch.no_grad()
    def add(self, gradient: GradientSum, sources: Sources) -> Float[Tensor, " B"]:
        """Add the weights of one batch; returns Σ of the first partition's edges per example (float64)."""
        plan, site = self.plan, self.group.site
        upstream = plan.upstream(site)
        rows = sources.read_by(self.group)
        targets = _target_rows(gradient, plan, site)
        dense = None if targets is None else row_row(rows, targets)
        flow: Tensor | None = None
        for name, block in self.sums.items():
            pick = plan.picks[name][site.key]
            part, start, offset = torch.zeros(rows.shape[1], dtype=torch.float64, device=rows.device), 0, 0
            for source in upstream:
                chosen = plan.picks[name][source.key]
                if chosen is None:
                    neurons = plan.neurons[name, source.key]
                    where = slice(start, start + len(neurons))
                    part += self._from_neurons(name, source, neurons, pick, gradient, sources, targets, block, where)
                else:
                    index = [offset + row for row in chosen]
                    where = slice(start, start + len(index))
                    if pick is None:
                        weights = row_neuron(rows[index], gradient)[:, :, list(plan.neurons[name, site.key])]
                    else:
                        assert dense is not None
                        weights = _pick(dense, index, pick)
                    block.add(weights, where)
                    part += weights.sum((1, 2), dtype=torch.float64)
                start, offset = where.stop, offset + len(plan.members[source.key])
            flow = part if flow is None else flow
        assert flow is not None
        return flow

    def _from_neurons(
        self,
        name: str,
        source: Site,
        neurons: tuple[int, ...],
        pick: tuple[int, ...] | None,
        gradient: GradientSum,
        sources: Sources,
        targets: Tensor | None,
        block: EdgeSums,
        where: slice,
    ) -> Float[Tensor, " B"]:
        """The edges of a source site that is taken neuron by neuron."""
        delta, w_out = sources.neurons_read_by(self.group, source), _w_out(gradient.lens, source, gradient.total[0].dtype)
        if list(neurons) != list(range(source.n_features)):
            delta, w_out = delta[..., list(neurons)], w_out[list(neurons)]
        if pick is None:
            order = list(self.plan.neurons[name, self.group.site.key])
            each = neuron_neuron(delta, w_out, gradient)
            return block.add_each(each if order == list(range(len(order))) else (w[:, order] for w in each), where).double()
        assert targets is not None
        weights = neuron_row(delta, w_out, targets[list(pick)])
        block.add(weights, where)
        return weights.sum((1, 2), dtype=torch.float64)


def _target_rows(gradient: GradientSum, plan: RowPlan, site: Site) -> Tensor | None:
    """The target rows of ``site``, if any partition reads it in rows."""
    members = plan.members[site.key]
    if not members:
        return None
    return gradient.rows(members)


def _w_out(lens: Lens, site: Site, dtype: torch.dtype) -> Float[Tensor, "N D"]:
    assert site.layer is not None
    mlp = lens.mlps[site.layer]
    assert mlp is not None
    return mlp.W_out.to(dtype)


def _pick(dense: Float[Tensor, "B S T"], sources: Sequence[int], targets: Sequence[int]) -> Float[Tensor, "B s t"]:
    """Some rows and columns; a run of neighbours is a view."""
    for axis, index in ((1, sources), (2, targets)):
        chosen = list(index)
        if chosen == list(range(chosen[0], chosen[0] + len(chosen))) if chosen else False:
            dense = dense.narrow(axis, chosen[0], len(chosen))
        else:
            dense = dense.index_select(axis, torch.tensor(chosen, device=dense.device, dtype=torch.long))
    return dense
