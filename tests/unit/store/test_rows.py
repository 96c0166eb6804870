"""Rows for the database, made when they are asked for."""

import pytest

from roicg.store.neo4j.rows import EdgeRows
from roicg.store.stored import stored_form
from tests.handmade import reference_graph

GRAPH = stored_form(reference_graph(200))


def literal_rows() -> list[dict[str, object]]:
    edges, names = GRAPH.edges, [roi.key for roi in GRAPH.partition.rois]
    return [
        {
            "source": names[int(edges.source[e])],
            "target": names[int(edges.target[e])],
            "port": edges.port[e],
            "task": task,
            "weight": float(edges.weight[t, e]),
            "se": float(edges.se[t, e]),
            "mean_abs": float(edges.mean_abs[t, e]),
            "rank": int(edges.rank[t, e]),
        }
        for e in range(len(edges))
        for t, task in enumerate(edges.tasks)
    ]


@pytest.mark.parametrize("part", [slice(0, 32), slice(3, 8), slice(1, 2), slice(31, 99), slice(40, 50), slice(8, 3), slice(2, 20, 3)])
def test_a_part_of_the_rows_is_the_part_of_all_rows(part: slice) -> None:
    """Seen to fail with the first row of an edge whose second task begins the part."""
    assert EdgeRows(GRAPH)[part] == literal_rows()[part]


def test_single_rows_and_their_number() -> None:
    rows, expected = EdgeRows(GRAPH), literal_rows()
    assert len(rows) == len(expected) == 32
    assert [rows[i] for i in range(32)] == list(rows) == expected
    assert rows[-1] == expected[-1]
    with pytest.raises(IndexError):
        rows[32]
