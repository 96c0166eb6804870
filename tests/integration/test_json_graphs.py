"""EAP-IG json through the command line into a real database and out again."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from roicg.cli.main import app
from roicg.server.address import Address
from roicg.store.neo4j.store import Neo4jStore
from roicg.store.verify import verify
from tests.crash.census import census, difference
from tests.eap_ig_files import eap_ig_json

pytestmark = pytest.mark.neo4j
WORDS = ("--study", "peers", "--model", "gpt2-small", "--checkpoint", "final")


@pytest.fixture
def roicg(clean_database: Address, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("ROICG_NEO4J_URI", clean_database.uri)
    monkeypatch.setenv("ROICG_NEO4J_USER", clean_database.user)
    monkeypatch.setenv("ROICG_NEO4J_PASSWORD", clean_database.password)
    return lambda *words: CliRunner().invoke(app, list(words))


def test_gpt2_small_comes_in_within_a_minute_once_and_goes_out_as_it_came(roicg: Callable[..., Result], clean_database: Address, tmp_path: Path) -> None:
    value = eap_ig_json(12, 12)
    assert (len(value["nodes"]), len(value["edges"])) == (158, 32_491)
    (tmp_path / "ioi.json").write_text(json.dumps(value))
    began = time.monotonic()
    first = roicg("import", str(tmp_path / "ioi.json"), *WORDS, "--task", "ioi", "--json")
    took = time.monotonic() - began
    assert first.exit_code == 0, first.stderr
    print(f"\n158 nodes and 32,491 edges imported in {took:.1f} s")
    assert took < 60
    done = json.loads(first.stdout)
    assert (done["outcome"], done["rois"], done["edges"]) == ("published", 158, 32_491)
    with Neo4jStore(clean_database) as store:
        before = store.cypher("MATCH (n) OPTIONAL MATCH (n)-[e]->() RETURN labels(n)[0] AS label, count(DISTINCT n) AS n, count(e) AS edges ORDER BY label")
        assert json.loads(roicg("import", str(tmp_path / "ioi.json"), *WORDS, "--task", "ioi", "--json").stdout)["outcome"] == "unchanged"
        after = store.cypher("MATCH (n) OPTIONAL MATCH (n)-[e]->() RETURN labels(n)[0] AS label, count(DISTINCT n) AS n, count(e) AS edges ORDER BY label")
        assert before == after
        assert verify(store) == []
    shown = roicg("circuit", "gpt2-small@final", "--task", "ioi", "--partition", "components", "--edges", "200", "--export", "eap-ig")
    again = json.loads(shown.stdout)
    assert set(again["nodes"]) == set(value["nodes"])
    assert {name: edge["score"] for name, edge in again["edges"].items()} == {name: edge["score"] for name, edge in value["edges"].items()}
    (tmp_path / "again.json").write_text(shown.stdout)
    assert "unchanged" in roicg("import", str(tmp_path / "again.json"), "--study", "peers").stderr


def test_another_task_does_not_push_the_first_one_out(roicg: Callable[..., Result], clean_database: Address, tmp_path: Path) -> None:
    for seed, task in enumerate(("ioi", "gt")):
        (tmp_path / f"{task}.json").write_text(json.dumps(eap_ig_json(2, 2, seed=seed)))
    files = [str(tmp_path / f"{task}.json") for task in ("ioi", "gt")]
    assert roicg("import", files[0], *WORDS, "--task", "ioi").exit_code == 0
    refused = roicg("import", files[1], *WORDS, "--task", "gt")
    assert refused.exit_code == 7
    assert "shows another graph; give --replace" in refused.stderr
    assert roicg("import", *files, *WORDS, "--task", "ioi", "--task", "gt", "--replace").exit_code == 0
    with Neo4jStore(clean_database) as store:
        assert store.get(store.ids()[0]).edges.tasks == ("ioi", "gt")


def test_an_imported_graph_travels_in_a_bundle_like_any_other(roicg: Callable[..., Result], clean_database: Address, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(eap_ig_json(2, 2)))
    assert roicg("import", str(tmp_path / "a.json"), *WORDS, "--task", "ioi", "--d-mlp", "16").exit_code == 0
    with Neo4jStore(clean_database) as store:
        before = census(store)
        assert roicg("export", "peers", "--out", str(tmp_path / "peers.tar")).exit_code == 0
        assert roicg("delete", "peers").exit_code == 1  # nobody answers the question
        assert difference(census(store), before) == []
        dry = roicg("delete", "peers", "--dry-run", "--json")
        assert json.loads(dry.stdout)["counts"]["graphs"] == 1
        assert roicg("delete", "peers", "--yes").exit_code == 0
        assert store.ids() == ()
        assert roicg("import", str(tmp_path / "peers.tar")).exit_code == 0
        assert difference(census(store), before) == []
    assert "nothing was written" in roicg("import", str(tmp_path / "peers.tar")).stderr
