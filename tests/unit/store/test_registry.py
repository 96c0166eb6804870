"""The Cypher law: what a query file must say, and the sentence that refuses it."""

from pathlib import Path

import pytest

from roicg.core.errors import QueryError
from roicg.store.registry import Field, catalogue, cypher_root, find_query, load_query, opens_transactions

GOOD = """// Which edges carry a task?
// mode: read
// param: slot STRING the slot that is asked
// param: n INTEGER = 20 how many edges
// return: source STRING name of the source ROI
// Free words may follow.
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)  // $not_a_parameter
MATCH ()-[e:EDGE]->() WHERE e.graph = v.number AND e.rank <= $n AND e.port <> '; $neither "x'
RETURN e.source AS source
"""


def write(root: Path, text: str, name: str = "circuits/strongest.cypher") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file_is_read_whole(tmp_path: Path) -> None:
    query = load_query(write(tmp_path, GOOD), tmp_path)
    assert (query.name, query.sentence, query.mode) == ("circuits.strongest", "Which edges carry a task?", "read")
    assert query.params == (Field("slot", "STRING", "the slot that is asked"), Field("n", "INTEGER", "how many edges", required=False, default=20))
    assert query.returns == (Field("source", "STRING", "name of the source ROI"),)
    assert query.text.startswith("MATCH (:Slot")
    assert query.text.endswith("AS source")


REFUSED = [
    ("missing sentence", GOOD.replace("// Which edges carry a task?\n", ""), 1, "one sentence"),
    ("empty sentence", GOOD.replace("Which edges carry a task?", ""), 1, "one sentence"),
    ("sentence without an end", GOOD.replace("a task?", "a task"), 1, "one sentence"),
    ("empty file", "", 1, "one sentence"),
    ("no mode", GOOD.replace("// mode: read\n", ""), 1, "no '// mode:' line"),
    ("unknown mode", GOOD.replace("mode: read", "mode: reads"), 2, "one of read, write, schema"),
    ("two modes", GOOD.replace("// mode: read\n", "// mode: read\n// mode: write\n"), 3, "state it once"),
    ("untyped parameter", GOOD.replace("slot STRING the", "slot the"), 3, "no known type"),
    ("bare parameter", GOOD.replace("slot STRING the slot that is asked", "slot"), 3, "no known type"),
    ("unknown type", GOOD.replace("slot STRING", "slot TEXT"), 3, "no known type"),
    ("untyped column", GOOD.replace("source STRING name", "source name"), 5, "no known type"),
    ("column with a default", GOOD.replace("source STRING name", 'source STRING = "x" name'), 5, "no default"),
    ("default of another type", GOOD.replace("= 20", '= "many"'), 4, "must be JSON of type INTEGER"),
    ("default that is no JSON", GOOD.replace("= 20", "= twenty"), 4, "must be JSON"),
    ("misspelt key", GOOD.replace("// return:", "// returns:"), 5, "did you mean 'return'"),
    ("declared twice", GOOD.replace("// return:", "// param: n INTEGER\n// return:"), 5, "declared twice"),
    ("used, not declared", GOOD.replace("e.rank <= $n", "e.rank <= $n + $more"), 8, "$more is used but not declared"),
    ("declared, not used", GOOD.replace("// return:", "// param: task STRING\n// return:"), 5, "$task is not used"),
    ("two statements", GOOD + ";\nMATCH (n) RETURN n", 11, "second statement"),
    ("no statement", GOOD[: GOOD.index("MATCH")], 7, "no statement"),
]


@pytest.mark.parametrize(("text", "line", "says"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_broken_file_is_refused_with_file_and_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(QueryError) as caught:
        load_query(path, tmp_path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert says in str(caught.value)


def test_a_file_name_that_is_no_query_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match=r"'Strongest-1' cannot be part of a query name"):
        load_query(write(tmp_path, GOOD, "circuits/Strongest-1.cypher"), tmp_path)


def test_one_closing_semicolon_is_no_second_statement(tmp_path: Path) -> None:
    assert load_query(write(tmp_path, GOOD + ";  // end\n"), tmp_path).text == GOOD[GOOD.index("MATCH") :].strip()


def test_parameters_are_checked_and_defaults_filled_in(tmp_path: Path) -> None:
    query = load_query(write(tmp_path, GOOD), tmp_path)
    assert query.bind({"slot": "s"}) == {"slot": "s", "n": 20}
    assert query.parse({"slot": "s", "n": "7"}) == {"slot": "s", "n": 7}
    for given, says in [
        ({}, "needs the parameter slot"),
        ({"slot": None}, "needs the parameter slot"),
        ({"slot": "s", "m": 1}, "no parameter 'm'"),
        ({"slot": 3}, "must be STRING, given 3"),
        ({"slot": "s", "n": True}, "must be INTEGER"),
        ({"slot": "s", "n": 2**63}, "64 bits"),
    ]:
        with pytest.raises(QueryError, match=says):
            query.bind(given)
    with pytest.raises(QueryError, match="must be INTEGER, given 'x'"):
        query.parse({"slot": "s", "n": "x"})
    with pytest.raises(QueryError, match="did you mean 'slot'"):
        query.parse({"slots": "x"})


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("STRING", "a b", "a b"),
        ("INTEGER", "-3", -3),
        ("FLOAT", "1e-3", 0.001),
        ("BOOLEAN", "True", True),
        ("LIST<STRING>", "a,b", ["a", "b"]),
        ("LIST<STRING>", '["a,b", "c"]', ["a,b", "c"]),
        ("LIST<STRING>", "", []),
        ("LIST<INTEGER>", "1,2", [1, 2]),
    ],
)
def test_command_line_text_becomes_the_declared_type(tmp_path: Path, kind: str, text: str, value: object) -> None:
    query = load_query(write(tmp_path, f"// What is x?\n// mode: read\n// param: x {kind}\n// return: x {kind}\nRETURN $x AS x\n"), tmp_path)
    assert query.parse({"x": text}) == {"x": value}


def test_the_catalogue_of_the_project_keeps_the_law_and_names_the_nearest() -> None:
    names = list(catalogue())
    assert names == sorted(names)
    assert all(query.path.is_relative_to(cypher_root()) for query in catalogue().values())
    with pytest.raises(QueryError, match=r"no query 'house.publishd'; did you mean 'house.published'"):
        find_query("house.publishd")


@pytest.mark.parametrize(
    ("text", "opens"),
    [
        ("UNWIND [1] AS x CALL (x) { RETURN x AS y } IN TRANSACTIONS OF 2 ROWS RETURN y", True),
        ("MATCH (n) CALL (n) {\n DELETE n\n}\nin 4 concurrent transactions", True),
        ("CALL (x) { RETURN 1 AS y } IN CONCURRENT TRANSACTIONS OF 1 ROW RETURN y", True),
        ("CALL (x) { RETURN 1 AS y } IN $n CONCURRENT TRANSACTIONS RETURN y", True),
        ("CALL (x) { RETURN 1 AS y } RETURN y // } IN TRANSACTIONS", False),
        ("RETURN '} IN TRANSACTIONS' AS text", False),
        ("SHOW TRANSACTIONS", False),
    ],
)
def test_statements_that_make_their_own_transactions_are_known(text: str, opens: bool) -> None:
    assert opens_transactions(text) is opens
