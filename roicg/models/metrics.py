"""Metrics behind one signature: logits at the answer positions, answers and wrong answers in, one number per example out.

Shapes: B examples, A answer positions, V vocabulary. Every metric is a mean over an example's answer positions, also
``margin`` and ``accuracy``: an example that is right at half of its positions counts half. ``METRICS`` can be
differentiated and score edges, and so can a user's function (``own_metrics.py``); ``accuracy`` and ``kl`` are for
evaluation, since the one is a step and the gradient of the other is zero at the clean run.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from roicg.core.errors import PromptError, StudyError
from roicg.core.settings import NOT_FOR_EDGES
from roicg.models.batches import Choices

Metric = Callable[[Float[Tensor, "B A V"], Choices, Choices], Float[Tensor, " B"]]


def logit_difference(logits: Float[Tensor, "B A V"], answers: Choices, wrong: Choices) -> Float[Tensor, " B"]:
    """Mean logit of the answers minus mean logit of the wrong answers; ``PromptError`` where a position has no wrong answer."""
    if not bool(wrong.given.all()):
        raise PromptError("the metric needs a wrong answer at every answer position; give wrong_answers, or use log_probability")
    return (_mean(logits, answers) - _mean(logits, wrong)).mean(dim=-1)


def logit_minus_mean_rest(logits: Float[Tensor, "B A V"], answers: Choices, wrong: Choices) -> Float[Tensor, " B"]:
    """Answer logit minus the mean logit of the rest: the wrong answers given, which for this metric are all other answer tokens."""
    return logit_difference(logits, answers, wrong)


def log_probability(logits: Float[Tensor, "B A V"], answers: Choices, wrong: Choices) -> Float[Tensor, " B"]:
    """Mean over the answers of their natural log probability under the softmax over the whole vocabulary."""
    return _mean(logits.log_softmax(dim=-1), answers).mean(dim=-1)


def margin(logits: Float[Tensor, "B A V"], answers: Choices, wrong: Choices) -> Float[Tensor, " B"]:
    """Lowest answer logit minus the greatest wrong logit; without wrong answers, the greatest answer logit minus the greatest of all others.

    Positive at a position exactly where :func:`accuracy` counts it as right; smooth except where two tokens tie.
    """
    lowest, highest = _extremes(logits, answers, wrong)
    is_answer = _is_answer(logits, answers)
    best = logits.masked_fill(~is_answer, -torch.inf).amax(dim=-1)
    others = logits.masked_fill(is_answer, -torch.inf).amax(dim=-1)
    return torch.where(wrong.given, lowest - highest, best - others).mean(dim=-1)


def accuracy(logits: Float[Tensor, "B A V"], answers: Choices, wrong: Choices) -> Float[Tensor, " B"]:
    """Share of answer positions where every answer's logit exceeds every wrong answer's; without wrong answers, where the argmax is an answer."""
    lowest, highest = _extremes(logits, answers, wrong)
    top = ((answers.index == logits.argmax(dim=-1, keepdim=True)) & answers.mask).any(dim=-1)
    return torch.where(wrong.given, lowest > highest, top).to(logits.dtype).mean(dim=-1)


def kl(logits: Float[Tensor, "B A V"], clean_logits: Float[Tensor, "B A V"]) -> Float[Tensor, " B"]:
    """KL(clean ‖ run) in nats, mean over the answer positions."""
    clean, run = clean_logits.log_softmax(dim=-1), logits.log_softmax(dim=-1)
    return (clean.exp() * (clean - run)).sum(dim=-1).mean(dim=-1)


def kl_to(clean_logits: Float[Tensor, "B A V"]) -> Metric:
    """KL(clean ‖ run) behind the metrics' signature, for evaluation: the clean logits are bound, the answers are not looked at."""
    return lambda logits, answers, wrong: kl(logits, clean_logits)


METRICS: dict[str, Metric] = {
    "logit_difference": logit_difference,
    "log_probability": log_probability,
    "logit_minus_mean_rest": logit_minus_mean_rest,
    "margin": margin,
}


@dataclass(frozen=True, slots=True)
class OpenedMetric:
    """A user's metric, checked at every call, and whether it compares with wrong answers."""

    metric: Metric
    needs_wrong_answers: bool


OPENED: dict[str, OpenedMetric] = {}
"""Users' metrics by their key, which holds the digest of their source (``own_metrics.py`` fills it): a key never changes its meaning."""


def metric(name: str) -> Metric:
    """The metric called ``name`` (a user's by the key that its tasks carry) for scoring edges; others are a ``StudyError`` that says why."""
    if name in OPENED:
        return OPENED[name].metric
    if name in METRICS:
        return METRICS[name]
    if name in NOT_FOR_EDGES:
        raise StudyError(f"metric {name!r} scores no edges: {NOT_FOR_EDGES[name]}; choose one of {', '.join(sorted(METRICS))}")
    raise StudyError(f"no metric {name!r}; known: {', '.join(sorted(METRICS))}, or module:function, opened by the study that names it")


def evaluation_metric(name: str, clean_logits: Float[Tensor, "B A V"]) -> Metric:
    """Any metric by name for measuring a run of the same examples, ``kl`` (to ``clean_logits``) and ``accuracy`` among them."""
    return {"kl": kl_to(clean_logits), "accuracy": accuracy}.get(name) or metric(name)


def needs_wrong_answers(name: str) -> bool:
    """Whether the metric compares with wrong answers (so that prompts without any get the corrupted prompt's answers)."""
    return OPENED[name].needs_wrong_answers if name in OPENED else metric(name) not in (log_probability, margin)


def _extremes(logits: Float[Tensor, "B A V"], answers: Choices, wrong: Choices) -> tuple[Float[Tensor, "B A"], Float[Tensor, "B A"]]:
    """Lowest answer logit and greatest wrong logit per position (−inf without wrong answers)."""
    lowest = logits.gather(-1, answers.index).masked_fill(~answers.mask, torch.inf).amin(dim=-1)
    return lowest, logits.gather(-1, wrong.index).masked_fill(~wrong.mask, -torch.inf).amax(dim=-1)


def _is_answer(logits: Float[Tensor, "B A V"], answers: Choices) -> Bool[Tensor, "B A V"]:
    count = torch.zeros(logits.shape, dtype=torch.int64, device=logits.device)
    return count.scatter_add(-1, answers.index, answers.mask.long()) > 0


def _mean(values: Float[Tensor, "B A V"], tokens: Choices) -> Float[Tensor, "B A"]:
    chosen = values.gather(-1, tokens.index) * tokens.mask
    return chosen.sum(dim=-1) / tokens.mask.sum(dim=-1)
