"""The report's data as the small JSON that its page draws from: ROIs by index, edges as rows."""

import json
from dataclasses import asdict
from typing import Any

from roicg.report.data import FAITHFUL, CheckpointShown, Curve, GraphShown, ModelShown, ReportData
from roicg.store.registry import Query, catalogue

QUERIES = (
    "circuits.circuit",
    "circuits.faithfulness",
    "circuits.least_edges",
    "compare.emergence",
    "findings.tables",
    "structure.communities",
    "structure.modularity_by_checkpoint",
    "structure.port_groups",
    "structure.rois",
    "tasks.scores",
)
"""Whose text travels in the page."""
DIGITS = 5


def payload(data: ReportData) -> dict[str, Any]:
    """Everything the page draws, JSON-able."""
    known = catalogue()
    return {
        "study": data.study,
        "faithful": FAITHFUL,
        "models": [_model(model) for model in data.models],
        "queries": {name: _query(known[name]) for name in QUERIES},
    }


def to_script(value: Any) -> str:
    """JSON that is safe inside ``<script>``: no ``<``, ``>``, ``&`` or line separator of JavaScript is left as it is; NaN is an error."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _query(query: Query) -> dict[str, Any]:
    return {"sentence": query.sentence, "text": query.text, "params": {field.name: field.default for field in query.params}}


def _model(model: ModelShown) -> dict[str, Any]:
    return {
        "name": model.name,
        "tasks": list(model.tasks),
        "partitions": list(model.partitions),
        "checkpoints": [_checkpoint(checkpoint, model) for checkpoint in model.checkpoints],
        "emergence": {kind: [asdict(row) for row in rows] for kind, rows in model.emergence.items()},
    }


def _checkpoint(checkpoint: CheckpointShown, model: ModelShown) -> dict[str, Any]:
    return {
        "label": checkpoint.label,
        "step": checkpoint.step,
        "scores": {score.task: asdict(score) for score in checkpoint.scores},
        "graphs": {kind: _graph(graph, model) for kind, graph in checkpoint.graphs.items()},
    }


def _graph(graph: GraphShown, model: ModelShown) -> dict[str, Any]:
    index = {roi.name: i for i, roi in enumerate(graph.rois)}
    return {
        "slot": graph.slot,
        "edges": graph.n_edges,
        "rois": [[roi.name, roi.site, roi.kind, roi.size, roi.label] for roi in graph.rois],
        "circuits": {
            task: [[index[e.source], index[e.target], e.port, short(e.weight), short(e.se), e.rank] for e in edges] for task, edges in graph.edges.items()
        },
        "curves": {task: {curve.selection: _curve(curve) for curve in graph.curves if curve.task == task} for task in model.tasks},
        "divisions": [asdict(division) for division in graph.divisions],
    }


def _curve(curve: Curve) -> dict[str, Any]:
    points = [[p.n_edges, *map(short, (p.phi, p.low, p.high, p.complement, p.features, p.parameters))] for p in curve.points]
    areas = {"area": short(curve.area), "cpr": short(curve.cpr), "cmd": short(curve.cmd)}
    return {"total": curve.total, "points": points, **areas, "reason": curve.reason, "n": curve.n_examples, "solved": curve.solved}


def short(value: float | None) -> float | None:
    """``value`` to so many digits as a picture or a table shows."""
    return None if value is None else float(f"{value:.{DIGITS}g}")
