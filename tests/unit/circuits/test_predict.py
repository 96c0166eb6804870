"""Predictions: exact where the model is linear, the graph's own sums for one ROI, the measurement itself in the limit."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from roicg.attribution.edges import attribute_edges
from roicg.circuits.effects import measure
from roicg.circuits.flow import at_the_logits, lost_at_first, lost_at_last, reaching
from roicg.circuits.intervene import Intervention
from roicg.circuits.predict import METHODS, naive_change, predict, touched_edges
from roicg.core.errors import RoicgError
from roicg.core.graph import Checkpoint, ComputationalGraph
from roicg.core.settings import AttributionSettings
from tests import literal
from tests.lenses import VARIANTS, make_lens, make_prompts
from tests.unit.attribution.test_edges import grouped
from tests.unit.circuits.test_intervene import literal_logits, some


def graph_of(lens, prompts, path: str = "ports", steps: int = 4) -> ComputationalGraph:
    settings = AttributionSettings(dtype="float64", path=path, steps=steps, max_steps=steps)  # type: ignore[arg-type]
    found = attribute_edges(lens, [prompts], {"own": grouped(lens)}, settings)["own"]
    return ComputationalGraph("id", Checkpoint("model", 0, "0", "digest"), found.partition, found.edges, found.port_groups, ())


def linear(lens):
    """Without norms and activations, every attention uniform: the logits are linear in the tokens' embeddings."""
    attentions = tuple(replace(a, W_Q=torch.zeros_like(a.W_Q), b_Q=torch.zeros_like(a.b_Q)) for a in lens.attentions)
    return replace(lens, attentions=attentions)


def changes(lens, graph, prompts, sets, method: str, steps: int = 5) -> list[float]:
    return [one.change for one in predict(lens, graph, prompts, sets, method, steps)]  # type: ignore[arg-type]


def test_in_a_linear_model_the_masked_pass_is_the_truth_and_the_naive_sum_counts_twice() -> None:
    """Broken on purpose: frozen members that follow what is upstream of them (``value`` for ``clean`` in ``wrote``)."""
    lens, prompts = linear(make_lens(3, norm="none", act=lambda x: x)), make_prompts(1, n=6)
    graph = graph_of(lens, prompts)
    sets = [Intervention("ablate", ("a0.h0", "m0.r0", "m1.r1")), Intervention("ablate", ("tok", "m0.r0")), Intervention("scale", ("tok", "m1.r0"), factor=-1.0)]
    truth = [effect.change for effect in measure(lens, graph.partition, prompts, sets)]
    assert changes(lens, graph, prompts, sets, "clean") == pytest.approx(truth, rel=1e-9)
    assert changes(lens, graph, prompts, sets, "integrated", 1) == pytest.approx(truth, rel=1e-9)
    for naive, true in zip(changes(lens, graph, prompts, sets, "naive"), truth, strict=True):
        assert abs(naive - true) > 0.01 * abs(true)


