"""How few edges carry a task? Every selection of circuits on the ROIs of the study beside components and random groups, and what finer groups change.

Edges are ranked on split ``edges``; φ is measured on split ``eval``.
"""

from dataclasses import dataclass

import numpy as np
import torch

from roicg.attribution.edges import attribute_edges
from roicg.build import choose_partitions, find_rois
from roicg.circuits.areas import MIB
from roicg.circuits.faithfulness import faithfulness_curves, ladders, measure_circuits, measure_ends, sweep
from roicg.circuits.select import pruned
from roicg.core.graph import Checkpoint, ComputationalGraph, EdgeTable, FaithfulnessCurve
from roicg.core.partition import Roi, RoiPartition
from roicg.core.prompts import TaskPrompts
from roicg.core.settings import AttributionSettings, CircuitSettings
from roicg.models.batches import batches
from roicg.models.lens import Lens
from roicg.models.metrics import metric
from roicg.models.pairs import run_pair
from roicg.places import Opened
from roicg.rois.controls import components
from roicg.rois.signatures import activation_signatures
from tests.bench.evaluated import SEEDS, mean, opened, study
from tests.bench.figures import Figure, keep
from tests.bench.shapes import LARGE, SMALL, bare_and_lens, bare_call, questions, shape
from tests.bench.timing import fastest
from tests.golden import load_golden

TWENTIETHS = tuple(round(i / 20, 3) for i in range(1, 21))
OTHERS = {
    "clean": AttributionSettings(path="clean"),
    "inputs": AttributionSettings(path="inputs", rule="left"),
    "exact": AttributionSettings(path="exact"),
}
KINDS = {
    "own": ("weight", "connected", "greedy", "exact", "inputs", "clean", "nodes", "magnitude", "random"),
    "components": ("weight", "connected", "exact", "inputs", "clean", "nodes", "magnitude", "random"),
    "random": ("weight",),
}
NAMES = {
    "weight": "strongest edges",
    "inputs": "inputs (EAP-IG)",
    "clean": "clean (EAP)",
    "nodes": "node ablation",
    "magnitude": "weight magnitude",
    "random": "random edges",
}
COMMAND = "make bench ARGS=tests/bench/bench_circuits.py"


@dataclass(frozen=True)
class Found:
    """One curve and the smallest measured circuit with φ ≥ .9."""

    curve: FaithfulnessCurve

    @property
    def first(self) -> int:
        return next(i for i, phi in enumerate(self.curve.phi) if phi >= 0.9)

    @property
    def share(self) -> float:
        return self.curve.n_edges[self.first] / self.curve.total


def graph_of(place: Opened, prompts: list[TaskPrompts], partition: RoiPartition, settings: AttributionSettings) -> ComputationalGraph:
    one = attribute_edges(place.lens, prompts, {"own": partition}, settings)["own"]
    return ComputationalGraph("bench", place.checkpoint, one.partition, one.edges, one.port_groups, ())


def curves(seed: int) -> dict[tuple[str, str], list[Found]]:
    """Per partition and selection one curve per task."""
    place, found = opened(seed), {}
    prompts = list(place.prompts)
    own = find_rois(place.lens, prompts, study())
    for kind, partition in choose_partitions(place.lens, prompts, own, tuple(KINDS), study()).items():  # type: ignore[arg-type]
        graph = graph_of(place, prompts, partition, AttributionSettings())
        rankings: dict[str, EdgeTable] = {}
        for name in OTHERS.keys() & set(KINDS[kind]):
            rankings[name] = graph_of(place, prompts, partition, OTHERS[name]).edges
        chosen = CircuitSettings(fractions=tuple(sorted({*MIB, *TWENTIETHS})), selections=KINDS[kind], random_draws=3, bootstrap=20)  # type: ignore[arg-type]
        for curve in faithfulness_curves(place.lens, graph, prompts, chosen, 0, rankings):
            found.setdefault((kind, curve.selection), []).append(Found(curve))
    return found


