"""Prompt files beside the study, told apart by their content.

=====================  =========================================================================================
JSONL                  ``{"clean": text | [ids], "corrupted": …, "answers": […], "wrong_answers": […], "position": -1 | "all"}``
feature-circuits       ``{"clean_prefix": …, "patch_prefix": …, "clean_answer": …, "patch_answer": …}`` per line
CSV                    ``clean,corrupted,label`` and, optionally, ``wrong_label``
=====================  =========================================================================================

With ``position: "all"`` ``answers`` and ``wrong_answers`` are lists per position, null where nothing is asked. Wrong
answers that are not given are those of the row whose clean prompt is this row's corrupted prompt; for the metric
``logit_minus_mean_rest`` all other answers of the file. Text is tokenised
without special tokens. What cannot be used is dropped and counted by reason; what is wrong is an error with its line.
"""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roicg.core.errors import PromptError
from roicg.core.nearest import did_you_mean
from roicg.core.prompts import SPLITS, PromptPair, PromptSet, Split
from roicg.core.settings import FilePrompts
from roicg.core.study_file import inside
from roicg.models.metrics import needs_wrong_answers
from roicg.models.recipes.space import key_of, split_of

Tokenize = Callable[[str], list[int]]
Tokens = tuple[int, ...]
UNEQUAL, LONG_ANSWER, NO_WRONG, SAME = "of unequal length", "with an answer of several tokens", "without a wrong answer", "same answer"
_KEYS = ("clean", "corrupted", "answers", "wrong_answers", "position")
_HALF = re.compile("[\ud800-\udfff]")
_FEATURE_CIRCUITS = {"clean_prefix": "clean", "patch_prefix": "corrupted", "clean_answer": "answers", "patch_answer": "wrong_answers"}


class _Dropped(Exception):
    """A row that cannot be used, with the reason it is counted under."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One row in tokens: answer positions with their answers; ``wrong`` is None where the file gives none."""

    where: str
    key: str
    clean: Tokens
    corrupted: Tokens
    answers: Mapping[int, Tokens]
    wrong: Mapping[int, Tokens] | None


def file_pairs(task: str, settings: FilePrompts, metric: str, folder: Path, tokenize: Tokenize | None) -> dict[Split, PromptSet]:
    """The pairs of a prompt file by split, in file order, at most ``n`` per split; ``PromptError`` for what is wrong with a line."""
    path = inside(folder, settings.path)
    dropped: dict[Split, Counter[str]] = {split: Counter() for split in SPLITS}
    rows: list[_Row] = []
    for where, data in read_rows(path):
        key = data["clean"] if isinstance(data["clean"], str) else key_of(_ids(data["clean"], tokenize, where, "clean"))
        try:
            rows.append(_row(where, key, data, tokenize))
        except _Dropped as reason:
            dropped[split_of(key)][str(reason)] += 1
    answered = {row.clean: row.answers for row in rows}
    every = tuple(sorted({token for row in rows for tokens in row.answers.values() for token in tokens}))
    pairs: dict[Split, list[PromptPair]] = {split: [] for split in SPLITS}
    for row in rows:
        split = split_of(row.key)
        try:
            pairs[split].append(_pair(row, metric, answered, every))
        except _Dropped as reason:
            dropped[split][str(reason)] += 1
    if not any(pairs.values()):
        counts: Counter[str] = sum(dropped.values(), Counter())
        shown = ", ".join(f"{count} {reason}" for reason, count in counts.items()) or "it has no rows"
        raise PromptError(f"task {task!r}: {path} has no usable pair ({shown}); see the formats in the README")
    return {split: _set(task, split, pairs[split], dropped[split], settings.n) for split in SPLITS}


def _set(task: str, split: Split, pairs: list[PromptPair], dropped: Counter[str], n: int | None) -> PromptSet:
    note = f"{len(pairs)} of {n} pairs: the file has no more" if n is not None and len(pairs) < n else ""
    return PromptSet(task, split, tuple(pairs[:n]), dict(dropped), note)


def read_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, row) of every row under the JSONL names, whatever the file's format."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"cannot read the prompts {path}: {error}; give a UTF-8 JSONL or CSV file beside the study") from error
    if text.lstrip()[:1] in ("{", "["):
        yield from _jsonl_rows(path, text)
    else:
        yield from _csv_rows(path, text)


def _jsonl_rows(path: Path, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path.name} line {number}"
        try:
            data = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise PromptError(f"{where} is not JSON: {error}; give one object per line") from error
        if "\\ud" in line.lower() and _HALF.search(json.dumps(data, ensure_ascii=False)):
            raise PromptError(f"{where} holds half of a surrogate pair (\\ud800 to \\udfff alone), which is no text")
        if not isinstance(data, dict):
            raise PromptError(f"{where} must be an object with {', '.join(_KEYS)}")
        if "clean_prefix" in data:
            data = {name: [data[given]] if "answer" in given else data[given] for given, name in _FEATURE_CIRCUITS.items() if given in data}
        for key in data.keys() - set(_KEYS):
            if near := did_you_mean(key, _KEYS, cutoff=0.8):
                raise PromptError(f"{where}: unknown key {key!r}{near}")
        yield where, _required(data, where)


