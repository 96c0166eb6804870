"""Prompt files: every format, every dropped row counted, every wrong line named."""

import json
from pathlib import Path
from typing import Any

import pytest

from roicg.core.errors import PromptError, StudyError
from roicg.core.prompts import PromptPair, TaskPrompts
from roicg.core.settings import TaskSettings
from roicg.models.prompts import task_prompts


def tokenize(text: str) -> list[int]:
    """One token per word, by its length."""
    return [len(word) for word in text.split()]


def read(folder: Path, content: str, *, metric: str = "logit_difference", n: int | None = None, text: bool = False, **limits: int) -> TaskPrompts:
    (folder / "prompts").write_text(content, encoding="utf-8")
    task = TaskSettings.model_validate({"name": "t", "prompts": {"kind": "file", "path": "prompts", "n": n}, "metric": metric})
    return task_prompts(task, folder=folder, tokenize=tokenize if text else None, **limits)


def lines(*rows: dict[str, Any]) -> str:
    return "\n".join(json.dumps(row) for row in rows)


def row(number: int, **change: Any) -> dict[str, Any]:
    return {"clean": [number, 1, 2], "corrupted": [number, 3, 2], "answers": [4], "wrong_answers": [5], "position": -1} | change


ENOUGH = [row(number) for number in range(10, 40)]


def pairs(task: TaskPrompts) -> dict[tuple[int, ...], PromptPair]:
    return {pair.clean: pair for prompts in (task.rois, task.edges, task.eval) for pair in prompts.pairs}


def dropped(task: TaskPrompts) -> dict[str, int]:
    counts: dict[str, int] = {}
    for prompts in (task.rois, task.edges, task.eval):
        for reason, count in prompts.dropped.items():
            counts[reason] = counts.get(reason, 0) + count
    return counts


def test_jsonl_with_ids_and_positions(tmp_path: Path) -> None:
    found = pairs(read(tmp_path, lines(*ENOUGH, row(50, position=0), row(51, position=1, answers=[4, 6], wrong_answers=[5, 7, 8]))))
    assert len(found) == 32
    assert found[(10, 1, 2)] == PromptPair("10 1 2", (10, 1, 2), (10, 3, 2), (2,), ((4,),), ((5,),))
    assert found[(50, 1, 2)].positions == (0,)
    assert (found[(51, 1, 2)].answers, found[(51, 1, 2)].wrong_answers) == (((4, 6),), ((5, 7, 8),))


def test_position_all_asks_where_there_is_an_answer(tmp_path: Path) -> None:
    asked = row(50, position="all", answers=[None, 4, [6, 7]], wrong_answers=[None, [5], 8])
    pair = pairs(read(tmp_path, lines(*ENOUGH, asked)))[(50, 1, 2)]
    assert (pair.positions, pair.answers, pair.wrong_answers) == ((1, 2), ((4,), (6, 7)), ((5,), (8,)))


def test_splits_survive_reordering_and_n_counts_per_split(tmp_path: Path) -> None:
    first, second = read(tmp_path, lines(*ENOUGH)), read(tmp_path, lines(*reversed(ENOUGH)))
    for split in ("rois", "edges", "eval"):
        assert {pair.key for pair in getattr(first, split).pairs} == {pair.key for pair in getattr(second, split).pairs}
    few = read(tmp_path, lines(*ENOUGH), n=3)
    assert few.rois.pairs == first.rois.pairs[:3]
    assert few.rois.note == ""
    assert "no more" in read(tmp_path, lines(*ENOUGH), n=1000).rois.note


def test_wrong_answers_default_to_the_corrupted_prompts_answers(tmp_path: Path) -> None:
    there = [{"clean": [n, 1], "corrupted": [n, 2], "answers": [3]} for n in range(10, 30)]
    back = [{"clean": [n, 2], "corrupted": [n, 1], "answers": [4 if n % 2 else 3]} for n in range(10, 30)]
    alone = {"clean": [60, 1], "corrupted": [60, 2], "answers": [3]}
    task = read(tmp_path, lines(*there, *back, alone))
    assert len(pairs(task)) == 20
    assert pairs(task)[(11, 1)].wrong_answers == ((4,),)
    assert dropped(task) == {"same answer": 20, "without a wrong answer": 1}
    assert len(pairs(read(tmp_path, lines(*there, *back, alone), metric="log_probability"))) == 41
    rest = pairs(read(tmp_path, lines(*there, *back, alone), metric="logit_minus_mean_rest"))
    assert len(rest) == 41
    assert rest[(60, 1)].wrong_answers == ((4,),)


