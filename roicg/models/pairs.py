"""A batch of prompt pairs run twice, and what each writer wrote differently."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from roicg.core.errors import LawError
from roicg.core.sites import PortGroup
from roicg.models.batches import Batch
from roicg.models.forward import Cache, in_tail, logits_at, run, unembed
from roicg.models.lens import Lens
from roicg.models.metrics import Metric


@dataclass(frozen=True, slots=True, eq=False)
class PairRun:
    """The clean and the corrupted run of one batch with the metric per example at both ends."""

    lens: Lens
    batch: Batch
    metric: Metric
    clean: Cache
    corrupted: Cache
    clean_metric: Float[Tensor, " B"]
    corrupted_metric: Float[Tensor, " B"]

    def in_tail(self, group: PortGroup) -> bool:
        """Whether ``group`` was read at the answer positions only."""
        return self.clean.at is not None and in_tail(self.lens, group)

    def ends(self) -> "PairRun":
        """The same pair with nothing kept but the embeddings and the metric: what a path of the embeddings needs."""
        clean, corrupted = (Cache(cache.tok, cache.at) for cache in (self.clean, self.corrupted))
        return replace(self, clean=clean, corrupted=corrupted)

    def stream_delta(self, group: PortGroup) -> Float[Tensor, "B P D"]:
        """Clean − corrupted stream where ``group`` reads it."""
        return self.clean.stream_at(group) - self.corrupted.stream_at(group)

    def score(self, final: Float[Tensor, "kB P D"]) -> Float[Tensor, " kB"]:
        """The metric per example of k stacked copies of the batch, from their final streams."""
        size = len(self.batch)
        copies = final.shape[0] // size
        logits = unembed(self.lens, final) if self.clean.at is not None else logits_at(self.lens, final, self.batch.positions.repeat(copies, 1))
        parts = [self.metric(logits[i * size : (i + 1) * size], self.batch.answers, self.batch.wrong) for i in range(copies)]
        return parts[0] if copies == 1 else torch.cat(parts)


@torch.no_grad()
def run_pair(lens: Lens, batch: Batch, metric: Metric, *, answers_only: bool = False, resumes: bool = True) -> PairRun:
    """Both full runs of ``batch``; a metric that is not finite is a ``LawError``.

    ``answers_only``: the last layer is computed at the answer positions alone (see :func:`~roicg.models.forward.run`);
    without ``resumes`` what only :func:`~roicg.models.forward.resume` needs is not kept.
    """
    ends = []
    at = batch.positions if answers_only else None
    for tokens in (batch.clean, batch.corrupted):
        cache = run(lens, tokens, at=at, resumes=resumes)
        assert cache.final is not None
        logits = unembed(lens, cache.final) if answers_only else logits_at(lens, cache.final, batch.positions)
        ends.append((cache, metric(logits, batch.answers, batch.wrong)))
    (clean, clean_metric), (corrupted, corrupted_metric) = ends
    if not bool(torch.isfinite(clean_metric).all() & torch.isfinite(corrupted_metric).all()):
        raise LawError("the metric is not finite on these prompts; check the weights for NaN and the answers for tokens the model cannot give")
    return PairRun(lens, batch, metric, clean, corrupted, clean_metric, corrupted_metric)
