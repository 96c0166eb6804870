"""Asking the catalogue: wrong words are said before a database is asked."""

import json

import pytest

from roicg.cli.query import catalogue_markdown, parse_params
from roicg.core.errors import QueryError
from roicg.store.registry import catalogue, cypher_root


@pytest.fixture
def no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(address: object = None) -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr("roicg.store.connect.connect", refuse)


def test_the_list_holds_every_reading_query(no_database, roicg) -> None:
    listed = json.loads(roicg("query", "--list", "--json").stdout)
    assert [row["name"] for row in listed] == [query.name for query in catalogue().values() if query.mode == "read"]
    assert all(row["sentence"] and row["cypher"] for row in listed)
    text = roicg("query", "--list").stdout
    assert max(len(line) for line in text.splitlines()) <= 100


def test_cypher_readme_is_what_make_docs_writes() -> None:
    made = catalogue_markdown([query for query in catalogue().values() if query.mode == "read"])
    assert (cypher_root() / "README.md").read_text() == made, "the queries changed: run `make docs`"


def test_show_prints_the_cypher(no_database, roicg) -> None:
    shown = roicg("query", "circuits.circuit", "--show").stdout
    assert catalogue()["circuits.circuit"].text.splitlines()[0] in shown
    assert "slot" in shown


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("circuits.circut",), "did you mean 'circuits.circuit'?"),
        (("circuits.circuit",), "circuits.circuit needs the parameter slot"),
        (("circuits.circuit", "-p", "slot"), "'slot' must be KEY=VALUE"),
        (("circuits.circuit", "-p", "slt=x"), "has no parameter 'slt'; did you mean 'slot'?"),
        (("circuits.circuit", "-p", "slot=x", "-p", "task=a", "-p", "edges=many"), "must be INTEGER"),
        (("circuits.circuit", "-p", "slot=x", "-p", "slot=y"), "given twice"),
        (("publish.flip",), "publish.flip writes"),
    ],
)
def test_wrong_words_are_said_without_a_database(words, sentence: str, no_database, roicg) -> None:
    result = roicg("query", *words)
    assert result.exit_code == QueryError.exit_code, result.output
    assert sentence in result.stderr
    assert result.stdout == ""


def test_a_slot_may_be_written_short(store, roicg) -> None:
    store.answers["circuits.circuit"] = lambda **_: [{"rank": 1, "source": "tok"}]
    result = roicg("query", "circuits.circuit", "-p", "slot=toy@200:reference", "-p", "task=add", "-p", "edges=1", "--json")
    assert json.loads(result.stdout) == [{"rank": 1, "source": "tok"}]
    assert store.asked[-1] == ("circuits.circuit", {"slot": "hand|toy@200|reference|ports", "task": "add", "edges": 1})


def test_typed_cypher_reads_unless_told(store, roicg) -> None:
    assert json.loads(roicg("cypher", "RETURN 1 AS n", "--json").stdout) == [{"n": 1}]
    assert store.asked[-1][1] == {"write": False}
    roicg("cypher", "CREATE (n)", "--write")
    assert store.asked[-1][1] == {"write": True}


def test_values_may_hold_an_equals_sign() -> None:
    assert parse_params(["a=b=c", "d="]) == {"a": "b=c", "d": ""}


def test_a_bar_in_a_sentence_does_not_break_the_table() -> None:
    from dataclasses import replace

    query = replace(catalogue()["circuits.circuit"], sentence="Is |x| large?")
    assert "Is \\|x\\| large?" in catalogue_markdown([query])
