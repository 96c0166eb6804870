"""Communities of a published graph, with the nulls that they must stand above.

1. Read the graph; take the strength of one task, or of all tasks in units of their total effects (the mixture).
2. Leave out ``rest`` and ``tok``, hubs that every community would join.
3. GDS: estimate memory, project undirected, Leiden in one thread with a seed; the best of ``TRIES`` orders of the rows.
4. Nulls: the same objective in leidenalg, on graphs whose weights are permuted within (source site, target site, port), and on
   graphs that keep every ROI's strengths; where a thresholded circuit was asked for, its edges are placed anew within those
   blocks, and swapped so that every ROI keeps its degrees.
5. Write analysis, communities and memberships in one transaction; the same question finds its answer there and adds nothing.
"""

from typing import TYPE_CHECKING, Any

from roicg.numerics.communities import (
    PortEdges,
    UndirectedGraph,
    Verdicts,
    against_null,
    attempt_seeds,
    best_of,
    block_null,
    modularity,
    strength_null,
    swap_null,
)
from roicg.store.neo4j.divisions import LEAVE_OUT, Asked, CommunityResult, Question, divisions

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore

KIND = "communities"
ALL_EDGES = 2**31 - 1


def find_communities(
    store: "Neo4jStore",
    graph_id: str,
    *,
    task: str | None,
    gamma: float = 1.0,
    null_samples: int = 100,
    seed: int = 0,
    leave_out: tuple[str, ...] = LEAVE_OUT,
    edges: int | None = None,
) -> CommunityResult:
    """Divide the published graph ``graph_id`` by the strength of ``task`` (None: of all tasks together) and judge it against its nulls.

    ``gamma`` is the resolution of the modularity, ``null_samples`` the draws of each null, ``leave_out`` what has no place in it
    (``rest``, or a kind of ROI), ``edges`` the size of the task's circuit that is divided (None: the whole graph). ``StoreError``:
    no such graph, no strength to divide, not enough memory. ``LawError``: no such task.
    """
    asked = Asked.of(store, graph_id, Question(KIND, task, gamma, null_samples, seed, leave_out, edges))
    if (known := asked.known()) is not None:
        return known
    port_edges = asked.edges()
    graph = port_edges.undirected()
    pairs = asked.connection.read("gds.strengths", **strength_values(asked))
    best = best_of(graph, gamma, divisions(asked.connection, pairs, len(asked.keys), gamma, attempt_seeds(seed)))
    observed = modularity(graph, best, gamma)
    return asked.write(graph, best, observed, _nulls(port_edges, graph, observed, asked.question))


def strength_values(asked: Asked) -> dict[str, Any]:
    """Parameters of ``gds.strengths`` for a question."""
    most = asked.question.edges or ALL_EDGES
    units = {"tasks": list(asked.units), "units": list(asked.units.values())}
    return {"number": asked.number, **units, "leave_out": list(asked.question.leave_out), "edges": most}


def _nulls(edges: PortEdges, graph: UndirectedGraph, observed: float, question: Question) -> Verdicts:
    """Step 4."""
    gamma, draws, seed = question.gamma, question.null_samples, question.seed
    blocks = block_null(edges, gamma, draws, seed)
    configuration = strength_null(edges.pairs(), gamma, draws, seed) if question.edges is None else swap_null(graph, gamma, draws, seed, edges.allowed())
    return Verdicts(against_null(observed, blocks), against_null(observed, configuration))
