"""Comparing two checkpoints asks the catalogue and adds nothing of its own; two models are matched by signature from what it answers."""

import json

import pytest

from tests.answers import AGREEMENT
from tests.handmade import reference_graph
from tests.profiles import profile_rows


@pytest.fixture
def answers(store):
    store.answers["structure.port_groups"] = lambda slot: [{"task": "add"}, {"task": "add"}, {"task": "max"}]
    store.answers["compare.edge_drift"] = lambda task, **_: [{"source": "tok", "target": "a0.h0", "port": "q", "drift": -0.1 * i} for i in range(30)]
    store.answers["compare.entry_and_exit"] = lambda **_: [{"step": 100, "event": "enter"}, {"step": 200, "event": "exit"}, {"step": 0, "event": "enter"}]
    store.answers["compare.roi_matches"] = lambda slot_a, slot_b: [{"roi_a": "m0.r0", "roi_b": "m0.r0", "jaccard": 0.5}]
    store.answers["compare.signature_matches"] = lambda slot_a, slot_b: [{"roi_a": "m0.r0", "roi_b": "m0.r1", "signature": 0.9}]
    store.answers["compare.agreement"] = lambda slot: [{"other": f"hand|toy@{step}|own|ports", **AGREEMENT, "p": step / 1000} for step in (100, 200)]
    store.answers["compare.births_deaths"] = lambda slot_a, slot_b, by, least: [{"event": "birth", "roi": "m0.r4", "by": by, "least": least}]
    store.answers["compare.community_flow"] = lambda slot_a, slot_b, kind="communities": [{"community_a": 0, "community_b": 1, "kind": kind}]
    return store


def test_edges_of_every_shared_task(answers, roicg) -> None:
    value = json.loads(roicg("compare", "toy", "100", "200", "--json").stdout)
    assert (value["before"], value["after"]) == ("hand|toy@100|reference|ports", "hand|toy@200|reference|ports")
    assert len(value["add: edges that changed most"]) == 30
    assert value["max: edges that entered or left the circuit of 20"] == [{"step": 200, "event": "exit"}]


def test_tables_say_what_they_leave_out(answers, roicg) -> None:
    result = roicg("compare", "toy", "0", "200", "--task", "add", "--limit", "5")
    assert "add: edges that changed most (toy, 0 → 200, reference)" in result.stdout
    assert "25 more rows; --limit 30 shows all" in result.stderr
    assert "max" not in result.stdout


def test_own_rois_are_compared_by_their_matches(answers, roicg) -> None:
    value = json.loads(roicg("compare", "toy", "100", "200", "--partition", "own", "--json").stdout)
    assert value["ROIs that match"][0]["jaccard"] == 0.5
    assert value["ROIs born, died, split, merged: jaccard at least 0.3"][0]["by"] == "jaccard"
    assert value["Communities: where their features went"] == [{"community_a": 0, "community_b": 1, "kind": "communities"}]
    assert value["Roles: where their features went"] == [{"community_a": 0, "community_b": 1, "kind": "roles"}]
    value = json.loads(roicg("compare", "toy", "100", "200", "--partition", "own", "--by", "signature", "--json").stdout)
    assert value["ROIs that match"][0]["signature"] == 0.9
    assert value["6 pairs, on add, max"][0] == {
        "matched": "by signature",
        "similarity": 0.85,
        "by_chance": 0.7,
        "p": 0.2,
        "chance_is": "ROIs exchanged between the graphs",
    }
    assert value["ROIs born, died, split, merged: signature at least 0.9"][0] == {"event": "birth", "roi": "m0.r4", "by": "signature", "least": 0.9}
    answers.answers["compare.roi_matches"] = lambda slot_a, slot_b: []
    assert "were not matched" in roicg("compare", "toy", "100", "200", "--partition", "own").stderr


def test_two_models_are_matched_by_signature_beside_matching_by_index(store, roicg) -> None:
    """Their hand-made graphs are equal, so every ROI is its own image; nothing is written."""
    store.publish(reference_graph(200, "other"))
    slots = {f"hand|{model}@200|reference|ports": reference_graph(200, model) for model in ("toy", "other")}
    store.answers["compare.profiles"] = lambda slot: profile_rows(slots[slot].partition, slots[slot].edges)
    words = ("compare", "toy@200", "other@200", "--partition", "reference")
    value = json.loads(roicg(*words, "--json").stdout)
    rows = {row["matched"]: row for row in value["5 pairs, on add, max"]}
    assert set(rows) == {"by signature", "twins among them", "by index", "by half of the tasks"}
    assert rows["by signature"]["similarity"] == pytest.approx(1.0)
    assert rows["twins among them"]["similarity"] == 5
    assert all(row["roi_a"] == row["roi_b"] for row in value["ROIs matched one to one"])
    shown = roicg(*words).stdout
    assert "5 pairs, on add, max (toy@200 and other@200, reference)" in shown
    assert "ROIs exchanged between the graphs" in shown


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("toy", "100"), "MODEL@STEP OTHER@STEP"),
        (("toy@100", "other"), "MODEL@STEP OTHER@STEP"),
        (("toy@100", "toy@100"), "are the same checkpoint 100"),
        (("toy", "100", "100"), "are the same checkpoint 100"),
        (("toy", "100", "200", "--task", "sub"), "no task 'sub' in both graphs; they share add, max"),
        (("toy", "100", "200", "--partition", "random"), "cannot be compared"),
    ],
)
def test_wrong_words_are_named(words, sentence: str, answers, roicg) -> None:
    result = roicg("compare", *words)
    assert result.exit_code == 7
    assert sentence in " ".join(result.stderr.split())
