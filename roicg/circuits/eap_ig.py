"""A graph from the JSON of EAP-IG (``Graph.to_json``), which is also what MIB's circuit track takes.

1. ``cfg`` says layers and heads; from them follow the nodes, and the file must list exactly those: ``input``, ``a{l}.h{h}``,
   ``m{l}``, ``logits``. Nodes are ``{"in_graph": …}``, or in files of before 2025 a bare true or false.
2. Edges are ``source->target``, for heads ``source->target<q>``; each with its ``score``. An edge that the order of the stream
   forbids, a score that is missing or not finite, a name that is there twice: refused by name.
3. Nodes become the ROIs of partition ``components``, scores become weights as they are: EAP-IG scores a loss and takes
   corrupted − clean, so that positive means helps in both. Its scores may carry a factor 1/batch; that is kept, and said.

The file knows no error over examples, no mean |weight|, no port group: ``se`` is 0, ``mean_abs`` is |weight|, there are no port
groups and no scores of the checkpoint. An MLP counts as one feature unless its width is told.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from roicg.core.errors import RoicgError
from roicg.core.graph import Checkpoint, ComputationalGraph, EdgeTable, PathName
from roicg.core.ids import NUMERICS, digest
from roicg.core.partition import Roi, RoiPartition
from roicg.core.rank import rank_edges
from roicg.core.sites import transformer_sites

PATHS: tuple[PathName, ...] = get_args(PathName)
OURS = "roicg"
"""Key of what our own export adds: EAP-IG leaves it unread."""
UNKNOWN_WEIGHTS = "unknown"

_EDGE = re.compile(r"([a-z0-9.]+)->([a-z0-9.]+)(?:<([qkv])>)?")
_CFG = ("n_layers", "n_heads", "parallel_attn_mlp")
End = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class EapIgFile:
    """One file as read: its configuration, scores by (source, target, port) under ROI names, and what our own export told besides."""

    cfg: Mapping[str, Any]
    has_mlps: bool
    scores: Mapping[End, float]
    in_graph: int
    left_out: tuple[str, ...]
    told: Mapping[str, str]

    @property
    def shape(self) -> tuple[int, int, bool, bool]:
        """Layers, heads, whether blocks are parallel, whether there are MLPs."""
        return self.cfg["n_layers"], self.cfg["n_heads"], bool(self.cfg.get("parallel_attn_mlp", False)), self.has_mlps


def looks_like_eap_ig(start: str) -> bool:
    """Whether text that begins with ``start`` is a JSON object: the only kind of file, besides bundles, that is imported."""
    return start.lstrip("\ufeff \t\r\n").startswith("{")


def read_eap_ig(text: str, where: str) -> EapIgFile:
    """The file ``text``; a ``RoicgError`` says what in it is not EAP-IG's."""
    value = _json(text, where)
    if (
        not isinstance(value, dict)
        or not {"cfg", "nodes", "edges"} <= value.keys()
        or not all(isinstance(value[key], dict) for key in ("cfg", "nodes", "edges"))
    ):
        known = f"a {value['format']} of roicg" if isinstance(value, dict) and isinstance(value.get("format"), str) else "JSON"
        raise RoicgError(f"{where} is {known:.60} but neither a study bundle nor an EAP-IG graph, which has the keys cfg, nodes and edges")
    cfg = _cfg(value["cfg"], where)
    _check_nodes(value["nodes"], cfg, where)
    scores: dict[End, float] = {}
    marked = 0
    for name, edge in value["edges"].items():
        end = _end(name, value["nodes"], where)
        if (
            not isinstance(edge, dict)
            or isinstance(edge.get("score"), bool)
            or not isinstance(edge.get("score"), int | float)
            or not math.isfinite(edge["score"])
        ):
            raise RoicgError(f"{where}: edge {name!r:.60} has no finite score; only graphs with a score on every edge are imported")
        scores[end] = float(edge["score"])
        marked += edge.get("in_graph") is True
    if not scores:
        raise RoicgError(f"{where}: has no edge")
    left_out = sorted({key for node in value["nodes"].values() if isinstance(node, dict) for key in node} - {"in_graph"})
    told = value.get(OURS, {})
    return EapIgFile(
        cfg, "m0" in value["nodes"], scores, marked, tuple(left_out), {k: v for k, v in told.items() if isinstance(v, str)} if isinstance(told, dict) else {}
    )


