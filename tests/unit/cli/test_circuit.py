"""From MODEL@STEP to a circuit on the screen or in a file."""

import json
from pathlib import Path

import pytest


def test_the_table_and_the_json_hold_the_pruned_circuit(store, roicg) -> None:
    rows = json.loads(roicg("circuit", "toy@200", "--task", "add", "--edges", "3", "--partition", "reference", "--json").stdout)
    assert [(row["source"], row["target"], row["rank"]) for row in rows] == [("m0.r0", "logits", 1), ("a0.h0", "m0.r0", 2), ("tok", "a0.h0", 3)]
    result = roicg("circuit", "toy@200", "--task", "add", "--edges", "3", "--partition", "reference")
    assert "hand|toy@200|reference|ports: circuit of 3 edges for add" in result.stdout
    assert "3 of 3 edges lie on a path" in result.stderr


@pytest.mark.parametrize("kind", ["json", "graphml", "dot"])
def test_an_export_goes_to_stdout_or_whole_into_a_file(kind: str, store, roicg, tmp_path: Path) -> None:
    words = ("circuit", "toy@200", "--task", "max", "--edges", "5", "--partition", "reference", "--export", kind)
    printed = roicg(*words)
    written = roicg(*words, "--out", str(tmp_path / "c"))
    assert printed.exit_code == written.exit_code == 0, printed.output
    assert (tmp_path / "c").read_text() + "\n" == printed.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_an_export_that_cannot_be_written_leaves_nothing(store, roicg, tmp_path: Path) -> None:
    words = ("circuit", "toy@200", "--task", "max", "--edges", "5", "--partition", "reference", "--export", "json", "--out", str(tmp_path / "no" / "c"))
    result = roicg(*words)
    assert result.exit_code == 1
    assert "cannot write" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_faithfulness_takes_the_smallest_measured_size(store, roicg) -> None:
    measured = {"task": "add", "n_edges": 3, "reason": None}
    store.answers["circuits.least_edges"] = lambda **_: [measured]
    words = ("circuit", "toy@200", "--task", "add", "--faithfulness", "0.8", "--partition", "reference", "--json")
    assert len(json.loads(roicg(*words).stdout)) == 3
    assert store.asked[-2] == ("circuits.least_edges", {"slot": "hand|toy@200|reference|ports", "faithfulness": 0.8})
    measured["n_edges"], measured["reason"] = None, "no_effect"
    result = roicg(*words)
    assert result.exit_code == 7
    assert "does not reach faithfulness 0.8 (no_effect)" in result.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("toy@200", "--task", "add"), "either --edges N or --faithfulness X"),
        (("toy@200", "--task", "add", "--edges", "3", "--faithfulness", "1"), "either --edges N or --faithfulness X"),
        (("toy@200", "--task", "add", "--edges", "3", "--out", "x"), "--out needs --export"),
        (("toy", "--task", "add", "--edges", "3"), "must be MODEL@STEP"),
        (("tuy@200", "--task", "add", "--edges", "3"), "no published graph of a model 'tuy'; did you mean 'toy'?"),
        (("toy@300", "--task", "add", "--edges", "3"), "no published checkpoint '300' of toy; published are: 0, 100, 200"),
        (("toy@200", "--task", "add", "--edges", "3", "--partition", "random"), "no partition 'random'; published are: own, reference"),
        (("toy@200", "--task", "sub", "--edges", "3"), "no task 'sub'; it has add, max"),
        (("toy@200", "--task", "add", "--edges", "3", "--export", "eap-ig"), "--partition components"),
    ],
)
def test_wrong_words_are_named(words, sentence: str, store, roicg) -> None:
    result = roicg("circuit", *words)
    assert result.exit_code in (1, 7)
    assert sentence in " ".join(result.stderr.split())
    assert result.stdout == ""
