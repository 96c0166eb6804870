"""Status, verify, gc, report: what is said, and the exit code a script can act on."""

import json
from pathlib import Path

import pytest

from roicg.cli.studies import study_path
from roicg.core.errors import StudyError
from roicg.core.ids import NUMERICS
from roicg.store.neo4j.collect import Collected, Condemned
from roicg.store.neo4j.migrations import SchemaState
from roicg.store.neo4j.publish import PublishRules
from roicg.store.verify import Finding


def test_verify_ends_with_zero_only_where_nothing_is_wrong(store, roicg, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Finding] = []
    asked: list[bool] = []
    monkeypatch.setattr("roicg.store.verify.verify", lambda store, witness: (asked.append(witness), list(found))[1])
    clean = roicg("verify", "--witness", "py2neo")
    assert (clean.exit_code, clean.stderr) == (0, "5 published graphs are as they were written, and py2neo reads the same\n")
    found.append(Finding("content", "version 3", "another hash"))
    bad = roicg("verify", "--json")
    assert bad.exit_code == 1
    value = json.loads(bad.stdout)
    assert value == {"graphs": 5, "witness": None, "findings": [{"kind": "content", "where": "version 3", "problem": "another hash"}]}
    assert "another hash" in roicg("verify").stdout
    assert asked == [True, False, False]


def test_an_unknown_witness_is_named(roicg) -> None:
    assert "the one witness is py2neo" in roicg("verify", "--witness", "neo4j").stderr


def test_gc_says_what_it_removed_or_would_remove(store, roicg) -> None:
    asked: list[bool] = []
    found = Collected((Condemned(3, "s|m@1|own|ports", "staged", 40),), {"edges": 30, "nodes": 10})
    store.gc = lambda dry_run: (asked.append(dry_run), found)[1]
    assert roicg("gc").stderr == "removed 1 versions, 30 edges, 10 nodes\n"
    assert roicg("gc", "--dry-run").stderr == "would remove 1 versions, 30 edges, 10 nodes\n"
    removed = [{"number": 3, "slot": "s|m@1|own|ports", "status": "staged", "rows": 40}]
    assert json.loads(roicg("gc", "--dry-run", "--json").stdout) == {"dry_run": True, "removed": removed, "counts": {"edges": 30, "nodes": 10}}
    assert asked == [False, True, True]
    store.gc = lambda dry_run: Collected()
    assert roicg("gc").stderr == "nothing to remove\n"


def test_status_says_what_is_stale_failed_and_which_schema_there_is(store, roicg) -> None:
    """Seen to fail with stale as published by this numerics, and with failed versions left as staged."""
    rows = [{"slot": f"s|m@{n}|own|ports", "number": n, "numerics": NUMERICS, "status": "published"} for n in range(4)]
    rows[1] |= {"numerics": NUMERICS - 1}
    rows[2] |= {"status": "staged"}
    rows[3] |= {"status": "staged"}
    store.answers["house.published"] = lambda study: rows if study == "s" else []
    store.answers["house.leftovers"] = lambda expiry_s: [{"number": 3, "status": "staged"}, {"number": 0, "status": "superseded"}]
    store.rules, store.schema = PublishRules(), lambda: SchemaState(7, 9)
    said = json.loads(roicg("status", "--study", "s", "--json").stdout)
    assert [row["status"] for row in said["graphs"]] == ["published", "stale", "staged", "failed"]
    assert said["schema"] == {"recorded": 7, "known": 9}
    text = roicg("status", "--study", "s").stderr
    assert "1 failed, 1 published, 1 staged, 1 stale, schema 7; this roicg brings 9, which the next command that writes applies" in text
    assert "`roicg gc` removes" in text


def test_the_report_goes_where_it_is_told_or_into_the_home(store, roicg, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ROICG_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("roicg.report.build_report", lambda study, store, out: out.write_text(study.study))
    study = tmp_path / "file.yaml"
    study.write_text(
        "study: mine\nmodels: [{name: m, source: {kind: trained, recipe: multitask, checkpoints: [0]}}]\ntasks: [{name: add, prompts: {kind: generated, recipe: multitask.add}}]\n"
    )
    roicg("report", str(study), "--out", str(tmp_path / "deep" / "r.html"))
    assert (tmp_path / "deep" / "r.html").read_text() == "mine"
    assert f"report: {tmp_path / 'home' / 'reports' / 'mine.html'}" in roicg("report", str(study)).stderr
    assert "is neither a study file nor a study that comes with roicg" in roicg("report", "nosuch").stderr


def test_a_shipped_study_is_found_by_its_name() -> None:
    assert study_path("modadd").name == "modadd.yaml"
    with pytest.raises(StudyError, match="did you mean 'modadd'"):
        study_path("modad")
