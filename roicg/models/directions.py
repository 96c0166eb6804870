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
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float

from roicg.core.errors import LawError
from roicg.core.partition import Roi, RoiPartition
from roicg.core.sites import Site
from roicg.models.lens import Lens, Mlp

Basis = Float[np.ndarray, "neuron direction"]
ROUNDING = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class Directions:
    """``lens`` is the copied model, ``partition`` its ROIs: one per head, and per MLP one per group of directions (``m0.d0``, …).

    ``shown`` (kind ``directions``) has the same ROIs over the sites of the model itself, where an MLP has as many directions as
    neurons: what is published, with edges of the copied model.
    """

    lens: Lens
    partition: RoiPartition
    shown: RoiPartition


def along(lens: Lens, groups: Mapping[str, Sequence[Basis]]) -> Directions:
    """``groups``: site key of every MLP → orthonormal bases [neuron, direction] that together span its activations.

    ``LawError`` where they do not: then the copies would not add up to the MLP.
    """
    copies = max(len(bases) for bases in groups.values())
    mlps = tuple(None if mlp is None else _copied(mlp, groups[f"m{layer}"], copies, f"m{layer}") for layer, mlp in enumerate(lens.mlps))
    copied = replace(lens, mlps=mlps)
    copies_of = {key: [mlp.W_out.shape[0] * i for i in range(len(groups[key]))] for key, mlp in _mlps(lens)}
    starts = {key: np.cumsum([0, *(basis.shape[1] for basis in groups[key][:-1])]).tolist() for key in groups}
    return Directions(
        copied,
        RoiPartition("directions", copied.sites, _rois(copied.sites, copies_of), {"method": "directions"}),
        RoiPartition("directions", lens.sites, _rois(lens.sites, starts), {"method": "directions"}),
    )


def _mlps(lens: Lens) -> list[tuple[str, Mlp]]:
    return [(f"m{layer}", mlp) for layer, mlp in enumerate(lens.mlps) if mlp is not None]


def _rois(sites: Sequence[Site], starts: Mapping[str, Sequence[int]]) -> tuple[Roi, ...]:
    """One ROI per head, and per MLP one from each of ``starts`` up to the next; the last takes all that is left."""
    rois: list[Roi] = []
    for site in sites:
        if site.kind != "mlp":
            prefix = f"{site.key}.h" if site.kind == "attention" else None
            rois += [Roi(site.key if prefix is None else f"{prefix}{i}", site.key, site.layer, site.kind, (i,)) for i in range(site.n_features)]
            continue
        for i, (start, end) in enumerate(pairwise([*starts[site.key], site.n_features])):
            rois.append(Roi(f"{site.key}.d{i}", site.key, site.layer, site.kind, tuple(range(start, end)), label=_label(i, end - start)))
    return tuple(rois)


def _label(i: int, size: int) -> str:
    return f"direction {i}" if size == 1 else f"{size} further directions"


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
