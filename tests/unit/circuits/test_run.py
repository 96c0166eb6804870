import numpy as np
import pytest
import torch

from roicg.attribution.edges import attribute_edges
from roicg.circuits.areas import area_under, circuit_sizes
from roicg.circuits.faithfulness import faithfulness_curves
from roicg.circuits.run import keep_masks, run_circuits
from roicg.circuits.select import circuit_edges, on_a_path, top_edges
from roicg.core.graph import Checkpoint, ComputationalGraph
from roicg.core.settings import AttributionSettings, CircuitSettings
from roicg.models.batches import batches
from roicg.models.forward import logits_at
from roicg.models.metrics import metric
from roicg.models.pairs import run_pair
from roicg.rois.controls import components, singletons
from tests import literal
from tests.lenses import VARIANTS, make_lens, make_prompts
from tests.unit.attribution.test_edges import grouped


def make_graph(lens, prompts, partition) -> ComputationalGraph:
    found = attribute_edges(lens, [prompts], {"own": partition}, AttributionSettings(dtype="float64", steps=3, max_steps=3))["own"]
    return ComputationalGraph("id", Checkpoint("model", 0, "0", "digest"), partition, found.edges, found.port_groups, ())


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_keep_all_is_clean_and_keep_none_is_corrupted(variant: str) -> None:
    """Broken on purpose: the corrupted stream added twice; an MLP's output not less its corrupted one; all sites read at one place."""
    lens, prompts = make_lens(3, **VARIANTS[variant]), make_prompts(1, n=4)
    for partition in (grouped(lens), components(lens.sites), singletons(lens.sites)):
        graph = make_graph(lens, prompts, partition)
        keep = np.stack([np.ones(len(graph.edges), dtype=bool), np.zeros(len(graph.edges), dtype=bool)])
        for batch in batches(prompts.eval, 8):
            run = run_pair(lens, batch, metric("logit_difference"))
            whole, none = run_circuits(run, partition, keep_masks(graph.edges, partition, keep))
            torch.testing.assert_close(whole, run.clean.final, rtol=1e-10, atol=1e-10)
            torch.testing.assert_close(none, run.corrupted.final, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_a_circuit_equals_its_literal_twin(variant: str) -> None:
    """Broken on purpose: keys that read what queries read; the mask's edges in another order."""
    lens, prompts = make_lens(5, **VARIANTS[variant]), make_prompts(2, n=2, lengths=(3,))
    partition = grouped(lens)
    graph = make_graph(lens, prompts, partition)
    keys = [roi.key for roi in partition.rois]
    rng = np.random.default_rng(0)
    keep = rng.random((3, len(graph.edges))) < np.array([[0.2], [0.5], [0.8]])
    (batch,) = batches(prompts.eval, 8)
    finals = run_circuits(run_pair(lens, batch, metric("logit_difference")), partition, keep_masks(graph.edges, partition, keep))
    for row in range(3):
        kept = {(keys[graph.edges.source[e]], keys[graph.edges.target[e]], graph.edges.port[e]) for e in np.flatnonzero(keep[row])}
        for b, pair in enumerate(prompts.eval.pairs):
            slow = literal.circuit_logits(lens, pair, partition, kept)[list(pair.positions)]
            torch.testing.assert_close(logits_at(lens, finals[row], batch.positions)[b], slow, rtol=1e-9, atol=1e-9)


def test_pruned_edges_never_change_what_a_circuit_computes() -> None:
    """Broken on purpose: the mask's edges in another order."""
    lens, prompts = make_lens(7), make_prompts(3)
    graph = make_graph(lens, prompts, grouped(lens))
    for n in (3, 8, 20):
        top, pruned = top_edges(graph, "task", n), circuit_edges(graph, "task", n)
        assert set(pruned) <= set(top)
        keep = np.zeros((2, len(graph.edges)), dtype=bool)
        keep[0, top] = True
        keep[1, pruned] = True
        (batch,) = batches(prompts.eval, 8)
        run = run_pair(lens, batch, metric("logit_difference"))
        one, other = (logits_at(lens, final, batch.positions) for final in run_circuits(run, graph.partition, keep_masks(graph.edges, graph.partition, keep)))
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)
        assert on_a_path(graph, pruned).all()


def test_curves_end_at_one_and_carry_a_random_control() -> None:
    lens, prompts = make_lens(9), make_prompts(4, n=24)
    graph = make_graph(lens, prompts, grouped(lens))
    chosen, control = faithfulness_curves(lens, graph, [prompts], CircuitSettings(selections=("weight", "random"), random_draws=3))
    assert (chosen.selection, control.selection) == ("weight", "random")
    if chosen.reason is None:
        assert chosen.phi[-1] == pytest.approx(1.0, abs=1e-9)
        assert control.phi[-1] == pytest.approx(1.0, abs=1e-9)
        assert chosen.kl[-1] == pytest.approx(0.0, abs=1e-9)
        assert all(low <= phi <= high for low, phi, high in zip(chosen.low, chosen.phi, chosen.high, strict=True))
        assert chosen.area == pytest.approx(area_under(chosen.n_edges, chosen.phi, chosen.total))
    assert chosen.n_edges == circuit_sizes(len(graph.edges), CircuitSettings().fractions)


def test_without_an_effect_there_is_a_reason_and_no_number() -> None:
    from dataclasses import replace

    lens, prompts = make_lens(11), make_prompts(5)
    same = replace(prompts, eval=replace(prompts.eval, pairs=tuple(replace(pair, corrupted=pair.clean) for pair in prompts.eval.pairs)))
    graph = make_graph(lens, prompts, grouped(lens))
    for curve in faithfulness_curves(lens, graph, [same], CircuitSettings(random_draws=1)):
        assert (curve.reason, curve.phi, curve.area) == ("no_effect", (), None)


def test_sizes_rise_and_reach_the_whole() -> None:
    assert circuit_sizes(100, (0.001, 0.01, 0.1, 1.0)) == (1, 10, 100)
