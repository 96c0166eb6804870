"""Status, verify, gc, report: what is said, and the exit code a script can act on."""

import json
from pathlib import Path

import pytest

from roicg.cli.studies import study_path
from roicg.core.errors import StudyError
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


def test_gc_counts_what_it_removed(store, roicg) -> None:
    store.gc = lambda: (3, 5)
    assert roicg("gc").stderr == "removed 2 versions: 3, 5\n"
    assert json.loads(roicg("gc", "--json").stdout) == {"removed": [3, 5]}


def test_status_asks_one_query(store, roicg) -> None:
    store.answers["house.published"] = lambda study: [{"slot": f"{study}|m@1|own|ports", "status": "published"}]
    assert json.loads(roicg("status", "--study", "s", "--json").stdout) == [{"slot": "s|m@1|own|ports", "status": "published"}]


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
