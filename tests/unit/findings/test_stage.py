"""The steps of every finding: measured once per question, told from rows alone, never a number that is none."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from roicg import stages
from roicg.core.errors import LawError, StudyError
from roicg.core.settings import Study
from roicg.findings import registry
from roicg.findings.registry import find_finding
from roicg.findings.stage import finding_stage, question_id, results_path, tables_from, tell
from roicg.places import Place
from tests.unit.findings import counting as counting_module
from tests.unit.findings.counting import Counting

STUDY = Study.model_validate(
    {
        "study": "s",
        "models": [{"name": "m", "source": {"kind": "trained", "recipe": "multitask", "checkpoints": [0, 5]}}],
        "tasks": [{"name": "add", "prompts": {"kind": "generated", "recipe": "multitask.add", "n": 4}}],
        "findings": {"ask": ["counting"]},
    }
)


class Told:
    """A store that remembers the tables it is given."""

    def __init__(self) -> None:
        self.tables: dict[tuple[str, str], list[object]] = {}

    def put_tables(self, study: str, finding: str, tables: list[object]) -> int:
        self.tables[study, finding] = list(tables)
        return len(tables)


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    counting = Counting()
    monkeypatch.setattr(registry, "FINDINGS", {"counting": "tests.unit.findings.counting"})
    monkeypatch.setattr(counting_module, "FINDING", counting.finding, raising=False)
    monkeypatch.setattr(stages, "question_id", lambda place: f"question {place.label}")
    return counting


def test_a_checkpoint_is_measured_once_and_told_from_its_file(counting: Counting, tmp_path: Path) -> None:
    """Seen to fail: a row file named without the label gives both checkpoints the rows of the first."""
    store = Told()
    assert finding_stage(Place(STUDY, "m", "0", tmp_path), store) == {"rows/counting": 1}  # type: ignore[arg-type]
    figures = tell(STUDY, tmp_path, store)  # type: ignore[arg-type]
    assert counting.calls == ["0", "5"]
    assert figures == {"tables/counting": 1, "results": str(results_path(STUDY, tmp_path))}
    (table,) = store.tables["s", "counting"]
    assert table.rows == (("m", 0, 0.5), ("m", 5, 0.5))  # type: ignore[attr-defined]
    results = json.loads(results_path(STUDY, tmp_path).read_text(encoding="utf-8"))
    assert tables_from(STUDY, results)["counting"] == (table,)
    tell(STUDY, tmp_path, store)  # type: ignore[arg-type]
    assert counting.calls == ["0", "5"]


def test_another_question_is_measured_again(counting: Counting, tmp_path: Path) -> None:
    place = Place(STUDY, "m", "0", tmp_path)
    other = Place(STUDY.model_copy(update={"findings": STUDY.findings.model_copy(update={"draws": 99})}), "m", "0", tmp_path)
    assert question_id(place) != question_id(other)
    finding_stage(place, Told())  # type: ignore[arg-type]
    finding_stage(other, Told())  # type: ignore[arg-type]
    assert counting.calls == ["0", "0"]


def test_rows_of_an_earlier_edition_are_measured_again(counting: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with the edition left out of the question; the first one is no part of it, so that rows from before editions stay."""
    place = Place(STUDY, "m", "0", tmp_path)
    first = question_id(place)
    finding_stage(place, Told())  # type: ignore[arg-type]
    monkeypatch.setattr("roicg.findings.stage.find_finding", lambda name: replace(counting.finding, edition=2))
    assert question_id(place) != first
    finding_stage(place, Told())  # type: ignore[arg-type]
    assert counting.calls == ["0", "0"]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_row_holds_finite_numbers(counting: Counting, tmp_path: Path, value: float) -> None:
    counting.value = value
    with pytest.raises(LawError, match="finding counting: value of m@0 is"):
        finding_stage(Place(STUDY, "m", "0", tmp_path), Told())  # type: ignore[arg-type]


def test_an_unknown_finding_is_named_with_the_nearest(counting: Counting) -> None:
    with pytest.raises(StudyError, match="no finding 'countin'; did you mean 'counting'"):
        find_finding("countin")
