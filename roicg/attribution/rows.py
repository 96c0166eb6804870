"""ROIs as rows: what each source ROI wrote differently, and what the metric's gradient is for each target ROI.

One gradient pass serves every partition: the distinct member sets of all partitions are the rows of a site, computed
once; a partition then picks its rows. An edge is the dot product of a source row with a target row, so edges are
additive over members by construction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from roicg.attribution.norms import pull_back
from roicg.core.partition import RoiPartition
from roicg.core.sites import PortGroup, Site
from roicg.models.lens import Lens
from roicg.models.writers import Members, sum_members, weigh_members


@dataclass(frozen=True, slots=True)
class RowPlan:
    """Per site the distinct member sets of all partitions; per partition and site the rows of its ROIs, in ROI order."""

    sites: tuple[Site, ...]
    members: Mapping[str, tuple[Members, ...]]
    picks: Mapping[str, Mapping[str, tuple[int, ...]]]

    def n_rows(self) -> int:
        """Rows over all sites: what memory is counted in."""
        return sum(len(rows) for rows in self.members.values())


def plan_rows(partitions: Mapping[str, RoiPartition]) -> RowPlan:
    """The rows that serve all of ``partitions`` (which must be over the same sites)."""
    sites = next(iter(partitions.values())).sites
    members: dict[str, list[Members]] = {site.key: [] for site in sites}
    index: dict[tuple[str, Members], int] = {}
    picks: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, partition in partitions.items():
        if partition.sites != sites:
            raise ValueError(f"partition {name!r} is over other sites")
        picks[name] = {}
        for site in sites:
            chosen = []
            for roi in (partition.rois[i] for i in partition.of_site(site.key)):
                key = (site.key, roi.members)
                if key not in index:
                    index[key] = len(members[site.key])
                    members[site.key].append(roi.members)
                chosen.append(index[key])
            picks[name][site.key] = tuple(chosen)
    return RowPlan(sites, {key: tuple(rows) for key, rows in members.items()}, picks)


def target_rows(
    lens: Lens, group: PortGroup, stream: Float[Tensor, "B P D"], port_gradient: tuple[Tensor, ...], members: Sequence[Members]
) -> Float[Tensor, "B R P D"]:
    """∂metric/∂(stream before the norm) through ``group`` alone, split over member sets of its site.

    ``port_gradient`` is the gradient at what the port computed (q, k or v; pre-activations; the final stream).
    """
    layer = group.site.layer
    if layer is None:
        return port_gradient[0][:, None]
    attention, mlp = lens.attentions[layer], lens.mlps[layer]
    if group.port == "in":
        assert mlp is not None
        weights = [mlp.W_in.T] if mlp.W_gate is None else [mlp.W_in.T, mlp.W_gate.T]
        rows = sum(weigh_members(gradient, weight, members) for gradient, weight in zip(port_gradient, weights, strict=True))
        assert isinstance(rows, Tensor)
        return pull_back(mlp.norm, stream, rows)
    weight = {"q": attention.W_Q, "k": attention.W_K, "v": attention.W_V}[group.port]
    heads = torch.einsum("bphe,hde->bhpd", port_gradient[0], weight)
    return pull_back(attention.norm, stream, sum_members(heads, members))
