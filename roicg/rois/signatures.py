"""Activation signatures: what each feature does on every prompt, as the rows that ROIs are grouped by.

1. Columns are (example, position): all positions of all clean prompts of split ``rois``, task by task, by rising length.
2. Above ``MAX_COLUMNS`` columns a subset is drawn once, the same for every site (models/columns.py).
3. From every value the feature's mean at that position of that task is taken: what is left is what differs between prompts.
   Otherwise all features share the steps from task to task and from position to position, which every feature takes for
   reasons of its own (its bias, the positional embedding), and which join what has nothing to do with one another: of
   models stitched from parts without a weight between them the parts are found with it (ARI 1), not without it (0 to .96).
4. What is left is divided by the feature's standard deviation at that position (over all tasks; at least ``LEAST_SPREAD`` of
   its largest). Otherwise features are alike when they are on at the same positions, which a random positional embedding
   decides: untrained models of modular addition would stand above both nulls (z up to 9).
5. MLP features: activation after the nonlinearity. Heads: the head's output in the stream, projected per task on its
   first principal direction. ``tok`` and ``logits`` have no signature: they keep one ROI per feature.

Activations are not scaled per task: rows are correlated, and a task in which a feature is strong should count more.
A position at which nothing varies adds columns of zeros, which correlation forgives. A feature that tells tasks or
positions apart and nothing else varies nowhere, and belongs to the ``rest``. The numbers: see bench_rois.py.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int

from roicg.core.prompts import TaskPrompts
from roicg.core.settings import RoiSettings
from roicg.models.batches import batches
from roicg.models.columns import BATCH, kept_columns, signature_columns
from roicg.models.forward import Cache, run
from roicg.models.lens import Attention, Lens
from roicg.rois.partition import live_features

LEAST_SPREAD = 0.5
"""Where a feature hardly varies, noise is not made as large as what it does elsewhere."""


ROUNDING = 1e-6


def activation_signatures(lens: Lens, prompts: Sequence[TaskPrompts], settings: RoiSettings) -> dict[str, Float[np.ndarray, "feature column"]]:
    """Site key → [feature, column] for every attention and MLP site, per feature and position in its own standard deviations.

    Columns as in :func:`~roicg.models.columns.signature_columns`. Raises ``PromptError`` when the ``rois`` splits hold no prompt at all.
    """
    position = signature_columns(prompts, settings.seed).position
    return {key: even_positions(rows, position) for key, rows in activation_differences(lens, prompts, settings).items()}


def activation_differences(lens: Lens, prompts: Sequence[TaskPrompts], settings: RoiSettings) -> dict[str, Float[np.ndarray, "feature column"]]:
    """The same before step 4, in units of the activations: what labels are made of."""
    parts: dict[str, list[np.ndarray]] = {site.key: [] for site in lens.sites if site.kind in ("attention", "mlp")}
    columns = signature_columns(prompts, settings.seed)
    for index, (task, kept) in enumerate(zip(prompts, kept_columns(prompts, settings.seed), strict=True)):
        if not len(kept):
            continue
        position = torch.from_numpy(columns.position[columns.task == index]).to(lens.device)
        values: dict[str, list[torch.Tensor]] = {key: [] for key in parts}
        for cache, here in _runs(lens, task, kept):
            for layer, post in enumerate(cache.post):
                if post is not None:
                    values[f"m{layer}"].append(post.flatten(0, 1)[here])
                values[f"a{layer}"].append(cache.z[layer].flatten(0, 1)[here])
        for key, some in values.items():
            differences = within_positions(torch.cat(some), position)
            parts[key].append(first_principal(differences, lens.attentions[int(key[1:])]) if key.startswith("a") else _as_array(differences.T))
    return {key: np.concatenate(part, axis=1) for key, part in parts.items()}


def within_positions(values: Float[torch.Tensor, "column ..."], position: Int[torch.Tensor, " column"]) -> Float[torch.Tensor, "column ..."]:
    """``values`` of one task minus their mean over the columns of the same position; 0 at a position that one column has alone.

    Differences below ``ROUNDING`` of the largest value are rounding (a sum may be made in another order in another batch) and become 0.
    """
    groups = int(position.max()) + 1
    total = torch.zeros((groups, *values.shape[1:]), dtype=torch.float64, device=values.device).index_add_(0, position, values.double())
    count = torch.bincount(position, minlength=groups).clamp(min=1).view(-1, *[1] * (values.ndim - 1))
    found = values.double() - (total / count)[position]
    return torch.where(found.abs() > ROUNDING * values.abs().max().double(), found, 0.0).to(values.dtype)


def even_positions(rows: Float[np.ndarray, "feature column"], position: Int[np.ndarray, " column"]) -> Float[np.ndarray, "feature column"]:
    """``rows`` (of mean 0 at every position) over their standard deviation at each position, or ``LEAST_SPREAD`` of their largest one.

    Dead features (:func:`~roicg.rois.partition.live_features`) become 0: what is scaled is not seen to be small any more.
    """
    places = [np.flatnonzero(position == place) for place in np.unique(position)]
    spread = np.stack([np.sqrt(np.mean(rows[:, here] ** 2, axis=1, dtype=np.float64)) for here in places])
    spread = np.maximum(spread, LEAST_SPREAD * spread.max(axis=0))
    spread[spread == 0] = 1.0
    even = np.zeros_like(rows)
    live = live_features(rows)[:, None]
    for here, scale in zip(places, spread, strict=True):
        even[:, here] = np.where(live, rows[:, here] / scale[:, None].astype(rows.dtype), 0.0)
    return even


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
