"""The chain in steps that leave files behind: what the Dagster assets call, each step once per ``model@step``.

::

    open_stage → signature_stage → partition_stage → edge_stage → publish_stage → analysis_stage
                                                        └ per model: comparison_stage · per study: report

A step finds its inputs by content id, does nothing when its result is already there, and returns figures for the UI.
The ids are those of :func:`roicg.build.build_graphs`. A :class:`~roicg.places.Place` names the study, model, checkpoint and home.
"""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from roicg import artifacts
from roicg.build import assemble_graph, attribute, find_signatures, graph_id, name_rois, runnable
from roicg.core.graph import ComputationalGraph, EdgeTable, FaithfulnessCurve
from roicg.core.ids import NUMERICS, digest
from roicg.core.partition import RoiPartition
from roicg.core.settings import Study
from roicg.places import Opened, Place, Progress, labels, open_place, reference_label
from roicg.store.protocol import Slot

if TYPE_CHECKING:
    from roicg.models.lens import Lens
    from roicg.store.neo4j.store import Neo4jStore


def open_stage(place: Place, progress: Progress | None = None) -> dict[str, Any]:
    """Load (or train up to) the checkpoint and score it; figures: accuracy per task, weights digest, pairs per split."""
    from roicg.models.scores import score_tasks

    opened = open_place(place, progress)
    figures: dict[str, Any] = {"weights_digest": opened.checkpoint.weights_digest, "step": opened.checkpoint.step}
    for score in score_tasks(opened.lens, opened.prompts):
        if score.split == "eval":
            figures[f"accuracy/{score.task}"] = score.accuracy
            figures[f"pairs/{score.task}"] = score.n
    return figures


def signature_stage(place: Place) -> dict[str, Any]:
    """Signatures of every site into a file; figures: id, sites, columns."""
    from safetensors.numpy import save_file

    opened = open_place(place)
    path = _signature_path(place, opened)
    if not path.exists():
        signatures = find_signatures(opened.lens, opened.prompts, place.study)
        artifacts.write_whole(path, lambda file: save_file({key: np.ascontiguousarray(value) for key, value in signatures.items()}, file))
    shapes = {key: value.shape for key, value in _load_signatures(path).items()}
    return {"signature_id": path.stem, "sites": len(shapes), "columns": max((shape[1] for shape in shapes.values()), default=0)}


def partition_stage(place: Place) -> dict[str, Any]:
    """The checkpoint's own ROIs into a file; figures: id, ROIs and modularity z per clustered site."""
    partition = own_rois(place)
    figures: dict[str, Any] = {"partition_id": partition.id, "rois": len(partition.rois)}
    for site, quality in partition.quality.items():
        figures[f"rois/{site}"] = quality.n_rois
        figures[f"z/{site}"] = min(quality.z_rotation, quality.z_shuffle)
        figures[f"above_null/{site}"] = quality.above_null
    return figures


def edge_stage(place: Place, progress: Progress | None = None) -> dict[str, Any]:
    """The graph of every partition into files, from one gradient pass; figures: edges, gap per task, steps, ids."""
    graphs = _graphs(place, progress)
    any_graph = next(iter(graphs.values()))
    figures: dict[str, Any] = {f"graph_id/{kind}": graph.id for kind, graph in graphs.items()}
    figures |= {f"edges/{kind}": len(graph.edges) * len(graph.edges.tasks) for kind, graph in graphs.items()}
    for task in any_graph.edges.tasks:
        books = [group for group in any_graph.port_groups if group.task == task]
        gaps = [abs(group.gap) for group in books if group.gap is not None]
        figures |= {
            f"largest_gap/{task}": max(gaps, default=0.0),
            f"exact_groups/{task}": sum(g.method == "exact" for g in books),
            f"steps/{task}": max(g.steps for g in books),
            f"incomplete/{task}": sum(not g.complete for g in books),
        }
    return figures


def publish_stage(place: Place, store: "Neo4jStore") -> dict[str, Any]:
    """Publish every graph of the checkpoint; figures: outcome and edges per partition."""
    figures: dict[str, Any] = {}
    for kind, graph in _graphs(place).items():
        result = store.put(graph, slot_of(place, graph))
        figures |= {f"outcome/{kind}": result.outcome, f"published_edges/{kind}": result.edges, f"content_hash/{kind}": result.content_hash}
    return figures


def slot_of(place: Place, graph: ComputationalGraph) -> Slot:
    """Where a graph of this place is published."""
    return Slot(
        study=place.study.study,
        model=place.model,
        label=graph.checkpoint.label,
        step=graph.checkpoint.step,
        partition=graph.partition.kind,
        path=place.study.attribution.path,
    )


