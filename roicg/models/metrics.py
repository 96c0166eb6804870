"""Metrics behind one signature: logits at the answer positions, answers and wrong answers in, one number per example out.

Shapes: B examples, A answer positions, V vocabulary. Every metric is a mean over an example's answer positions. The
first three can be differentiated and score edges; ``accuracy`` and ``kl`` are for evaluation (the gradient of KL is
zero at the clean run).
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from roicg.core.errors import PromptError, StudyError
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


def accuracy(logits: Float[Tensor, "B A V"], answers: Choices, wrong: Choices) -> Float[Tensor, " B"]:
    """Share of answer positions where every answer's logit exceeds every wrong answer's; without wrong answers, where the argmax is an answer."""
    answer_logits, wrong_logits = logits.gather(-1, answers.index), logits.gather(-1, wrong.index)
    lowest = answer_logits.masked_fill(~answers.mask, torch.inf).amin(dim=-1)
    highest = wrong_logits.masked_fill(~wrong.mask, -torch.inf).amax(dim=-1)
    top = ((answers.index == logits.argmax(dim=-1, keepdim=True)) & answers.mask).any(dim=-1)
    return torch.where(wrong.given, lowest > highest, top).to(logits.dtype).mean(dim=-1)


def kl(logits: Float[Tensor, "B A V"], clean_logits: Float[Tensor, "B A V"]) -> Float[Tensor, " B"]:
    """KL(clean ‖ run) in nats, mean over the answer positions."""
    clean, run = clean_logits.log_softmax(dim=-1), logits.log_softmax(dim=-1)
    return (clean.exp() * (clean - run)).sum(dim=-1).mean(dim=-1)


METRICS: dict[str, Metric] = {
    "logit_difference": logit_difference,
    "log_probability": log_probability,
    "logit_minus_mean_rest": logit_minus_mean_rest,
}


def metric(name: str) -> Metric:
    """The metric called ``name``; unknown names are a ``StudyError`` that lists the known ones."""
    if name not in METRICS:
        raise StudyError(f"no metric {name!r}; known: {', '.join(sorted(METRICS))}")
    return METRICS[name]


def needs_wrong_answers(name: str) -> bool:
    """Whether the metric compares with wrong answers (so that prompts without any get the corrupted prompt's answers)."""
    return metric(name) is not log_probability


def _mean(values: Float[Tensor, "B A V"], tokens: Choices) -> Float[Tensor, "B A"]:
    chosen = values.gather(-1, tokens.index) * tokens.mask
    return chosen.sum(dim=-1) / tokens.mask.sum(dim=-1)
