"""Directions as units: an MLP's activations read along other axes than its neurons, in a model that computes the same.

1. Let P_1 … P_R be orthogonal projectors of an MLP's activations that add up to the identity. Then post · W_out =
   Σ_r post · (P_r W_out).
2. So an MLP with R copies of its neurons, of which copy r writes P_r W_out, computes what the MLP computes; what copy r writes is
   what lies along the directions of P_r, and ablating copy r ablates these directions and nothing else.
3. A set of directions is therefore a set of ordinary neurons of the copied model: attribution, circuits and interventions run
   on it as they are. Cost: R times the MLP. Every layer gets as many copies; those without a projector write nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float

from roicg.core.errors import LawError
from roicg.core.partition import Roi, RoiPartition
from roicg.models.lens import Lens, Mlp

Basis = Float[np.ndarray, "neuron direction"]
ROUNDING = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class Directions:
    """``lens`` is the copied model, ``partition`` its ROIs: one per head, and per MLP one per group of directions (``m0.d0``, …)."""

    lens: Lens
    partition: RoiPartition


def along(lens: Lens, groups: Mapping[str, Sequence[Basis]]) -> Directions:
    """``groups``: site key of every MLP → orthonormal bases [neuron, direction] that together span its activations.

    ``LawError`` where they do not: then the copies would not add up to the MLP.
    """
    copies = max(len(bases) for bases in groups.values())
    mlps = tuple(None if mlp is None else _copied(mlp, groups[f"m{layer}"], copies, f"m{layer}") for layer, mlp in enumerate(lens.mlps))
    copied = replace(lens, mlps=mlps)
    rois: list[Roi] = []
    for site in copied.sites:
        if site.kind != "mlp":
            prefix = {"attention": f"{site.key}.h"}.get(site.kind)
            rois += [Roi(site.key if prefix is None else f"{prefix}{i}", site.key, site.layer, site.kind, (i,)) for i in range(site.n_features)]
            continue
        width, bases = site.n_features // copies, groups[site.key]
        for i in range(len(bases)):
            end = site.n_features if i == len(bases) - 1 else (i + 1) * width
            rois.append(Roi(f"{site.key}.d{i}", site.key, site.layer, site.kind, tuple(range(i * width, end))))
    return Directions(copied, RoiPartition("own", copied.sites, tuple(rois), {"method": "directions"}))


def principal(signature: Float[np.ndarray, "neuron column"], count: int) -> tuple[Basis, ...]:
    """The ``count`` − 1 directions of greatest variance of a signature, one group each, and all others as one more."""
    centred = signature.astype(np.float64) - signature.mean(axis=1, keepdims=True, dtype=np.float64)
    basis, _, _ = np.linalg.svd(centred @ centred.T)
    single = [basis[:, i : i + 1] for i in range(min(count - 1, basis.shape[1] - 1))]
    return (*single, basis[:, len(single) :])


def _copied(mlp: Mlp, bases: Sequence[Basis], copies: int, key: str) -> Mlp:
    projectors = [torch.from_numpy(basis @ basis.T).to(mlp.W_out) for basis in bases]
    if not float((sum(projectors) - torch.eye(mlp.W_out.shape[0]).to(mlp.W_out)).abs().max()) <= ROUNDING:
        raise LawError(f"the directions of {key} do not add up to all of its {mlp.W_out.shape[0]} neurons; they must be orthonormal and complete")
    written = [projector @ mlp.W_out for projector in projectors]
    written += [torch.zeros_like(mlp.W_out)] * (copies - len(written))
    gate = None if mlp.W_gate is None else mlp.W_gate.repeat(1, copies)
    gate_bias = None if mlp.b_gate is None else mlp.b_gate.repeat(copies)
    return replace(mlp, W_in=mlp.W_in.repeat(1, copies), b_in=mlp.b_in.repeat(copies), W_out=torch.cat(written), W_gate=gate, b_gate=gate_bias)
