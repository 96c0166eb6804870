"""The same answers on an accelerator as on the CPU: on CUDA where there is one, everywhere on the stand-in device that refuses what CUDA refuses.

Allowed difference: 1e-9 of the largest value in float64, 1e-4 in float32.
"""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from roicg.attribution import plan
from roicg.attribution.edges import EdgeAttribution, attribute_edges
from roicg.circuits.effects import measure
from roicg.circuits.faithfulness import faithfulness_curves
from roicg.circuits.intervene import Intervention
from roicg.circuits.predict import predict
from roicg.core.graph import Checkpoint, ComputationalGraph
from roicg.core.partition import Roi, RoiPartition
from roicg.core.prompts import TaskPrompts
from roicg.core.settings import AttributionSettings, CircuitSettings, RoiSettings
from roicg.models.forward import logits
from roicg.models.lens import Lens
from roicg.models.placement import moved
from roicg.models.scores import score_tasks
from roicg.rois.controls import singletons
from roicg.rois.positions import split_tokens
from roicg.rois.signatures import activation_signatures
from tests.lenses import VARIANTS, make_lens, make_prompts
from tests.standin import MixedDevices, stand_in
from tests.unit.attribution.test_edges import grouped

PATHS = ("ports", "inputs", "clean", "exact")
ALLOWED = {torch.float64: 1e-9, torch.float32: 1e-4}
FEW = ("layer norm, learned positions", "neox: parallel, rotary halves, partly turned", "llama", "bidirectional", "no norm")
"""The variants asked of the stand-in, which is slow: between them every branch that makes a tensor."""
EVERYWHERE = [*(("stand-in", name) for name in FEW), *(("cuda", name) for name in sorted(VARIANTS))]
MIXED = {"n": 3, "lengths": (4, 3, 3), "all_positions": True}


@pytest.fixture
def device(kind: str) -> Iterator[torch.device]:
    """The device called ``kind``, ready to be computed on."""
    if kind == "stand-in":
        with stand_in() as there:
            yield there
    elif torch.cuda.is_available():
        yield torch.device("cuda")
    else:
        pytest.skip("no CUDA device")


on_both = pytest.mark.parametrize("kind", ["stand-in", "cuda"])


def found(lens: Lens, task: TaskPrompts, path: str, partitions: dict[str, RoiPartition]) -> list[EdgeAttribution]:
    """The edges of ``partitions``, every group's effect measured."""
    name = "float64" if lens.dtype == torch.float64 else "float32"
    chosen = AttributionSettings(path=path, steps=2, max_steps=2, tolerance=0.5, dtype=name, group_effects=True)
    return list(attribute_edges(lens, [task], partitions, chosen).values())


def divided(lens: Lens, kind: str, sets: list[tuple[int, ...]]) -> RoiPartition:
    """Every site of ``kind`` as ROIs of the features ``sets``, all other features as ROIs of their own."""
    single, rois = singletons(lens.sites), []
    for site in lens.sites:
        own = tuple(roi for roi in single.rois if roi.site == site.key)
        rois += [Roi(f"{site.key}.r{i}", site.key, site.layer, site.kind, members) for i, members in enumerate(sets)] if site.kind == kind else own
    return RoiPartition("own", lens.sites, tuple(rois))


def assert_close(theirs: object, ours: object, allowed: float) -> None:
    """Equal within ``allowed`` times the largest of ``ours``."""
    a, b = (np.asarray(values, dtype=np.float64) for values in (theirs, ours))
    assert np.isfinite(b).all()
    np.testing.assert_allclose(a, b, rtol=0, atol=allowed * max(np.abs(b).max(), 1e-30))


