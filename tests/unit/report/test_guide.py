"""What Neo4j Browser is given, made from the catalogue: the guide of ten questions, saved queries, the style."""

import html
import re
import zipfile
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from roicg.report.guide import DEMO, TEN, Given, askable, browser_files, guide_page, link, literal, statement
from roicg.report.payload import QUERIES
from roicg.store.questions import ROOMS, questions
from roicg.store.registry import catalogue, cypher_root, find_query, opens_transactions

BROWSER = "http://127.0.0.1:7474/browser/"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return browser_files(tmp_path_factory.mktemp("guide"), BROWSER).parent


def test_the_guide_has_ten_questions_with_the_text_of_the_catalogue(folder: Path) -> None:
    page = (folder / "guide.html").read_text()
    texts = [html.unescape(text) for text in re.findall(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)]
    assert len(texts) == len(TEN) == 10
    for name, text in zip(TEN, texts, strict=True):
        assert text == statement(catalogue()[name], DEMO)
        assert catalogue()[name].sentence in html.unescape(page)
    assert {name.split(".")[0] for name in TEN} >= {"circuits", "tasks", "structure", "compare", "draw"}


def test_every_link_carries_the_whole_question_as_browser_reads_it(folder: Path) -> None:
    """Browser decodes its whole address first and then ends `arg` at & or #; seen to fail with a query that holds a `#`."""
    page = (folder / "guide.html").read_text()
    addresses = [html.unescape(address) for address in re.findall(r'href="([^"]*cmd=edit[^"]*)"', page)]
    texts = [html.unescape(text) for text in re.findall(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)]
    assert len(addresses) == 10
    for address, text in zip(addresses, texts, strict=True):
        read = re.search(r"[?&]arg=([^&#]*)", unquote(address.replace("+", " ")))
        assert read is not None
        assert read[1] == text
        assert parse_qs(urlsplit(address).query)["cmd"] == ["edit"]


def test_what_browser_would_cut_short_is_not_linked() -> None:
    assert link(BROWSER, "RETURN 1 // #") is None
    assert link(BROWSER, "RETURN 1 // a&b") is None


def test_a_name_cuts_no_link_short() -> None:
    page = guide_page(BROWSER, Given("here", {"slot": "a&b#c;|m@1|own|ports"}))
    assert page.count("cmd=edit") == 10
    assert r"a\u0026b\u0023c\u003B|m@1" in page


def test_a_question_is_one_statement_with_its_values_in_it() -> None:
    """Seen to fail with ``:param`` lines before the Cypher: Browser shows no answer of several statements."""
    for query in askable():
        lines = statement(query, DEMO).splitlines()
        assert lines[0] == f"// {query.sentence} ({query.name})"
        text = "\n".join(lines)
        assert text.count(";") == 1, "Browser parts statements at every ;, also in a comment"
        assert text.endswith(";")
        assert not re.search(r"\$\w", text)
        assert "multitask-s0@1200'" not in text, "a slot must be a whole key in Browser"
        assert lines[1].startswith(":auto ") == opens_transactions(query.text), "Browser puts a transaction around what does not say :auto"
    assert "{key: 'demo|multitask-s0@600|reference|ports'}" in statement(find_query("compare.edge_drift"), DEMO)
    circuit = statement(find_query("draw.circuit"), {"slot": "$task", "task": "it's;"})
    assert "{key: '$task'}" in circuit
    assert r"e.task = 'it\'s\u003B' AND e.rank <= 20" in circuit


def test_questions_of_the_report_open_no_transactions() -> None:
    """Its page does not know of ``:auto``."""
    assert not [name for name in QUERIES if opens_transactions(find_query(name).text)]


@pytest.mark.parametrize(
    ("value", "written"),
    [("it's", r"'it\'s'"), ("a\\b", r"'a\\b'"), (3, "3"), (0.5, "0.5"), (True, "true"), (None, "null"), (["a", 1], "['a', 1]")],
)
def test_values_are_written_as_cypher(value: object, written: str) -> None:
    assert literal(value) == written


def test_names_from_files_cannot_write_the_page() -> None:
    page = guide_page(BROWSER, Given("<script>alert(1)</script>", {"task": "</pre><script>alert(1)</script>", "slot": "s"}))
    assert "<script>alert" not in page


def test_saved_queries_are_every_question_that_needs_no_projection_by_room(folder: Path) -> None:
    with zipfile.ZipFile(folder / "saved-queries.zip") as archive:
        names = archive.namelist()
        assert all(archive.read(name).decode().startswith("// ") for name in names)
    asked = [query for query in questions() if "$projection" not in query.text]
    assert names == [f"roicg {query.name.replace('.', '/')}.cypher" for query in asked]
    assert {name.split("/")[0] for name in names} == {f"roicg {room}" for room in ROOMS}


def test_the_style_is_the_one_of_the_catalogue_and_holds_together(folder: Path) -> None:
    text = (folder / "roicg.grass").read_text()
    assert text == (cypher_root() / "browser" / "roicg.grass").read_text()
    blocks = re.findall(r"([\w.]+) \{\n(.*?)\n\}", text, re.DOTALL)
    assert len(blocks) == text.count(";\n}") > 15
    for _, body in blocks:
        assert re.fullmatch(r'(\s+[a-z-]+: (#[0-9A-F]{6}|\d+px|"(\{\w+\}|<type>)");)+\s*', body), body
