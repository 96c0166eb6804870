"""What Neo4j Browser is given fits the database: the style names every label, the guide's Cypher runs, and Browser takes its links."""

import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from roicg.report.guide import TEN, askable, browser_files, link, literal, statement
from roicg.server.address import Address
from roicg.store.neo4j.analyses import match_rois
from roicg.store.neo4j.store import Neo4jStore
from roicg.store.questions import example
from roicg.store.registry import cypher_root, find_query
from tests.browser import Page, browser, browser_path
from tests.hostile import HOSTILE
from tests.lanes.container import BROWSER
from tests.published import handmade_store

pytestmark = pytest.mark.neo4j
OURS = {"Migration", "Sequence"}
"""Labels of what only roicg reads."""
LINES = "[...document.querySelectorAll('.view-line')].sort((a, b) => a.offsetTop - b.offsetTop).map(line => line.innerText).join(' ')"
"""What Browser's editor shows, broken where it breaks lines."""
TABLE = "(table => table && [...table.rows].map(row => [...row.cells].map(cell => cell.innerText.trim())))(document.querySelector('[data-testid=frame] table'))"
"""The table that Browser shows of its last answer, with the numbers of the rows; nothing where it shows none."""


@pytest.fixture(scope="module")
def store(address: Address) -> Iterator[Neo4jStore]:
    with handmade_store(address) as opened:
        match_rois(opened, "toy-100-own", "toy-200-own")
        yield opened


def test_the_style_names_every_label_and_captions_that_are_there(store: Neo4jStore) -> None:
    """Seen to fail with `caption: "{title}"` for Study, which has none."""
    style = (cypher_root() / "browser" / "roicg.grass").read_text()
    captions = dict(re.findall(r'node\.(\w+) \{.*?caption: "\{(\w+)\}"', style, re.DOTALL))
    rows = store.cypher("MATCH (n) WITH labels(n)[0] AS label, n UNWIND keys(n) AS key RETURN label, collect(DISTINCT key) AS keys")
    found = {row["label"]: row["keys"] for row in rows if row["label"] not in OURS}
    assert set(found) <= set(captions)
    assert {label: captions[label] for label in found if captions[label] not in found[label]} == {}
    kinds = dict(re.findall(r'relationship\.(\w+) \{.*?caption: "([^"]*)"', style, re.DOTALL))
    rows = store.cypher("MATCH ()-[r]->() WITH type(r) AS kind, r UNWIND keys(r) AS key RETURN kind, collect(DISTINCT key) AS keys")
    assert {row["kind"] for row in rows} >= {"EDGE", "MATCHES"}
    assert all(kinds[row["kind"]].strip("{}") in row["keys"] for row in rows if kinds.get(row["kind"], "<").startswith("{"))


def test_the_guide_is_filled_from_what_is_published_and_its_cypher_has_answers(store: Neo4jStore, tmp_path: Path) -> None:
    page = browser_files(tmp_path, "http://127.0.0.1:1/browser/", store).read_text()
    assert "The values are those of toy at 200, study hand" in page
    assert page.count("&#x27;hand|toy@200|own|ports&#x27;") > 5
    given = {"slot": "hand|toy@200|reference|ports", "slot_a": "hand|toy@100|own|ports", "slot_b": "hand|toy@200|own|ports", "roi": "m0.r0", "task": "add"}
    for query in map(find_query, (*TEN, "compare.edge_drift")):
        rows = store.cypher(statement(query, given))
        params = {key: given[key].replace("|own|", "|reference|") if shown.endswith(":reference") else given[key] for key, shown in example(query).items()}
        expected = store.run(query.name, **params)
        assert len(rows) == len(expected) if query.name.startswith("draw.") else rows == expected, query.name
        assert rows or query.name == "structure.communities", query.name  # of which the hand-made graphs have none


def test_the_guide_opens_without_a_complaint_and_asks_nothing_of_the_network(tmp_path: Path) -> None:
    path = browser_path()
    if path is None:
        (pytest.fail if os.environ.get("ROICG_REQUIRE_BROWSER") == "1" else pytest.skip)("no Chromium on this machine")
    page_file = browser_files(tmp_path, "http://127.0.0.1:1/browser/")
    with browser(path) as page:
        page.open(page_file)
        assert page.js("document.querySelectorAll('section pre').length") == 10
        page.js("document.querySelector('button').click()")
        assert page.js("new Promise(done => setTimeout(() => done(document.querySelector('button').textContent), 300))") in ("Copied", "Selected")
    assert (page.complaints, page.refused, page.requests) == ([], [], [page_file.as_uri()])


