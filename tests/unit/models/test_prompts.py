"""Generated prompts: right answers by a literal twin, disjoint splits, partners from the same split, everything dropped is counted."""

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from roicg.core.errors import PromptError
from roicg.core.prompts import TaskPrompts
from roicg.core.settings import GeneratedPrompts, TaskSettings
from roicg.models.prompts import LARGEST_PERMUTED, _order, task_prompts
from roicg.models.recipes import RECIPES, recipe_space
from roicg.models.recipes.cue import CUE, SHIFT
from roicg.models.recipes.cue import P as CUE_P
from roicg.models.recipes.multitask import BLANK, EQUALS, MULTITASK, N_CTX, N_VOCAB, TASKS, P, is_held_out
from roicg.models.recipes.parity import BITS, PARITY, POSITIONS
from roicg.models.recipes.space import key_of, split_of
from roicg.models.recipes.taught import trained_numbers


def generated(
    recipe: str, n: int = 40, seed: int = 0, metric: str = "logit_difference", n_vocab: int | None = None, n_ctx: int | None = None, **more: Any
) -> TaskPrompts:
    prompts = {"kind": "generated", "recipe": recipe, "n": n, "seed": seed, **more}
    task = TaskSettings.model_validate({"name": "t", "prompts": prompts, "metric": metric})
    return task_prompts(task, folder=Path(), n_vocab=n_vocab, n_ctx=n_ctx)


def literal_answer(prompt: tuple[int, ...], recipe: str = "") -> int:
    if recipe == "cue.conflict":
        return (prompt[1] - SHIFT) % CUE_P
    if len(prompt) == 5:
        return prompt[1] if prompt[0] == CUE else (prompt[2] + prompt[3]) % CUE_P
    if len(prompt) == 3:
        return (prompt[0] + prompt[1]) % prompt[2]
    if len(prompt) == BITS + 1:
        return sum(prompt[place] for place in POSITIONS[prompt[-1] - 2]) % 2
    task, x, q = TASKS[prompt[0] - P], prompt[1:5], prompt[5]
    if task == "add":
        assert x[2:] == (BLANK, BLANK)
        assert q == EQUALS
        return (x[0] + x[1]) % P
    if task == "max":
        return max(x)
    if task == "induction":
        assert x[0] != x[2]
        return x[1] if q == x[0] else x[3]
    assert x[0] != x[1]
    return x[1] if q == x[0] else x[0]


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_every_case_has_the_right_answer_and_cases_differ(recipe: str) -> None:
    space = recipe_space(recipe)
    prompts, answers = space.decode(np.arange(min(space.size, 30_000)))
    assert len({tuple(prompt) for prompt in prompts.tolist()}) == len(prompts)
    assert [literal_answer(tuple(prompt), recipe) for prompt in prompts.tolist()] == answers.tolist()
    assert set(answers.tolist()) == set(space.answers)
    assert literal_answer(space.case(space.size - 1)[0], recipe) == space.case(space.size - 1)[1]


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_splits_share_no_case_not_even_as_a_corrupted_partner(recipe: str) -> None:
    task = generated(recipe, pairs := 20 if recipe == "cue.sum" else 40)  # of 121 cases in three splits
    seen: dict[str, str] = {}
    for prompts in (task.rois, task.edges, task.eval):
        assert len(prompts.pairs) == pairs
        for pair in prompts.pairs:
            for side in (pair.clean, pair.corrupted):
                assert seen.setdefault(key_of(side), prompts.split) == prompts.split
            assert pair.answers == ((literal_answer(pair.clean, recipe),),)
            assert pair.wrong_answers == ((literal_answer(pair.corrupted, recipe),),)
            assert pair.answers != pair.wrong_answers
            assert pair.positions == (len(pair.clean) - 1,)
            assert pair.key == key_of(pair.clean)
            assert split_of(pair.key) == prompts.split


def test_prompts_are_fixed_by_the_seed_and_a_larger_set_only_adds() -> None:
    small, again, large, other = (
        generated("multitask.max", 10),
        generated("multitask.max", 10),
        generated("multitask.max", 30),
        generated("multitask.max", 10, seed=1),
    )
    assert small.edges.id == again.edges.id
    assert small.edges.pairs == large.edges.pairs[:10]
    assert small.edges.id != other.edges.id


def test_a_used_up_space_is_said_and_same_answers_are_counted() -> None:
    task = generated("modadd.7", 100)
    for prompts in (task.rois, task.edges, task.eval):
        assert 0 < len(prompts.pairs) < 49
        assert "used up" in prompts.note
    total = sum(len(s.pairs) + sum(s.dropped.values()) for s in (task.rois, task.edges, task.eval))
    assert total == 49
    assert sum(s.dropped.get("same answer", 0) for s in (task.rois, task.edges, task.eval)) > 0
    assert generated("modadd.7", 3).rois.note == ""