def test_where_flow_has_one_dimension_the_graph_alone_gives_the_truth() -> None:
    """A linear stream of one number, one position, nothing that cancels. Broken on purpose: ``reaching`` left out of ``lost_at_last``; shares of the untouched instead of all."""
    lens = linear(make_lens(4, norm="none", act=lambda x: x, d_model=1, positions=False))
    lens = replace(
        lens,
        attentions=tuple(replace(a, W_V=a.W_V.abs(), W_O=a.W_O.abs()) for a in lens.attentions),
        mlps=tuple(replace(m, W_in=m.W_in.abs(), W_out=m.W_out.abs()) for m in lens.mlps),
    )
    prompts = make_prompts(2, n=5, lengths=(1,))
    graph = graph_of(lens, prompts)
    sets = [
        Intervention("ablate", rois) for rois in (("a0.h0",), ("a0.h0", "m0.r0"), ("m0.r1", "a1.h0", "m1.r1"), ("a0.h0", "a0.h1", "m0.r0", "a1.h1", "m1.r0"))
    ]
    sets.append(Intervention("scale", ("m0.r0",), (("a0.h0", "m1.r0", "in"), ("tok", "logits", "in")), factor=0.25))
    sets.append(Intervention("ablate", edges=(("tok", "a0.h0", "v"), ("a0.h0", "m1.r0", "in"))))
    truth = [effect.change for effect in measure(lens, graph.partition, prompts, sets)]
    assert changes(None, graph, prompts, sets, "flow") == pytest.approx(truth, rel=1e-9)
    assert all(abs(naive) > 1.02 * abs(true) for naive, true in zip(changes(None, graph, prompts, sets[1:4], "naive"), truth[1:4], strict=True))


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_the_masked_pass_equals_a_difference_quotient_of_the_literal_twin(variant: str) -> None:
    """Broken on purpose: ``amount`` left out of ``expected_changes``; ``_frozen`` detached."""
    lens, prompts = make_lens(5, **VARIANTS[variant]), make_prompts(3, n=2, lengths=(3,))
    graph, h = graph_of(lens, prompts), 1e-5
    for what in (one for one in some(variant) if one.kind != "scale" and one.donor is None):
        total = 0.0
        for pair in prompts.edges.pairs:
            there, back = (
                literal.metric(_at_end(literal_logits(lens, pair, graph.partition, replace(what, kind="scale", factor=factor)), pair), pair)
                for factor in (1 - h, 1 + h)
            )
            total += float(there - back) / (2 * h * len(prompts.edges.pairs))
        assert changes(lens, graph, prompts, [what], "clean") == pytest.approx([total], rel=1e-5, abs=1e-8)


def _at_end(logits, pair):
    full = torch.zeros(len(pair.clean), logits.shape[1], dtype=logits.dtype)
    full[list(pair.positions)] = logits
    return full


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_integrated_becomes_the_measurement(variant: str) -> None:
    """Broken on purpose: the points taken from 0 to 1 whatever the factor."""
    lens, prompts = make_lens(6, **{"scale": 0.3, **VARIANTS[variant]}), make_prompts(4, n=3, lengths=(3,))
    graph = graph_of(lens, prompts)
    found = changes(lens, graph, prompts, some(variant), "integrated", 40)
    truth = [effect.change for effect in measure(lens, graph.partition, prompts, some(variant), "edges")]
    assert found == pytest.approx(truth, rel=2e-3, abs=3e-3 * max(map(abs, truth)))


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_one_roi_is_the_sum_of_its_edges_and_one_edge_is_itself(variant: str) -> None:
    """Broken on purpose: edges by target in ``touched_edges``; the sign."""
    lens, prompts = make_lens(7, **VARIANTS[variant]), make_prompts(5, n=4)
    ports, clean, exact = (graph_of(lens, prompts, path) for path in ("ports", "clean", "exact"))
    keys = [roi.key for roi in ports.partition.rois]
    rois = [roi.key for roi in ports.partition.rois if roi.kind != "logits"]
    sets = [Intervention("ablate", (key,)) for key in rois]
    assert changes(None, ports, prompts, sets, "naive") == pytest.approx([-ports.outflow("task")[keys.index(key)] for key in rois], rel=1e-9)
    assert changes(lens, clean, prompts, sets, "clean") == pytest.approx([-clean.outflow("task")[keys.index(key)] for key in rois], rel=1e-8, abs=1e-10)
    edges = exact.edges
    ends = [(keys[u], keys[v], port) for u, v, port in zip(edges.source, edges.target, edges.port, strict=True)]
    single = [Intervention("ablate", edges=(end,)) for end in ends]
    assert changes(None, ports, prompts, single, "naive") == pytest.approx((-ports.edges.weight[0]).tolist(), rel=1e-9)
    assert changes(lens, clean, prompts, single, "clean") == pytest.approx((-clean.edges.weight[0]).tolist(), rel=1e-8, abs=1e-10)
    truth = [effect.change for effect in measure(lens, exact.partition, prompts, single)]
    assert truth == pytest.approx((-edges.weight[0]).tolist(), rel=1e-8, abs=1e-9)


