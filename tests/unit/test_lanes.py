"""The table of lanes and its judgement, on files that pytest could have written."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.lanes import __main__ as lanes
from tests.lanes import lane_wheel
from tests.lanes.outcomes import SUITE, Outcomes, complaints, read_outcomes, table, together

JUNIT = """<testsuites><testsuite time="90.0">
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
    found = read_outcomes(tmp_path / "a.xml")
    assert found.passed == {"tests.integration.test_a::test_one"}
    assert found.failed == {"tests.integration.test_a::test_two[x]", "tests.integration.test_b::test_four"}
    assert found.reasons() == ["1 × no browser"]
    assert found.seconds == 90.0
    assert read_outcomes(tmp_path / "none.xml").ran == frozenset()


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


def test_a_lane_whose_server_could_not_be_had_is_excused_unless_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that need no server ran all the same. Seen to fail with only a lane that ran no test at all excused."""
    monkeypatch.delenv("ROICG_REQUIRE_DOCKER", raising=False)
    skipped = {SUITE + "test_a::two": f"{lanes.NO_SERVER}: no container (no Docker engine answers)"}
    rows = {"embedded": ran("test_a::one", "test_a::two"), "container": Outcomes(ran("test_a::one").passed, skipped=skipped)}
    assert lanes.judged("container", lanes.LANES["container"], rows) == []
    monkeypatch.setenv("ROICG_REQUIRE_DOCKER", "1")
    assert any("did not run tests.integration.test_a::two" in line for line in lanes.judged("container", lanes.LANES["container"], rows))


def small_lanes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, seconds: int, body: str) -> None:
    """One lane that says it takes ``seconds`` and whose only test does ``body``."""
    (tmp_path / "test_small.py").write_text(f"import time\ndef test_small():\n    {body}\n")
    words = ("-c", str(tmp_path / "none.ini"), "-p", "no:cacheprovider", str(tmp_path / "test_small.py"))
    (tmp_path / "none.ini").write_text("[pytest]\n")
    monkeypatch.delenv("ROICG_LANES_EMBEDDED", raising=False)
    monkeypatch.setattr(lanes, "LANES", {"small": lanes.Lane(words, seconds), "other": lanes.Lane(words, 1)})


def test_a_lane_for_which_no_time_is_left_is_named_and_not_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Seen to fail with the time that is left not looked at."""
    small_lanes(monkeypatch, tmp_path, 60, "assert False")
    monkeypatch.setenv("ROICG_LANES_SECONDS", "59")
    assert lanes.main(["small"]) == 0
    said = capsys.readouterr().out
    assert "takes about 60 s, and this run had 59 s left" in said
    assert "not asked for; make lanes LANES=other runs it" in said


def test_a_lane_that_takes_longer_than_what_is_left_is_stopped_and_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small_lanes(monkeypatch, tmp_path, 1, "time.sleep(30)")
    monkeypatch.setenv("ROICG_LANES_SECONDS", "1.5")
    assert lanes.main(["small"]) == 0
    assert "the time of this run was over" in capsys.readouterr().out


def test_a_part_of_the_suite_beside_no_embedded_run_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Seen to fail with it said of lanes that do not run the suite, and of those beside an embedded run."""
    small_lanes(monkeypatch, tmp_path, 1, "pass")
    monkeypatch.setitem(lanes.LANES, "small", replace(lanes.LANES["small"], suite=True))
    monkeypatch.delenv("ROICG_LANES_SECONDS", raising=False)
    assert lanes.main(["small", "other"]) == 0
    assert "\nsmall: beside no embedded run" in capsys.readouterr().out
    (tmp_path / "ended.xml").write_text("<testsuites/>")
    monkeypatch.setitem(lanes.LANES, "embedded", lanes.Lane(("no-such-file",), 0))
    monkeypatch.setenv("ROICG_LANES_EMBEDDED", str(tmp_path / "ended.xml"))
    assert lanes.main(["small"]) == 0
    assert "beside no embedded run" not in capsys.readouterr().out


def test_a_run_that_ended_is_the_embedded_lane(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its failures are in the exit code. Seen to fail with the lane run again, and with the failures left out."""
    small_lanes(monkeypatch, tmp_path, 1, "pass")
    monkeypatch.setitem(lanes.LANES, "embedded", lanes.Lane(("no-such-file",), 0))
    (tmp_path / "ended.xml").write_text(JUNIT)
    monkeypatch.setenv("ROICG_LANES_EMBEDDED", str(tmp_path / "ended.xml"))
    assert lanes.main(["embedded", "small"]) == 1
    said = capsys.readouterr().out
    assert "embedded: tests.integration.test_a::test_two[x] failed" in said
    assert re.search(r"^embedded +3 +2 +1 +1\.5 ", said, re.MULTILINE)
    assert re.search(r"^small +1 +0 +0 ", said, re.MULTILINE)


def test_parts_of_a_lane_are_judged_together() -> None:
    """A failure in either is a failure. Seen to fail with the last part's outcomes taken for all."""
    found = together([Outcomes(frozenset({"a", "b"}), frozenset({"c"}), {"d": "why"}), Outcomes(frozenset({"c", "e"}), skipped={"f": "because"})])
    assert (found.passed, found.failed, found.skipped) == ({"a", "b", "e"}, {"c"}, {"d": "why", "f": "because"})


def test_the_processes_of_a_lane_sweep_folders_of_their_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Seen to fail with both in pytest's usual root, where one process found a folder that the other was removing."""
    body = f"""
import pytest
@pytest.mark.parametrize("name", ["first", pytest.param("second", marks=pytest.mark.beside)])
def test_small(name, tmp_path):
    open({str(tmp_path)!r} + "/" + name, "w").write(str(tmp_path))
"""
    small_lanes(monkeypatch, tmp_path, 1, "pass")
    (tmp_path / "test_small.py").write_text(body)
    (tmp_path / "none.ini").write_text("[pytest]\nmarkers = beside\n")
    monkeypatch.setitem(lanes.LANES, "small", replace(lanes.LANES["small"], beside=True))
    monkeypatch.delenv("ROICG_LANES_SECONDS", raising=False)
    assert lanes.main(["small"]) == 0
    first, second = (Path((tmp_path / name).read_text()) for name in ("first", "second"))
    roots = {folder.parents[2] for folder in (first, second)}
    assert [root.name for root in sorted(roots)] == ["small", "small-beside"]
    assert not any(root.exists() for root in roots)


def test_a_failed_test_is_in_the_exit_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    small_lanes(monkeypatch, tmp_path, 1, "assert False")
    monkeypatch.delenv("ROICG_LANES_SECONDS", raising=False)
    assert lanes.main(["small"]) == 1


def test_an_unknown_lane_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert lanes.main(["moon"]) == 2
    assert "'moon' is no lane; the lanes are embedded, next, container" in capsys.readouterr().err


def test_every_excuse_has_a_lane_and_a_reason() -> None:
    excused = yaml.safe_load(lanes.EXCUSED.read_text())
    assert set(excused) <= {name for name, lane in lanes.LANES.items() if lane.suite}
    assert all(len(reason) > 10 for reasons in excused.values() for reason in reasons.values())


def test_every_extra_is_tried_by_the_wheel_lane() -> None:
    """Asked here because the lane runs seldom. Seen to fail with the extra notebook, which had come without a line there."""
    assert set(lane_wheel.EXTRAS) == set(lane_wheel.WORKS)
