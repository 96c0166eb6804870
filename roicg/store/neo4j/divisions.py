"""What communities and roles share: the edges they start from, their division by Leiden in GDS, and how it is kept beside its nulls."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from roicg.core.errors import StoreError
from roicg.core.graph import ComputationalGraph
from roicg.core.ids import NUMERICS, digest
from roicg.numerics.communities import NullVerdict, PortEdges, UndirectedGraph, Verdicts
from roicg.store.neo4j.adding import is_new
from roicg.store.neo4j.driver import Connection, Rows, Transaction
from roicg.store.neo4j.projection import projected, require_memory
from roicg.store.neo4j.settled import standing_version
from roicg.store.stored import to_json

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore

MIXTURE = "(mixture)"
"""Stands where a task's name stands when all tasks are taken together; no task can be called so."""
LEAVE_OUT = ("rest", "tok")
SINK = "logits.in"
SMALLEST_EFFECT = 1e-9
"""A task whose total effect is a smaller share of its strengths has none: it is rounding."""
NULLS = ("blocks", "configuration")
_PRIME = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Question:
    """What is divided and how; ``edges``: only the circuit of so many edges of the task (None: the whole graph)."""

    kind: str
    task: str | None
    gamma: float
    null_samples: int
    seed: int
    leave_out: tuple[str, ...]
    edges: int | None = None

    def __post_init__(self) -> None:
        if not self.gamma > 0 or self.null_samples < 2:
            raise StoreError(f"{self.kind} need gamma > 0 and at least 2 null samples, given gamma {self.gamma} and {self.null_samples}")
        if self.edges is not None and (self.task is None or self.edges < 1):
            raise StoreError(f"a circuit is the strongest edges of one task: name the task, and at least 1 edge (given task {self.task}, {self.edges} edges)")

    @property
    def params(self) -> str:
        """The question as JSON: equal questions, equal text."""
        asked = {key: value for key, value in asdict(self).items() if key != "kind"}
        return to_json({**asked, "leave_out": sorted(self.leave_out), "nulls": NULLS, "numerics": NUMERICS})


@dataclass(frozen=True, slots=True)
class CommunityResult:
    """Communities, largest first, as ROI names; ``modularity`` is never without its ``nulls``. ``written``: False if it was there already."""

    analysis: str
    graph_id: str
    task: str
    gamma: float
    communities: tuple[tuple[str, ...], ...]
    modularity: float
    nulls: Verdicts
    written: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A published graph opened for a question: its version, ROI names, units of the tasks and edges."""

    connection: Connection
    question: Question
    graph: ComputationalGraph
    number: int
    units: dict[str, float]

    @staticmethod
    def of(store: "Neo4jStore", graph_id: str, question: Question) -> "Asked":
        """``StoreError``: not published, or no task has an effect; ``LawError``: no such task."""
        store.ensure_schema()
        standing = standing_version(store.connection, graph_id)  # before it is read: what is published meanwhile is not what was asked
        graph = store.get(graph_id)
        return Asked(store.connection, question, graph, standing["number"] if standing else 0, task_units(graph, question.task))

    @property
    def analysis(self) -> str:
        """Id of the analysis that answers the question for this version."""
        return digest(self.question.kind, self.question.params, self.graph.id, self.number)

    @property
    def keys(self) -> list[str]:
        """Names of the ROIs by index."""
        return [roi.key for roi in self.graph.partition.rois]

    def edges(self) -> PortEdges:
        """The edges that are divided; outside the asked circuit they weigh 0."""
        edges = port_edges(self.graph, self.units, self.question.leave_out, self.question.edges)
        if not edges.weight.any():
            left = ", ".join(self.question.leave_out)
            raise StoreError(f"graph {self.graph.id!r} has no strength for {', '.join(self.units)} between ROIs other than {left}: nothing to divide")
        return edges

    def known(self) -> CommunityResult | None:
        """The answer that was written before."""
        rows = self.connection.read("structure.division", analysis=self.analysis)
        return _result(rows, self.analysis, self.graph.id) if rows else None

    def write(self, graph: UndirectedGraph, membership: np.ndarray, modularity: float, nulls: Verdicts) -> CommunityResult:
        """Analysis, communities and memberships in one transaction; the same question is written once."""
        question, names = self.question, named(self.keys, graph, membership)
        nearest = nulls.counts
        verdict: dict[str, Any] = {"task": question.task or MIXTURE, "gamma": question.gamma, "edges": question.edges, "modularity": modularity}
        verdict |= {
            "nearest_null": nulls.nearest,
            "null_mean": nearest.mean,
            "null_sd": nearest.sd,
            "z": nearest.z,
            "p": nearest.p,
            "above_null": nulls.above_null,
        }
        for name in NULLS:
            verdict |= {f"{name}_{key}": getattr(getattr(nulls, name), key) for key in ("mean", "sd", "z", "p")}

        def write(tx: Transaction) -> bool:
            fresh = is_new(tx, {self.graph.id: self.number}, self.analysis, kind=question.kind, params=question.params)
            if fresh:
                rows = [{"rois": list(rois)} for rois in names]
                tx.run("structure.record_communities", analysis=self.analysis, number=self.number, verdict=verdict, communities=rows)
            return fresh

        written = self.connection.transaction("structure.record_communities", write)
        return CommunityResult(self.analysis, self.graph.id, verdict["task"], question.gamma, names, modularity, nulls, written)


def port_edges(graph: ComputationalGraph, units: dict[str, float], leave_out: tuple[str, ...] = LEAVE_OUT, circuit: int | None = None) -> PortEdges:
    """Edges of ``graph`` between the ROIs that stay, their weights in ``units`` of the tasks; blocks by (source site, target site, port).

    ``circuit``: edges of a rank beyond it weigh 0.
    """
    edges, rois = graph.edges, graph.partition.rois
    out = np.array([roi.kind in leave_out or (roi.is_rest and "rest" in leave_out) for roi in rois])
    kept = ~(out[edges.source] | out[edges.target])
    source, target = edges.source[kept], edges.target[kept]
    ports = np.array(edges.port, dtype=object)[kept].tolist()
    names = [(rois[u].site, rois[v].site, port) for u, v, port in zip(source.tolist(), target.tolist(), ports, strict=True)]
    weight = np.stack([_within(graph, task, circuit)[kept] / unit for task, unit in units.items()])
    return PortEdges(len(rois), source, target, _numbered(ports), _numbered(names), weight)


def task_units(graph: ComputationalGraph, task: str | None) -> dict[str, float]:
    """Task → what counts as 1: the metric's own unit for one task, |total effect| for each of the mixture; tasks without effect stay out."""
    if task is not None:
        graph.edges.task_index(task)
        return {task: 1.0}
    effects = {group.task: abs(group.effect) for group in graph.port_groups if group.group == SINK and group.effect is not None}
    sums = dict(zip(graph.edges.tasks, graph.edges.strength.sum(axis=1).tolist(), strict=True))
    units = {name: effects.get(name, 0.0) for name in graph.edges.tasks if effects.get(name, 0.0) > SMALLEST_EFFECT * sums[name]}
    if not units:
        raise StoreError(f"graph {graph.id!r}: no task has an effect, so that tasks cannot be put together; name one task")
    return units


