"""Path lengths by hand."""

import numpy as np
import pytest

from roicg.circuits.shape import mean_path_length
from tests.handmade import graph_of
from tests.planted import chain_partition


def test_lengths_by_hand() -> None:
    """Half of what passes the second neuron's input goes nowhere. Seen to fail with 0 in place of no length at a dead end."""
    edges = (("tok", "m0.n0", "in"), ("tok", "logits", "in"), ("m0.n0", "m1.n0", "in"), ("m0.n0", "logits", "in"), ("m1.n0", "logits", "in"))
    weight = np.array([[3.0, -1.0, 1.0, 3.0, 0.0], [3.0, 1.0, 2.0, -2.0, 5.0]])
    graph = graph_of(chain_partition((1, 1)), edges, weight, 200, "lengths")
    assert mean_path_length(graph, "add") == pytest.approx((1 * 1 + 3 * 2) / 4)
    assert mean_path_length(graph, "max") == pytest.approx((1 * 1 + 3 * 2.5) / 4)


def test_a_graph_without_strength_has_no_paths() -> None:
    edges = (("tok", "logits", "in"), ("tok", "m0.n0", "in"))
    graph = graph_of(chain_partition((1,)), edges, np.array([[0.0, 0.0], [0.0, 2.0]]), 200, "none")
    assert mean_path_length(graph, "add") is None
    assert mean_path_length(graph, "max") is None
