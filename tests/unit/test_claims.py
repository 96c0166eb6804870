"""README's claims are the tables of the kept results; what is measured again is compared number by number."""

import json

import pytest

from roicg.core.tables import Table
from tests.claims import claims
from tests.claims.claims import differences


def test_readme_holds_the_tables_of_the_studies() -> None:
    """``make docs`` fills them in; ``make claims`` also measures one checkpoint of each study again."""
    text = claims.README.read_text(encoding="utf-8")
    assert [name for name, _, _ in claims.kept_tables() if f"<!-- claims:{name} -->" not in text] == []
    assert claims.fill(text) == text


def test_a_table_is_filled_in_between_its_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with the old table left in front of the new one."""
    table, about = Table("t", "", ("a",), ((1,),), "Note."), {"command": "roicg run s", "date": "2026-01-01", "machine": "m"}
    monkeypatch.setattr(claims, "kept_tables", lambda: iter([("s.f.t", table, about)]))
    filled = claims.fill("before\n<!-- claims:s.f.t -->\nold\n<!-- end -->\nafter")
    assert filled == "before\n<!-- claims:s.f.t -->\n| a |\n|---|\n| 1 |\n\nNote. `roicg run s`, 2026-01-01, m.\n<!-- end -->\nafter"
    assert claims.fill(filled) == filled


@pytest.mark.parametrize(
    ("kept", "found", "differ"),
    [
        ({"a": 1.0, "b": "x"}, {"a": 1.0004, "b": "x"}, False),
        ({"a": 1.0}, {"a": 1.01}, True),
        ({"a": 1}, {"a": 2}, True),
        ({"a": True}, {"a": False}, True),
        ({"a": None}, {"a": 0.0}, True),
        ({"a": 1.0}, {"b": 1.0}, True),
        ([1.0, 2.0], [1.0], True),
        (json.dumps([0.5, 0.25]), json.dumps([0.5001, 0.25]), False),
        (json.dumps([0.5, 0.25]), json.dumps([0.6, 0.25]), True),
        ("", "", False),
    ],
)
def test_rows_differ_where_a_number_or_a_word_does(kept: object, found: object, differ: bool) -> None:
    assert bool(list(differences(kept, found, "row"))) is differ
