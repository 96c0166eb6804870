"""The norm's Jacobian, transposed, in closed form: from a gradient after the norm to the gradient at the stream before it."""

import torch
from jaxtyping import Float
from torch import Tensor

from roicg.models.lens import Norm


def pull_back(norm: Norm, x: Float[Tensor, "B P D"], gradient: Float[Tensor, "B R P D"]) -> Float[Tensor, "B R P D"]:
    """J_norm(x)ᵀ · gradient for each of R gradients at the same point x.

    LayerNorm, with ĝ = weight ∘ g and x̂ the normalised stream: (ĝ − mean ĝ − x̂ · mean(ĝ ∘ x̂)) / σ; RMSNorm the same without mean ĝ.
    """
    if norm.kind == "none":
        return gradient
    centred = x - x.mean(-1, keepdim=True) if norm.kind == "layer" else x
    inverse = torch.rsqrt(centred.square().mean(-1, keepdim=True) + norm.eps)[:, None]
    normal = centred[:, None] * inverse
    scaled = gradient if norm.weight is None else gradient * norm.weight
    pulled = scaled - normal * (scaled * normal).mean(-1, keepdim=True)
    if norm.kind == "layer":
        pulled = pulled - scaled.mean(-1, keepdim=True)
    return pulled * inverse
