"""The chain on real weights: modadd113-s2 through input → edges → publish → query → verify."""

import json
from pathlib import Path

import pytest
import yaml

from roicg import stages
from roicg.core.graph import ComputationalGraph
from roicg.core.settings import Study
from roicg.core.study_file import load_study
from roicg.places import Place
from roicg.server.address import Address
from roicg.store.neo4j.store import Neo4jStore

STUDY = Path(__file__).parents[2] / "pipelines" / "studies" / "modadd.yaml"
N = 96


def small_study(folder: Path) -> Study:
    """The packaged study with fewer pairs, and with its weights beside it."""
    data = yaml.safe_load(STUDY.read_text())
    data["tasks"][0]["prompts"]["n"] = N
    data["rois"] = {"null_draws": 4}
    data["analysis"] = {"null_samples": 20}
    (folder / "weights").mkdir(parents=True)
    (folder / "weights" / "modadd113_seed2.safetensors").symlink_to(STUDY.parent / "weights" / "modadd113_seed2.safetensors")
    (folder / "study.yaml").write_text(yaml.safe_dump(data))
    return load_study(folder / "study.yaml").model_copy(update={"folder": STUDY.parent})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    home = tmp_path_factory.mktemp("chain")
    return Place(small_study(home / "study"), "modadd113-s2", "final", home / "home")


def test_weights_to_verified_graph(place: Place, clean_database: Address) -> None:
    opened = stages.open_stage(place)
    assert opened["accuracy/modadd"] == 1.0
    assert stages.signature_stage(place)["columns"] == 3 * N
    assert stages.partition_stage(place)["rois/m0"] >= 2
    edges = stages.edge_stage(place)
    assert edges["incomplete/modadd"] == 0
    with Neo4jStore(clean_database) as store:
        store.ensure_schema()
        first = stages.publish_stage(place, store)
        assert {first[f"outcome/{kind}"] for kind in place.study.partitions} == {"published"}
        again = stages.publish_stage(place, store)
        assert {again[f"outcome/{kind}"] for kind in place.study.partitions} == {"unchanged"}
        figures = stages.analysis_stage(place, store)
        assert figures["area/own/modadd/weight"] > figures["area/own/modadd/random"]
        assert figures["communities"] >= 1
        assert figures["roles"] >= 1
        assert stages.comparison_stage(place.study, place.model, place.home, store) == {}
        _questions(store)
        for kind, graph in stages.graphs_of(place).items():
            _read_back(store.get(edges[f"graph_id/{kind}"]), graph)


def _questions(store: Neo4jStore) -> None:
    slot = "modadd|modadd113-s2@final|own|ports"
    (published,) = [row for row in store.run("house.published") if row["slot"] == slot]
    assert published["edges"] > 20
    paths = store.run("circuits.strongest_paths", slot=slot, task="modadd")
    assert paths[0]["rois"][0] == "tok"
    assert paths[0]["rois"][-1] == "logits"
    circuit = store.run("circuits.circuit", slot=slot, task="modadd", edges=10)
    assert [row["rank"] for row in circuit] == list(range(1, 11))


def _read_back(stored: ComputationalGraph, written: ComputationalGraph) -> None:
    assert stored.content_hash == written.content_hash
    assert stored.id == written.id
    assert (stored.edges.weight.sum(), len(stored.edges)) == pytest.approx((written.edges.weight.sum(), len(written.edges)))


def test_roicg_verify_finds_nothing_wrong_with_both_witnesses(address: Address, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from roicg.cli.main import main

    for name, value in (("URI", address.uri), ("USER", address.user), ("PASSWORD", address.password)):
        monkeypatch.setenv(f"ROICG_NEO4J_{name}", value)
    monkeypatch.setattr("sys.argv", ["roicg", "verify", "--witness", "py2neo", "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (0, None)
    assert json.loads(capsys.readouterr().out)


def test_the_same_graph_from_a_script_and_from_the_stages(place: Place) -> None:
    from roicg.build import build_graph
    from roicg.models.prompts import task_prompts
    from roicg.models.sources import open_checkpoint

    study = place.study
    checkpoint, lens = open_checkpoint(study.model("modadd113-s2"), "final", folder=study.folder, artifacts=place.artifacts)
    prompts = [task_prompts(task, folder=study.folder) for task in study.tasks]
    script = build_graph(checkpoint, lens, prompts, study, "own")
    staged = stages.graphs_of(place)["own"]
    assert script.id == staged.id
    assert script.content_hash == staged.content_hash
