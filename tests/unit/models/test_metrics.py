"""Metrics and batches against literal twins written with Python loops."""

import math

import pytest
import torch

from roicg.core.errors import PromptError, StudyError
from roicg.core.prompts import PromptPair, PromptSet
from roicg.models.batches import Batch, Choices, batches
from roicg.models.metrics import METRICS, accuracy, evaluation_metric, kl, metric, needs_wrong_answers

torch.set_num_threads(1)
VOCAB = 7


def _pair(key: str, length: int, positions: tuple[int, ...], wrong: bool = True) -> PromptPair:
    clean = tuple((len(key) * 3 + i) % VOCAB for i in range(length))
    answers = tuple(tuple((p + i) % VOCAB for i in range(1 + p % 2)) for p in positions)
    rest = tuple(tuple(t for t in range(VOCAB) if t not in ids)[: 1 + p % 3] if wrong else () for p, ids in zip(positions, answers, strict=True))
    return PromptPair(key, clean, tuple((t + 1) % VOCAB for t in clean), positions, answers, rest)


PAIRS = (_pair("a", 3, (2,)), _pair("bb", 5, (4,)), _pair("ccc", 3, (0, 1)), _pair("dddd", 3, (1,)), _pair("e" * 5, 5, (3,)))
SET = PromptSet("t", "edges", PAIRS)


def _logits(batch: Batch) -> torch.Tensor:
    """[B, P, V] that depend on the example's row and position only."""
    p, v = torch.arange(batch.clean.shape[1])[:, None], torch.arange(VOCAB)
    return torch.stack([torch.sin(1.7 * row + 2.3 * p + 0.9 * v * (row + 1)).double() for row in batch.rows])


def _literal(name: str, row: int, logits: torch.Tensor) -> float:
    pair, values = PAIRS[row], []
    for position, answers, wrong in zip(pair.positions, pair.answers, pair.wrong_answers, strict=True):
        here = logits[position].tolist()
        if name == "log_probability":
            values.append(sum(here[a] - math.log(sum(math.exp(x) for x in here)) for a in answers) / len(answers))
        elif name == "margin":
            values.append(min(here[a] for a in answers) - max(here[w] for w in wrong))
        else:
            values.append(sum(here[a] for a in answers) / len(answers) - sum(here[w] for w in wrong) / len(wrong))
    return sum(values) / len(values)


@pytest.mark.parametrize("name", sorted(METRICS))
@pytest.mark.parametrize("batch_size", [1, 2, 99])
def test_metric_equals_its_literal_twin(name: str, batch_size: int) -> None:
    seen = []
    for batch in batches(SET, batch_size):
        full = _logits(batch)
        values = metric(name)(batch.at_answers(full), batch.answers, batch.wrong)
        for i, row in enumerate(batch.rows):
            assert values[i].item() == pytest.approx(_literal(name, row, full[i]), abs=1e-12)
            seen.append(row)
    assert sorted(seen) == list(range(len(PAIRS)))


def test_batches_never_mix_lengths_or_numbers_of_answer_positions() -> None:
    shapes = [(tuple(b.clean.shape), tuple(b.positions.shape), b.rows) for b in batches(SET, 10)]
    assert shapes == [((2, 3), (2, 1), (0, 3)), ((1, 3), (1, 2), (2,)), ((2, 5), (2, 1), (1, 4))]
    for batch in batches(SET, 10):
        for i, row in enumerate(batch.rows):
            assert tuple(batch.clean[i].tolist()) == PAIRS[row].clean
            assert tuple(batch.corrupted[i].tolist()) == PAIRS[row].corrupted


def test_accuracy_needs_every_answer_above_every_wrong_answer() -> None:
    pair = PromptPair("k", (0, 1), (1, 0), (1,), ((2, 3),), ((4, 5),))
    batch = next(batches(PromptSet("t", "eval", (pair,)), 8))

    def score(values: list[float]) -> float:
        return accuracy(torch.tensor([[values]]), batch.answers, batch.wrong).item()

    assert score([9.0, 9, 3, 2, 1, 1, 0]) == 1.0
    assert score([0.0, 0, 3, 1, 2, 0, 0]) == 0.0
    assert score([0.0, 0, 3, 1, 1, 0, 0]) == 0.0, "a tie is not an answer above the wrong one"