def test_the_server_reads_names_as_they_were_whatever_is_in_them(store: Neo4jStore) -> None:
    """In strings and in comments. Seen to fail with ends of lines and ``\\`` left as they are."""
    names = [name for name in HOSTILE.values() if name != HOSTILE["half a surrogate"]]
    comments = "".join(f"// {literal(name)}\n" for name in names)
    assert store.cypher(f"{comments}RETURN {literal(names)} AS read") == [{"read": names}]


def http_address(store: Neo4jStore) -> str:
    """Where the server's Browser answers: at ``ROICG_TEST_BROWSER``, else where it listens; a skip where it has none, or this machine no web browser."""
    if browser_path() is None:
        (pytest.fail if os.environ.get("ROICG_REQUIRE_BROWSER") == "1" else pytest.skip)("no Chromium on this machine")
    listens = store.cypher("SHOW SETTINGS 'server.http.listen_address' YIELD value")[0]["value"]
    found = os.environ.get(BROWSER) or f"http://{listens}/browser/"
    try:
        with urllib.request.urlopen(found, timeout=30):
            return found
    except (urllib.error.URLError, OSError, ValueError) as error:
        pytest.skip(f"this server shows no Neo4j Browser at {found}: {error}")


@contextmanager
def opened(place: str, address: Address, text: str) -> Iterator[Page]:
    """The real Neo4j Browser in a Chromium of its own, as a link of the guide opens it: logged in, the question in its editor."""
    path, target = browser_path(), link(place, text)
    assert path is not None
    assert target is not None
    with browser(path) as page:
        # Left to itself, Browser asks the server where to log in, and one in a container names the port that it has inside.
        page.call("Page.navigate", url=f"{target}&connectURL={quote(re.sub('^neo4j', 'bolt', address.uri), safe='')}")
        first = text.split("\n", 1)[0].replace(" ", "")
        page.until(f"{LINES}.replace(/\\s/g, '').startsWith({json.dumps(first)})")
        page.until("document.querySelector('[data-testid=connect]')")
        page.type("[data-testid=username]", address.user)
        page.type("[data-testid=password]", address.password)
        page.press("Enter", 13)
        page.until("document.body.innerText.includes(':play start')")  # what Browser does as soon as it is connected
        yield page


def answer(page: Page) -> list[list[str]]:
    """The table that Browser shows of the question in its editor."""
    page.js("document.querySelector('[data-testid=editor-Run]').click()")
    page.until(f"({TABLE})?.length > 1")
    found: list[list[str]] = page.js(TABLE)
    return found


def as_shown(rows: list[dict[str, Any]]) -> list[list[str]]:
    """Rows as Browser shows them."""
    return [["", *rows[0]], *([str(place), *map(json.dumps, row.values())] for place, row in enumerate(rows, 1))]


def test_browser_takes_a_question_from_its_address_whole_and_answers(store: Neo4jStore, address: Address) -> None:
    """Seen to fail with the values given by ``:param`` lines before the Cypher: of several statements Browser shows no answer."""
    given = {"slot": "hand|toy@200|reference|ports"}
    text = statement(find_query("tasks.scores"), given)  # short: the editor renders a dozen lines
    with opened(http_address(store), address, text) as page:
        assert "".join(page.js(LINES).split()) == "".join(text.split())
        assert answer(page) == as_shown(store.run("tasks.scores", **given))


def test_browser_answers_what_makes_transactions_of_its_own_and_takes_style_and_saved_queries(store: Neo4jStore, address: Address, tmp_path: Path) -> None:
    """Seen to fail without the ``:auto`` of such a question."""
    place, given = http_address(store), {"slot": "hand|toy@200|reference|ports", "task": "add"}
    files = browser_files(tmp_path, place, store).parent
    with opened(place, address, statement(find_query("compare.which_changed_most"), given)) as page:
        assert answer(page) == as_shown(store.run("compare.which_changed_most", **given))
        page.drop("[data-testid=activeEditor]", files / "roicg.grass")
        page.until("document.querySelector('[data-testid=frame]').innerText.includes('node.ROI {')")
        page.drop("[data-testid=activeEditor]", files / "saved-queries.zip")
        page.js("document.querySelector('[data-testid=navigationFavorites]').click()")
        rooms = {query.name.split(".")[0] for query in askable()}
        page.until(f"document.querySelectorAll('[data-testid^=\"savedScriptsFolder-roicg \"]').length == {len(rooms)}")
        page.js("document.querySelector('[data-testid=\"expandFolder-roicg draw\"]').click()")
        page.until("document.body.innerText.includes('How does the circuit of n edges look, drawn?')")
