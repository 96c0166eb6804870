"""Activation signatures: what each feature does on every prompt, as the rows that ROIs are grouped by.

1. Columns are (example, position): all positions of all clean prompts of split ``rois``, task by task, by rising length.
2. Above ``MAX_COLUMNS`` columns a subset is drawn once, the same for every site (models/columns.py).
3. MLP features: activation after the nonlinearity. Heads: the head's output in the stream, projected per task on its
   first principal direction. ``tok`` and ``logits`` have no signature: they keep one ROI per feature.

Activations are not scaled per task: rows are correlated, and a task in which a feature is strong should count more.
A position at which nothing varies adds a constant column, which correlation forgives.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int

from roicg.core.prompts import TaskPrompts
from roicg.core.settings import RoiSettings
from roicg.models.batches import batches
from roicg.models.columns import BATCH, kept_columns
from roicg.models.forward import Cache, run
from roicg.models.lens import Attention, Lens


def activation_signatures(lens: Lens, prompts: Sequence[TaskPrompts], settings: RoiSettings) -> dict[str, Float[np.ndarray, "feature column"]]:
    """Site key → [feature, column] for every attention and MLP site; units are those of the activations.

    Columns as in :func:`~roicg.models.columns.signature_columns`. Raises ``PromptError`` when the ``rois`` splits hold no prompt at all.
    """
    parts: dict[str, list[np.ndarray]] = {site.key: [] for site in lens.sites if site.kind in ("attention", "mlp")}
    for task, columns in zip(prompts, kept_columns(prompts, settings.seed), strict=True):
        heads: dict[str, list[torch.Tensor]] = {key: [] for key in parts}
        for cache, kept in _runs(lens, task, columns):
            for layer, post in enumerate(cache.post):
                if post is not None:
                    parts[f"m{layer}"].append(_as_array(post.flatten(0, 1)[kept].T))
                heads[f"a{layer}"].append(cache.z[layer].flatten(0, 1)[kept])
        for layer, attention in enumerate(lens.attentions):
            if heads[f"a{layer}"]:
                parts[f"a{layer}"].append(first_principal(torch.cat(heads[f"a{layer}"]), attention))
    return {key: np.concatenate(part, axis=1) for key, part in parts.items()}


@torch.no_grad()
def first_principal(z: Float[torch.Tensor, "column H E"], attention: Attention) -> Float[np.ndarray, "H column"]:
    """Each head's output z·W_O, centred and projected on its first principal direction; its largest entry is positive.

    W_O = L·Q with orthonormal rows Q, so z·L has the same principal directions as z·W_O in far fewer dimensions.
    """
    lower = torch.linalg.qr(attention.W_O.double().transpose(1, 2), mode="r").R.transpose(1, 2)
    out = torch.einsum("che,hef->hcf", z.double(), lower)
    out = out - out.mean(dim=1, keepdim=True)
    _, vectors = torch.linalg.eigh(out.transpose(1, 2) @ out)
    along = (out @ vectors[:, :, -1:])[:, :, 0]
    peak = along.gather(1, along.abs().argmax(dim=1, keepdim=True))
    return _as_array((along * torch.where(peak < 0, -1.0, 1.0)).to(z.dtype))


def _as_array(values: torch.Tensor) -> np.ndarray:
    """``values`` in their own precision, half precision (which numpy lacks) in float32."""
    return np.asarray(values.to(torch.promote_types(values.dtype, torch.float32)).cpu().numpy())


@torch.no_grad()
def _runs(lens: Lens, task: TaskPrompts, columns: Int[np.ndarray, " kept"]) -> Iterator[tuple[Cache, torch.Tensor]]:
    """Clean runs of the task's ``rois`` split, each with the kept columns as indices into its flattened (example, position)."""
    start = 0
    for batch in batches(task.rois, BATCH, lens.device):
        size = batch.clean.numel()
        here = columns[(columns >= start) & (columns < start + size)] - start
        start += size
        if len(here):
            yield run(lens, batch.clean), torch.from_numpy(here).to(lens.device)
