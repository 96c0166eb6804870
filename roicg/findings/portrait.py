"""A checkpoint in numbers: what its graph is like, task by task and as a whole; what findings over training and over size compare."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from roicg import stages
from roicg.core.graph import ComputationalGraph
from roicg.core.partition import PartitionKind
from roicg.core.tables import Cell, spread
from roicg.findings.finding import Row
from roicg.places import Place

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore

FAITHFUL = 0.9


def portrait(place: Place, store: "Neo4jStore", kind: PartitionKind) -> tuple[list[dict[str, Cell]], dict[str, Cell]]:
    """One row per task of the graph under partition ``kind``, and one for the checkpoint; figures of circuits and communities come from the store.

    Per task: accuracy (split ``eval``), edges, the least that keep φ ≥ .9, area, greatest hub with its share of all strength,
    path length. Per checkpoint: ROIs of its MLPs, sites above their null, communities of the mixture with Q and z.
    """
    graphs: dict[Any, ComputationalGraph] = stages.graphs_of(place)
    graph = graphs[kind]
    slot = stages.slot_of(place, graph).key
    least = {row["task"]: row for row in store.run("circuits.least_edges", slot=slot, faithfulness=FAITHFUL)}
    return [_of_task(graph, task, least.get(task, {}), store, slot) for task in graph.edges.tasks], _of_checkpoint(place, graphs, store)


def _of_task(graph: ComputationalGraph, task: str, least: Mapping[str, Any], store: "Neo4jStore", slot: str) -> dict[str, Cell]:
    from roicg.circuits.shape import mean_path_length

    score = next(score for score in graph.scores if score.split == "eval" and score.task == task)
    hubs = store.run("circuits.hubs", slot=slot, task=task, edges=len(graph.edges), limit=1)
    curve = [row for row in store.run("circuits.faithfulness", slot=slot, task=task) if row["selection"] == "weight"]
    strength = float(np.abs(graph.edges.weight[graph.edges.task_index(task)]).sum())
    return {
        "task": task,
        "accuracy": score.accuracy,
        "solved": score.solved,
        "edges": len(graph.edges),
        "least": least.get("n_edges"),
        "area": curve[0]["area"] if curve else None,
        "hub": hubs[0]["roi"] if hubs else None,
        "hub_share": float(hubs[0]["through"]) / strength if hubs and strength > 0 else None,
        "length": mean_path_length(graph, task),
    }


def _of_checkpoint(place: Place, graphs: Mapping[Any, ComputationalGraph], store: "Neo4jStore") -> dict[str, Cell]:
    own = graphs["own"]
    divided = [row for row in store.run("structure.communities", slot=stages.slot_of(place, own).key) if row["task"] == "(mixture)"]
    quality = own.partition.quality.values()
    return {
        "rois": sum(roi.kind == "mlp" and not roi.is_rest for roi in own.partition.rois),
        "above_null": sum(one.above_null for one in quality),
        "sites": len(own.partition.quality),
        "communities": len(divided),
        "modularity": divided[0]["modularity"] if divided else None,
        "z": divided[0]["z"] if divided else None,
    }


def over(cells: Iterable[Cell]) -> str:
    """Mean and range of the cells that hold numbers."""
    return spread([float(cell) for cell in cells if isinstance(cell, int | float) and not isinstance(cell, bool)])


def least_share(row: Row) -> float | None:
    """The least edges at φ ≥ .9 as a share of all, None where no measured circuit keeps so much."""
    return float(row["least"]) / float(row["edges"]) if isinstance(row["least"], int) and isinstance(row["edges"], int) else None