def divisions(connection: Connection, pairs: Rows, n: int, gamma: float, attempts: Iterable[int]) -> list[np.ndarray]:
    """Community of each of ``n`` ROIs by GDS, one array per try; one that nothing joins is alone in its community, and changes no modularity.

    ``pairs`` are rows of source, target (indices of ROIs) and strength. Every try is another order of them, see ``gds.project_pairs``.
    ``StoreError``: not enough memory.
    """
    if not pairs:
        return [np.arange(n) for _ in attempts]
    require_memory(connection, n, len(pairs))
    found = []
    for attempt in attempts:
        columns = {f"{name}s": [row[name] for row in in_order(pairs, attempt)] for name in ("source", "target", "strength")}
        with projected(connection, "gds.project_pairs", **columns) as projection:
            community = _communities(connection, projection.name, gamma, attempt)
        found.append(np.unique([community.get(i, -1 - i) for i in range(n)], return_inverse=True)[1])
    return found


def in_order(pairs: Rows, stride: int) -> Rows:
    """The rows in one of many orders: by source, then target, both times ``stride`` (1 to ``_PRIME`` - 1) modulo that prime."""
    return sorted(pairs, key=lambda row: (row["source"] * stride % _PRIME, row["target"] * stride % _PRIME))


def _communities(connection: Connection, projection: str, gamma: float, seed: int) -> dict[int, int]:
    """Node of the projection → its community; empty where no merge raises the modularity, where GDS 2.13 fails instead of leaving every node alone."""
    try:
        rows = connection.read("gds.leiden", projection=projection, gamma=gamma, seed=seed)
    except StoreError as error:
        if "LeidenDendrogramManager" not in str(error):
            raise
        rows = []
    return {row["node"]: row["community"] for row in rows}


def named(keys: list[str], graph: UndirectedGraph, membership: np.ndarray) -> tuple[tuple[str, ...], ...]:
    """Communities as sorted ROI names, largest first, ties by their first ROI; ROIs without an edge are in none."""
    groups: dict[int, list[str]] = {}
    for i in sorted({*graph.source.tolist(), *graph.target.tolist()}, key=lambda i: keys[i]):
        groups.setdefault(int(membership[i]), []).append(keys[i])
    return tuple(sorted((tuple(names) for names in groups.values()), key=lambda names: (-len(names), names)))


def _result(rows: Rows, analysis: str, graph_id: str) -> CommunityResult:
    first = rows[0]
    blocks, configuration = (NullVerdict(*(first[f"{name}_{key}"] for key in ("mean", "sd", "z", "p"))) for name in NULLS)
    communities = tuple(tuple(row["rois"]) for row in rows)
    return CommunityResult(analysis, graph_id, first["task"], first["gamma"], communities, first["modularity"], Verdicts(blocks, configuration), written=False)


def _within(graph: ComputationalGraph, task: str, circuit: int | None) -> np.ndarray:
    """The weights of ``task``, 0 beyond rank ``circuit``."""
    row = graph.edges.task_index(task)
    weight = graph.edges.weight[row]
    return weight if circuit is None else np.where(graph.edges.rank[row] <= circuit, weight, 0.0)


def _numbered(names: Sequence[Any]) -> np.ndarray:
    """The place of each name among the sorted different ones."""
    number = {name: i for i, name in enumerate(sorted(set(names)))}
    return np.array([number[name] for name in names], dtype=np.int64)
