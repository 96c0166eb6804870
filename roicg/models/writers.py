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


def site_delta(run: Cache, base: Cache, site: Site) -> Float[Tensor, "B P ..."]:
    """What the features of ``site`` computed in ``run`` less what they computed in ``base``: tok [B,P,D], z [B,P,H,E] or post [B,P,N]."""
    if site.kind == "tok":
        return run.tok - base.tok
    assert site.layer is not None
    if site.kind == "attention":
        return run.z[site.layer] - base.z[site.layer]
    post, base_post = run.post[site.layer], base.post[site.layer]
    assert post is not None
    assert base_post is not None
    return post - base_post


def write_rows(lens: Lens, delta: Float[Tensor, "B P ..."], site: Site, members: Sequence[Members], out: Float[Tensor, "R B P D"]) -> None:
    """Into ``out`` what each member set of ``site`` writes to the stream when its features compute ``delta``."""
    if not members:
        return
    if site.kind == "tok":
        out.copy_(_token_rows(delta, site, members).transpose(0, 1))
        return
    assert site.layer is not None
    if site.kind == "attention":
        weight = lens.attentions[site.layer].W_O.to(delta.dtype)
        heads, _, d_model = weight.shape
        z = delta.flatten(0, 1).transpose(0, 1)
        if list(members) == [(head,) for head in range(heads)]:
            torch.bmm(z, weight, out=out.view(heads, -1, d_model))
            return
        for row, heads_of in enumerate(members):
            flat = z[list(heads_of)].transpose(0, 1).flatten(1)
            torch.mm(flat, weight[list(heads_of)].reshape(-1, d_model), out=out[row].view(-1, d_model))
        return
    mlp = lens.mlps[site.layer]
    assert mlp is not None
    flat, weight = delta.flatten(0, 1), mlp.W_out.to(delta.dtype)
    for row, neurons in enumerate(members):
        chosen = list(neurons)
        target = out[row].view(-1, weight.shape[1])
        if len(chosen) == flat.shape[1]:
            torch.mm(flat, weight, out=target)
        else:
            torch.mm(flat[:, chosen], weight[chosen], out=target)


def write_site(lens: Lens, delta: Float[Tensor, "B P ..."], site: Site) -> Float[Tensor, "B P D"]:
    """What the whole of ``site`` writes to the stream when its features compute ``delta``."""
    out = delta.new_empty((1, *delta.shape[:2], lens.W_E.shape[1]))
    write_rows(lens, delta, site, [tuple(range(site.n_features))], out)
    return out[0]
