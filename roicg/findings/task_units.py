"""What sets of a task are made of: features, ROIs, communities, or edges, with each task's shares and φ of what is kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Int

from roicg.circuits.sets import Asked, KeptPhi, edges_kept, feature_sites, features_kept
from roicg.circuits.task_sets import shares
from roicg.core.graph import ComputationalGraph
from roicg.core.partition import RoiPartition
from roicg.core.prompts import TaskPrompts
from roicg.models.lens import Lens
from roicg.places import Place

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore

FEATURE_BUDGETS = (0.025, 0.05, 0.1, 0.25)
EDGE_BUDGETS = (0.02, 0.05, 0.1, 0.2, 0.3)
BY_USE = "by use"
KINDS = {"own": "ROIs", BY_USE: "ROIs by use", "random": "random groups", "components": "components"}


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """What sets are made of: ``share`` [task, group], the group and the stratum of every unit, φ to choose by and φ to tell; ``greedy``: chosen by exact runs, too."""

    name: str
    share: Float[np.ndarray, "task group"]
    group: Int[np.ndarray, " unit"]
    stratum: Int[np.ndarray, " unit"]
    budgets: tuple[float, ...]
    choose: KeptPhi
    tell: KeptPhi
    greedy: bool


def attributed_anew(place: Place, lens: Lens, tasks: Sequence[TaskPrompts], graphs: dict[Any, ComputationalGraph]) -> dict[Any, ComputationalGraph]:
    """``graphs`` with the edges that ``tasks`` have: for the model's own answers where it has not learnt the right ones."""
    from roicg.attribution.edges import attribute_edges

    found = attribute_edges(lens, tasks, {kind: graph.partition for kind, graph in graphs.items()}, place.study.attribution)
    return {kind: replace(graph, edges=found[kind].edges) for kind, graph in graphs.items()}


def by_use(place: Place, lens: Lens, tasks: Sequence[TaskPrompts]) -> ComputationalGraph:
    """The graph between ROIs that are found by what features are used for, whatever the study's own are found by."""
    from roicg.attribution.edges import attribute_edges
    from roicg.build import choose_partitions, find_rois
    from roicg.core.graph import Checkpoint

    study = place.study.model_copy(update={"rois": place.study.rois.model_copy(update={"signature": "attribution"})})
    partition = choose_partitions(lens, tasks, find_rois(lens, tasks, study), ("own",), study, None)["own"]
    found = attribute_edges(lens, tasks, {BY_USE: partition}, study.attribution)[BY_USE]
    return ComputationalGraph(BY_USE, Checkpoint(place.model, 0, place.label, lens.weights_digest), found.partition, found.edges, found.port_groups, (), {})


def communities_at(place: Place, store: "Neo4jStore") -> list[list[str]]:
    """Communities of the mixture in the published ``own`` graph, as lists of ROI keys; none where the study looks for none."""
    key = f"{place.study.study}|{place.model}@{place.label}|own|{place.study.attribution.path}"
    return [row["rois"] for row in store.run("structure.communities", slot=key) if row["task"] == "(mixture)"]


def node_units(
    lens: Lens, tasks: Sequence[TaskPrompts], graphs: dict[Any, ComputationalGraph], communities: list[list[str]], choose: Asked, tell: Asked
) -> Iterator[Unit]:
    """Heads and neurons: each alone, and in the ROIs and communities of ``graphs``; strata are sites."""
    from roicg.attribution.nodes import node_scores

    sites = feature_sites(lens)
    scores = node_scores(lens, tasks)
    score = np.stack([np.concatenate([scores[task.task][site.key] for site in sites]) for task in tasks])
    stratum = np.concatenate([np.full(site.n_features, i) for i, site in enumerate(sites)])
    phi = features_kept(choose), features_kept(tell)

    def unit(name: str, group: Int[np.ndarray, " unit"]) -> Unit:
        summed = np.stack([np.bincount(group, weights=row) for row in score])
        return Unit(name, shares(np.abs(summed)), group, stratum, FEATURE_BUDGETS, *phi, greedy=False)

    yield unit("single features", np.arange(score.shape[1]))
    for kind, name in KINDS.items():
        if kind in graphs:
            yield unit(name, _roi_of_feature(graphs[kind].partition))
    if communities:
        yield unit("communities", _community_of_feature(graphs["own"].partition, communities))


def edge_units(graphs: dict[Any, ComputationalGraph], choose: Asked, tell: Asked) -> Iterator[Unit]:
    """The edges of each graph of ``graphs``; strata are port groups. Those between ROIs also without the edges from tokens, which are always kept.

    Edges from tokens know which position they read before anything is learnt: where tasks read different ones, they part untrained tasks too.
    """
    for kind, name in KINDS.items():
        if kind not in graphs:
            continue
        graph = graphs[kind]
        ports = [f"{graph.partition.rois[v].site}.{port}" for v, port in zip(graph.edges.target.tolist(), graph.edges.port, strict=True)]
        stratum = np.unique(ports, return_inverse=True)[1]
        phi = edges_kept(choose, graph), edges_kept(tell, graph)
        share = shares(graph.edges.strength)
        unit = Unit(f"edges between {name}", share, np.arange(len(graph.edges)), stratum, EDGE_BUDGETS, *phi, greedy=kind in ("own", "components"))
        yield unit
        past = np.flatnonzero([graph.partition.rois[source].kind != "tok" for source in graph.edges.source])
        if kind == "own" and len(past):
            yield among(unit, f"{unit.name}, past tokens", past)


def among(unit: Unit, name: str, some: Int[np.ndarray, " some"]) -> Unit:
    """``unit`` with sets of the edges ``some`` only, by their shares among themselves; all others are always kept."""

    def others_kept(phi: KeptPhi) -> KeptPhi:
        """``phi`` of sets among ``some``."""

        def asked(kept: Bool[np.ndarray, "set some"]) -> Float[np.ndarray, "set task"]:
            whole = np.ones((len(kept), len(unit.group)), dtype=bool)
            whole[:, some] = kept
            return phi(whole)

        return asked

    return replace(
        unit,
        name=name,
        share=shares(unit.share[:, some]),
        group=np.arange(len(some)),
        stratum=unit.stratum[some],
        choose=others_kept(unit.choose),
        tell=others_kept(unit.tell),
    )


def _roi_of_feature(partition: RoiPartition) -> Int[np.ndarray, " unit"]:
    """Position of each feature's ROI among the ROIs of heads and neurons."""
    sites = [site for site in partition.sites if site.kind in ("attention", "mlp")]
    starts = np.cumsum([0, *(len(partition.of_site(site.key)) for site in sites)])
    return np.asarray(np.concatenate([start + partition.labels(site.key) for start, site in zip(starts, sites, strict=False)]))


def _community_of_feature(partition: RoiPartition, communities: list[list[str]]) -> Int[np.ndarray, " unit"]:
    """Community of each feature's ROI; features of ROIs in no community are one group more."""
    known = {roi: i for i, names in enumerate(communities) for roi in names}
    rois = [roi for site in partition.sites if site.kind in ("attention", "mlp") for roi in (partition.rois[i] for i in partition.of_site(site.key))]
    return np.asarray(np.array([known.get(roi.key, len(communities)) for roi in rois])[_roi_of_feature(partition)])
