"""What Neo4j Browser is given fits the database: the style names every label, the guide's Cypher runs, and Browser takes its links."""

import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from roicg.report.guide import TEN, askable, browser_files, link, statement
from roicg.server.address import Address
from roicg.store.neo4j.analyses import match_rois
from roicg.store.neo4j.store import Neo4jStore
from roicg.store.registry import cypher_root, find_query
from tests.browser import browser, browser_path
from tests.lanes.container import BROWSER
from tests.published import handmade_store

pytestmark = pytest.mark.neo4j
OURS = {"Migration", "Sequence"}
"""Labels of what only roicg reads."""
LINES = "[...document.querySelectorAll('.view-line')].sort((a, b) => a.offsetTop - b.offsetTop).map(line => line.innerText).join(' ')"
"""What Browser's editor shows, broken where it breaks lines."""


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
    for name in TEN:
        query = find_query(name)
        params = {field.name: given[field.name] for field in query.params if field.required}
        rows = store.cypher(query.text, **{field.name: field.default for field in query.params} | params)
        assert rows or name == "structure.communities", name  # of which the hand-made graphs have none


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


def test_browser_takes_a_question_from_its_address_whole(store: Neo4jStore) -> None:
    """The real Neo4j Browser in Chromium: what the guide's link opens stands in its editor."""
    address = http_address(store)
    query = next(query for query in askable() if query.name == "tasks.scores")  # short: the editor renders a dozen lines
    text = statement(query, {"slot": "hand|toy@200|reference|ports"})
    target = link(address, text)
    assert target is not None
    path = browser_path()
    assert path is not None
    with browser(path) as page:
        page.call("Page.navigate", url=target)
        deadline, shown = time.monotonic() + 200, ""
        while time.monotonic() < deadline and "ORDERBY" not in shown:
            time.sleep(0.5)
            shown = "".join(str(page.js(LINES)).split())
    assert shown == "".join(text.split())
