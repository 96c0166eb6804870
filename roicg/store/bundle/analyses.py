"""An analysis as rows of a bundle's tables, named by all that it says: no version number, no time, so that it is the same wherever it goes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from roicg.core.errors import StoreError
from roicg.core.graph import FaithfulnessCurve
from roicg.core.ids import digest
from roicg.store.bundle.columns import CIRCUIT, VERDICT, Row
from roicg.store.stored import to_json

_SIZES = {"phi": "faithfulness"} | {name: name for name in ("low", "high", "kl", "accuracy", "complement", "features", "parameters")}
_FIXED = ("task", "selection", "total", "area", "cpr_mib", "cmd_mib", "reason", "n_examples", "solved")


@dataclass(frozen=True, slots=True)
class Analysis:
    """What one analysis of ``graphs`` (ids; matches go from the first to the second) found; ``properties`` are its own figures.

    Rows are those of the tables ``circuits``, ``communities``, ``matches``, without the name of the analysis.
    """

    kind: str
    params: str
    graphs: tuple[str, ...]
    properties: Mapping[str, Any]
    circuits: tuple[Row, ...] = ()
    communities: tuple[Row, ...] = ()
    matches: tuple[Row, ...] = ()

    @property
    def name(self) -> str:
        """Digest of everything here."""
        return digest(self.kind, self.params, list(self.graphs), to_json(self.properties), list(self.circuits), list(self.communities), list(self.matches))

    def head(self) -> Row:
        """Its row of the table ``analyses``."""
        fixed = {"analysis": self.name, "kind": self.kind, "params": self.params, "graphs": list(self.graphs)}
        return fixed | {"properties": to_json(self.properties)}

    def curves(self) -> tuple[FaithfulnessCurve, ...]:
        """The φ(n) curves that its circuits are the points of, by task and selection."""
        groups: dict[tuple[str, str], list[Row]] = {}
        for row in self.circuits:
            groups.setdefault((row["task"], row["selection"]), []).append(row)
        return tuple(_curve(rows) for _, rows in sorted(groups.items()))

    def verdict(self) -> Row:
        """The figures of the division, which every community repeats."""
        return {name: self.communities[0][name] for name in VERDICT}


def analyses_of(heads: Sequence[Row], parts: Mapping[str, Sequence[Row]], where: str) -> tuple[Analysis, ...]:
    """The analyses of a bundle; ``StoreError`` where rows belong to none, or a name is not the digest of what it names."""
    grouped: dict[str, dict[str, list[Row]]] = {head["analysis"]: {name: [] for name in parts} for head in heads}
    for name, rows in parts.items():
        for row in rows:
            if row["analysis"] not in grouped:
                raise StoreError(f"{where}: {name} has rows of an analysis that is not in the table analyses")
            grouped[row["analysis"]][name].append({key: value for key, value in row.items() if key != "analysis"})
    found = []
    for head in heads:
        own = {name: tuple(part) for name, part in grouped[head["analysis"]].items()}
        one = Analysis(head["kind"], head["params"], tuple(head["graphs"]), json.loads(head["properties"]), **own)
        if one.name != head["analysis"]:
            raise StoreError(f"{where}: analysis {head['analysis'][:12]} ({one.kind}) does not say what its name is the digest of")
        found.append(one)
    return tuple(found)


def circuit_row(properties: Mapping[str, Any]) -> Row:
    """The row of one circuit from what the database has written on it."""
    return _known(properties, CIRCUIT, "circuit", ("key",))


def community_row(properties: Mapping[str, Any], rois: Sequence[str]) -> Row:
    """The row of one community."""
    row = _known(properties, {"index": "INTEGER"} | dict(VERDICT), "community", ("key", "size"))
    return row | {"rois": sorted(rois)}


def match_row(a: str, b: str, properties: Mapping[str, Any]) -> Row:
    """The row of one match."""
    return {"a": a, "b": b} | _known(properties, ("jaccard", "signature", "assigned"), "match", ("analysis",))


def _known(properties: Mapping[str, Any], columns: Any, kind: str, derived: Sequence[str]) -> Row:
    odd = sorted(set(properties) - set(columns) - set(derived))
    if odd:
        raise StoreError(f"a {kind} has {odd[0]!r}, which bundles of this roicg do not carry; export with the roicg that wrote it")
    return {name: properties.get(name) for name in columns}


def _curve(rows: Sequence[Row]) -> FaithfulnessCurve:
    """Points back into columns; a column without any value was empty."""
    ordered = sorted(rows, key=lambda row: -1 if row["n_edges"] is None else row["n_edges"])
    columns = {field: tuple(row[name] for row in ordered) for field, name in _SIZES.items()}
    sizes = tuple(row["n_edges"] for row in ordered if row["n_edges"] is not None)
    kept: dict[str, Any] = {field: values if any(value is not None for value in values) else () for field, values in columns.items()}
    return FaithfulnessCurve(n_edges=sizes, **kept, **{name: rows[0][name] for name in _FIXED})
