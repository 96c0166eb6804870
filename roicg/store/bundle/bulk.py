"""Node and relationship files for ``neo4j-admin database import``: typed headers, every string quoted, nothing lost but empty lists.

1. One file per label and per relationship type. The columns of each are written down here: a property that is not is an error,
   so that nothing is left behind unnoticed.
2. Nodes are named by whole numbers of their own (``:ID``), which the database does not keep.
3. Strings are always in quotes, with quotes doubled, and may hold line ends; a missing value is an empty field. Items of lists are
   parted by U+001F. Floats are the shortest text that is the same number.
4. ``neo4j-admin`` reads an empty list as a missing value, and so does it a list of one empty string: the first is put back by
   ``after.cypher``, the second is refused here.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from roicg.core.errors import StoreError

ITEM = "\x1f"
_VERDICT = {"task": "string", "gamma": "double", "edges": "long", "modularity": "double", "nearest_null": "string", "above_null": "boolean"} | dict.fromkeys(
    ("null_mean", "null_sd", "z", "p", *(f"{null}_{name}" for null in ("blocks", "configuration") for name in ("mean", "sd", "z", "p"))), "double"
)
_CIRCUIT = dict.fromkeys(("faithfulness", "low", "high", "kl", "accuracy", "complement", "features", "parameters", "area", "cpr_mib", "cmd_mib"), "double") | {
    "task": "string",
    "selection": "string",
    "n_edges": "long",
    "total": "long",
    "reason": "string",
    "n_examples": "long",
    "solved": "boolean",
}
_QUALITY = dict.fromkeys(("modularity", "z_rotation", "z_shuffle", "p_rotation", "p_shuffle", "stability"), "double") | {"above_null": "boolean"}
_SIGNATURES = dict.fromkeys(
    ("similarity", "dealt", "p", "twins_dealt", "twins_p", "held_out", "held_out_chance", "held_out_p", "index", "chance", "index_p"), "double"
)

NODES: Mapping[str, Mapping[str, str]] = {
    "Study": {"key": "string"},
    "Model": {"key": "string", "name": "string"},
    "Checkpoint": {"key": "string", "model": "string", "label": "string", "step": "long", "weights_digest": "string"},
    "Task": {"key": "string", "name": "string"},
    "Slot": {"key": "string", "study": "string", "model": "string", "label": "string", "step": "long", "partition": "string", "path": "string"},
    "Table": {
        **dict.fromkeys(("key", "study", "finding", "name", "title", "note"), "string"),
        **{"place": "long", "columns": "string[]", "rows": "string[]", "told": "datetime"},
    },
    "Sequence": {"key": "string", "value": "long"},
    "GraphVersion": {
        "number": "long",
        **dict.fromkeys(("id", "status", "study", "slot", "path", "model", "label", "weights_digest", "rule", "baseline", "dtype", "content_hash"), "string"),
        **dict.fromkeys(("partition_kind", "partition_settings", "sites", "quality", "scores", "provenance"), "string"),
        **dict.fromkeys(("step", "steps", "rows_done", "n_rois", "n_edges", "n_rows", "n_port_groups", "numerics"), "long"),
        **dict.fromkeys(("created", "published"), "datetime"),
        **{"dropped_strength": "double", "tasks": "string[]", "weight_sums": "double[]", "strength_sums": "double[]"},
    },
    "ROI": {
        **dict.fromkeys(("key", "name", "site", "kind", "label"), "string"),
        **dict.fromkeys(("graph", "index", "layer", "size"), "long"),
        "is_rest": "boolean",
    },
    "PortGroup": {
        **dict.fromkeys(("key", "name", "port", "task", "method"), "string"),
        **dict.fromkeys(("graph", "index", "layer", "steps"), "long"),
        **{"effect": "double", "gap": "double", "complete": "boolean", "saturated": "boolean"},
    },
    "Partition": {"id": "string", "kind": "string", "settings": "string", "complete": "boolean"},
    "Block": {**dict.fromkeys(("key", "name", "site"), "string"), "layer": "long", "members": "long[]", "size": "long", "is_rest": "boolean", **_QUALITY},
    "Feature": {"key": "string", "model": "string", "site": "string", "layer": "long", "index": "long"},
    "Analysis": {
        **dict.fromkeys(("id", "kind", "params", "within"), "string"),
        **{"created": "datetime", "tasks": "string[]", "pairs": "long", "twins": "long"},
        **_SIGNATURES,
    },
    "Circuit": {"key": "string", **_CIRCUIT},
    "Community": {"key": "string", "index": "long", "size": "long", **_VERDICT},
}
LINKS: Mapping[str, Mapping[str, str]] = {
    **{key: {} for key in ("HAS_MODEL", "HAS_CHECKPOINT", "NEXT", "TELLS", "OF", "PUBLISHED", "USES", "HAS_ROI", "HAS_PORT_GROUP", "IS", "HAS_BLOCK")},
    **{key: {} for key in ("CONTAINS", "FOUND")},
    "SCORED": {
        **dict.fromkeys(("split", "metric", "prompts_digest"), "string"),
        **dict.fromkeys(("accuracy", "clean", "corrupted"), "double"),
        **{"solved": "boolean", "n": "long"},
    },
    "FLOW": {"graph": "long", "task": "string", "inflow": "double", "outflow": "double"},
    "IN": {"analysis": "string"},
    "MATCHES": {"analysis": "string", "jaccard": "double", "signature": "double", "assigned": "boolean"},
    "EDGE": {
        **{"graph": "long", "source": "string", "target": "string", "port": "string", "task": "string"},
        **{"weight": "double", "strength": "double", "se": "double", "mean_abs": "double", "rank": "long"},
    },
}
PASSING = frozenset({"run", "heartbeat", "asked", "staged", "flipped", "chained"})
"""Marks of writers at work, which are nobody's content."""