def test_csv_and_feature_circuits_rows(tmp_path: Path) -> None:
    words = ["a", "bb", "ccc", "dddd", "eeeee"]
    sentences = [f"{x} {y} {z}" for x in words for y in words for z in words]
    table = "clean,corrupted,label,wrong_label\n" + "\n".join(f'"{text}",{text.split()[0]} x {text.split()[2]},sevenxx,"eightxxx"' for text in sentences)
    pair = pairs(read(tmp_path, table, text=True))[(1, 2, 3)]
    assert (pair.corrupted, pair.answers, pair.wrong_answers) == ((1, 1, 3), ((7,),), ((8,),))
    rows = [{"clean_prefix": text, "patch_prefix": "x " * 3, "clean_answer": " have", "patch_answer": " has", "case": "plural"} for text in sentences]
    pair = pairs(read(tmp_path, lines(*rows), text=True))[(1, 2, 3)]
    assert (pair.key, pair.corrupted, pair.answers, pair.wrong_answers) == ("a bb ccc", (1, 1, 1), ((4,),), ((3,),))


def test_a_csv_without_wrong_answers_says_so(tmp_path: Path) -> None:
    table = "clean,corrupted,label\n" + "\n".join(f"{'x' * n} a,{'x' * n} bb,abc" for n in range(1, 20))
    with pytest.raises(PromptError, match="19 without a wrong answer"):
        read(tmp_path, table, text=True)
    assert len(pairs(read(tmp_path, table, text=True, metric="log_probability"))) == 19


def test_unequal_lengths_and_long_answers_are_dropped_and_counted(tmp_path: Path) -> None:
    task = read(tmp_path, lines(*ENOUGH, row(50, corrupted=[1, 2]), row(51, clean=[1]), row(52, answers=["two words"])), text=True)
    assert len(pairs(task)) == len(ENOUGH)
    assert dropped(task) == {"of unequal length": 2, "with an answer of several tokens": 1}
    with pytest.raises(PromptError, match="2 of unequal length"):
        read(tmp_path, lines(row(1, corrupted=[1]), row(2, corrupted=[2])))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lines(*ENOUGH, row(1, position=3)), "line 31: position 3 is outside the prompt of 3 tokens"),
        (lines(row(1, position=-4)), "position -4 is outside"),
        (lines(row(1, position="last")), "'all'"),
        (lines(row(1, position="all", answers=[1, 2])), "one entry per token"),
        (lines(row(1, position="all", answers=[None, None, None])), "asks nothing"),
        (lines(row(1, answers=[])), "asks nothing"),
        (lines(row(1, answers=4)), "must be a list"),
        (lines(row(1, answers=[4.5])), "token id"),
        (lines(row(1, clean=[])), "at least one token"),
        (lines(row(1, wrong_answers=[4])), "both an answer and a wrong answer"),
        (lines(row(1, clean="some text")), "no tokenizer"),
        (lines(row(1) | {"wrong_anwsers": [1]}), "did you mean 'wrong_answers'"),
        (lines({"clean": [1]}), "lacks 'corrupted'"),
        ('{"clean": [1', "line 1 is not JSON"),
        ("[1, 2]", "must be an object"),
        ("prompt,target\na,b", "clean,corrupted,label"),
        ("", "it has no rows"),
        (lines(row(1)), "no usable pair in split"),
    ],
)
def test_wrong_files_are_named_by_line(content: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(PromptError, match=words):
        read(tmp_path, content)


def test_ids_and_lengths_beyond_the_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="token id 39 is outside the model's vocabulary of 39"):
        read(tmp_path, lines(*ENOUGH), n_vocab=39)
    with pytest.raises(PromptError, match="token id -1 is outside"):
        read(tmp_path, lines(*ENOUGH, row(-1)))
    with pytest.raises(PromptError, match="at most 2"):
        read(tmp_path, lines(*ENOUGH), n_ctx=2)
    assert read(tmp_path, lines(*ENOUGH), n_vocab=40, n_ctx=3, n_vocab_out=6).rois.pairs


def test_files_that_are_missing_or_outside_the_study_are_refused(tmp_path: Path) -> None:
    task = {"name": "t", "prompts": {"kind": "file", "path": "nowhere.jsonl"}}
    with pytest.raises(PromptError, match="cannot read"):
        task_prompts(TaskSettings.model_validate(task), folder=tmp_path)
    task["prompts"] = {"kind": "file", "path": "../prompts.jsonl"}
    with pytest.raises(StudyError, match="leaves the study's folder"):
        task_prompts(TaskSettings.model_validate(task), folder=tmp_path)
