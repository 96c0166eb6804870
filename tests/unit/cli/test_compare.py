"""Comparing two checkpoints asks the catalogue and adds nothing of its own."""

import json

import pytest


@pytest.fixture
def answers(store):
    store.answers["structure.port_groups"] = lambda slot: [{"task": "add"}, {"task": "add"}, {"task": "max"}]
    store.answers["compare.edge_drift"] = lambda task, **_: [{"source": "tok", "target": "a0.h0", "port": "q", "drift": -0.1 * i} for i in range(30)]
    store.answers["compare.entry_and_exit"] = lambda **_: [{"step": 100, "event": "enter"}, {"step": 200, "event": "exit"}, {"step": 0, "event": "enter"}]
    store.answers["compare.roi_matches"] = lambda slot_a, slot_b: [{"roi_a": "m0.r0", "roi_b": "m0.r0", "jaccard": 0.5}]
    store.answers["compare.births_deaths"] = lambda slot_a, slot_b: [{"event": "birth", "roi": "m0.r4"}]
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
    answers.answers["compare.roi_matches"] = lambda slot_a, slot_b: []
    assert "were not matched" in roicg("compare", "toy", "100", "200", "--partition", "own").stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("toy", "100", "100"), "are the same checkpoint 100"),
        (("toy", "100", "200", "--task", "sub"), "no task 'sub' in both graphs; they share add, max"),
        (("toy", "100", "200", "--partition", "random"), "cannot be compared"),
    ],
)
def test_wrong_words_are_named(words, sentence: str, answers, roicg) -> None:
    result = roicg("compare", *words)
    assert result.exit_code == 7
    assert sentence in " ".join(result.stderr.split())