def assert_same_edges(theirs: list[EdgeAttribution], ours: list[EdgeAttribution], allowed: float) -> None:
    """Edges and books are equal within ``allowed``."""
    for one, other in zip(theirs, ours, strict=True):
        for column in ("weight", "se", "mean_abs"):
            assert_close(getattr(one.edges, column), getattr(other.edges, column), allowed)
        assert_close([book.effect for book in one.port_groups], [book.effect for book in other.port_groups], allowed)
        assert [(b.complete, b.saturated, b.steps) for b in one.port_groups] == [(b.complete, b.saturated, b.steps) for b in other.port_groups]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("kind", "variant"), EVERYWHERE)
def test_every_path_gives_the_edges_of_the_cpu(variant: str, path: str, device: torch.device) -> None:
    """Tokens split by position and answers at several positions among them.

    Seen to fail with ``device=`` left out where ``ports`` makes its points, ``inputs`` its weight, ``batches`` its positions,
    ``attend`` its mask and ``_token_rows`` its mask (MixedDevices), and with ``.cpu()`` left out of ``EdgeSums.add``.
    """
    lens, task = make_lens(3, **VARIANTS[variant]), make_prompts(1, **MIXED)
    partitions = {"own": split_tokens(grouped(lens), lens.sites_with(4))}
    assert_same_edges(found(moved(lens, device), task, path, partitions), found(lens, task, path, partitions), ALLOWED[torch.float64])


@pytest.mark.parametrize("path", PATHS)
@on_both
def test_edges_in_float32_are_those_of_the_cpu(path: str, device: torch.device) -> None:
    """Seen to fail with weights 0.1 % larger on the other device."""
    lens, task = make_lens(3, norm="rms", rotary="half", gated=True, dtype=torch.float32), make_prompts(1, **MIXED)
    partitions = {"own": grouped(lens)}
    assert_same_edges(found(moved(lens, device), task, path, partitions), found(lens, task, path, partitions), ALLOWED[torch.float32])


@pytest.mark.parametrize("path", PATHS)
@on_both
def test_edges_in_bfloat16_are_near_those_of_the_cpu(path: str, device: torch.device) -> None:
    """Two devices round bfloat16 in different places: 5 % of the largest edge are allowed, 10 % on ``exact``.

    Seen to fail with ``device=`` left out where ``ports`` makes its points and ``inputs`` its weight, and with weights 10 % larger there.
    """
    lens = make_lens(5, dtype=torch.bfloat16, d_model=32, d_head=16, scale=0.2)
    task, partitions = make_prompts(2, n=12), {"own": grouped(lens)}
    (theirs,), (ours,) = (found(one, task, path, partitions) for one in (moved(lens, device), lens))
    assert_close(theirs.edges.weight, ours.edges.weight, 0.1 if path == "exact" else 0.05)


