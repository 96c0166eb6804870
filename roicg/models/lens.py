"""The Lens: one checkpoint as writers and ports, in plain torch.

A source (native, trained, hf) boots a TransformerBridge; ``extract.py`` reads its weights into this one form and checks
that the Lens gives the bridge's logits. From there on nothing knows TransformerLens. Per-head layouts; under grouped
query attention every query head owns a copy of its group's key and value weights.

Shapes: B examples, P positions, D d_model, H query heads, E d_head, N neurons, V output vocabulary.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from roicg.core.sites import Site, transformer_sites


@dataclass(frozen=True, slots=True)
class Norm:
    """``kind='none'`` passes the stream through; LayerNorm centres, RMS does not; ``weight``/``bias`` may be absent.

    ``float32``: the model's own code normalises in float32 whatever the dtype (native RMS, Llama).
    """

    kind: Literal["none", "layer", "rms"]
    weight: Float[Tensor, " D"] | None = None
    bias: Float[Tensor, " D"] | None = None
    eps: float = 1e-5
    float32: bool = False


@dataclass(frozen=True, slots=True)
class Rotary:
    """Tables ``cos``/``sin`` [n_ctx, rotated]; ``style`` says which pairs turn together: ``half`` (i, i + rotated/2) or ``adjacent`` (2i, 2i+1)."""

    cos: Float[Tensor, "n_ctx rotated"]
    sin: Float[Tensor, "n_ctx rotated"]
    style: Literal["half", "adjacent"]


@dataclass(frozen=True, slots=True)
class Attention:
    """Weights of one attention layer; scores are q·k · ``scale``."""

    W_Q: Float[Tensor, "H D E"]
    b_Q: Float[Tensor, "H E"]
    W_K: Float[Tensor, "H D E"]
    b_K: Float[Tensor, "H E"]
    W_V: Float[Tensor, "H D E"]
    b_V: Float[Tensor, "H E"]
    W_O: Float[Tensor, "H E D"]
    b_O: Float[Tensor, " D"]
    scale: float
    norm: Norm


@dataclass(frozen=True, slots=True)
class Mlp:
    """Weights of one MLP; gated: post = act(x·W_gate) · (x·W_in + b_in), else post = act(x·W_in + b_in)."""

    W_in: Float[Tensor, "D N"]
    b_in: Float[Tensor, " N"]
    W_out: Float[Tensor, "N D"]
    b_out: Float[Tensor, " D"]
    act: Callable[[Tensor], Tensor]
    norm: Norm
    W_gate: Float[Tensor, "D N"] | None = None
    b_gate: Float[Tensor, " N"] | None = None


@dataclass(frozen=True, slots=True)
class Lens:
    """One checkpoint ready to be read. ``mlps[l]`` is None in attention-only models. All tensors share dtype and device, no gradients."""

    W_E: Float[Tensor, "vocab D"]
    W_pos: Float[Tensor, "n_ctx D"] | None
    attentions: tuple[Attention, ...]
    mlps: tuple[Mlp | None, ...]
    final_norm: Norm
    W_U: Float[Tensor, "D V"]
    b_U: Float[Tensor, " V"]
    n_ctx: int
    causal: bool
    parallel: bool
    rotary: Rotary | None
    weights_digest: str

    @property
    def n_layers(self) -> int:
        """Number of blocks."""
        return len(self.attentions)

    @property
    def sites(self) -> tuple[Site, ...]:
        """Sites in stream order, with one ``tok`` feature."""
        return self.sites_with(1)

    def sites_with(self, tok_features: int) -> tuple[Site, ...]:
        """Sites in stream order, with ``tok`` split into that many positions."""
        d_mlp = self.mlps[0].W_in.shape[1] if self.mlps and self.mlps[0] is not None else 0
        return transformer_sites(self.n_layers, self.attentions[0].W_Q.shape[0], d_mlp, parallel=self.parallel, tok_features=tok_features)

    @property
    def dtype(self) -> torch.dtype:
        """The dtype all tensors share."""
        return self.W_E.dtype

    @property
    def device(self) -> torch.device:
        """The device all tensors share."""
        return self.W_E.device
