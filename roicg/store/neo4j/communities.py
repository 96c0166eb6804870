"""Communities of a published graph, with the null that they must stand above.

1. Read the graph; take the strength of one task, or of all tasks in units of their total effects (the mixture).
2. Leave out ``rest`` and ``tok``, hubs that every community would join.
3. GDS: estimate memory, project undirected, Leiden in one thread with a seed; the best of ``TRIES`` orders of the rows.
4. Null: the same objective in leidenalg on graphs whose weights are permuted within (source site, target site, port).
5. Write analysis, communities and memberships in one transaction; the same question finds its answer there and adds nothing.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from roicg.core.errors import StoreError
from roicg.core.graph import ComputationalGraph
from roicg.core.ids import NUMERICS, digest
from roicg.numerics.communities import NullVerdict, PortEdges, UndirectedGraph, against_null, attempt_seeds, best_of, block_null, modularity
from roicg.store.neo4j.driver import Connection, Rows, Transaction
from roicg.store.neo4j.projection import projected, require_memory
from roicg.store.stored import to_json

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore

KIND = "communities"
MIXTURE = "(mixture)"
"""Stands where a task's name stands when all tasks are taken together; no task can be called so."""
LEAVE_OUT = ("rest", "tok")
SINK = "logits.in"
SMALLEST_EFFECT = 1e-9
"""A task whose total effect is a smaller share of its strengths has none: it is rounding."""


@dataclass(frozen=True, slots=True)
class CommunityResult:
    """Communities, largest first, as ROI names; ``modularity`` is never without its ``null``. ``written``: False if it was there already."""

    analysis: str
    graph_id: str
    task: str
    gamma: float
    communities: tuple[tuple[str, ...], ...]
    modularity: float
    null: NullVerdict
    written: bool


def find_communities(
    store: "Neo4jStore",
    graph_id: str,
    *,
    task: str | None,
    gamma: float = 1.0,
    null_samples: int = 100,
    seed: int = 0,
    leave_out: tuple[str, ...] = LEAVE_OUT,
) -> CommunityResult:
    """Divide the published graph ``graph_id`` by the strength of ``task`` (None: of all tasks together) and judge it against its null.

    ``gamma`` is the resolution of the modularity, ``null_samples`` the draws of the null, ``leave_out`` what has no place in it
    (``rest``, or a kind of ROI). ``StoreError``: no such graph, no strength to divide, not enough memory. ``LawError``: no such task.
    """
    if not gamma > 0 or null_samples < 2:
        raise StoreError(f"communities need gamma > 0 and at least 2 null samples, given gamma {gamma} and {null_samples}")
    store.ensure_schema()
    connection, graph = store.connection, store.get(graph_id)
    standing = connection.read("publish.standing", graph_id=graph_id)[0]
    number = standing["number"]
    units = _units(graph, task)
    params = to_json({"task": task, "gamma": gamma, "null_samples": null_samples, "seed": seed, "leave_out": sorted(leave_out), "numerics": NUMERICS})
    analysis = digest(KIND, params, graph_id, number)
    rows = [row for row in connection.read("structure.communities", slot=standing["slots"][0]) if row["analysis"] == analysis]
    if rows:
        return _known(rows, graph_id)
    edges = port_edges(graph, units, leave_out)
    undirected = edges.undirected()
    if not len(undirected.strength):
        raise StoreError(f"graph {graph_id!r} has no strength for {', '.join(units)} between ROIs other than {', '.join(leave_out)}: nothing to divide")
    require_memory(connection, len(graph.partition.rois), len(undirected.strength))
    values = {"number": number, "tasks": list(units), "units": list(units.values()), "leave_out": list(leave_out)}
    keys = [roi.key for roi in graph.partition.rois]
    best = best_of(undirected, gamma, [_divide(connection, keys, attempt, gamma, values) for attempt in attempt_seeds(seed)])
    observed = modularity(undirected, best, gamma)
    verdict = against_null(observed, block_null(edges, gamma, null_samples, seed))
    result = CommunityResult(analysis, graph_id, task or MIXTURE, gamma, _named(keys, undirected, best), observed, verdict, written=False)
    return _write(connection, result, number, params)


