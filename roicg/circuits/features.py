"""Runs in which sets of heads and neurons are switched off: they give what they gave in the corrupted run.

Everything else is computed in the run itself, so that what a switched-off feature would have changed downstream changes.
``off`` holds for each site a mask [set, feature]; many sets run side by side on a leading axis. Ablating a set switches it
off; keeping only a set switches all others off. Tokens and positions are never touched.
"""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from roicg.core.prompts import TaskPrompts
from roicg.models.batches import batches
from roicg.models.forward import run as run_lens
from roicg.models.lens import Lens
from roicg.models.metrics import metric
from roicg.models.pairs import PairRun, run_pair

FLOATS_AT_ONCE = 1 << 23
"""Activations held at once: a fixed number, so that sums never depend on free memory."""
BATCH = 64

Off = Mapping[str, Bool[np.ndarray, "set feature"]]


def metric_without(lens: Lens, task: TaskPrompts, off: Off) -> Float[np.ndarray, "set example"]:
    """The metric of every pair of split ``eval`` (in batch order) with each set of ``off`` switched off; sites that are left out stay as they are."""
    columns = [_without(run_pair(lens, batch, metric(task.metric)), off) for batch in batches(task.eval, BATCH, lens.device)]
    return np.concatenate(columns, axis=1)


@torch.no_grad()
def _without(run: PairRun, off: Off) -> Float[np.ndarray, "set B"]:
    masks = {site: torch.from_numpy(mask).to(run.lens.device) for site, mask in off.items()}
    count = next(iter(masks.values())).shape[0]
    widest = max([run.lens.W_E.shape[1], *(mask.shape[1] for mask in masks.values())])
    at_once = max(1, FLOATS_AT_ONCE // (run.batch.clean.numel() * widest))
    rows = []
    for start in range(0, count, at_once):
        edit = _Off(run, {site: mask[start : start + at_once] for site, mask in masks.items()})
        copies = len(next(iter(edit.off.values())))
        final = run_lens(run.lens, run.batch.clean.repeat(copies, 1), edit=edit).final
        assert final is not None
        rows.append(run.score(final).double().reshape(copies, -1))
    return np.asarray(torch.cat(rows).cpu().numpy())


class _Off:
    """The :class:`~roicg.models.forward.Edit` that switches features off."""

    def __init__(self, run: PairRun, off: Mapping[str, Bool[Tensor, "set feature"]]) -> None:
        self.run, self.off = run, off

    def wrote(self, site: str, value: Tensor) -> Tensor:
        """The site's values, with those of switched-off features from the corrupted run."""
        if site not in self.off:
            return value
        cache = self.run.corrupted
        corrupted = (cache.z if site.startswith("a") else cache.post)[int(site[1:])]
        assert corrupted is not None
        mask = self.off[site][:, None, None]
        mask = mask[..., None] if corrupted.ndim == 4 else mask
        return torch.where(mask, corrupted, value.reshape(-1, *corrupted.shape)).flatten(0, 1)

    def read(self, group: str, stream: Tensor, value: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Ports read as they are."""
        return value
