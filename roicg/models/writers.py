"""What each writer of the stream wrote differently in two runs, per set of features of one site.

A head writes z · W_O, a neuron post · W_out, a token its embedding; what a set writes is the sum over its members, so
rows are additive by construction. Shapes: B examples, R member sets, P positions, D d_model.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from roicg.core.sites import Site
from roicg.models.forward import Cache
from roicg.models.lens import Lens

Members = tuple[int, ...]


def written(lens: Lens, run: Cache, base: Cache, site: Site, members: Sequence[Members]) -> Float[Tensor, "B R P D"]:
    """What ``run`` wrote to the stream minus what ``base`` wrote, for each member set of ``site``."""
    layer = site.layer
    if site.kind == "tok":
        return _token_rows(run.tok - base.tok, site, members)
    assert layer is not None
    if site.kind == "attention":
        delta = run.z[layer] - base.z[layer]
        heads = torch.einsum("bphe,hed->bhpd", delta, lens.attentions[layer].W_O)
        return sum_members(heads, members)
    post, base_post, mlp = run.post[layer], base.post[layer], lens.mlps[layer]
    assert post is not None
    assert base_post is not None
    assert mlp is not None
    return weigh_members(post - base_post, mlp.W_out, members)


def _token_rows(delta: Float[Tensor, "B P D"], site: Site, members: Sequence[Members]) -> Float[Tensor, "B R P D"]:
    """One feature: the whole of it; else one feature per position, which holds its position only."""
    if site.n_features == 1:
        return delta[:, None]
    mask = torch.zeros(len(members), delta.shape[1], 1, dtype=delta.dtype, device=delta.device)
    for row, positions in enumerate(members):
        mask[row, [p for p in positions if p < delta.shape[1]]] = 1
    return delta[:, None] * mask


def sum_members(features: Float[Tensor, "B F P D"], members: Sequence[Members]) -> Float[Tensor, "B R P D"]:
    """Σ over the members of each row."""
    if list(members) == [(feature,) for feature in range(features.shape[1])]:
        return features
    return torch.stack([features[:, list(row)].sum(1) for row in members], dim=1)


def weigh_members(values: Float[Tensor, "B P F"], weight: Float[Tensor, "F D"], members: Sequence[Members]) -> Float[Tensor, "B R P D"]:
    """Σ over the members of each row of the feature's value times its row of ``weight``."""
    if all(len(row) == 1 for row in members):
        chosen = [row[0] for row in members]
        return values[..., chosen].transpose(1, 2)[..., None] * weight[chosen][:, None, :]
    return torch.stack([values[..., list(row)] @ weight[list(row)] for row in members], dim=1)