def _known(rows: Rows, graph_id: str) -> CommunityResult:
    """The answer that was written before."""
    first = rows[0]
    null = NullVerdict(first["null_mean"], first["null_sd"], first["z"], first["p"], first["above_null"])
    communities = tuple(tuple(row["rois"]) for row in rows)
    return CommunityResult(first["analysis"], graph_id, first["task"], first["gamma"], communities, first["modularity"], null, written=False)


def port_edges(graph: ComputationalGraph, units: dict[str, float], leave_out: tuple[str, ...] = LEAVE_OUT) -> PortEdges:
    """Edges of ``graph`` between the ROIs that stay, their weights in ``units`` of the tasks; blocks by (source site, target site, port)."""
    edges, rois = graph.edges, graph.partition.rois
    out = np.array([roi.kind in leave_out or (roi.is_rest and "rest" in leave_out) for roi in rois])
    kept = ~(out[edges.source] | out[edges.target])
    source, target = edges.source[kept], edges.target[kept]
    names = [(rois[u].site, rois[v].site, port) for u, v, port in zip(source, target, np.array(edges.port, dtype=object)[kept], strict=True)]
    number = {name: i for i, name in enumerate(sorted(set(names)))}
    weight = np.stack([edges.weight[edges.task_index(task), kept] / unit for task, unit in units.items()])
    return PortEdges(len(rois), source, target, np.array([number[name] for name in names], dtype=np.int64), weight)


def _units(graph: ComputationalGraph, task: str | None) -> dict[str, float]:
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


def _divide(connection: Connection, keys: list[str], attempt: int, gamma: float, values: dict[str, Any]) -> np.ndarray:
    """Step 3, one try: community of every ROI by GDS; one that nothing joins is alone in its community, and changes no modularity."""
    with projected(connection, "gds.project_strength", stride=attempt, **values) as projection:
        try:
            rows = connection.read("gds.leiden", projection=projection.name, gamma=gamma, seed=attempt)
        except StoreError as error:
            # Where no merge raises the modularity, GDS 2.13 fails instead of leaving every node alone.
            if "LeidenDendrogramManager" not in str(error):
                raise
            rows = []
    community = {row["roi"]: row["community"] for row in rows}
    return np.unique([community.get(key, -1 - i) for i, key in enumerate(keys)], return_inverse=True)[1]


def _named(keys: list[str], graph: UndirectedGraph, membership: np.ndarray) -> tuple[tuple[str, ...], ...]:
    """Communities as sorted ROI names, largest first, ties by their first ROI; ROIs without an edge are in none."""
    groups: dict[int, list[str]] = {}
    for i in sorted({*graph.source.tolist(), *graph.target.tolist()}, key=lambda i: keys[i]):
        groups.setdefault(int(membership[i]), []).append(keys[i])
    return tuple(sorted((tuple(names) for names in groups.values()), key=lambda names: (-len(names), names)))


def _write(connection: Connection, result: CommunityResult, number: int, params: str) -> CommunityResult:
    """Step 5."""
    null = result.null
    verdict: dict[str, Any] = {"task": result.task, "gamma": result.gamma, "modularity": result.modularity, "null_mean": null.mean, "null_sd": null.sd}
    verdict |= {"z": null.z, "p": null.p, "above_null": null.above_null}

    def write(tx: Transaction) -> bool:
        standing = tx.run("publish.standing", graph_id=result.graph_id)
        if not standing or standing[0]["number"] != number:
            raise StoreError(f"graph {result.graph_id!r} was published anew while its communities were sought; ask again")
        fresh = bool(tx.run("load.analysis", graph_id=result.graph_id, id=result.analysis, kind=KIND, params=params)[0]["fresh"])
        if fresh:
            rows = [{"rois": list(names)} for names in result.communities]
            tx.run("structure.record_communities", analysis=result.analysis, number=number, verdict=verdict, communities=rows)
        return fresh

    written = connection.transaction("structure.record_communities", write)
    return CommunityResult(result.analysis, result.graph_id, result.task, result.gamma, result.communities, result.modularity, null, written)
