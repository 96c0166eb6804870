"""Tables: what a cell is shown as, and what is no table."""

import pytest

from roicg.core.tables import Table, shown, spread, table_from_json

TABLE = Table("one", "A title", ("what", "x"), (("a|b", 0.12345), ("none", None), ("yes", True), ("n", 12345)), "Control: none. ± nothing.")


def test_markdown_shows_every_cell_and_the_note() -> None:
    assert TABLE.markdown().splitlines() == [
        "| what | x |",
        "|---|---|",
        "| a\\|b | 0.123 |",
        "| none | – |",
        "| yes | yes |",
        "| n | 12345 |",
        "",
        "Control: none. ± nothing.",
    ]


def test_json_gives_the_table_back() -> None:
    assert table_from_json(TABLE.to_json()) == TABLE


def test_a_row_has_as_many_cells_as_the_table_columns() -> None:
    with pytest.raises(ValueError, match="a row has 1 cells, the table 2 columns"):
        Table("t", "", ("a", "b"), ((1,),), "")


def test_spread_is_mean_and_range() -> None:
    assert (spread([]), spread([0.5]), spread([0.2, 0.4])) == ("–", "0.50", "0.30 (0.20–0.40)")
    assert shown(False) == "no"
