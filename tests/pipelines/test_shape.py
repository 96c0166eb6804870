"""The asset graph as Dagster sees it, partitions and study files; no model runs and no database is needed."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dagster import Definitions
from typer.testing import CliRunner

from pipelines import study_files
from pipelines.__main__ import app as child
from pipelines.assets import study_assets
from pipelines.checks import BLOCKING, WARNINGS
from pipelines.names import per_checkpoint, per_study
from pipelines.outcome import materialize, metadata_value
from pipelines.partitions import keys_of, partition_key, place_of
from pipelines.resources import GraphStoreResource, HomeResource
from pipelines.study_files import StudyFile, load_studies, narrowed, note
from roicg.cli.main import app
from roicg.core.errors import StudyError
from roicg.core.settings import FindingSettings, Study
from roicg.core.study_file import load_study
from tests.pipelines.conftest import KEY, STUDY

CHAIN = ["checkpoint", "signatures", "roi_partition", "edge_attribution", "graph_version", "analyses"]
TRAINED = """\
study: t
models: [{name: M.One, source: {kind: trained, recipe: multitask, checkpoints: [0, 5, 1200]}, reference: 5}]
tasks: [{name: add, prompts: {kind: generated, recipe: multitask.add}}, {name: max, prompts: {kind: generated, recipe: multitask.max}}]
"""


def test_asset_graph(definitions: Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    parents = {key.to_user_string(): sorted(parent.path[-1] for parent in graph.get(key).parent_keys) for key in graph.get_all_asset_keys()}
    assert parents == {
        "tiny_study/checkpoint": [],
        "tiny_study/signatures": ["checkpoint"],
        "tiny_study/roi_partition": ["signatures"],
        "tiny_study/edge_attribution": ["roi_partition"],
        "tiny_study/graph_version": ["edge_attribution"],
        "tiny_study/analyses": ["graph_version"],
        "tiny_study/comparison": ["analyses"],
        "tiny_study/report": ["analyses", "comparison"],
    }
    nodes = {key.path[-1]: graph.get(key) for key in graph.get_all_asset_keys()}
    assert {node.group_name for node in nodes.values()} == {"tiny_study"}
    assert all(nodes[name].is_partitioned for name in CHAIN)
    assert not nodes["comparison"].is_partitioned
    assert {name: sorted(nodes[name].pools or ()) for name in ("checkpoint", "edge_attribution", "graph_version", "analyses")} == {
        "checkpoint": ["accelerator"],
        "edge_attribution": ["accelerator"],
        "graph_version": ["neo4j_write"],
        "analyses": ["neo4j_write"],
    }
    checks = {key.name: graph.get_check_spec(key).blocking for key in graph.asset_check_keys}
    assert checks == {**dict.fromkeys(BLOCKING, True), **dict.fromkeys(WARNINGS, False)}


def test_a_study_that_asks_for_findings_has_their_assets(study: Study) -> None:
    asking = study.model_copy(update={"findings": FindingSettings(ask=("any",))})
    graph = Definitions(assets=study_assets(asking), resources={"home": HomeResource(), "graphs": GraphStoreResource()}).resolve_asset_graph()
    parents = {key.path[-1]: sorted(parent.path[-1] for parent in graph.get(key).parent_keys) for key in graph.get_all_asset_keys()}
    assert (parents["measured"], parents["told"], parents["report"]) == (["analyses"], ["measured"], ["analyses", "comparison", "told"])
    assert sorted((*per_checkpoint(asking), *per_study(asking))) == sorted(parents)
    assert set(per_checkpoint(study) + per_study(study)) == set(parents) - {"measured", "told"}


def test_the_workspace_loads_the_bundled_studies() -> None:
    root = Path(__file__).parents[2]
    (location,) = yaml.safe_load((root / "workspace.yaml").read_text())["load_from"]
    module = location["python_module"]["module_name"]
    code = f"import {module} as d; print(sorted(k.to_user_string() for k in d.defs.resolve_asset_graph().get_all_asset_keys()))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, timeout=120, check=True, env={"PATH": "", "ROICG_HOME": "/nonexistent"}
    )
    assert "demo/graph_version" in done.stdout
    assert "modadd/report" in done.stdout


def test_partition_keys_are_slugs_that_sort_by_step() -> None:
    assert partition_key("Pythia/70M x", 143000) == "pythia-70m-x@00143000"
    keys = [partition_key("m", step) for step in (0, 9, 10, 100000)]
    assert keys == sorted(keys)
    assert all(re.fullmatch(r"[a-z0-9._@-]+", key) for key in keys)


def test_the_reference_runs_first_then_rising_steps(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(TRAINED)
    study = load_study(path)
    assert keys_of(study) == {"m.one@00000005": ("M.One", "5"), "m.one@00000000": ("M.One", "0"), "m.one@00001200": ("M.One", "1200")}
    assert place_of(study, "m.one@00001200") == ("M.One", "1200")
    with pytest.raises(StudyError, match=r"has no checkpoint 'm\.one@00000007'"):
        place_of(study, "m.one@00000007")
    path.write_text(
        TRAINED.replace("models: [", "models: [{name: m.one, source: {kind: trained, recipe: multitask, checkpoints: [5]}, tasks: [add]}, ").replace(
            "reference: 5", "tasks: [add]"
        )
    )
    with pytest.raises(StudyError, match="same partition key"):
        keys_of(load_study(path))


def test_one_task_is_a_study_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(TRAINED)
    only = narrowed(load_study(path), "max")
    assert (only.study, [task.name for task in only.tasks], only.models[0].tasks) == ("t-max", ["max"], ("max",))
    with pytest.raises(StudyError, match="no task 'mx'"):
        narrowed(load_study(path), "mx")


def test_a_study_that_ran_is_shown_later_and_a_lost_one_is_left_out(home: Path, study_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = {path.stem for path in study_files.BUNDLED.glob("*.yaml")}
    assert {"demo", "modadd"} < ours
    assert set(load_studies()) == ours
    gone = tmp_path / "gone.yaml"
    gone.write_text(STUDY.replace("tiny-study", "gone"))
    for file in (StudyFile(study_file), StudyFile(gone), StudyFile(study_file), StudyFile(study_file, "modadd")):
        note(file)
    gone.unlink()
    assert set(load_studies()) == {*ours, "tiny_study", "tiny_study_modadd"}
    monkeypatch.setenv(study_files.VARIABLE, str(gone))
    with pytest.raises(StudyError, match="cannot read the study"):
        load_studies()


@pytest.mark.parametrize(("value", "kind"), [(1, "int"), (1.5, "float"), (float("inf"), "text"), (True, "bool"), ("published", "text")])
def test_numbers_stay_numbers_in_metadata(value: object, kind: str) -> None:
    assert type(metadata_value(value)).__name__ == f"{kind.capitalize()}MetadataValue"


def test_an_unknown_study_key_names_the_nearest_and_starts_nothing(study_file: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(STUDY.replace("partitions:", "partition:"))
    done = CliRunner().invoke(app, ["run", str(bad)])
    assert done.exit_code == 3
    assert "unknown key 'partition' in the study; did you mean 'partitions'?" in " ".join(done.stderr.split())


def test_a_dry_run_opens_no_database_and_writes_nothing(study_file: Path, tmp_path: Path) -> None:
    environment = {"PATH": "", "ROICG_HOME": str(tmp_path / "none"), "ROICG_NEO4J_URI": "bolt://127.0.0.1:9", "ROICG_NEO4J_PASSWORD": "x"}
    command = [sys.executable, "-m", "pipelines", "run", str(study_file), "--device", "cpu", "--dry-run", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, cwd=Path(__file__).parents[2], check=True)
    plan = json.loads(done.stdout)
    assert (plan["runs"], plan["device"]) == ([KEY], "cpu")
    assert plan["costs"] == [{"model": "modadd113-s2", "checkpoints": 1, "tasks": 1, "passes": 25, "rows": 76, "minutes": plan["costs"][0]["minutes"]}]
    assert not (tmp_path / "none").exists()
    assert not any("Traceback" in line for line in done.stderr.splitlines())


def test_every_asset_reports_its_peak_memory() -> None:
    """Seen to fail with the peak left out of the metadata."""
    metadata = materialize(lambda: {"edges": 3}).metadata
    assert metadata is not None
    assert {name: type(value).__name__ for name, value in metadata.items()} == {"edges": "IntMetadataValue", "peak_memory_mib": "FloatMetadataValue"}


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("absent:margin", "metric 'absent:margin': there is no module 'absent'"),
        ("mine:absent", "has no function 'absent'; it has margin"),
        ("broken:margin", "cannot be imported: ZeroDivisionError"),
    ],
)
@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_a_metric_that_is_not_there_is_refused_before_anything_runs(more: tuple[str, ...], metric: str, said: str, study_file: Path, monkeypatch) -> None:
    """Seen to fail without ``check_asked``: the dry run printed its plan, the run failed only at its first checkpoint."""
    folder = study_file.parent
    monkeypatch.setenv("ROICG_HOME", str(folder / "none"))
    monkeypatch.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)  # a dry run sets it for its process
    (folder / "mine.py").write_text("def margin(logits, answers, wrong):\n    return logits.sum((1, 2))\n")
    (folder / "broken.py").write_text("1 / 0\n")
    path = folder / "metric.yaml"
    path.write_text(STUDY.replace("logit_minus_mean_rest", metric))
    done = CliRunner().invoke(child, ["run", str(path), "--device", "cpu", *more])
    assert isinstance(done.exception, StudyError)
    assert said in str(done.exception)
    assert not (folder / "none").exists()


def test_a_dry_run_with_a_metric_of_ones_own_leaves_nothing_behind(study_file: Path, tmp_path: Path) -> None:
    """Seen to fail with bytecode written as usual."""
    (tmp_path / "mine.py").write_text("def margin(logits, answers, wrong):\n    return logits.sum((1, 2))\n")
    (tmp_path / "w.safetensors").symlink_to(study_file.parent / "w.safetensors")
    (tmp_path / "metric.yaml").write_text(STUDY.replace("logit_minus_mean_rest", "mine:margin"))
    before = sorted(tmp_path.rglob("*"))
    command = [sys.executable, "-m", "pipelines", "run", str(tmp_path / "metric.yaml"), "--dry-run"]
    subprocess.run(command, capture_output=True, timeout=120, cwd=Path(__file__).parents[2], check=True, env={"PATH": "", "ROICG_HOME": str(tmp_path / "none")})
    assert sorted(tmp_path.rglob("*")) == before
