"""Tables fit 100 columns and hide nothing in JSON."""

import json
import math
from datetime import UTC, datetime

import numpy as np
import pytest

from roicg.cli.console import WIDTH, cell, print_json, print_rows


def test_tables_fit_a_hundred_columns_whatever_they_hold(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([{"slot": "study|" + "long-name" * 20, "text": "word " * 60, "weight": -0.123456789, "n": 3}])
    out = capsys.readouterr().out
    assert max(len(line) for line in out.splitlines()) <= WIDTH
    assert "-0.1235" in out


def test_a_table_of_too_many_numbers_hides_neither_a_name_nor_a_heading(capsys: pytest.CaptureFixture[str]) -> None:
    """Seen to fail with the table kept to 100 columns: the columns of text were squeezed to nothing and headings cut."""
    numbers = {f"a long heading {i}": i / 7 for i in range(7)}
    print_rows([{"model": "multitask-s0@1200", "task": "induction", **numbers}] * 2)
    out = capsys.readouterr().out
    assert all(name in out for name in ("multitask-s0", "induction", *numbers))


def test_one_row_that_is_too_wide_stands_upright(capsys: pytest.CaptureFixture[str]) -> None:
    """Seen to fail with `house.provenance`: 25 columns of twelve characters, 300 wide and 35 lines high."""
    numbers = {f"a long heading {i}": i / 7 for i in range(7)}
    scores = [{"split": "edges", "accuracy": 1.0}, {"split": "eval", "accuracy": 0.5}]
    print_rows([{"model": "multitask-s0@1200", **numbers, "scores": scores, "text": "word " * 60}], title="one")
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert [line.split()[0] for line in lines[:2]] == ["one", "model"]
    assert [line.split("  ", 1)[1].strip() for line in lines if "split" in line] == ["split edges, accuracy 1", "split eval, accuracy 0.5"]
    assert next(line for line in lines if line.startswith("a long heading 3")).split() == ["a", "long", "heading", "3", "0.4286"]


def test_markup_in_data_is_only_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([{"[bold]name[/bold]": "[red]x[/red] [/oops]"}], title="[link=x]t[/link]")
    out = capsys.readouterr().out
    assert "[bold]name[/bold]" in out
    assert "[red]x[/red] [/oops]" in out
    assert "[link=x]t[/link]" in out


def test_no_rows_are_said_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([], title="hubs")
    assert capsys.readouterr() == ("", "hubs: no rows\n")


def test_json_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"id": "ab" * 32, "at": datetime(2026, 1, 2, tzinfo=UTC), "x": 1 / 3, "bad": math.nan, "np": np.float64(0.5), "list": ("é", None)}]
    print_json(rows)
    assert json.loads(capsys.readouterr().out) == [
        {"id": "ab" * 32, "at": "2026-01-02T00:00:00+00:00", "x": 1 / 3, "bad": None, "np": 0.5, "list": ["é", None]}
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (True, "yes"),
        (0.000012345, "1.234e-05"),
        ("ab" * 32, "abababababab"),
        (["a", 1], "a, 1"),
        ({"k": 0.5}, "k 0.5"),
        (12, "12"),
        (datetime(2026, 1, 2, 3, 4, 5, 678, UTC), "2026-01-02T03:04:05Z"),
    ],
)
def test_cells(value, text: str) -> None:
    assert cell(value) == text
