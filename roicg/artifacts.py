"""Files between the stages: partitions, graphs and curves by content id, written whole or not at all, never pickle.

Layout under ``$ROICG_HOME/artifacts``: ``partitions/<id>.json``, ``graphs/<id>.safetensors`` (columns as arrays, the rest
as JSON in the header), ``curves/<id>.json``, ``plans/<fingerprint>.json`` (graph ids of a checkpoint).
"""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from roicg.core.errors import RoicgError
from roicg.core.graph import Checkpoint, ComputationalGraph, EdgeTable, FaithfulnessCurve, PortGroupEffect, TaskScore
from roicg.core.partition import Roi, RoiPartition, SiteQuality
from roicg.core.sites import Site

COLUMNS = ("source", "target", "weight", "se", "mean_abs", "rank")


def write_whole(path: Path, write: Callable[[Path], object]) -> Path:
    """Let ``write`` fill a temporary file beside ``path``, sync it to disk and rename it: a reader sees all of it or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        with temporary.open("rb") as handle:
            os.fsync(handle.fileno())
        temporary.replace(path)
    except OSError as error:
        raise RoicgError(f"cannot write {path}: {error.strerror or error}; free some disk space or set ROICG_HOME to another folder") from error
    finally:
        temporary.unlink(missing_ok=True)
    return path


def save_json(path: Path, value: Any) -> Path:
    """``value`` as JSON, whole or not at all."""
    return write_whole(path, lambda file: file.write_text(json.dumps(value, allow_nan=False), encoding="utf-8"))


def load_json(path: Path) -> Any:
    """What :func:`save_json` wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


def partition_to_json(partition: RoiPartition) -> dict[str, Any]:
    """All fields of a partition."""
    return asdict(partition)


def partition_from_json(data: dict[str, Any]) -> RoiPartition:
    """The partition :func:`partition_to_json` was given; its laws are checked again."""
    return RoiPartition(
        kind=data["kind"],
        sites=tuple(Site(**site) for site in data["sites"]),
        rois=tuple(Roi(**{**roi, "members": tuple(roi["members"])}) for roi in data["rois"]),
        settings=data["settings"],
        quality={site: SiteQuality(**quality) for site, quality in data["quality"].items()},
    )


def save_graph(path: Path, graph: ComputationalGraph) -> Path:
    """A graph as safetensors: numbers bit for bit."""
    from safetensors.numpy import save_file

    header = {
        "id": graph.id,
        "checkpoint": asdict(graph.checkpoint),
        "partition": partition_to_json(graph.partition),
        "tasks": graph.edges.tasks,
        "port": graph.edges.port,
        "port_groups": [asdict(group) for group in graph.port_groups],
        "scores": [asdict(score) for score in graph.scores],
        "provenance": dict(graph.provenance),
    }
    columns = {name: np.ascontiguousarray(getattr(graph.edges, name)) for name in COLUMNS}
    return write_whole(path, lambda file: save_file(columns, file, metadata={"graph": json.dumps(header, allow_nan=False)}))


def load_graph(path: Path) -> ComputationalGraph:
    """The graph :func:`save_graph` was given; its laws are checked again."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["graph"])
        columns = {name: file.get_tensor(name) for name in COLUMNS}
    return ComputationalGraph(
        id=header["id"],
        checkpoint=Checkpoint(**header["checkpoint"]),
        partition=partition_from_json(header["partition"]),
        edges=EdgeTable(tasks=tuple(header["tasks"]), port=tuple(header["port"]), **columns),
        port_groups=tuple(PortGroupEffect(**group) for group in header["port_groups"]),
        scores=tuple(TaskScore(**score) for score in header["scores"]),
        provenance=header["provenance"],
    )


def save_curves(path: Path, curves: Sequence[FaithfulnessCurve]) -> Path:
    """Faithfulness curves as JSON."""
    return save_json(path, [asdict(curve) for curve in curves])


def load_curves(path: Path) -> tuple[FaithfulnessCurve, ...]:
    """The curves :func:`save_curves` was given."""
    return tuple(_curve(row) for row in load_json(path))


def _curve(row: dict[str, Any]) -> FaithfulnessCurve:
    columns: Any = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return FaithfulnessCurve(**columns)