def rows(which: str, found: dict[tuple[str, str], list[Found]]) -> list[Figure]:
    """The table of one group of seeds, then its goals."""
    figures = []
    for (kind, selection), some in found.items():
        at = [(one.curve, one.first) for one in some]
        complement = [curve.complement[i] for curve, i in at if curve.complement]
        mib = [(c.cpr_mib, c.cmd_mib) for c, _ in at if c.cpr_mib is not None and c.cmd_mib is not None]
        note = f"φ ≥ .9 with {np.mean([one.share for one in some]):.0%} of {np.mean([c.total for c, _ in at]):.0f} edges"
        note += f", complement {np.mean(complement):.3f}" if complement else ""
        note += ", CPR {:.3f}, CMD {:.3f}".format(*np.mean(mib, axis=0)) if mib else ""
        note += f"; holds {np.mean([c.features[i] for c, i in at]):.0%} of features, {np.mean([c.parameters[i] for c, i in at]):.0%} of parameters"
        figures.append(mean(f"area, {kind}, {NAMES.get(selection, selection)}, {which}", [c.area or 0.0 for c, _ in at], note))
    for kind in ("own", "components"):
        best = found[kind, "weight"]
        nodes, exact = found[kind, "nodes"], found[kind, "exact"]
        fewer = [n.curve.n_edges[n.first] / one.curve.n_edges[one.first] for n, one in zip(nodes, best, strict=True)]
        figures.append(mean(f"share of edges at φ ≥ .9, {kind}, {which}", [one.share for one in best], "", 0.1, at_most=True))
        figures.append(mean(f"edges of node ablation / strongest edges at φ ≥ .9, {kind}, {which}", fewer, "", 10))
        figures.append(mean(f"complement φ there, {kind}, {which}", [one.curve.complement[one.first] for one in best], "", 0.1, at_most=True))
        for selection in ("weight", "connected", "greedy") if kind == "own" else ("weight", "connected"):
            more = [(a.curve.area or 0.0) - (b.curve.area or 0.0) for a, b in zip(found[kind, selection], exact, strict=True)]
            figures.append(mean(f"area less that of the exact ranking, {kind}, {NAMES.get(selection, selection)}, {which}", more, "", 0))
    return figures


def in_groups(lens: Lens, prompts: list[TaskPrompts], k: int) -> RoiPartition:
    """Heads one by one, each MLP's neurons in ``k`` groups by k-means on their activation signatures (every neuron alone from its number on)."""
    from sklearn.cluster import KMeans

    signatures, rois = activation_signatures(lens, prompts, study().rois), []
    for roi in components(lens.sites).rois:
        if roi.kind != "mlp" or k == 1:
            rois.append(roi)
            continue
        n = len(roi.members)
        labels = np.arange(n) if k >= n else KMeans(k, n_init=1, random_state=0).fit_predict(signatures[roi.site])
        groups = [tuple(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)]
        rois += [Roi(f"{roi.key}.g{i}", roi.site, roi.layer, roi.kind, members) for i, members in enumerate(groups)]
    return RoiPartition("own", lens.sites, tuple(rois))


def crossing(place: Opened, graph: ComputationalGraph, task: TaskPrompts, selection: str) -> int:
    """Edges of the smallest measured circuit with φ ≥ .9, sizes rising by a fifth."""
    sizes = np.unique(np.geomspace(5, len(graph.edges), 1 + int(np.log(len(graph.edges) / 5) / np.log(1.2))).astype(int))
    settings = CircuitSettings(fractions=tuple(float(n) / len(graph.edges) for n in sizes), selections=(selection,))  # type: ignore[arg-type]
    (ladder,) = ladders(place.lens, graph, task, settings, 0, {})
    clean, corrupted, _ = measure_ends(place.lens, task).mean(1)
    for n, kept in zip(ladder.sizes, ladder.keep[0], strict=True):
        score = measure_circuits(place.lens, graph, task, pruned(graph, kept)[None])[0].mean()
        if (score - corrupted) / (clean - corrupted) >= 0.9:
            return n
    return len(graph.edges)


GROUPS = {1: (3, 4, 5), 8: (3, 4, 5), 32: (3, 4, 5), 256: (3,)}
"""Neuron groups per MLP of the granularity experiment, with the seeds it is run on (73,000 edges between single neurons take minutes a seed)."""