def test_wrong_answers_follow_the_metric() -> None:
    rest = generated("multitask.other", 5, metric="logit_minus_mean_rest").rois.pairs[0]
    assert set(rest.wrong_answers[0]) | set(rest.answers[0]) == set(range(P))
    assert len(rest.wrong_answers[0]) == P - 1
    assert generated("multitask.other", 5, metric="log_probability").rois.pairs[0].wrong_answers == ((),)


def test_modulus_comes_from_the_recipe_or_the_vocabulary() -> None:
    assert recipe_space("modadd").name == "modadd.113"
    assert recipe_space("modadd", 60).name == "modadd.59"
    assert recipe_space("modadd.31", 60).name == "modadd.31"
    with pytest.raises(PromptError, match="at least 2"):
        recipe_space("modadd.1")
    with pytest.raises(PromptError, match=r"multitask\.add"):
        recipe_space("multitask.sub")


def test_prompts_that_do_not_fit_the_model_are_refused() -> None:
    assert generated("multitask.add", 4, n_vocab=N_VOCAB, n_ctx=N_CTX).rois.pairs
    with pytest.raises(PromptError, match=f"id {BLANK} is outside the model's vocabulary of {BLANK}"):
        generated("multitask.add", 4, n_vocab=BLANK)
    with pytest.raises(PromptError, match="at most 5"):
        generated("multitask.add", 4, n_ctx=5)
    task = TaskSettings(name="t", prompts=GeneratedPrompts(kind="generated", recipe="modadd.9", n=5))
    with pytest.raises(PromptError, match="answer id"):
        task_prompts(task, folder=Path(), n_vocab=10, n_vocab_out=2)


def test_a_task_of_parity_is_answered_by_its_own_three_bits_and_by_no_other() -> None:
    """Flipping any bit flips the answer of exactly one task, the one that has its position."""
    assert sorted(place for places in POSITIONS for place in places) == list(range(BITS))
    for name, space in PARITY.items():
        number = int(np.random.default_rng(1).integers(space.size))
        (clean, answer) = space.case(number)
        assert clean[-1] == 2 + int(name)
        flipped = {place for place in range(BITS) if space.case(number ^ (1 << place))[1] != answer}
        assert flipped == set(POSITIONS[int(name)])


def test_shifted_tokens_are_the_same_cases_in_another_vocabulary() -> None:
    """Seen to fail with the split taken from the shifted tokens."""
    plain, shifted = (generated("multitask.add", 9, shift=shift) for shift in (0, 29))
    for a, b in zip(plain.edges.pairs, shifted.edges.pairs, strict=True):
        assert a.key == b.key
        for one, other in ((a.clean, b.clean), (a.corrupted, b.corrupted), (a.answers[0], b.answers[0]), (a.wrong_answers[0], b.wrong_answers[0])):
            assert tuple(token + 29 for token in one) == other
    with pytest.raises(PromptError, match="outside the model's vocabulary of 57"):
        generated("multitask.add", 9, shift=29, n_vocab=57)


def test_a_large_space_is_drawn_without_repetition() -> None:
    """Seen to fail without the set of numbers that were drawn: a small range repeats within a few draws."""
    drawn = list(islice(_order(LARGEST_PERMUTED + 1, np.random.default_rng(0)), 20_000))
    assert len(set(drawn)) == 20_000
    assert drawn[:100] == list(islice(_order(LARGEST_PERMUTED + 1, np.random.default_rng(0)), 100))
    assert sorted(_order(50, np.random.default_rng(0))) == list(range(50))


def test_held_out_cases_are_the_ones_training_never_draws() -> None:
    assert trained_numbers(MULTITASK["add"], 0.0) is None
    numbers = trained_numbers(MULTITASK["add"], 0.3)
    assert numbers is not None
    assert 0.6 < len(numbers) / MULTITASK["add"].size < 0.8
    trained = {key_of(MULTITASK["add"].case(int(number))[0]) for number in numbers}
    assert not any(is_held_out(key, 0.3) for key in trained)
    assert all(is_held_out(key, 0.4) for key in {key_of(MULTITASK["add"].case(n)[0]) for n in range(529)} - trained), "a greater share holds the same cases out"


def test_prompts_may_be_of_cases_that_training_saw_or_never_saw() -> None:
    """Both ends of a pair. Seen to fail where the partner is drawn from all cases of the split."""
    seen, unseen = (generated("multitask.add", 200, held_out=0.3, cases=cases) for cases in ("trained", "held_out"))
    for prompts, kept in ((seen, False), (unseen, True)):
        for split in (prompts.rois, prompts.edges, prompts.eval):
            assert split.pairs
            assert {is_held_out(key_of(side), 0.3) for pair in split.pairs for side in (pair.clean, pair.corrupted)} == {kept}
    with pytest.raises(PromptError, match="keeps no case from training"):
        generated("multitask.max", 5, held_out=0.3, cases="held_out")
    with pytest.raises(ValueError, match="needs held_out"):
        GeneratedPrompts(kind="generated", recipe="multitask.add", cases="trained")
