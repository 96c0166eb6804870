from pathlib import Path

import pytest

from roicg.core.errors import StoreUnreachable
from roicg.server.failure import cause_of, explain, logged, tail
from roicg.server.health import check
from roicg.server.home import ServerFiles


def test_the_tail_leaves_out_blank_lines_and_stack_frames(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("one\n\ntwo\n\tat java.base/x.y(Z.java:1)\n\t... 12 more\nthree\n")
    assert tail(log) == ["one", "two", "three"]
    assert tail(log, 2) == ["two", "three"]
    assert tail(tmp_path / "none") == []


def test_the_tail_of_a_huge_log_is_its_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("x" * 200_000 + "\nlast\n")
    assert tail(log, 1) == ["last"]


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("Unrecognized VM option 'NoSuch'", "Java knows no such option; correct ROICG_JAVA_OPTIONS"),
        ("java.net.BindException: Address already in use", "a port is taken by another program"),
        ("Caused by: java.io.IOException: No space left on device", "the disk is full"),
        ("Error: Could not find or load main class x", "Error: Could not find or load main class x"),
        ("2026-11-23 21:00:00.000+0000 ERROR Failed to start", "2026-11-23 21:00:00.000+0000 ERROR Failed to start"),
        ("2026-11-23 21:00:00.000+0000 INFO  Starting...", None),
    ],
)
def test_known_causes_are_said_in_words(line: str, cause: str | None) -> None:
    assert cause_of(["first", line]) == cause


def test_an_explanation_has_the_cause_the_tail_and_the_place(tmp_path: Path) -> None:
    files = ServerFiles.of(tmp_path)
    files.logs.mkdir(parents=True)
    files.console.write_text("Starting...\nNo space left on device\n")
    text = explain(files, "ended while it was starting")
    assert text.startswith("the embedded database ended while it was starting: the disk is full\n")
    assert str(files.logs) in text
    assert text.endswith("  | Starting...\n  | No space left on device")


def test_without_any_log_that_is_said(tmp_path: Path) -> None:
    assert "(nothing was logged)" in explain(ServerFiles.of(tmp_path), "ended")


def test_errors_of_an_earlier_run_are_not_shown(tmp_path: Path) -> None:
    files = ServerFiles.of(tmp_path)
    files.logs.mkdir(parents=True)
    (files.logs / "debug.log").write_text(
        "2020-01-01 00:00:00.000+0000 ERROR old\n2030-01-01 00:00:00.000+0000 ERROR new\n2030-01-01 00:00:00.000+0000 INFO  x\n"
    )
    assert logged(files, since=1.7e9) == ["2030-01-01 00:00:00.000+0000 ERROR new"]


def test_nobody_at_the_address_is_a_clear_error() -> None:
    with pytest.raises(StoreUnreachable, match=r"no graph database answers at bolt://127\.0\.0\.1:9 .* `roicg db start`"):
        check("bolt://127.0.0.1:9", "neo4j", "whatever1", timeout_s=2)