def test_accuracy_without_wrong_answers_is_argmax_and_averages_positions() -> None:
    pair = PromptPair("k", (0, 1), (1, 0), (0, 1), ((2,), (3,)), ((), ()))
    batch = next(batches(PromptSet("t", "eval", (pair,)), 8))
    logits = torch.zeros(1, 2, VOCAB)
    logits[0, 0, 2] = logits[0, 1, 0] = 1.0
    assert accuracy(logits, batch.answers, batch.wrong).item() == 0.5


def test_margin_is_positive_exactly_where_accuracy_counts() -> None:
    """With wrong answers and, against the whole vocabulary, without. Seen to fail with the mean answer instead of the lowest."""
    generator = torch.Generator().manual_seed(3)
    for given in (True, False):
        prompts = PromptSet("t", "eval", tuple(_pair("x" * n, 4, (1, 2, 3), wrong=given) for n in range(1, 5)))
        batch = next(batches(prompts, 8))
        for _ in range(40):
            logits = torch.randn(4, 3, VOCAB, generator=generator).double()
            single = [[Choices(c.index[:, [a]], c.mask[:, [a]]) for c in (batch.answers, batch.wrong)] for a in range(3)]
            right = torch.stack([accuracy(logits[:, [a]], *single[a]) for a in range(3)], 1)
            margins = torch.stack([metric("margin")(logits[:, [a]], *single[a]) for a in range(3)], 1)
            assert torch.equal(right > 0.5, margins > 0)
            torch.testing.assert_close(metric("margin")(logits, batch.answers, batch.wrong), margins.mean(1))
            assert torch.equal(accuracy(logits, batch.answers, batch.wrong), right.mean(1))


def test_margin_without_wrong_answers_is_against_the_rest_of_the_vocabulary() -> None:
    batch = next(batches(PromptSet("t", "eval", (PromptPair("k", (0, 1), (1, 0), (1,), ((2, 3),), ((),)),)), 8))
    assert metric("margin")(torch.tensor([[[9.0, 8, 3, 11, 2, 1, 0]]]), batch.answers, batch.wrong).item() == 2.0
    assert not needs_wrong_answers("margin")


def test_kl_and_accuracy_measure_runs_and_score_no_edges() -> None:
    """The reason KL is refused, seen: its gradient at the clean run is zero, where that of every metric for edges is not."""
    batch = next(batches(SET, 1))
    clean = batch.at_answers(_logits(batch))
    run = clean.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(evaluation_metric("kl", clean)(run, batch.answers, batch.wrong).sum(), run)
    assert gradient.abs().max() < 1e-15
    for name in METRICS:
        (gradient,) = torch.autograd.grad(evaluation_metric(name, clean)(run, batch.answers, batch.wrong).sum(), run)
        assert gradient.abs().max() > 1e-3
    assert evaluation_metric("kl", clean)(2 * clean, batch.answers, batch.wrong).item() == kl(2 * clean, clean).item() > 0
    assert evaluation_metric("accuracy", clean) is accuracy
    for name, said in (("kl", "gradient of KL is zero at the clean run"), ("accuracy", "step")):
        with pytest.raises(StudyError, match=said):
            metric(name)


def test_a_difference_without_wrong_answers_is_refused() -> None:
    batch = next(batches(PromptSet("t", "eval", (_pair("a", 3, (2,), wrong=False),)), 1))
    with pytest.raises(PromptError, match="wrong answer"):
        metric("logit_difference")(torch.zeros(1, 1, VOCAB), batch.answers, batch.wrong)
    assert metric("log_probability")(torch.zeros(1, 1, VOCAB), batch.answers, batch.wrong).item() == pytest.approx(-math.log(VOCAB))
    assert needs_wrong_answers("logit_difference")
    assert not needs_wrong_answers("log_probability")


def test_kl_is_zero_only_at_the_clean_run_and_is_the_sum_over_the_vocabulary() -> None:
    clean, run = torch.randn(2, 3, VOCAB, generator=torch.Generator().manual_seed(0)).double(), torch.zeros(2, 3, VOCAB).double()
    assert torch.equal(kl(clean, clean), torch.zeros(2).double())
    expected = [sum((clean[b, a].softmax(0) * (clean[b, a].log_softmax(0) + math.log(VOCAB))).sum().item() for a in range(3)) / 3 for b in range(2)]
    assert kl(run, clean).tolist() == pytest.approx(expected)
    assert min(expected) > 0.01


def test_unknown_metric_lists_the_known_ones() -> None:
    with pytest.raises(StudyError, match="logit_difference"):
        metric("logit_diff")