def granularity() -> list[Figure]:
    """The same question asked of finer groups: share of edges at φ ≥ .9, and how many times more node ablation needs."""
    figures = []
    for k, seeds in GROUPS.items():
        shares, fewer, counts = [], [], []
        for seed in seeds:
            place = opened(seed)
            prompts = list(place.prompts)
            graph = graph_of(place, prompts, in_groups(place.lens, prompts, k), AttributionSettings())
            for task in prompts:
                ours, nodes = (crossing(place, graph, task, selection) for selection in ("weight", "nodes"))
                shares.append(ours / len(graph.edges))
                fewer.append(nodes / ours)
                counts.append(len(graph.edges))
        print(f"{k} groups measured", flush=True)
        note = f"of {np.mean(counts):.0f} edges; node ablation needs {np.exp(np.mean(np.log(fewer))):.1f} × more ({min(fewer):.1f} to {max(fewer):.1f})"
        name = "single neurons" if k >= 256 else f"{k} group{'s' * (k > 1)} per MLP"
        figures.append(mean(f"share of edges at φ ≥ .9, heads and {name}, seed{'s 3–5' if len(seeds) > 1 else f' {seeds[0]}'}", shares, note))
    return figures


def sweep_call(lens: Lens, prompts: TaskPrompts):
    """Twenty circuits at component granularity on one batch, the pair's own runs among the cost."""
    partition = components(lens.sites)
    edges = attribute_edges(lens, [prompts], {"own": partition}, AttributionSettings(path="clean"))["own"]
    graph = ComputationalGraph("bench", Checkpoint("bench", 0, "0", "digest"), partition, edges.edges, edges.port_groups, ())
    kept = np.stack([graph.edges.rank[0] <= n for n in np.linspace(len(graph.edges) / 20, len(graph.edges), 20).astype(int)])
    (batch,) = batches(prompts.edges, len(prompts.edges.pairs))
    return lambda: sweep(run_pair(lens, batch, metric(prompts.metric)), graph, kept)


def test_golden() -> None:
    """The trained model of the golden files, whose edges and areas are published figures of the EAP-IG package."""
    golden = load_golden("trained")
    prompts, partition = golden.prompts, components(golden.lens.sites)

    def ranked(settings: AttributionSettings) -> ComputationalGraph:
        one = attribute_edges(golden.lens, [prompts], {"own": partition}, settings)["own"]
        return ComputationalGraph("bench", Checkpoint("golden", 0, "0", "digest"), partition, one.edges, one.port_groups, ())

    chosen = CircuitSettings(fractions=TWENTIETHS, selections=("weight", "greedy", "exact", "inputs", "clean", "random"), random_draws=5, bootstrap=20)
    found = faithfulness_curves(golden.lens, ranked(AttributionSettings()), [prompts], chosen, 0, {name: ranked(one).edges for name, one in OTHERS.items()})
    exact = next(curve.area or 0.0 for curve in found if curve.selection == "exact")
    figures = [
        Figure(
            f"area, golden model, {NAMES.get(curve.selection, curve.selection)}",
            curve.area or 0.0,
            exact if curve.selection in ("weight", "greedy") else None,
            at_most=False,
            note="goal: the exact ranking's" if curve.selection in ("weight", "greedy") else "",
        )
        for curve in found
    ]
    keep("golden", figures, COMMAND)
    assert all(np.isfinite(figure.value) for figure in figures)


def test_sweep() -> None:
    figures = []
    for name in (SMALL, LARGE):
        (module, lens), prompts = bare_and_lens(shape(name)), questions()
        bare, ours = fastest([bare_call(module, prompts, 20, backward=False), sweep_call(lens, prompts)], rounds=5)
        figures.append(Figure(f"sweep of 20 circuits between components / 20 × bare forward, {name}", ours / bare, 30, note=f"{ours:.3f} s / {bare:.3f} s"))
    keep("sweep", figures, COMMAND)
    assert all(figure.value > 0 for figure in figures)


def test_circuits() -> None:
    torch.set_num_threads(1)
    figures: list[Figure] = []
    for which, seeds in SEEDS.items():
        found: dict[tuple[str, str], list[Found]] = {}
        for seed in seeds:
            for key, some in curves(seed).items():
                found.setdefault(key, []).extend(some)
            print(f"circuits of seed {seed} measured", flush=True)
        figures += rows(which, found)
    keep("circuits", [*figures, *granularity()], COMMAND)
    assert all(np.isfinite(figure.value) for figure in figures)
