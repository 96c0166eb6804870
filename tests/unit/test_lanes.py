"""The table of lanes and its judgement, on files that pytest could have written."""

from pathlib import Path

import pytest
import yaml

from tests.lanes import __main__ as lanes
from tests.lanes.outcomes import SUITE, Outcomes, complaints, read_outcomes, table

JUNIT = """<testsuites><testsuite>
<testcase classname="tests.integration.test_a" name="test_one" time="1"/>
<testcase classname="tests.integration.test_a" name="test_two[x]" time="1"><failure message="no">assert</failure></testcase>
<testcase classname="tests.integration.test_a" name="test_three" time="1"><skipped message="no browser&#10;at all">here</skipped></testcase>
<testcase classname="tests.integration.test_b" name="test_four" time="1"/><testcase classname="tests.integration.test_b" name="test_four" time="1"><error message="teardown">x</error></testcase>
</testsuite></testsuites>"""


def ran(*names: str) -> Outcomes:
    return Outcomes(frozenset(SUITE + name for name in names))


def test_outcomes_are_read_from_junit(tmp_path: Path) -> None:
    """Seen to fail with a test that passed and then failed at its end counted as passed."""
    (tmp_path / "a.xml").write_text(JUNIT)
    found = read_outcomes(tmp_path / "a.xml", 90.0)
    assert found.passed == {"tests.integration.test_a::test_one"}
    assert found.failed == {"tests.integration.test_a::test_two[x]", "tests.integration.test_b::test_four"}
    assert found.reasons() == ["1 × no browser"]
    assert read_outcomes(tmp_path / "none.xml", 1.0).ran == frozenset()


def test_a_lane_that_runs_less_needs_a_listed_reason() -> None:
    """Seen to fail with the tests of the lane and of the embedded one changed over."""
    embedded = Outcomes(ran("test_a::one", "test_a::two", "test_b::three").passed | {"tests.unit.test_x::four"})
    assert complaints("container", ran("test_a::one", "test_a::two", "test_b::three"), embedded, {}) == []
    (said,) = complaints("container", ran("test_a::one", "test_a::two"), embedded, {})
    assert "container did not run tests.integration.test_b::three" in said
    assert complaints("container", ran("test_a::one"), embedded, {"test_b::": "why", "test_a::two": "why"}) == []


def test_a_reason_that_excuses_nothing_is_refused() -> None:
    (said,) = complaints("container", ran("test_a::one"), ran("test_a::one"), {"test_b::": "gone"})
    assert "excuses test_b:: from container, but nothing of it was left out" in said


def test_the_table_has_a_line_per_lane_and_a_line_per_reason() -> None:
    rows = {"embedded": ran("a", "b"), "container": Outcomes(skipped={"x": "no Docker", "y": "no Docker", "z": "other"}, seconds=90)}
    lines = table(rows)
    assert lines[1].split() == ["embedded", "2", "0", "0", "0.0"]
    assert lines[2].split(maxsplit=5) == ["container", "0", "0", "3", "1.5", "2 × no Docker"]
    assert lines[3].strip() == "1 × other"
    assert len(lines) == 4


@pytest.mark.parametrize(("required", "wrong"), [("", 0), ("1", 1)])
def test_a_lane_that_could_not_run_is_wrong_only_where_it_is_required(required: str, wrong: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROICG_REQUIRE_DOCKER", required)
    rows = {"embedded": ran("test_a::one"), "container": Outcomes(skipped={"container": "no Docker engine answers"})}
    said = lanes.judged("container", lanes.LANES["container"], rows)
    assert len(said) == wrong
    assert "no Docker engine answers" in "".join(said) or not wrong


def test_an_unknown_lane_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert lanes.main(["moon"]) == 2
    assert "'moon' is no lane; the lanes are embedded, next, container" in capsys.readouterr().err


def test_every_excuse_has_a_lane_and_a_reason() -> None:
    excused = yaml.safe_load(lanes.EXCUSED.read_text())
    assert set(excused) <= {name for name, lane in lanes.LANES.items() if lane.suite}
    assert all(len(reason) > 10 for reasons in excused.values() for reason in reasons.values())