def test_flow_equals_the_sum_over_all_paths() -> None:
    """Both ways of counting, path by path. Broken on purpose: the stream walked the other way in ``reaching``; ports added in ``carrying``; no bounds."""
    lens, prompts = make_lens(11), make_prompts(6, n=4)
    graph = graph_of(lens, prompts)
    edges, weight, rois = graph.edges, graph.edges.weight[0], graph.partition.rois
    logits, every = [roi.key for roi in rois].index("logits"), range(len(edges))

    def share_reaching(v: int, gone: np.ndarray) -> float:
        out = [e for e in every if edges.source[e] == v]
        whole = sum(abs(weight[e]) for e in out)
        return 1.0 if v == logits else sum(abs(weight[e]) / whole * share_reaching(int(edges.target[e]), gone) for e in out if not gone[e])

    def share_left(e: int, gone: np.ndarray, amount: float) -> float:
        if gone[e]:
            return 1 - amount
        left = 1.0
        for port in ("q", "k", "v", "in"):
            into = [f for f in every if edges.target[f] == edges.source[e] and edges.port[f] == port]
            whole = sum(abs(weight[f]) for f in into)
            left *= sum(abs(weight[f]) / whole * share_left(f, gone, amount) for f in into) if into else 1.0
        return left

    arriving = [e for e in every if edges.target[e] == logits]
    low, high = sum(min(weight[e], 0.0) for e in arriving), sum(max(weight[e], 0.0) for e in arriving)
    assert at_the_logits(graph, "task") == pytest.approx((low, high))
    everything = Intervention("ablate", tuple(roi.key for roi in rois if roi.kind != "logits"))
    beyond = bounded = 0
    for what in (*some("layer norm, learned positions")[:3], *(Intervention("ablate", (roi.key,)) for roi in rois[:-1]), everything):
        gone = touched_edges(graph, what)
        total = sum(weight[e] * share_reaching(int(edges.target[e]), gone) for e in every if gone[e])
        last = what.amount * min(max(total, low), high)
        bounded += not low <= total <= high
        first = sum(weight[e] * (1 - share_left(e, gone, what.amount)) for e in arriving)
        assert lost_at_last(graph, "task", gone, what.amount) == pytest.approx(last, rel=1e-9)
        assert lost_at_first(graph, "task", gone, what.amount) == pytest.approx(first, rel=1e-9)
        assert changes(None, graph, prompts, [what], "flow") == pytest.approx([-(first + last) / 2], rel=1e-9)
        naive = -naive_change(graph, "task", what) / what.amount
        beyond += not low <= naive <= high
        assert changes(None, graph, prompts, [what], "bounded") == pytest.approx([-what.amount * min(max(naive, low), high)], rel=1e-9)
    assert beyond > 0
    assert bounded > 0
    assert changes(None, graph, prompts, [everything], "flow") == pytest.approx([-sum(weight[e] for e in arriving)])
    assert reaching(graph, "task", np.ones(len(edges), dtype=bool)) == pytest.approx(np.ones(len(rois)))


@pytest.mark.parametrize("method", METHODS)
def test_order_and_repetition_change_nothing_and_scale_one_is_zero(method: str) -> None:
    """Broken on purpose: ``amount`` = factor."""
    lens, prompts = make_lens(9), make_prompts(7, n=3)
    graph = graph_of(lens, prompts)
    names = ("m1.r0", "a0.h0", "m0.r1")
    one, other = changes(lens, graph, prompts, [Intervention("ablate", names), Intervention("ablate", (*names[::-1], "a0.h0"))], method)
    assert one == other
    assert one != 0.0
    assert changes(lens, graph, prompts, [Intervention("scale", names, factor=1.0)], method) == [0.0]


def test_what_a_method_needs_is_said() -> None:
    lens, prompts = make_lens(10), make_prompts(8, n=2)
    graph = graph_of(lens, prompts)
    with pytest.raises(RoicgError, match="the prediction 'clean' needs the weights of the model; without them there are naive, bounded, flow"):
        predict(None, graph, prompts, [Intervention("ablate", ("tok",))], "clean")
    with pytest.raises(RoicgError, match="cannot predict a given donor prompt; use the methods clean or integrated"):
        predict(lens, graph, prompts, [Intervention("patch", ("tok",), donor=(1, 2, 3, 4))], "flow")
