"""Each selection against a slow twin or a hand-made case; the docstrings say which line was broken to see the test fail."""

from dataclasses import replace

import numpy as np
import pytest

from roicg.attribution.edges import attribute_edges
from roicg.circuits.areas import MIB, area_under, circuit_sizes, mib_areas
from roicg.circuits.coverage import coverage
from roicg.circuits.faithfulness import faithfulness_curves, measure_circuits
from roicg.circuits.greedy import elimination_rank
from roicg.circuits.ladders import by_nodes, connected_order
from roicg.circuits.magnitude import magnitudes
from roicg.circuits.select import pruned
from roicg.core.errors import LawError
from roicg.core.settings import AttributionSettings, CircuitSettings
from roicg.rois.controls import components
from tests.handmade import reference_graph
from tests.lenses import VARIANTS, make_lens, make_prompts
from tests.unit.attribution.test_edges import grouped
from tests.unit.circuits.test_run import make_graph

EVERY = ("weight", "random", "connected", "greedy", "nodes", "magnitude", "clean")


def test_every_selection_ends_at_the_whole_graph_with_complement_zero() -> None:
    """Seen to fail with ``keep`` given in place of ``~keep`` as the complement (its φ at the whole graph was 1)."""
    lens, prompts = make_lens(9), make_prompts(12, n=24)
    graph = make_graph(lens, prompts, grouped(lens))
    ranked = attribute_edges(lens, [prompts], {"own": graph.partition}, AttributionSettings(path="clean", dtype="float64"))["own"].edges
    curves = faithfulness_curves(lens, graph, [prompts], CircuitSettings(selections=EVERY, random_draws=2), 0, {"clean": ranked})
    assert tuple(curve.selection for curve in curves) == EVERY
    for curve in curves:
        assert curve.reason is None
        assert (curve.n_edges[-1], curve.features[-1], curve.parameters[-1]) == (len(graph.edges), 1.0, 1.0)
        assert curve.phi[-1] == pytest.approx(1.0, abs=1e-9)
        assert all(low <= high + 1e-12 for low, high in zip(curve.features, curve.features[1:], strict=False))
        assert len(curve.complement) == (0 if curve.selection == "random" else len(curve.n_edges))
        if curve.complement:
            assert curve.complement[-1] == pytest.approx(0.0, abs=1e-9)
        assert (curve.cpr_mib is None) == (curve.selection == "nodes")


