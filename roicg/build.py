"""From a checkpoint to its computational graph: the table of contents of roicg, one line per room.

:func:`build_graphs` is the whole computation in memory; ``stages.py`` is the same in steps that leave files behind, for
the Dagster assets. Both give the same graph ids.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from threadpoolctl import threadpool_limits

import roicg
from roicg.attribution.edges import EdgeAttribution, Progress, attribute_edges
from roicg.attribution.nodes import STEPS, attribution_signatures
from roicg.core.graph import Checkpoint, ComputationalGraph, TaskScore
from roicg.core.ids import NUMERICS, digest
from roicg.core.partition import PartitionKind, RoiPartition
from roicg.core.prompts import TaskPrompts
from roicg.core.settings import Study
from roicg.core.sites import Site
from roicg.models.columns import signature_columns
from roicg.models.directions import Directions, along, principal
from roicg.models.lens import Lens
from roicg.models.scores import score_tasks
from roicg.rois.controls import as_reference, components, random_like, singletons
from roicg.rois.labels import labelled
from roicg.rois.partition import own_partition
from roicg.rois.positions import split_tokens
from roicg.rois.signatures import activation_differences, activation_signatures


def build_graph(
    checkpoint: Checkpoint,
    lens: Lens,
    prompts: Sequence[TaskPrompts],
    study: Study,
    kind: PartitionKind = "own",
    reference: tuple[Checkpoint, RoiPartition] | None = None,
) -> ComputationalGraph:
    """The graph of one checkpoint under one partition; see :func:`build_graphs`."""
    return build_graphs(checkpoint, lens, prompts, study, (kind,), reference)[kind]


def build_graphs(
    checkpoint: Checkpoint,
    lens: Lens,
    prompts: Sequence[TaskPrompts],
    study: Study,
    kinds: Sequence[PartitionKind] | None = None,
    reference: tuple[Checkpoint, RoiPartition] | None = None,
    progress: Progress | None = None,
    token_text: Callable[[int], str] | None = None,
) -> dict[str, ComputationalGraph]:
    """The graphs of one checkpoint under each of ``kinds`` (default: the study's), from one gradient pass.

    ``reference``: the reference checkpoint with its own partition (default: this checkpoint); ``token_text`` (token id → text)
    makes labels readable. Raises ``LawError`` when
    the books do not balance or a value is not finite.
    """
    kinds = tuple(kinds or study.partitions)
    own = find_rois(lens, prompts, study, token_text)
    attributions = attribute(lens, prompts, own, kinds, study, reference[1] if reference else None, progress)
    scores = score_tasks(lens, prompts)
    origin = reference[0] if reference else checkpoint
    return {kind: assemble_graph(checkpoint, attributions[kind], scores, graph_id(checkpoint, prompts, study, kind, origin), study, lens) for kind in kinds}


def find_rois(lens: Lens, prompts: Sequence[TaskPrompts], study: Study, token_text: Callable[[int], str] | None = None) -> RoiPartition:
    """Signature → similarity → partition → quality of one checkpoint: its ``own`` ROIs."""
    return name_rois(lens, find_signatures(lens, prompts, study), prompts, study, token_text)


def find_signatures(lens: Lens, prompts: Sequence[TaskPrompts], study: Study) -> dict[str, Any]:
    """Site key → [feature, column]: what the study's ROIs are found by. Two rooms make them, and neither knows the other."""
    if study.rois.signature == "attribution":
        return attribution_signatures(lens, prompts, study.rois.seed)
    return activation_signatures(lens, prompts, study.rois)


def name_rois(
    lens: Lens, signatures: Mapping[str, Any], prompts: Sequence[TaskPrompts], study: Study, token_text: Callable[[int], str] | None = None
) -> RoiPartition:
    """The partition of given signatures, each ROI with a label a person can read."""
    with threadpool_limits(1):  # two threads on matrices of this size are many times slower than one
        found = own_partition(lens.sites, signatures, study.rois)
        if study.rois.signature == "attribution":  # the signature's path is not that of the edges
            found = replace(found, settings={**found.settings, "signature_path": {"path": "inputs", "rule": "gauss-legendre", "steps": STEPS}})
        return labelled(found, activation_differences(lens, prompts, study.rois), signature_columns(prompts, study.rois.seed), token_text)


def attribute(
    lens: Lens,
    prompts: Sequence[TaskPrompts],
    own: RoiPartition,
    kinds: Sequence[PartitionKind],
    study: Study,
    reference: RoiPartition | None = None,
    progress: Progress | None = None,
) -> dict[str, EdgeAttribution]:
    """Edges under each of ``kinds``: one gradient pass for all partitions of features, and one for directions, which are those of a copied model."""
    of_features = [kind for kind in kinds if kind != "directions"]
    found: dict[str, EdgeAttribution] = {}
    if of_features:
        found = attribute_edges(lens, prompts, choose_partitions(lens, prompts, own, of_features, study, reference), study.attribution, progress)
    if "directions" in kinds:
        directed = find_directions(lens, prompts, own, study)
        one = attribute_edges(directed.lens, prompts, {"directions": directed.partition}, study.attribution, progress)["directions"]
        found["directions"] = replace(one, partition=directed.shown)
    return found


def find_directions(lens: Lens, prompts: Sequence[TaskPrompts], own: RoiPartition, study: Study) -> Directions:
    """The principal directions of every MLP's activations, as many groups as ``own`` has ROIs there (at least two)."""
    signatures = activation_signatures(lens, prompts, study.rois)
    counts = {site.key: max(2, len(own.of_site(site.key))) for site in lens.sites if site.kind == "mlp"}
    found = along(lens, {key: principal(signatures[key], count) for key, count in counts.items()})
    partition, shown = (_with_positions(one, some.sites_with, prompts, study) for one, some in ((found.partition, found.lens), (found.shown, lens)))
    return replace(found, partition=partition, shown=shown)


def runnable(lens: Lens, prompts: Sequence[TaskPrompts], own: RoiPartition, graph: ComputationalGraph, study: Study) -> tuple[Lens, ComputationalGraph]:
    """The model on which circuits and interventions of ``graph`` run, and the graph over its features: of directions the copied model."""
    if graph.partition.kind != "directions":
        return lens, graph
    directed = find_directions(lens, prompts, own, study)
    return directed.lens, replace(graph, partition=directed.partition)


def choose_partitions(
    lens: Lens, prompts: Sequence[TaskPrompts], own: RoiPartition, kinds: Sequence[PartitionKind], study: Study, reference: RoiPartition | None = None
) -> dict[str, RoiPartition]:
    """The partitions of features that the edges are reduced to; ``random`` is draw 0 of its control; ``reference`` defaults to ``own``."""
    makers = {
        "own": lambda: own,
        "reference": lambda: as_reference(reference or own),
        "components": lambda: components(lens.sites),
        "singletons": lambda: singletons(lens.sites),
        "random": lambda: random_like(own, study.rois.seed),
    }
    return {kind: _with_positions(makers[kind](), lens.sites_with, prompts, study) for kind in kinds}


def _with_positions(partition: RoiPartition, sites_with: Callable[[int], tuple[Site, ...]], prompts: Sequence[TaskPrompts], study: Study) -> RoiPartition:
    """``partition`` with one token feature per position, where the study wants them apart."""
    if study.attribution.positions == "sum":
        return partition
    return split_tokens(partition, sites_with(max(len(pair.clean) for task in prompts for pair in task.edges.pairs + task.eval.pairs)))


def graph_id(checkpoint: Checkpoint, prompts: Sequence[TaskPrompts], study: Study, kind: PartitionKind, reference: Checkpoint) -> str:
    """Hash of what determines a graph: weights, prompts per split, settings that differ from their defaults, ``NUMERICS``; no model name, no versions."""
    settings: dict[str, Any] = {"rois": study.rois.changed(), "attribution": study.attribution.changed("batch_size"), "partition": kind}
    if kind == "reference":
        settings["reference"] = reference.weights_digest
    asked = [[task.task, task.metric, task.rois.id, task.edges.id, task.eval.id] for task in prompts]
    return digest(NUMERICS, checkpoint.weights_digest, asked, settings)


def assemble_graph(
    checkpoint: Checkpoint, attribution: EdgeAttribution, scores: tuple[TaskScore, ...], id_: str, study: Study, lens: Lens
) -> ComputationalGraph:
    """The immutable value that is published; its laws are checked here."""
    chosen = study.attribution
    provenance: Mapping[str, str] = {
        "path": chosen.path,
        "rule": chosen.rule,
        "steps": str(chosen.steps),
        "tolerance": repr(chosen.tolerance),
        "baseline": "corrupted",
        "dtype": chosen.dtype,
        "device": lens.device.type,
        "d_model": str(lens.W_E.shape[1]),
        "numerics": str(NUMERICS),
        "roicg": roicg.__version__,
    }
    return ComputationalGraph(id_, checkpoint, attribution.partition, attribution.edges, attribution.port_groups, scores, provenance)
