"""The sentences of the report claim what the figures support, and say the rest plainly."""

from dataclasses import replace

import pytest

from roicg.report.data import Books, CheckpointShown, ModelShown
from roicg.report.words import statements, summary
from tests.reported import curve, division, graph, model


def said(shown: ModelShown, about: str) -> list[tuple[str, str]]:
    """(tone, text) of the statements that contain ``about``."""
    return [(statement.tone, statement.text) for statement in statements(shown) if about in statement.text]


def test_a_faithful_circuit_stands_beside_its_random_control() -> None:
    assert said(model(), "keep φ") == [("finding", "add, own: 8 of 16 edges (50.0%) keep φ = 0.95 [0.93, 0.97]; as many random edges keep 0.20 [0.18, 0.22].")]
    assert said(model(), "Solved") == [("plain", "Solved (accuracy of at least .9): add (1.00 on 50 prompt pairs).")]


def test_an_unsolved_task_makes_no_claim() -> None:
    shown = model(accuracy=0.6)
    assert said(shown, "no claim") == [("none", "add is not solved (accuracy 0.60 on 50 prompt pairs): its graph is drawn below, but no claim is made for it.")]
    assert not said(shown, "φ")
    assert not said(shown, "Solved")


def test_a_task_without_a_score_makes_no_claim() -> None:
    assert said(model(tasks=("add", "max")), "max") == [("none", "max was not scored at 9: no claim is made for it.")]


NO_FINDING = {
    "the whole graph": ((0.1, 0.2, 1.0), (0.0, 0.1, 1.0), "nothing was found but the whole graph"),
    "no better than random": ((0.5, 0.95, 1.0), (0.5, 0.94, 1.0), "not better than random edges"),
    "never faithful": ((0.1, 0.2, 0.5), (0.0, 0.1, 0.5), "no measured circuit reaches φ ≥ 0.9; the best, of 16 edges, has φ = 0.50"),
}


@pytest.mark.parametrize("case", NO_FINDING)
def test_what_is_no_finding_is_said(case: str) -> None:
    weight, random, words = NO_FINDING[case]
    (tone, text), *_ = said(model(graph(curves=(curve("weight", weight), curve("random", random)))), "add, own")
    assert tone == "none"
    assert words in text


def test_without_a_control_there_is_no_finding() -> None:
    (tone, text), *_ = said(model(graph(curves=(curve("weight", (0.5, 0.95, 1.0)),))), "add, own")
    assert tone == "none"
    assert "No random control was measured" in text


def test_no_effect_is_said_in_words_and_no_number() -> None:
    (tone, text), *_ = said(model(graph(curves=(curve("weight", (), reason="no_effect"),))), "add, own")
    assert tone == "none"
    assert "no effect on the metric beyond 2 standard errors" in text
    assert "φ" not in text


def test_modularity_never_stands_without_its_null() -> None:
    assert said(model(), "Communities") == [
        ("finding", "Communities (own, all tasks together): 2, modularity 0.310 against 0.100 ± 0.020 under its null, z = 10.5, p = 0.01: above its null.")
    ]
    (tone, text), *_ = said(model(graph(divisions=(division(above=False, task="add"),))), "Communities")
    assert tone == "none"
    assert text.endswith("p = 0.01: not above its null, so these groups are no finding.")
    assert "(own, add)" in text


def test_roi_groups_are_findings_only_above_both_nulls() -> None:
    assert [tone for tone, _ in said(model(), "ROIs of m0: 2 groups")] == ["finding"]
    weak = tuple(replace(roi, above_null=False, z=-1.5) if roi.site == "m0" else roi for roi in graph().rois)
    (tone, text), *_ = said(model(graph(rois=weak)), "ROIs of m0")
    assert (tone, "not above its null" in text, "−1.5" in text) == ("none", True, True)


def test_incomplete_and_saturated_port_groups_are_warnings() -> None:
    books = (Books("add", "m0.in", 0.9, 0.001, 5, True, False), Books("add", "logits.in", -0.5, 0.2, 40, False, True))
    assert said(model(graph(books=books)), "port groups") == [
        (
            "warning",
            "At 9, 1 of 2 port groups are incomplete (add): their edges miss the group's effect, at most by 0.2 of −0.5 (logits.in of add, 40 steps).",
        )
    ]
    assert [tone for tone, _ in said(model(graph(books=books)), "saturated")] == ["warning"]
    assert not said(model(), "port groups")


def test_emergence_names_the_checkpoint_since_which_a_task_is_solved() -> None:
    last = model().checkpoints[0]
    scores = {5: 0.95, 6: 0.3, 7: 0.92}
    earlier = tuple(CheckpointShown(str(step), step, (replace(last.scores[0], accuracy=a, solved=a >= 0.9),), last.graphs) for step, a in scores.items())
    shown = replace(model(), checkpoints=(*earlier, last))
    assert said(shown, "Emergence") == [("plain", "Emergence: add from 7 on (0.30 at 6, 0.92 there).")]
    assert summary(shown).startswith("4 checkpoints, 5 to 9")
    assert not said(model(), "Emergence")


def test_every_statement_names_a_query_of_the_catalogue_with_its_parameters() -> None:
    from roicg.report.payload import QUERIES
    from roicg.store.registry import catalogue

    for statement in statements(model()):
        assert statement.queries
        for name, params in statement.queries:
            assert name in QUERIES
            catalogue()[name].bind(params)
