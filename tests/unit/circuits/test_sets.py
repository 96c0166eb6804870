"""What is kept decides φ: everything kept is 1, nothing is 0, and both kinds of units agree with the rooms that run them."""

from dataclasses import replace

import numpy as np
import pytest

from roicg.attribution.edges import attribute_edges
from roicg.circuits.effects import measure
from roicg.circuits.faithfulness import measure_circuits, measure_ends
from roicg.circuits.intervene import Intervention
from roicg.circuits.sets import ask, edges_kept, features_kept, with_own_answers
from roicg.core.graph import Checkpoint, ComputationalGraph
from roicg.core.prompts import TaskPrompts
from roicg.core.settings import AttributionSettings
from roicg.models.lens import Lens
from roicg.rois.controls import components, singletons
from tests.lenses import make_lens, make_prompts

N = 12


def two_tasks(lens: Lens) -> list[TaskPrompts]:
    tasks = [replace(make_prompts(seed, n=N), task=f"task{seed}") for seed in (0, 1)]
    return [with_own_answers(lens, task) for task in tasks]


def graph_of(lens: Lens, tasks: list[TaskPrompts]) -> ComputationalGraph:
    found = attribute_edges(lens, tasks, {"components": components(lens.sites)}, AttributionSettings(dtype="float64"))["components"]
    return ComputationalGraph("id", Checkpoint("m", 0, "0", "w"), found.partition, found.edges, found.port_groups, (), {})


def test_all_kept_is_one_and_what_is_off_is_ablated() -> None:
    """Seen to fail with the two sides of φ exchanged."""
    lens = make_lens()
    tasks, partition = two_tasks(lens), singletons(lens.sites)
    asked = ask(lens, tasks, "eval", N)
    n = sum(site.n_features for site in lens.sites if site.kind in ("attention", "mlp"))
    kept = np.ones((3, n), dtype=bool)
    kept[1, [0, 3]] = False  # a0.h0, m0.n1
    kept[2] = False
    phi = features_kept(asked)(kept)
    np.testing.assert_allclose(phi[0], 1.0, atol=1e-10)
    for t, task in enumerate(tasks):
        effect = measure(lens, partition, task, [Intervention("ablate", ("a0.h0", "m0.n1"))])[0]
        corrupted = asked.corrupted[t]
        assert phi[1, t] == pytest.approx((effect.after - corrupted) / (effect.before - corrupted), abs=1e-10)


def test_edges_kept_are_circuits() -> None:
    lens = make_lens()
    tasks = two_tasks(lens)
    graph = graph_of(lens, tasks)
    kept = np.random.default_rng(0).random((5, len(graph.edges))) < 0.6
    kept[0], kept[1] = True, False
    phi = edges_kept(ask(lens, tasks, "eval", N), graph)(kept)
    np.testing.assert_allclose(phi[0], 1.0, atol=1e-10)
    np.testing.assert_allclose(phi[1], 0.0, atol=1e-10)
    for t, task in enumerate(tasks):
        clean, corrupted, _ = measure_ends(lens, task)
        metric = measure_circuits(lens, graph, task, kept)[0].mean(axis=1)
        np.testing.assert_allclose(phi[:, t], (metric - corrupted.mean()) / (clean.mean() - corrupted.mean()), atol=1e-10)


def test_splits_and_pairs_are_those_that_were_asked() -> None:
    lens = make_lens()
    task = make_prompts(n=6)
    task = replace(task, eval=replace(task.eval, pairs=task.eval.pairs[:2]))
    assert len(ask(lens, [task], "edges", 5).tasks[0].eval.pairs) == 5
    assert len(ask(lens, [task], "eval", 5).tasks[0].eval.pairs) == 2


def test_a_task_without_effect_has_no_phi() -> None:
    lens = make_lens()
    task = make_prompts(n=6)
    still = replace(task, eval=replace(task.eval, pairs=tuple(replace(pair, corrupted=pair.clean) for pair in task.eval.pairs)))
    asked = ask(lens, [still], "eval", 6)
    assert np.isnan(features_kept(asked)(np.ones((1, 14), dtype=bool))).all()


def test_own_answers_are_what_the_model_says_and_always_have_an_effect() -> None:
    """Seen to fail with the token that is lowered most in place of the one that is raised."""
    lens = make_lens()
    task = make_prompts(n=N)
    own = with_own_answers(lens, task)
    asked = ask(lens, [own], "eval", N)
    assert asked.effect.all()
    given = ask(lens, [task], "eval", N)
    assert asked.clean[0] - asked.corrupted[0] > given.clean[0] - given.corrupted[0]
    for before, after in zip(task.eval.pairs, own.eval.pairs, strict=True):
        assert {*before.answers[0], *before.wrong_answers[0]} == {*after.answers[0], *after.wrong_answers[0]}
        assert (before.clean, before.corrupted, before.key) == (after.clean, after.corrupted, after.key)
    free = replace(task, metric="log_probability", eval=replace(task.eval, pairs=tuple(replace(pair, wrong_answers=((),)) for pair in task.eval.pairs)))
    assert all(pair.wrong_answers == ((),) for pair in with_own_answers(lens, free).eval.pairs)
