"""The report from a real database of hand-made graphs, and in a real browser."""

import json
import os
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from roicg.core.errors import StoreError
from roicg.report import build_report
from roicg.server.address import Address
from tests.browser import Page, browser, browser_path
from tests.handmade import own_graph, reference_graph
from tests.published import handmade_store
from tests.reported import HOSTILE, graph, model, report

pytestmark = pytest.mark.neo4j
OWN200 = "hand|toy@200|own|ports"


@pytest.fixture(scope="module")
def written(address: Address, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the hand-made graphs: reference partition at three steps with curves, own ROIs at two, communities at the last."""
    from roicg.store.neo4j.analyses import find_communities

    with handmade_store(address) as store:
        find_communities(store, own_graph(200).id, task=None, null_samples=10)
        with pytest.raises(StoreError, match="nothing of study 'other'"):
            build_report("other", store, tmp_path_factory.mktemp("none") / "r.html")
        return build_report("hand", store, tmp_path_factory.mktemp("report") / "hand.html")


@pytest.fixture(scope="module")
def text(written: Path) -> str:
    return written.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def data(text: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


@pytest.fixture
def page() -> Iterator[Page]:
    path = browser_path()
    if path is None:
        reason = "no Chromium on this machine (Debian: apt-get install chromium)"
        if os.environ.get("ROICG_REQUIRE_BROWSER") == "1":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    with browser(path) as opened:
        yield opened


def test_the_drawn_edges_are_the_graphs_edges(data: dict) -> None:
    (toy,) = data["models"]
    assert (toy["tasks"], toy["partitions"], [c["label"] for c in toy["checkpoints"]]) == (["add", "max"], ["own", "reference"], ["0", "100", "200"])
    shown, real = toy["checkpoints"][2]["graphs"]["reference"], reference_graph(200)
    names = [roi[0] for roi in shown["rois"]]
    drawn = {(names[u], names[v], port): (weight, se, rank) for u, v, port, weight, se, rank in shown["circuits"]["add"]}
    rois = real.partition.rois
    assert drawn == {
        (rois[int(u)].key, rois[int(v)].key, port): pytest.approx((real.edges.weight[0, i], real.edges.se[0, i], real.edges.rank[0, i]))
        for i, (u, v, port) in enumerate(zip(real.edges.source, real.edges.target, real.edges.port, strict=True))
    }
    assert shown["edges"] == 16
    assert sorted(edge[5] for edge in shown["circuits"]["add"]) == list(range(1, 17))


def test_the_words_are_those_of_the_figures(text: str) -> None:
    words = re.findall(r"<li class=\"(\w+)\"><span>(.*?)</span>", text)
    assert ("plain", "Solved (accuracy of at least .9): add (1.00 on 50 prompt pairs), max (0.98 on 50 prompt pairs).") in words
    assert ("finding", "add, reference: 9 of 16 edges (56.2%) keep φ = 0.95 [0.90, 1.00]; as many random edges keep 0.47 [0.42, 0.53].") in words
    assert ("plain", "Emergence: add from 200 on (0.60 at 100, 1.00 there); max from 100 on (0.30 at 0, 0.95 there).") in words
    (communities,) = [(tone, said) for tone, said in words if said.startswith("Communities (own, all tasks together)")]
    assert communities[0] == "none"
    assert "not above its null" in communities[1]
    warnings = [said for tone, said in words if tone == "warning"]
    assert [said.split(",")[0] for said in warnings] == ["At 0", "At 100", "At 200"]
    assert all("(add)" in said and "logits.in of add" in said for said in warnings)


def test_no_effect_reaches_the_page_as_a_word(data: dict) -> None:
    curve = data["models"][0]["checkpoints"][0]["graphs"]["reference"]["curves"]["add"]["weight"]
    assert (curve["reason"], curve["points"], curve["area"]) == ("no_effect", [], None)


def test_the_page_in_a_browser(written: Path, page: Page) -> None:
    page.open(written)
    assert page.complaints == []
    assert page.requests == [written.resolve().as_uri()]
    assert page.js("document.querySelectorAll('#task input').length") == 2
    page.js("document.querySelector('#partition input[value=reference]').click()")
    assert page.js("document.querySelectorAll('#drawing .edge').length") == page.js("document.querySelectorAll('#table tbody tr').length") > 0
    assert page.js("document.querySelector('#drawing .edge:last-of-type title').textContent") == "m0.r0 → logits, port in: +0.900 ± 0.010, rank 1"
    assert page.js("document.documentElement.scrollWidth <= innerWidth")

    table = page.js("document.querySelector('#curves figure table').textContent")
    assert "weight0.7000.6500.3509 (56 %)0.0575 %60 %" in table
    page.js("document.querySelector('#at').focus()")
    page.press("Home", 36)
    assert page.js("document.querySelector('#at-label').textContent") == "0 (1 of 3)"
    assert "no number" in page.js("document.querySelector('#curves').textContent")
    assert "not solved here (accuracy 0.05): no claim" in page.js("document.querySelector('#circuit-note').textContent")
    page.press("End", 35)
    page.js("document.querySelector('#edges').focus()")
    page.press("Home", 36)
    assert page.js("document.querySelectorAll('#table tbody tr').length") == 1
    page.press("End", 35)
    assert page.js("document.querySelectorAll('#table tbody tr').length") == 16
    page.js("document.querySelector('#drawing [aria-label^=\"m0.r1\"]').focus()")
    page.press("Enter", 13)
    assert page.js("[...document.querySelectorAll('#drawing .edge:not(.dim)')].length") == 3
    page.js("document.querySelector('#edges').focus()")
    page.press("Home", 36)
    assert page.js("document.querySelectorAll('#drawing .dim').length") == 0  # the chosen node is not drawn any more
    page.press("End", 35)
    page.js("document.querySelector('#partition input:checked').focus()")
    page.press("ArrowLeft", 37)
    assert page.js("[document.activeElement.value, document.querySelector('#partition input:checked').value]") == ["own", "own"]
    assert "not above its null" in page.js("document.querySelector('#divisions').textContent").lower()
    page.press("ArrowRight", 39)
    page.js("document.querySelector('#circuit-cypher summary').click()")
    cypher = page.js("new Promise((done) => setTimeout(() => done(document.querySelector('#circuit-cypher pre').textContent), 50))")
    assert cypher.startswith("// Which edges make the circuit of n edges of a task? (circuits.circuit)\nMATCH (")
    assert all(part in cypher for part in ("{key: 'hand|toy@200|reference|ports'}", "e.task = 'add'", "e.rank <= 16"))
    assert cypher.count(";") == 1, "Neo4j Browser shows no answer of several statements"
    page.js("document.querySelector('#circuit-cypher button').click()")
    assert page.complaints == []


def test_the_cypher_of_the_page_gives_its_figures(address: Address, written: Path, data: dict) -> None:
    from roicg.store.neo4j.store import Neo4jStore

    with Neo4jStore(address) as store:
        for name, query in data["queries"].items():
            params = {**query["params"], "slot": "hand|toy@200|reference|ports"} | ({"study": "hand"} if "study" in query["params"] else {})
            params |= {"task": "add"} if "task" in params else {}
            params |= {"edges": 5} if "edges" in params else {}
            assert store.cypher(query["text"], **params) == store.run(name, **{key: params[key] for key in query["params"]}), name


@pytest.mark.parametrize(("width", "dark"), [(700, False), (1280, True)])
def test_hostile_names_in_a_browser(tmp_path: Path, page: Page, width: int, dark: bool) -> None:
    from roicg.report.page import render

    shown = graph(edges={HOSTILE: graph().edges["add"]}, curves=(), books=())
    file = tmp_path / "hostile.html"
    file.write_text(render(report(model(shown, name=HOSTILE, tasks=(HOSTILE,)), study=HOSTILE)), encoding="utf-8")
    page.open(file, width=width, dark=dark)
    assert page.complaints == []
    assert page.requests == [file.resolve().as_uri()]
    assert page.js("document.querySelectorAll('img').length") == 0
    assert page.js("document.querySelector('h1').textContent").startswith("</script><script>alert(1)")
    assert page.js("document.documentElement.scrollWidth <= innerWidth")
    assert page.js("document.querySelectorAll('#drawing .node').length") == 4


def test_the_page_writes_values_of_cypher_as_the_guide_does(written: Path, page: Page) -> None:
    """What the guide writes, the server reads (test_browser). Seen to fail with hexadecimal digits in lower case."""
    from roicg.report.guide import literal
    from tests.hostile import HOSTILE as NAMES

    page.open(written)
    script = files("roicg.report").joinpath("assets/cypher.js").read_text(encoding="utf-8")
    values = [name for name in NAMES.values() if name != NAMES["half a surrogate"]] + [3, 0.5, True, None]
    assert page.js(f"{{ {script}\n{json.dumps(values)}.map(literal); }}") == [literal(value) for value in values]


def test_the_policy_of_the_page_stops_a_foreign_script(written: Path, page: Page, tmp_path: Path) -> None:
    """The second fence: a script that got into the file all the same would not run, and the browser would complain."""
    file = tmp_path / "spoilt.html"
    file.write_text(written.read_text(encoding="utf-8").replace("</main>", "</main><script>window.spoilt = 1</script><img src='https://127.0.0.1:9/x.png'>"))
    page.open(file)
    assert page.js("window.spoilt === undefined")
    assert len(page.complaints) >= 2
    assert page.refused == ["csp"]
