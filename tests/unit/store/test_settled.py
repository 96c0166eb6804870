"""A question is asked again when something was published while it was answered."""

from typing import Any

import pytest

from roicg.core.errors import StoreError
from roicg.store.neo4j import settled
from roicg.store.neo4j.settled import scope, standing_version


class Publishing:
    """A database in which the first ``flips`` looks each find something newly published; like a flip, each gives other rows."""

    def __init__(self, flips: int) -> None:
        self.flips, self.looked, self.asked = flips, 0, 0
        self.looks: dict[str, Any] = {}

    def read(self, name: str, **params: Any) -> list[dict[str, Any]]:
        if name == "house.shown":
            self.looked += 1
            return [{"slots": 1, "numbers": min(self.looked, self.flips + 1), "moving": 0}]
        self.asked += 1
        return [{"number": self.flips + 1}] if self.looked > self.flips and name != "publish.standing" else []


@pytest.fixture(autouse=True)
def without_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settled, "PAUSE_S", 0.0)


def ask(database: Publishing) -> list[dict[str, Any]]:
    return settled.settled(database, "a question", lambda: database.read("a question"), "study|model@")  # type: ignore[arg-type]


def test_a_quiet_database_is_asked_once() -> None:
    quiet = Publishing(0)
    assert ask(quiet) == [{"number": 1}]
    assert (quiet.looked, quiet.asked) == (2, 1)


def test_the_look_after_a_question_serves_before_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the same slots, for a while."""
    quiet = Publishing(0)
    ask(quiet)
    assert ask(quiet) == [{"number": 1}]
    assert (quiet.looked, quiet.asked) == (3, 2)
    settled.settled(quiet, "of another model", lambda: 7, "study|other@")  # type: ignore[arg-type]
    assert quiet.looked == 5
    monkeypatch.setattr(settled, "REMEMBERED_S", 0.0)
    ask(quiet)
    assert (quiet.looked, quiet.asked) == (7, 3)


def test_what_was_published_since_the_remembered_look_is_noticed() -> None:
    """The question is asked once more, though nothing happens during it: it may have met the end of that publication."""
    database = Publishing(0)
    ask(database)
    database.flips, database.looked = 1, 1
    assert ask(database) == [{"number": 2}]
    assert database.asked == 3


def test_an_answer_of_the_instant_of_a_flip_does_not_count() -> None:
    """Seen to fail with the rows of the first try returned: none at all, as a slot shows while a commit is applied."""
    busy = Publishing(3)
    assert ask(busy) == [{"number": 4}]
    assert busy.asked > 1
    assert settled.settled(Publishing(2), "a question", lambda: 7) == 7  # type: ignore[arg-type]


class Applying(Publishing):
    """A database whose first ``looks`` looks all fall into the instant in which one flip is applied: the slot shows nothing yet."""

    def read(self, name: str, **params: Any) -> list[dict[str, Any]]:
        if name == "house.shown":
            self.looked += 1
            return [{"slots": 0, "numbers": 0, "moving": 1}] if self.looked <= self.flips else [{"slots": 1, "numbers": 2, "moving": 0}]
        return [] if self.looked < self.flips else [{"number": 2}]


def test_an_answer_within_the_instant_of_a_flip_does_not_count() -> None:
    """Both looks fall into it, too. Seen to fail with equal looks enough: no row at all, as a reader beside ten flips got on a machine with much to do."""
    assert ask(Applying(2)) == [{"number": 2}]
    assert ask(Applying(5)) == [{"number": 2}]


def test_a_version_that_is_on_its_way_for_good_keeps_nobody_from_reading() -> None:
    assert ask(Applying(10**6)) == []


def test_what_never_settles_is_said() -> None:
    with pytest.raises(StoreError, match="graphs were published during each of 40 tries"):
        ask(Publishing(10**6))


def test_nothing_published_stands_for_nothing() -> None:
    assert standing_version(Publishing(0), "g") is None  # type: ignore[arg-type]


def test_only_the_models_that_are_asked_for_count() -> None:
    assert scope({"slot": "s|m@1|own|ports", "task": "add"}) == "s|m@"
    assert scope({"slot_a": "s|m@1|own|ports", "slot_b": "s|m@2|own|ports"}) == "s|m@"
    assert scope({"slot_a": "s|one@1|own|ports", "slot_b": "s|other@2|own|ports"}) == "s|"
    assert scope({"slot_a": "s|one@1|own|ports", "slot_b": "t|one@2|own|ports"}) == ""
    assert scope({"model": "m", "slots": ["a"]}) == ""
