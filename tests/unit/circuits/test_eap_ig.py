"""EAP-IG's JSON comes in as the graph it is, and goes out again as it came."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from roicg.circuits.eap_ig import eap_ig_graph, read_eap_ig
from roicg.circuits.export import circuit_eap_ig
from roicg.core.errors import LawError, RoicgError
from roicg.core.graph import Checkpoint, ComputationalGraph
from roicg.core.sites import transformer_sites
from roicg.rois.controls import components
from tests.eap_ig_files import eap_ig_json

GOLDEN = Path(__file__).resolve().parents[2] / "data" / "golden"
HERE = Checkpoint("m", 0, "final", "unknown")


def opened(value: dict[str, Any], **more: Any) -> ComputationalGraph:
    return eap_ig_graph({"t": read_eap_ig(json.dumps(value), "a.json")}, HERE, **more)


@pytest.mark.parametrize("shape", [(1, 1), (2, 4), (3, 2)])
@pytest.mark.parametrize("parallel", [False, True])
def test_import_then_export_is_the_identity_on_nodes_edges_scores_and_cfg(shape: tuple[int, int], parallel: bool) -> None:
    """Seen to fail with the port q written for v, and with the score's sign turned."""
    value = eap_ig_json(*shape, parallel=parallel)
    again = json.loads(circuit_eap_ig(opened(value), "t", 10**9))
    assert again["edges"].keys() == value["edges"].keys()
    assert {name: edge["score"] for name, edge in again["edges"].items()} == {name: edge["score"] for name, edge in value["edges"].items()}
    assert set(again["nodes"]) == set(value["nodes"])
    assert again["cfg"] == value["cfg"]
    assert json.loads(circuit_eap_ig(opened(again), "t", 10**9)) | {"roicg": {}} == again | {"roicg": {}}


@pytest.mark.parametrize("which", ["trained", "random"])
def test_golden_scores_become_the_weights_of_the_same_edges(which: str) -> None:
    names, arrays = json.loads((GOLDEN / f"{which}.json").read_text()), np.load(GOLDEN / f"{which}.npz")
    rows, cols = names["rows"], names["cols"]
    score, real = arrays["score.eap_ig_inputs_m5"], arrays["real_edge_mask"].astype(bool)
    value = eap_ig_json(2, 4)
    golden = {f"{rows[i]}->{cols[j]}": float(score[i, j]) for i, j in zip(*np.nonzero(real), strict=True)}
    assert golden.keys() == value["edges"].keys()
    for name, number in golden.items():
        value["edges"][name]["score"] = number
    graph = opened(value, d_mlp=256)
    assert graph.partition == components(transformer_sites(2, 4, 256))
    keys = [roi.key.replace("tok", "input") for roi in graph.partition.rois]
    for e in range(len(graph.edges)):
        port = f"<{graph.edges.port[e]}>" if graph.edges.port[e] != "in" else ""
        assert graph.edges.weight[0, e] == golden[f"{keys[graph.edges.source[e]]}->{keys[graph.edges.target[e]]}{port}"]
    strongest = max(golden, key=lambda name: abs(golden[name]))
    e = int(np.argmin(graph.edges.rank[0]))
    assert strongest.startswith(f"{keys[graph.edges.source[e]]}->{keys[graph.edges.target[e]]}")


def test_the_same_content_has_the_same_id_and_another_score_another() -> None:
    value = eap_ig_json(2, 2)
    shuffled = value | {"edges": dict(reversed(value["edges"].items()))}
    other = json.loads(json.dumps(value))
    other["edges"]["input->logits"]["score"] += 1e-9
    assert opened(value).id == opened(shuffled).id
    assert opened(value).content_hash == opened(shuffled).content_hash
    assert len({opened(value).id, opened(other).id, opened(value, path="clean").id, opened(value, d_mlp=8).id}) == 4


