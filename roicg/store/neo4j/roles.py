"""Roles in a published graph: ROIs with alike signed profiles, found by nearest neighbours and Leiden in GDS, beside their nulls.

1. Read the graph as communities do: tasks in their units, ``rest`` and ``tok`` left out.
2. Coordinates of every ROI, whose cosine is the similarity of two profiles (numerics/roles.py).
3. GDS: estimate memory, project ROIs with their coordinates, join each to its nearest others, Leiden on that graph; the best of
   ``TRIES`` orders of the rows.
4. Nulls: all of it again on graphs with weights permuted within blocks, and on graphs that keep every ROI's strengths.
5. Write as communities are written, as an analysis of kind ``roles``.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from roicg.numerics.communities import Verdicts, against_null, attempt_seeds, best_of, modularity
from roicg.numerics.roles import coordinates, joined, nearest_graph, neighbours, role_block_null, role_similarity, role_strength_null, shift
from roicg.store.neo4j.divisions import LEAVE_OUT, Asked, CommunityResult, Question, divisions
from roicg.store.neo4j.projection import projected, require_memory

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore

KIND = "roles"


def find_roles(
    store: "Neo4jStore",
    graph_id: str,
    *,
    task: str | None,
    gamma: float = 1.0,
    null_samples: int = 100,
    seed: int = 0,
    leave_out: tuple[str, ...] = LEAVE_OUT,
) -> CommunityResult:
    """Divide the ROIs of the published graph ``graph_id`` by their signed profiles in ``task`` (None: in all tasks together).

    Parameters and errors are those of :func:`~roicg.store.neo4j.communities.find_communities`; ``modularity`` is that of the graph
    that joins every ROI to its nearest others.
    """
    asked = Asked.of(store, graph_id, Question(KIND, task, gamma, null_samples, seed, leave_out))
    if (known := asked.known()) is not None:
        return known
    edges = asked.edges()
    similarity, here = role_similarity(edges), joined(edges)
    graph = nearest_graph(similarity, neighbours(len(here)))
    best = best_of(graph, gamma, divide(asked, similarity[np.ix_(here, here)], here, attempt_seeds(seed)))
    observed = modularity(graph, best, gamma)
    draws = [null(edges, gamma, null_samples, seed) for null in (role_block_null, role_strength_null)]
    return asked.write(graph, best, observed, Verdicts(*(against_null(observed, draw) for draw in draws)))


def divide(asked: Asked, similarity: np.ndarray, here: np.ndarray, attempts: Iterable[int]) -> list[np.ndarray]:
    """Step 3: community of every ROI by GDS, one array per try; ``similarity`` is that of the ROIs ``here``."""
    connection, keys = asked.connection, asked.keys
    require_memory(connection, len(here), len(here) ** 2)  # coordinates are as many numbers as that
    rows = [{"roi": keys[i], "coordinates": row.tolist()} for i, row in zip(here.tolist(), coordinates(similarity), strict=True)]
    with projected(connection, "gds.project_coordinates", number=asked.number, rows=rows) as points:
        connection.read("gds.join_nearest", points=points.name, neighbours=neighbours(len(here)), seed=asked.question.seed)
        pairs = connection.read("gds.nearest", points=points.name, shift=shift(similarity))
    return divisions(connection, pairs, len(keys), asked.question.gamma, attempts)