def _csv_rows(path: Path, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text))
    for row in reader:
        where = f"{path.name} line {reader.line_num}"
        if not {"clean", "corrupted", "label"} <= {name for name, value in row.items() if value is not None}:
            raise PromptError(
                f"{where}: a CSV of prompts needs the columns clean,corrupted,label (and, if wanted, wrong_label); given {','.join(map(str, row))}"
            )
        data: dict[str, Any] = {"clean": row["clean"], "corrupted": row["corrupted"], "answers": [row["label"]]}
        if row.get("wrong_label"):
            data["wrong_answers"] = [row["wrong_label"]]
        yield where, data


def _required(data: dict[str, Any], where: str) -> dict[str, Any]:
    for key in ("clean", "corrupted", "answers"):
        if key not in data:
            raise PromptError(f"{where} lacks {key!r}; a prompt needs clean, corrupted and answers")
    return data


def _row(where: str, key: str, data: Mapping[str, Any], tokenize: Tokenize | None) -> _Row:
    clean, corrupted = (_ids(data[name], tokenize, where, name) for name in ("clean", "corrupted"))
    if len(clean) != len(corrupted):
        raise _Dropped(UNEQUAL)
    position = data.get("position", -1)
    answers = _by_position(data["answers"], position, len(clean), tokenize, where, "answers")
    if not answers:
        raise PromptError(f"{where} asks nothing: give at least one answer")
    wrong = data.get("wrong_answers")
    return _Row(where, key, clean, corrupted, answers, None if wrong is None else _by_position(wrong, position, len(clean), tokenize, where, "wrong_answers"))


def _ids(value: Any, tokenize: Tokenize | None, where: str, name: str) -> Tokens:
    if isinstance(value, str):
        if tokenize is None:
            raise PromptError(f"{where}: {name} is text, and this model has no tokenizer; give token ids instead")
        value = tokenize(value)
    if not isinstance(value, list) or not value or not all(isinstance(token, int) and not isinstance(token, bool) for token in value):
        raise PromptError(f"{where}: {name} must be text or a list of at least one token id, given {value!r:.80}")
    return tuple(value)


def _by_position(value: Any, position: Any, length: int, tokenize: Tokenize | None, where: str, name: str) -> dict[int, Tokens]:
    if position == "all":
        if not isinstance(value, list) or len(value) != length:
            raise PromptError(f"{where}: with position 'all', {name} must be a list with one entry per token ({length}), null where nothing is asked")
        return {place: _choices(entry if isinstance(entry, list) else [entry], tokenize, where, name) for place, entry in enumerate(value) if entry is not None}
    if isinstance(position, bool) or not isinstance(position, int):
        raise PromptError(f"{where}: position must be a whole number or 'all', given {position!r}")
    place = position + length if position < 0 else position
    if not 0 <= place < length:
        raise PromptError(f"{where}: position {position} is outside the prompt of {length} tokens")
    if not isinstance(value, list):
        raise PromptError(f"{where}: {name} must be a list of tokens, given {value!r:.80}")
    return {place: _choices(value, tokenize, where, name)} if value else {}


def _choices(values: list[Any], tokenize: Tokenize | None, where: str, name: str) -> Tokens:
    tokens = []
    for value in values:
        ids = _ids(value if isinstance(value, str) else [value], tokenize, where, name)
        if len(ids) != 1:
            raise _Dropped(LONG_ANSWER)
        tokens.append(ids[0])
    if not tokens:
        raise PromptError(f"{where}: {name} has an empty list; write null where nothing is asked")
    return tuple(dict.fromkeys(tokens))


def _pair(row: _Row, metric: str, answered: Mapping[Tokens, Mapping[int, Tokens]], every: Tokens) -> PromptPair:
    wrong = row.wrong
    if wrong is None and metric == "logit_minus_mean_rest":
        wrong = {place: tuple(token for token in every if token not in tokens) for place, tokens in row.answers.items()}
    if wrong is None and needs_wrong_answers(metric):
        wrong = answered.get(row.corrupted, {})
        if all(set(wrong.get(place, ())) == set(tokens) for place, tokens in row.answers.items()):
            raise _Dropped(SAME)
        wrong = {place: tuple(token for token in tokens if token not in row.answers.get(place, ())) for place, tokens in wrong.items()}
    wrong = wrong or {}
    positions = tuple(sorted(row.answers))
    for place in positions:
        if both := set(row.answers[place]) & set(wrong.get(place, ())):
            raise PromptError(f"{row.where}: token {min(both)} is both an answer and a wrong answer")
    if needs_wrong_answers(metric):
        positions = tuple(place for place in positions if wrong.get(place))
        if not positions:
            raise _Dropped(NO_WRONG)
    return PromptPair(
        row.key, row.clean, row.corrupted, positions, tuple(row.answers[place] for place in positions), tuple(wrong.get(place, ()) for place in positions)
    )