def test_tasks_of_one_model_become_one_graph() -> None:
    files = {task: read_eap_ig(json.dumps(eap_ig_json(2, 2, seed=seed)), "f") for seed, task in enumerate(("a", "b"))}
    graph = eap_ig_graph(files, HERE)
    assert graph.edges.tasks == ("a", "b")
    for task, file in files.items():
        assert json.loads(circuit_eap_ig(graph, task, 5))["edges"]["input->logits"]["score"] == file.scores["tok", "logits", "in"]
    with pytest.raises(RoicgError, match="another shape or other edges"):
        eap_ig_graph(files | {"c": read_eap_ig(json.dumps(eap_ig_json(1, 2)), "f")}, HERE)


def test_files_of_before_2025_and_node_scores_are_read() -> None:
    value = eap_ig_json(1, 2)
    old = value | {"nodes": dict.fromkeys(value["nodes"], True)}
    assert opened(old).id == opened(value).id
    scored = value | {"nodes": {name: {"in_graph": True, "score": 0.5} for name in value["nodes"]}}
    assert read_eap_ig(json.dumps(scored), "f").left_out == ("score",)


def test_the_path_is_the_one_told_else_the_files_else_inputs() -> None:
    value = eap_ig_json(1, 1)
    assert opened(value).provenance["path"] == "inputs"
    ours = value | {"roicg": {"path": "ports"}}
    assert opened(ours).provenance["path"] == "ports"
    assert opened(ours, path="clean").provenance["path"] == "clean"
    with pytest.raises(RoicgError, match="none of ports, inputs, clean, exact"):
        opened(ours, path="../x")


def broken(**changes: Any) -> str:
    return json.dumps(eap_ig_json(1, 2) | changes)


EDGE = {"score": 1.0, "in_graph": True}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "is not JSON"),
        ("[1]", "neither a study bundle nor an EAP-IG graph"),
        ('{"format": "roicg-circuit", "edges": []}', "is a roicg-circuit of roicg"),
        ("[" * 200_000, "is not JSON"),
        (broken(cfg={"n_layers": 1}), "cfg.n_heads must be a whole number"),
        (broken(cfg={"n_layers": True, "n_heads": 1}), "cfg.n_layers must be a whole number"),
        (broken(cfg={"n_layers": 10**12, "n_heads": 10**12}), "lists 5 nodes"),
        (broken(cfg={"n_layers": 1, "n_heads": 2, "parallel_attn_mlp": "no"}), "must be true or false"),
        (broken(nodes={"input": True, "logits": True, "a0.h0": True, "a0.h1": True, "x": True}), "is missing"),
        (broken(edges={}), "has no edge"),
        (broken(edges={"input->logits": {"in_graph": True}}), "has no finite score"),
        (broken(edges={"input->logits": {"score": "1"}}), "has no finite score"),
        (broken(edges={"input->logits": {"score": True}}), "has no finite score"),
        (broken(edges={"input->a0.h0": EDGE}), "is no edge"),
        (broken(edges={"input->m0<q>": EDGE}), "is no edge"),
        (broken(edges={"input->m7": EDGE}), "is no edge"),
        (broken(edges={"'; DROP DATABASE neo4j; //->logits": EDGE}), "is no edge"),
        ('{"cfg": {"n_layers": 1, "n_layers": 2}, "nodes": {}, "edges": {}}', "is there twice"),
        (json.dumps(eap_ig_json(1, 2)).replace('"score": ', '"score": NaN, "x": ', 1), "holds NaN"),
    ],
)
def test_what_is_no_graph_of_eap_ig_is_refused_in_one_sentence(text: str, why: str) -> None:
    with pytest.raises(RoicgError, match=why) as refused:
        eap_ig_graph({"t": read_eap_ig(text, "a.json")}, HERE)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


def test_an_edge_against_the_stream_is_refused() -> None:
    with pytest.raises(LawError, match="not upstream"):
        opened(eap_ig_json(1, 2) | {"edges": {"m0->a0.h0<q>": EDGE}})