def eap_ig_graph(files: Mapping[str, EapIgFile], checkpoint: Checkpoint, *, path: str | None = None, d_mlp: int | None = None) -> ComputationalGraph:
    """One graph of the files of one model, by task; ``path`` defaults to what the files say, else ``inputs``, ``d_mlp`` to 1 (the whole MLP)."""
    first = next(iter(files.values()))
    for task, file in files.items():
        if file.shape != first.shape or file.scores.keys() != first.scores.keys():
            raise RoicgError(
                f"the file of task {task!r} has another shape or other edges than that of {next(iter(files))!r}; import them as models of their own"
            )
    layers, heads, parallel, has_mlps = first.shape
    told = first.told.get("d_mlp", "")
    width = (d_mlp or (int(told) if told.isdecimal() and 0 < int(told[:9]) < 10**7 else 1)) if has_mlps else 0
    partition = _components(layers, heads, width, parallel)
    index = {roi.key: i for i, roi in enumerate(partition.rois)}
    ends = sorted(first.scores, key=lambda end: (index[end[0]], index[end[1]], end[2]))
    weight = np.array([[file.scores[end] for end in ends] for file in files.values()], dtype=np.float64)
    sources, targets, ports = ([end[i] for end in ends] for i in range(3))
    table = EdgeTable(
        tuple(files),
        np.array([index[key] for key in sources], dtype=np.int64),
        np.array([index[key] for key in targets], dtype=np.int64),
        tuple(ports),
        weight,
        np.zeros_like(weight),
        np.abs(weight),
        rank_edges(weight, sources, targets, ports),
    )
    chosen = _path(path, files)
    question = {task: [list(file.shape), dict(file.cfg), [[*end, file.scores[end]] for end in ends]] for task, file in files.items()}
    provenance = {
        "path": chosen,
        "source": "EAP-IG json",
        "weights": "scores of the file as they are; they may carry a factor 1/batch",
        "se": "not in the file: 0",
        "cfg": json.dumps(dict(first.cfg), sort_keys=True),
        "numerics": str(NUMERICS),
    } | {f"in_graph.{task}": str(file.in_graph) for task, file in files.items()}
    if isinstance(first.cfg.get("d_model"), int):
        provenance["d_model"] = str(first.cfg["d_model"])
    return ComputationalGraph(digest("eap-ig", question, chosen, width), checkpoint, partition, table, (), (), provenance)


def _path(path: str | None, files: Mapping[str, EapIgFile]) -> PathName:
    told = {file.told["path"] for file in files.values() if "path" in file.told}
    chosen = path or (told.pop() if len(told) == 1 else "inputs")
    for known in PATHS:
        if chosen == known:
            return known
    raise RoicgError(f"path {chosen!r:.40} is none of {', '.join(PATHS)}; name the one the scores were computed by with --path")


def _cfg(cfg: dict[str, Any], where: str) -> dict[str, Any]:
    for name in _CFG[:2]:
        if isinstance(cfg.get(name), bool) or not isinstance(cfg.get(name), int) or cfg[name] < 1:
            raise RoicgError(f"{where}: cfg.{name} must be a whole number of at least 1, given {cfg.get(name)!r:.40}")
    if not isinstance(cfg.get(_CFG[2], False), bool):
        raise RoicgError(f"{where}: cfg.{_CFG[2]} must be true or false, given {cfg[_CFG[2]]!r:.40}")
    return cfg


def _check_nodes(nodes: dict[str, Any], cfg: dict[str, Any], where: str) -> None:
    layers, heads = cfg["n_layers"], cfg["n_heads"]
    if len(nodes) not in (2 + layers * heads, 2 + layers * (heads + 1)):  # asked before they are named: a cfg may claim anything
        raise RoicgError(f"{where}: lists {len(nodes)} nodes, and {layers} layers of {heads} heads have {2 + layers * (heads + 1)}")
    expected = {"input", "logits"} | {f"a{layer}.h{head}" for layer in range(layers) for head in range(heads)}
    if len(nodes) > len(expected):
        expected |= {f"m{layer}" for layer in range(layers)}
    if odd := sorted(nodes.keys() ^ expected):
        raise RoicgError(f"{where}: node {odd[0]!r:.60} is {'missing' if odd[0] in expected else 'none of this model'}")


def _end(name: str, nodes: Mapping[str, Any], where: str) -> End:
    """(source, target, port) under ROI names."""
    match = _EDGE.fullmatch(name)
    if match is None or match[1] not in nodes or match[2] not in nodes or (match[3] is None) != (not match[2].startswith("a")):
        raise RoicgError(f"{where}: {name!r:.60} is no edge; edges are source->target, and source->head<q>, <k> or <v>")
    return _roi(match[1]), _roi(match[2]), match[3] or "in"


def _roi(node: str) -> str:
    return "tok" if node == "input" else node


def _components(layers: int, heads: int, d_mlp: int, parallel: bool) -> RoiPartition:
    """One ROI per head and per MLP, under the names that partition ``components`` gives them everywhere."""
    sites = transformer_sites(layers, heads, d_mlp, parallel=parallel)
    rois: list[Roi] = []
    for site in sites:
        if site.kind == "attention":
            rois += [Roi(f"{site.key}.h{head}", site.key, site.layer, site.kind, (head,)) for head in range(site.n_features)]
        else:
            rois.append(Roi(site.key, site.key, site.layer, site.kind, tuple(range(site.n_features))))
    return RoiPartition("components", sites, tuple(rois))


def _json(text: str, where: str) -> Any:
    def once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            raise RoicgError(f"{where}: {next(name for name in names if names.count(name) > 1)!r:.60} is there twice")
        return found

    def refuse(word: str) -> Any:
        raise RoicgError(f"{where}: holds {word}, which is no number")

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise RoicgError(f"{where} is not JSON ({error})") from error
