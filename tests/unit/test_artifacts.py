from pathlib import Path

import numpy as np
import pytest

from roicg import artifacts
from roicg.core.errors import RoicgError
from roicg.core.graph import FaithfulnessCurve
from tests.handmade import own_graph, reference_graph


@pytest.mark.parametrize("make", [own_graph, reference_graph])
def test_a_graph_comes_back_bit_for_bit(make, tmp_path: Path) -> None:
    graph = make(200)
    back = artifacts.load_graph(artifacts.save_graph(tmp_path / "g.safetensors", graph))
    assert back.content_hash == graph.content_hash
    assert (back.id, back.checkpoint, back.partition, back.port_groups, back.scores) == (
        graph.id,
        graph.checkpoint,
        graph.partition,
        graph.port_groups,
        graph.scores,
    )
    for name in artifacts.COLUMNS:
        np.testing.assert_array_equal(getattr(back.edges, name), getattr(graph.edges, name))


def test_curves_come_back_equal(tmp_path: Path) -> None:
    more = {"complement": (0.5, 0.0), "cpr_mib": 0.6, "cmd_mib": 0.4, "features": (0.1, 1.0), "parameters": (0.2, 1.0)}
    curves = (
        FaithfulnessCurve("t", "weight", 10, (1, 10), (0.25, 1.0), (0.2, 1.0), (0.3, 1.0), (0.1, 0.0), (0.5, 1.0), 0.6, None, 64, True, **more),
        FaithfulnessCurve("t", "random", 10, (1, 10), (), (), (), (0.1, 0.0), (0.5, 1.0), None, "no_effect", 64, False),
    )
    assert artifacts.load_curves(artifacts.save_curves(tmp_path / "c.json", curves)) == curves


def test_a_curve_written_before_complements_were_measured_still_loads(tmp_path: Path) -> None:
    """Seen to fail with ``complement`` made a field without default."""
    curve = FaithfulnessCurve("t", "weight", 10, (1, 10), (0.25, 1.0), (0.2, 1.0), (0.3, 1.0), (0.1, 0.0), (0.5, 1.0), 0.6, None, 64, True)
    row = artifacts.load_json(artifacts.save_curves(tmp_path / "new.json", (curve,)))[0]
    for name in ("complement", "cpr_mib", "cmd_mib", "features", "parameters"):
        del row[name]
    assert artifacts.load_curves(artifacts.save_json(tmp_path / "old.json", [row])) == (curve,)


def test_a_write_that_fails_leaves_nothing_and_the_old_file_as_it_was(tmp_path: Path) -> None:
    path = artifacts.save_json(tmp_path / "a.json", {"old": 1})

    def full(file: Path) -> None:
        file.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(RoicgError, match="No space left on device; free some disk space"):
        artifacts.write_whole(path, full)
    assert artifacts.load_json(path) == {"old": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]