@pytest.mark.parametrize("path", PATHS[:3])
@on_both
def test_neuron_by_neuron_the_edges_are_those_of_the_cpu(path: str, device: torch.device, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through virtual weights, together with rows, with both heads as one ROI and with rows that are no neighbours.

    Seen to fail with ``device=`` left out of ``_sum_sets``, of ``_pick`` and of either sum of ``GroupBlocks`` (MixedDevices).
    """
    lens, task = make_lens(5, gated=True), make_prompts(2, **MIXED)
    monkeypatch.setattr(plan, "MAX_ROWS", 1)
    joined = divided(lens, "attention", [(0, 1)])
    some = divided(lens, "mlp", [(0, 2, 4), (1,), (3,)])
    partitions = {"pairs": grouped(lens), "singletons": singletons(lens.sites), "joined": joined, "some": some}
    assert_same_edges(found(moved(lens, device), task, path, partitions), found(lens, task, path, partitions), ALLOWED[torch.float64])


@pytest.mark.parametrize("variant", ["layer norm, learned positions", "parallel, gated, rotary"])
@on_both
def test_curves_of_every_selection_are_those_of_the_cpu(variant: str, device: torch.device) -> None:
    """Seen to fail with ``device=`` left out of ``run_circuits`` and of ``_read_by_members``, and without ``.cpu()`` in ``magnitudes``."""
    lens, task = make_lens(5, **VARIANTS[variant]), make_prompts(2, n=3)
    (edges,) = found(lens, task, "clean", {"own": grouped(lens)})
    graph = ComputationalGraph("id", Checkpoint("model", 0, "0", "digest"), edges.partition, edges.edges, edges.port_groups, ())
    chosen = CircuitSettings(fractions=(0.1, 0.5, 1.0), selections=("weight", "random", "connected", "nodes", "magnitude"), random_draws=1, bootstrap=20)
    theirs, ours = (faithfulness_curves(one, graph, [task], chosen) for one in (moved(lens, device), lens))
    for one, other in zip(theirs, ours, strict=True):
        assert one.n_edges == other.n_edges
        for column in ("phi", "low", "high", "kl", "accuracy", "complement", "features", "parameters"):
            assert_close(getattr(one, column) or (0,), getattr(other, column) or (0,), 1e-9)


@pytest.mark.parametrize("variant", ["layer norm, learned positions", "llama"])
@on_both
def test_interventions_and_their_predictions_are_those_of_the_cpu(variant: str, device: torch.device) -> None:
    """ROIs and edges of every kind, a given donor among them.

    Seen to fail with ``device=`` left out where ``intervene`` makes its masks, its indices and its amount, and ``predict`` its total.
    """
    lens, task = make_lens(3, **VARIANTS[variant]), make_prompts(1, n=2, lengths=(3,))
    partition = grouped(lens)
    edges = (("tok", "a0.h1", "q"), ("a0.h1", "a1.h0", "k"), ("a0.h0", "m1.r1", "in"), ("m1.r1", "logits", "in"))
    asked = [Intervention("ablate", ("a0.h0", "m1.r1")), Intervention("scale", ("tok",), edges, factor=0.3), Intervention("patch", (), edges, donor=(1, 5, 2))]
    graph = ComputationalGraph("id", Checkpoint("model", 0, "0", "digest"), partition, found(lens, task, "clean", {"own": partition})[0].edges, (), ())
    theirs, ours = ([*measure(one, partition, task, asked), *predict(one, graph, task, asked, "integrated", 2)] for one in (moved(lens, device), lens))
    assert_close([[one.change, one.se] for one in theirs], [[one.change, one.se] for one in ours], 1e-9)
    assert_close([one.kl for one in theirs[:3]], [one.kl for one in ours[:3]], 1e-9)


@on_both
def test_signatures_and_scores_are_those_of_the_cpu(device: torch.device) -> None:
    """Seen to fail without ``.cpu()`` in ``activation_signatures`` and in ``first_principal``."""
    lens, task = make_lens(4, norm="rms"), make_prompts(3, n=4, metric="margin")
    theirs, ours = (activation_signatures(one, [task], RoiSettings()) for one in (moved(lens, device), lens))
    for site, rows in ours.items():
        assert_close(theirs[site], rows, 1e-9)
    there, here = (score_tasks(one, [task]) for one in (moved(lens, device), lens))
    for one, other in zip(there, here, strict=True):
        assert_close([one.clean, one.corrupted, one.accuracy], [other.clean, other.corrupted, other.accuracy], 1e-9)


def test_the_stand_in_refuses_what_cuda_refuses() -> None:
    """Else the tests above would say nothing. Seen to fail with the check of ``_compute`` left out."""
    lens = make_lens(1)
    with stand_in() as device:
        there, tokens = moved(lens, device), torch.tensor([[1, 2, 3]])
        with pytest.raises(MixedDevices):
            there.W_E + torch.zeros(8, dtype=torch.float64)
        with pytest.raises((TypeError, RuntimeError)):
            there.W_E.numpy()
        computed = logits(there, tokens.to(device))
        assert computed.device == device
        assert (there.W_E[0] * torch.tensor(2.0)).device == device
        assert_close(computed.cpu(), logits(lens, tokens), 1e-12)