def test_the_complement_is_the_circuit_of_the_other_edges() -> None:
    """Seen to fail with the complements of two selections exchanged (``other`` not moved on)."""
    lens, prompts = make_lens(9), make_prompts(12, n=24)
    graph = make_graph(lens, prompts, grouped(lens))
    turned = attribute_edges(lens, [prompts], {"own": graph.partition}, AttributionSettings(path="clean", dtype="float64"))["own"].edges
    flipped = type(turned)(
        turned.tasks, turned.source, turned.target, turned.port, turned.weight, turned.se, turned.mean_abs, len(graph.edges) + 1 - turned.rank
    )
    sizes = (len(graph.edges) // 2, len(graph.edges) - len(graph.edges) // 2)
    fractions = tuple(n / len(graph.edges) for n in sizes)
    settings = CircuitSettings(selections=("magnitude", "clean"), fractions=(*fractions, 1.0))
    _, curve = faithfulness_curves(lens, graph, [prompts], settings, 0, {"clean": turned})
    _, opposite = faithfulness_curves(lens, graph, [prompts], settings, 0, {"clean": flipped})
    at, there = curve.n_edges.index(sizes[0]), opposite.n_edges.index(sizes[1])
    assert curve.complement[at] == pytest.approx(opposite.phi[there], abs=1e-9)


def test_greedy_is_the_slow_elimination() -> None:
    """Edge by edge from single circuits. Seen to fail with the edges that matter most dropped first (``-loss``)."""
    lens, prompts = make_lens(3), make_prompts(4, n=6)
    graph = make_graph(lens, prompts, components(lens.sites))
    left, survived = list(range(len(graph.edges))), []

    def mean_metric(edges: list[int]) -> float:
        keep = np.zeros((1, len(graph.edges)), dtype=bool)
        keep[0, edges] = True
        pairs = replace(prompts, eval=prompts.edges, edges=prompts.eval)
        return float(measure_circuits(lens, graph, pairs, keep)[0].mean())

    while left:
        whole = mean_metric(left)
        loss = {e: abs(whole - mean_metric([other for other in left if other != e])) for e in left}
        gone = sorted(left, key=lambda e: (loss[e], -graph.edges.rank[0, e]))[: max(1, len(left) // 10)]
        survived = gone[::-1] + survived
        left = [e for e in left if e not in gone]
    rank = elimination_rank(lens, graph, prompts)
    assert [int(e) for e in np.argsort(rank)] == survived


def test_nodes_keep_exactly_the_edges_between_the_kept_rois() -> None:
    """Seen to fail with ``np.minimum`` in place of ``np.maximum`` (an edge with one end outside was kept)."""
    graph = reference_graph(200)
    rois, edges = graph.partition.rois, graph.edges
    outflow = graph.outflow("add")
    inner = sorted((i for i, roi in enumerate(rois) if roi.kind not in ("tok", "logits")), key=lambda i: (-abs(outflow[i]), rois[i].key))
    ladder = by_nodes(graph, "add", range(1, len(edges) + 1))
    induced = []
    for k in range(len(inner) + 1):
        kept = {i for i, roi in enumerate(rois) if roi.kind in ("tok", "logits")} | set(inner[:k])
        induced.append([u in kept and v in kept for u, v in zip(edges.source.tolist(), edges.target.tolist(), strict=True)])
    wanted = {sum(row): row for row in induced if any(row)}
    assert ladder.sizes == tuple(sorted(wanted))
    assert [row.tolist() for row in ladder.keep[0]] == [wanted[n] for n in sorted(wanted)]


@pytest.mark.parametrize("task", ["add", "max"])
def test_no_edge_of_a_connected_circuit_dangles(task: str) -> None:
    """Between the two edges of a new ROI one may. Seen to fail with sources outside the circuit let in (``inside[edges.source]`` left out)."""
    graph = reference_graph(200)
    order = connected_order(graph, task)
    assert sorted(order.tolist()) == list(range(len(graph.edges)))
    whole = pruned(graph, np.ones(len(graph.edges), dtype=bool)).sum()
    dangling = []
    for n in range(1, int(whole) + 1):
        keep = np.zeros(len(graph.edges), dtype=bool)
        keep[order[:n]] = True
        dangling.append(n - int(pruned(graph, keep).sum()))
    assert max(dangling) <= 1
    assert dangling[-1] == 0


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_magnitude_is_the_norm_of_the_virtual_weight(variant: str) -> None:
    """Seen to fail without the norm's weights, and without LayerNorm's centring."""
    lens, prompts = make_lens(3, **VARIANTS[variant]), make_prompts(1, n=4)
    graph = make_graph(lens, prompts, grouped(lens))
    rois = graph.partition.rois
    for e, value in enumerate(magnitudes(lens, graph)):
        source, target = rois[graph.edges.source[e]], rois[graph.edges.target[e]]
        if source.kind == "tok":
            write = [(word - lens.W_E.mean(0)) / len(lens.W_E) ** 0.5 for word in lens.W_E]
        elif source.kind == "attention":
            write = [row for head in source.members for row in lens.attentions[source.layer].W_O[head]]
        else:
            write = [lens.mlps[source.layer].W_out[i] for i in source.members]
        norm = lens.final_norm
        if target.kind == "logits":
            read = list(lens.W_U.T)
        elif target.kind == "attention":
            norm = lens.attentions[target.layer].norm
            read = [column for head in target.members for column in getattr(lens.attentions[target.layer], f"W_{graph.edges.port[e].upper()}")[head].T]
        else:
            mlp = lens.mlps[target.layer]
            norm = mlp.norm
            read = [weight[:, i] for i in target.members for weight in (mlp.W_in, mlp.W_gate) if weight is not None]
        total = 0.0
        for row in write:
            for column in read:
                x = row - row.mean() if norm.kind == "layer" else row
                total += float((x * (1 if norm.weight is None else norm.weight) * column).sum()) ** 2
        assert value == pytest.approx(total**0.5, rel=1e-9, abs=1e-12)


def test_coverage_counts_touched_rois_and_their_weights() -> None:
    """Seen to fail with ``used`` set for sources only."""
    lens, prompts = make_lens(3), make_prompts(1, n=4)
    graph = make_graph(lens, prompts, grouped(lens))
    rois = graph.partition.rois
    keep = np.zeros((2, len(graph.edges)), dtype=bool)
    pair = [rois[v].key == "m0.r0" and rois[u].key == "tok" for u, v in zip(graph.edges.source.tolist(), graph.edges.target.tolist(), strict=True)]
    keep[1, pair.index(True)] = True
    features, parameters = coverage(lens, graph, keep)
    heads, neurons, weights_of_head, weights_of_neuron = 4, 10, 4 * 8 * 4, 2 * 8
    assert features.tolist() == [0.0, 3 / (heads + neurons)]
    assert parameters.tolist() == [0.0, 3 * weights_of_neuron / (heads * weights_of_head + neurons * weights_of_neuron)]


def test_the_two_areas_are_those_of_their_definitions() -> None:
    """Seen to fail with the trapezoid started at 0; the ten fractions stay MIB's whatever finer ones a study adds."""
    total = 1000
    sizes = circuit_sizes(total, CircuitSettings().fractions)
    phi = [0.5 if n < 1000 else 1.5 for n in sizes]
    cpr, cmd = mib_areas(sizes, phi, total)
    assert cpr == pytest.approx(0.5 * (0.5 - 0.001) + 0.5 * (0.5 + 1.5) / 2)
    assert cmd == pytest.approx(0.5 * (1 - 0.001))
    assert mib_areas((1, 10), (0.5, 1.0), total) == (None, None)
    assert len(MIB) == 10
    assert area_under((5, 10), (0.5, 1.0), 10) == pytest.approx(0.5)


def test_a_selection_without_its_ranking_is_refused() -> None:
    lens, prompts = make_lens(9), make_prompts(4, n=6)
    graph = make_graph(lens, prompts, grouped(lens))
    with pytest.raises(LawError, match="needs the edges ranked by that path"):
        faithfulness_curves(lens, graph, [prompts], CircuitSettings(selections=("exact",)))
