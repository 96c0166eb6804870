"""Weight magnitude of every edge, without any data: the control that says what looking at activations is worth.

The virtual weight of an edge is what its source writes with times what its target reads with, through the norm's own weights:
‖(W_out of the source's members) · diag(norm) · (W_in of the target's members)‖, Frobenius; LayerNorm's centring included.
Tokens write with their embeddings less the mean embedding, divided by √vocabulary so that more words do not mean more weight.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from roicg.circuits.run import edges_of_group
from roicg.core.graph import ComputationalGraph
from roicg.core.sites import PortGroup, Site, port_groups
from roicg.models.lens import Lens, Norm


def magnitudes(lens: Lens, graph: ComputationalGraph) -> Float[np.ndarray, " edge"]:
    """‖virtual weight‖ of each edge of ``graph``, the same for every task."""
    partition, edges = graph.partition, graph.edges
    sites = {site.key: site for site in partition.sites}
    of_roi = np.array([roi.site for roi in partition.rois])
    groups = {group.key: group for group in port_groups(partition.sites)}
    found = np.zeros(len(edges))
    for key, chosen in edges_of_group(edges, partition).items():
        read, into = _reads(lens, groups[key])
        squares = torch.zeros(len(partition.rois), len(partition.rois), dtype=torch.float64)
        for site in {str(name) for name in of_roi[edges.source[chosen]]}:
            write, out_of = _writes(lens, sites[site])
            product = (write.double() @ read.double()).square().cpu()
            rows = torch.zeros(len(partition.rois), product.shape[1], dtype=torch.float64).index_add_(0, _owners(graph, site)[out_of], product)
            squares.index_add_(1, _owners(graph, groups[key].site.key)[into], rows)
        found[chosen] = squares.sqrt().numpy()[edges.source[chosen], edges.target[chosen]]
    return found


def _writes(lens: Lens, site: Site) -> tuple[Float[Tensor, "row D"], Tensor]:
    """The rows that ``site`` writes with, and the feature each row belongs to."""
    if site.layer is None:
        words = (lens.W_E - lens.W_E.mean(0)) / lens.W_E.shape[0] ** 0.5
        return words.repeat(site.n_features, 1), torch.arange(site.n_features).repeat_interleave(words.shape[0])
    if site.kind == "attention":
        heads = lens.attentions[site.layer].W_O
        return heads.flatten(0, 1), torch.arange(heads.shape[0]).repeat_interleave(heads.shape[1])
    mlp = lens.mlps[site.layer]
    assert mlp is not None
    return mlp.W_out, torch.arange(mlp.W_out.shape[0])


def _reads(lens: Lens, group: PortGroup) -> tuple[Float[Tensor, "D column"], Tensor]:
    """The columns that ``group`` reads with, behind its norm, and the feature each column belongs to."""
    layer = group.site.layer
    if layer is None:
        return _behind(lens.final_norm, lens.W_U), torch.zeros(lens.W_U.shape[1], dtype=torch.int64)
    if group.site.kind == "attention":
        attention = lens.attentions[layer]
        weight = {"q": attention.W_Q, "k": attention.W_K, "v": attention.W_V}[group.port]
        return _behind(attention.norm, weight.transpose(0, 1).flatten(1)), torch.arange(weight.shape[0]).repeat_interleave(weight.shape[2])
    mlp = lens.mlps[layer]
    assert mlp is not None
    neurons = torch.arange(mlp.W_in.shape[1])
    if mlp.W_gate is None:
        return _behind(mlp.norm, mlp.W_in), neurons
    return _behind(mlp.norm, torch.cat((mlp.W_in, mlp.W_gate), dim=1)), neurons.repeat(2)


def _behind(norm: Norm, weight: Float[Tensor, "D column"]) -> Float[Tensor, "D column"]:
    """``weight`` as the stream meets it: times the norm's weights, centred for LayerNorm; the scale of the stream is data and left out."""
    scaled = weight if norm.weight is None else norm.weight[:, None] * weight
    return scaled - scaled.mean(0) if norm.kind == "layer" else scaled


def _owners(graph: ComputationalGraph, site: str) -> Tensor:
    """For each feature of ``site`` the index of its ROI."""
    return torch.as_tensor(np.array(graph.partition.of_site(site))[graph.partition.labels(site)])