def analysis_stage(place: Place, store: "Neo4jStore") -> dict[str, Any]:
    """φ(n) curves of the study's graphs, communities and roles of its own graph, added to the store; figures: areas, modularity, the smaller z."""
    from roicg.store.neo4j.analyses import find_communities, find_roles

    figures: dict[str, Any] = {}
    graphs = _graphs(place)
    for kind in [kind for kind in place.study.circuits.partitions if kind in graphs]:
        graph = graphs[kind]
        path = place.artifacts / "curves" / f"{digest(graph.id, place.study.circuits.changed())}.json"
        if not path.exists():
            artifacts.save_curves(path, _curves(place, graph))
        curves = artifacts.load_curves(path)
        store.put_curves(graph.id, curves)
        figures |= {f"area/{kind}/{c.task}/{c.selection}": c.area for c in curves if c.area is not None}
    if "own" in graphs:
        chosen = place.study.analysis
        asked: dict[str, Any] = {"task": None, "gamma": chosen.gamma, "null_samples": chosen.null_samples, "seed": chosen.seed}
        found = find_communities(store, graphs["own"].id, **asked)
        figures |= {"modularity": found.modularity, "modularity_z": found.nulls.counts.z, "communities": len(found.communities)}
        if chosen.roles:
            roles = find_roles(store, graphs["own"].id, **asked)
            figures |= {"roles_modularity": roles.modularity, "roles_z": roles.nulls.counts.z, "roles": len(roles.communities)}
    return figures


def _curves(place: Place, graph: ComputationalGraph) -> tuple[FaithfulnessCurve, ...]:
    """The curves of one graph; other paths that the study compares with rank its edges first, one attribution each."""
    from roicg.attribution.edges import attribute_edges
    from roicg.circuits.faithfulness import faithfulness_curves

    opened, study = open_place(place), place.study
    lens, graph = runnable_at(place, graph)
    rankings: dict[str, EdgeTable] = {}
    for path in ("clean", "inputs", "exact"):
        if path in study.circuits.selections:
            chosen = study.attribution.model_copy(update={"path": path, "rule": "left", "steps": 5, "fallback": "none", "group_effects": False})
            rankings[path] = attribute_edges(lens, opened.prompts, {"ranked": graph.partition}, chosen)["ranked"].edges
    return faithfulness_curves(lens, graph, opened.prompts, study.circuits, study.analysis.seed, rankings)


def runnable_at(place: Place, graph: ComputationalGraph) -> "tuple[Lens, ComputationalGraph]":
    """The model on which circuits and interventions of a graph of this place run, and the graph over its features."""
    opened = open_place(place)
    own = own_rois(place) if graph.partition.kind == "directions" else graph.partition
    return runnable(opened.lens, opened.prompts, own, graph, place.study)


def comparison_stage(study: Study, model: str, home: Path, store: "Neo4jStore", device: str = "cpu") -> dict[str, Any]:
    """ROI matches of the own graphs, added to the store: between consecutive checkpoints by shared features and by signature, and with the last
    checkpoint of every earlier model that has a task in common by signature; figures: matches, twins and p per pair.
    """
    from roicg.store.neo4j.analyses import match_by_signature, match_rois

    figures: dict[str, Any] = {}
    if "own" not in study.partitions:
        return figures
    places = [Place(study, model, label, home, device) for label, _ in labels(study, model)]
    graphs = [_graphs(place)["own"] for place in places]
    for before, after in pairwise(graphs):
        matches = match_rois(store, before.id, after.id)
        pair = f"{before.checkpoint.label}-{after.checkpoint.label}"
        alike = match_by_signature(store, before.id, after.id, seed=study.analysis.seed).verdict
        figures |= {f"matches/{pair}": len(matches.matches), f"twins/{pair}": alike.twins, f"p/{pair}": alike.p}
    for other in _earlier_with_a_task_of(study, model):
        last = _graphs(Place(study, other, labels(study, other)[-1][0], home, device))["own"]
        if last.id != graphs[-1].id:  # the same weights under two names have one graph
            alike = match_by_signature(store, last.id, graphs[-1].id, seed=study.analysis.seed).verdict
            figures |= {f"twins/{other}": alike.twins, f"p/{other}": alike.p}
    return figures


def _earlier_with_a_task_of(study: Study, model: str) -> list[str]:
    """Models before ``model`` in the study that share a task with it."""
    tasks = {task.name for task in study.tasks_of(study.model(model))}
    names = [one.name for one in study.models]
    return [name for name in names[: names.index(model)] if tasks & {task.name for task in study.tasks_of(study.model(name))}]