class CsvFiles:
    """The files of one export below ``folder``; each begins when its first row comes, and ``counts`` what it holds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, IO[str]] = {}
        self._ids: dict[str, int] = {}
        self._links: set[str] = set()
        self.counts: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for file in self._files.values():
            file.close()

    def node(self, label: str, id_: str, properties: Mapping[str, Any]) -> None:
        """A node, once."""
        if id_ in self._ids:
            return
        self._ids[id_] = len(self._ids)
        columns = NODES[label]
        self._row(f"{label}.csv", [":ID"], columns, [str(self._ids[id_])], _fields(label, columns, properties))

    def link(self, type_: str, id_: str, start: str, end: str, properties: Mapping[str, Any]) -> None:
        """A relationship, once, if both its ends are among the nodes."""
        if id_ in self._links or start not in self._ids or end not in self._ids:
            return
        self._links.add(id_)
        self.edge(type_, self._ids[start], self._ids[end], properties)

    def edge(self, type_: str, start: int, end: int, properties: Mapping[str, Any]) -> None:
        """A relationship that cannot come twice, between nodes by their numbers here."""
        columns = LINKS[type_]
        self._row(f"{type_}.csv", [":START_ID", ":END_ID"], columns, [str(start), str(end)], _fields(type_, columns, properties))

    def place(self, id_: str) -> int:
        """The number of a node here."""
        return self._ids[id_]

    def arguments(self) -> str:
        """What ``neo4j-admin database import full`` is told, as the text of an ``@`` file (2026.01 takes no path without a folder)."""
        words = ["--id-type=integer", "--array-delimiter=U+001F", "--multiline-fields=true"]
        words += [f"--nodes={label}=./{label}.csv" for label in NODES if f"{label}.csv" in self.counts]
        words += [f"--relationships={type_}=./{type_}.csv" for type_ in LINKS if f"{type_}.csv" in self.counts]
        return "\n".join(words) + "\n"

    def _row(self, name: str, ids: list[str], columns: Mapping[str, str], own: list[str], fields: list[str]) -> None:
        if name not in self._files:
            self._files[name] = (self._folder / name).open("w", encoding="utf-8", newline="")
            self._files[name].write(",".join([*ids, *(f"{column}:{kind}" for column, kind in columns.items())]) + "\n")
            self.counts[name] = 0
        self._files[name].write(",".join([*own, *fields]) + "\n")
        self.counts[name] += 1


def _fields(kind: str, columns: Mapping[str, str], properties: Mapping[str, Any]) -> list[str]:
    odd = sorted(properties.keys() - columns.keys() - PASSING)
    if odd:
        raise StoreError(f"a {kind} has the property {odd[0]!r}, which this roicg does not write to CSV; export with the roicg that wrote it")
    return [field(properties.get(name), type_) for name, type_ in columns.items()]


def field(value: Any, kind: str) -> str:
    """One field of a row."""
    if value is None:
        return ""
    if kind.endswith("[]"):
        items = [str(item) if kind == "string[]" else _plain(item) for item in value]
        if items == [""] or any(ITEM in item for item in items):
            raise StoreError(f"the list {value!r:.60} cannot be written to CSV: it holds one empty text, or the sign that parts items (U+001F)")
        return _quoted(ITEM.join(items))
    return _quoted(value) if kind == "string" else _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return str(value) if isinstance(value, int) else str(value.iso_format())


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
