"""A circuit as a file for other programs: our JSON with every number, GraphML, the JSON of EAP-IG, and a drawing for Graphviz.

Sign and orientation stay as everywhere: weight > 0 means that the clean value of the source, through the target, raises
the metric; edges go from source to target. EAP-IG scores with a loss (−logit difference) and takes corrupted − clean, so
its scores have our sign: positive = the edge helps.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
from jaxtyping import Int

from roicg.circuits.select import circuit_edges
from roicg.core.errors import RoicgError
from roicg.core.graph import ComputationalGraph
from roicg.core.partition import Roi

FORMAT, VERSION = "roicg-circuit", 1
SIGN = "weight > 0: the clean value of the source, through the target, raises the metric compared with the corrupted value"
GRAPHML = "http://graphml.graphdrawing.org/xmlns"
PLUS, MINUS = "#0b62b0", "#c8560a"  # the report's colours of weight > 0 and < 0

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def edge_rows(graph: ComputationalGraph, task: str, chosen: Int[np.ndarray, " n"]) -> list[dict[str, Any]]:
    """The edges ``chosen`` as rows of ROI keys, port, weight, strength, se, mean_abs (metric units) and rank (1 = strongest of all edges)."""
    edges, rois, t = graph.edges, graph.partition.rois, graph.edges.task_index(task)
    return [
        {
            "source": rois[int(edges.source[e])].key,
            "target": rois[int(edges.target[e])].key,
            "port": edges.port[e],
            "weight": float(edges.weight[t, e]),
            "strength": abs(float(edges.weight[t, e])),
            "se": float(edges.se[t, e]),
            "mean_abs": float(edges.mean_abs[t, e]),
            "rank": int(edges.rank[t, e]),
        }
        for e in chosen.tolist()
    ]


def circuit_json(graph: ComputationalGraph, task: str, n: int) -> str:
    """The pruned circuit of the n strongest edges, with the site and member features of every ROI, as JSON text."""
    chosen = circuit_edges(graph, task, n)
    value = {
        "format": FORMAT,
        "version": VERSION,
        "sign": SIGN,
        "graph": _about(graph),
        "task": task,
        "scores": [asdict(score) for score in graph.scores if score.task == task],
        "circuit": {"asked": n, "kept": len(chosen), "total": len(graph.edges)},
        "sites": [{"site": s.key, "kind": s.kind, "layer": s.layer, "n_features": s.n_features} for s in graph.partition.sites],
        "rois": _roi_rows(graph, task, chosen),
        "edges": edge_rows(graph, task, chosen),
        "port_groups": [asdict(group) for group in graph.port_groups if group.task == task],
    }
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)


def circuit_graphml(graph: ComputationalGraph, task: str, n: int) -> str:
    """The same circuit as GraphML text: ROIs of the circuit as nodes, one edge per (source, target, port)."""
    chosen = circuit_edges(graph, task, n)
    rois = [{**row, "members": json.dumps(row["members"])} for row in _roi_rows(graph, task, chosen) if row["in_circuit"]]
    edges = edge_rows(graph, task, chosen)
    about = {**_about(graph), "task": task, "sign": SIGN, "asked": n}
    root = ET.Element("graphml", {"xmlns": GRAPHML})
    body = ET.Element("graph", {"edgedefault": "directed", "id": graph.id})
    for name, value in about.items():
        _data(root, body, "graph", name, value)
    for row in rois:
        node = ET.SubElement(body, "node", {"id": _text(row["name"])})
        for name, value in row.items():
            _data(root, node, "node", name, value)
    for row in edges:
        ends = {"id": f"{row['source']}->{row['target']}<{row['port']}>", "source": row["source"], "target": row["target"]}
        edge = ET.SubElement(body, "edge", {name: _text(value) for name, value in ends.items()})
        for name, value in row.items():
            if name not in ends:
                _data(root, edge, "edge", name, value)
    root.append(body)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def circuit_eap_ig(graph: ComputationalGraph, task: str, n: int) -> str:
    """All edges with their scores, those of the pruned circuit marked ``in_graph``, as the JSON that EAP-IG's ``Graph.from_json`` reads.

    Its nodes are heads and whole MLPs, so a partition with other ROIs is a ``RoicgError``. ``d_model`` (0 = unknown) only
    sizes its neuron masks, which are not exported. EAP-IG leaves the key ``roicg`` unread; :mod:`roicg.circuits.eap_ig` reads it.
    """
    names = _eap_names(graph)
    chosen = set(circuit_edges(graph, task, n).tolist())
    edges, t = graph.edges, graph.edges.task_index(task)
    used = {int(end) for e in chosen for end in (edges.source[e], edges.target[e])}
    sites = graph.partition.sites
    attention = [site for site in sites if site.kind == "attention"]
    parallel = any(m.kind == "mlp" and m.reads_at == a.reads_at for a in attention for m in sites)
    rows = {
        f"{names[int(edges.source[e])]}->{names[int(edges.target[e])]}" + (f"<{edges.port[e]}>" if edges.port[e] in "qkv" else ""): {
            "score": float(edges.weight[t, e]),
            "in_graph": e in chosen,
        }
        for e in range(len(edges))
    }
    cfg = json.loads(graph.provenance.get("cfg", "{}")) | {
        "n_layers": len(attention),
        "n_heads": attention[0].n_features if attention else 0,
        "parallel_attn_mlp": parallel,
        "d_model": int(graph.provenance.get("d_model", 0)),
    }
    nodes = {name: {"in_graph": index in used or name == "logits"} for index, name in names.items()}
    mlp = next((site.n_features for site in sites if site.kind == "mlp"), 0)
    one = graph.checkpoint
    told = {"task": task, "model": one.model, "checkpoint": one.label, "path": graph.provenance.get("path", ""), "d_mlp": str(mlp)}
    return json.dumps({"cfg": cfg, "nodes": nodes, "edges": rows, "roicg": told}, indent=1, allow_nan=False)


def circuit_dot(graph: ComputationalGraph, task: str, n: int) -> str:
    """The pruned circuit as a drawing for Graphviz, the input below and the logits above.

    One edge per (source, target, port): blue where its weight is > 0, else orange, as wide as its strength beside the strongest's;
    its label is port and weight, its tooltip every number. ROIs with a label show it below their key.
    """
    chosen = circuit_edges(graph, task, n)
    rows = edge_rows(graph, task, chosen)
    most = max((row["strength"] for row in rows), default=0.0) or 1.0
    lines = [f"digraph {_quoted(graph.id)} {{", f"  label={_quoted(f'{graph.checkpoint.model}@{graph.checkpoint.label}: {task}')} rankdir=BT node [shape=box];"]
    lines += [
        f"  {_quoted(row['name'])} [label={_quoted(row['name'] if not row['label'] else row['name'] + chr(10) + row['label'])}];"
        for row in _roi_rows(graph, task, chosen)
        if row["in_circuit"]
    ]
    for row in rows:
        told = ", ".join(f"{name} {row[name]!r}" for name in ("weight", "se", "mean_abs", "rank"))
        drawn = f"color={_quoted(PLUS if row['weight'] > 0 else MINUS)} penwidth={0.5 + 4 * row['strength'] / most:.2f}"
        label = _quoted(f"{row['port']} {row['weight']:+.3g}")
        lines.append(f"  {_quoted(row['source'])} -> {_quoted(row['target'])} [label={label} tooltip={_quoted(told)} {drawn}];")
    return "\n".join([*lines, "}"]) + "\n"


EXPORTS: Mapping[str, Callable[[ComputationalGraph, str, int], str]] = {
    "json": circuit_json,
    "graphml": circuit_graphml,
    "eap-ig": circuit_eap_ig,
    "dot": circuit_dot,
}


def _about(graph: ComputationalGraph) -> dict[str, Any]:
    one = graph.checkpoint
    ids = {"id": graph.id, "content_hash": graph.content_hash, "model": one.model, "label": one.label, "step": one.step, "weights_digest": one.weights_digest}
    return {**ids, "partition": graph.partition.kind, "partition_id": graph.partition.id, **{f"provenance.{k}": v for k, v in graph.provenance.items()}}


def _roi_rows(graph: ComputationalGraph, task: str, chosen: Int[np.ndarray, " n"]) -> list[dict[str, Any]]:
    used = {*graph.edges.source[chosen].tolist(), *graph.edges.target[chosen].tolist()}
    inflow, outflow = graph.inflow(task), graph.outflow(task)
    return [
        {
            "name": roi.key,
            "site": roi.site,
            "layer": roi.layer,
            "kind": roi.kind,
            "members": list(roi.members),
            "size": roi.size,
            "label": roi.label,
            "is_rest": roi.is_rest,
            "inflow": float(inflow[i]),
            "outflow": float(outflow[i]),
            "in_circuit": i in used,
        }
        for i, roi in enumerate(graph.partition.rois)
    ]


def _data(root: ET.Element, owner: ET.Element, domain: str, name: str, value: Any) -> None:
    """One typed value; the first of its name declares its key. A missing value is left out."""
    if value is None:
        return
    kind = "boolean" if isinstance(value, bool) else "long" if isinstance(value, int) else "double" if isinstance(value, float) else "string"
    key = f"{domain}.{name}"
    if root.find(f"key[@id='{key}']") is None:
        ET.SubElement(root, "key", {"id": key, "for": domain, "attr.name": name, "attr.type": kind})
    ET.SubElement(owner, "data", {"key": key}).text = ("true" if value else "false") if isinstance(value, bool) else _text(value)


def _text(value: Any) -> str:
    """Text that XML can hold: characters it forbids become U+FFFD."""
    return _NOT_XML.sub("\ufffd", repr(value) if isinstance(value, float) else str(value))


def _quoted(text: str) -> str:
    """A string of the DOT language that is shown as ``text``: Graphviz itself reads backslashes, line ends and HTML's entities."""
    shown = _text(text).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return '"' + shown.replace("\r", "").replace("\n", "\\n") + '"'


def _eap_names(graph: ComputationalGraph) -> dict[int, str]:
    sizes = {site.key: site.n_features for site in graph.partition.sites}
    names = {i: _eap_name(roi, sizes[roi.site]) for i, roi in enumerate(graph.partition.rois) if roi.size}
    odd = [graph.partition.rois[i].key for i, name in names.items() if not name]
    if odd:
        raise RoicgError(
            f"the EAP-IG format knows heads and whole MLPs only, and partition {graph.partition.kind!r} has {', '.join(odd[:3])}"
            f"{' …' if len(odd) > 3 else ''}; export --partition components, or use --export json"
        )
    return {i: str(name) for i, name in names.items()}


def _eap_name(roi: Roi, n_features: int) -> str | None:
    """EAP-IG's name of a component; None for an ROI it has no name for."""
    if roi.kind == "attention":
        return f"a{roi.layer}.h{roi.members[0]}" if roi.size == 1 else None
    if roi.size != n_features:
        return None
    return {"tok": "input", "logits": "logits"}.get(roi.kind) or f"m{roi.layer}"