def own_rois(place: Place) -> RoiPartition:
    """The checkpoint's own partition, from its file or made now; the file is named by the tasks' names, too, which stand in its labels."""
    from roicg.models.sources import checkpoint_token_text

    opened = open_place(place)
    signature = _signature_path(place, opened)
    path = place.artifacts / "partitions" / f"{digest(signature.stem, place.study.rois.changed(), [task.task for task in opened.prompts])}.json"
    if not path.exists():
        if not signature.exists():
            signature_stage(place)
        token_text = checkpoint_token_text(place.settings, place.label, place.study.folder)
        partition = name_rois(opened.lens, _load_signatures(signature), opened.prompts, place.study, token_text)
        artifacts.save_json(path, artifacts.partition_to_json(partition))
    return artifacts.partition_from_json(artifacts.load_json(path))


def planned_graph_ids(place: Place, progress: Progress | None = None) -> dict[Any, str]:
    """The graph id of every partition kind before any graph is made: it needs the weights (trained if missing) and the prompts only."""
    key = place.key
    if key not in _PLANNED:
        kept = _plan_path(place)
        if kept is not None and kept.exists():
            _PLANNED[key] = artifacts.load_json(kept)
        else:
            _PLANNED[key] = _plan(place, progress)
            kept = _plan_path(place)
            if kept is not None:
                artifacts.save_json(kept, _PLANNED[key])
    return dict(_PLANNED[key])


def _plan(place: Place, progress: Progress | None) -> dict[Any, str]:
    opened = open_place(place, progress)
    reference = place.at(reference_label(place.study, place.model))
    origin = open_place(reference, progress).checkpoint if "reference" in place.study.partitions else opened.checkpoint
    return {kind: graph_id(opened.checkpoint, opened.prompts, place.study, kind, origin) for kind in place.study.partitions}


def _plan_path(place: Place) -> Path | None:
    """Where the ids are kept from one process to the next: named by the bytes of weights and prompt files, and by roicg's own code."""
    from roicg.models.fingerprint import checkpoint_fingerprint, prompts_fingerprint

    study, reference = place.study, reference_label(place.study, place.model)
    marks = [checkpoint_fingerprint(place.settings, label, study.folder, place.artifacts) for label in (place.label, reference)]
    marks += [prompts_fingerprint(task, study.folder) for task in study.tasks_of(place.settings)]
    code = sorted((file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in Path(__file__).parent.rglob("*.py"))
    return None if None in marks else place.artifacts / "plans" / f"{digest(place.key, marks, code)}.json"


_PLANNED: dict[str, dict[Any, str]] = {}
"""Asked for by every stage of a checkpoint; opening it again each time would cost more than the stage."""


def question_id(place: Place) -> str:
    """Hash of everything that the analyses of this checkpoint depend on: equal ids, equal answers."""
    study = place.study
    return digest(NUMERICS, planned_graph_ids(place), study.circuits.changed(), study.analysis.changed())


def graphs_of(place: Place) -> dict[Any, ComputationalGraph]:
    """Every graph of the checkpoint by partition kind, from files or made now."""
    return _graphs(place)


def _graphs(place: Place, progress: Progress | None = None) -> dict[Any, ComputationalGraph]:
    """Every graph of the checkpoint by partition kind, from files or made now."""
    paths = {kind: place.artifacts / "graphs" / f"{id_}.safetensors" for kind, id_ in planned_graph_ids(place).items()}
    if not all(path.exists() for path in paths.values()):
        _attribute(place, open_place(place), place.at(reference_label(place.study, place.model)), paths, progress)
    return {kind: _of(place, artifacts.load_graph(path)) for kind, path in paths.items()}


def _of(place: Place, graph: ComputationalGraph) -> ComputationalGraph:
    """``graph`` as this place's own: its file goes by weights and questions, which another model of the study may share."""
    step = dict(labels(place.study, place.model))[place.label]
    return replace(graph, checkpoint=replace(graph.checkpoint, model=place.model, label=place.label, step=step))


def _attribute(place: Place, opened: Opened, reference: Place, paths: dict[Any, Path], progress: Progress | None) -> None:
    from roicg.models.scores import score_tasks

    shared = own_rois(reference) if "reference" in paths else None
    attributions = attribute(opened.lens, opened.prompts, own_rois(place), tuple(paths), place.study, shared, progress)
    scores = score_tasks(opened.lens, opened.prompts)
    for kind, path in paths.items():
        artifacts.save_graph(path, assemble_graph(opened.checkpoint, attributions[kind], scores, path.stem, place.study, opened.lens))


def _signature_path(place: Place, opened: Opened) -> Path:
    """Named by what determines the signature: weights, prompts, kind and seed; for node scores the metrics, too."""
    rois, dtype = place.study.rois, place.study.attribution.dtype
    asked = [[task.rois.id, task.metric] if rois.signature == "attribution" else [task.rois.id] for task in opened.prompts]
    return place.artifacts / "signatures" / f"{digest(NUMERICS, opened.checkpoint.weights_digest, asked, rois.signature, rois.seed, dtype)}.safetensors"


def _load_signatures(path: Path) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return dict(load_file(path))
