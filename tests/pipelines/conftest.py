"""A small native study in a home of its own, an ephemeral Dagster instance, and definitions of that study."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance, Definitions, in_process_executor

from pipelines.assets import study_assets
from pipelines.checks import study_checks
from pipelines.jobs import study_jobs
from pipelines.partitions import checkpoints_of, keys_of
from pipelines.resources import GraphStoreResource, HomeResource
from pipelines.sensors import study_sensors
from roicg.core.settings import Study
from roicg.core.study_file import load_study
from roicg.server.address import Address

WEIGHTS = Path(__file__).parents[2] / "pipelines" / "studies" / "weights" / "modadd113_seed2.safetensors"
STUDY = """\
study: tiny-study
models:
  - name: modadd113-s2
    source:
      kind: native
      config: {n_layers: 1, d_model: 128, n_heads: 4, d_head: 32, d_mlp: 512, n_ctx: 3, d_vocab: 114, d_vocab_out: 114, act_fn: relu, normalization_type: null}
      checkpoints: {final: w.safetensors}
tasks:
  - {name: modadd, prompts: {kind: generated, recipe: modadd, n: 24}, metric: logit_minus_mean_rest}
rois: {null_draws: 2}
partitions: [own, components]
circuits: {fractions: [0.1, 1.0], random_draws: 1, bootstrap: 20}
analysis: {null_samples: 10}
"""
KEY = "modadd113-s2@00000000"


@pytest.fixture(scope="session")
def study_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    shutil.copy(WEIGHTS, folder / "w.safetensors")
    path = folder / "tiny.yaml"
    path.write_text(STUDY)
    return path


@pytest.fixture(scope="session")
def study(study_file: Path) -> Study:
    return load_study(study_file)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose artifact files every test may read; tests that break a file use ``home``."""
    return tmp_path_factory.mktemp("files")


@pytest.fixture
def home(tmp_path: Path, files: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a copy of the artifacts that earlier tests left."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    if (files / "artifacts").exists():
        shutil.copytree(files / "artifacts", folder / "artifacts")
    monkeypatch.setenv("ROICG_HOME", str(folder))
    return folder


@pytest.fixture
def instance(study: Study) -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(str(checkpoints_of(study).name), list(keys_of(study)))
        yield instance


@pytest.fixture
def definitions(study: Study, home: Path) -> Definitions:
    return Definitions(
        assets=study_assets(study),
        asset_checks=study_checks(study),
        jobs=study_jobs(study),
        sensors=study_sensors(study),
        resources={"home": HomeResource(folder=str(home), device="cpu"), "graphs": GraphStoreResource()},
        executor=in_process_executor,
    )


@pytest.fixture
def database(clean_database: Address, monkeypatch: pytest.MonkeyPatch) -> Address:
    """An empty database that everything in this process finds through the environment."""
    monkeypatch.setenv("ROICG_NEO4J_URI", clean_database.uri)
    monkeypatch.setenv("ROICG_NEO4J_USER", clean_database.user)
    monkeypatch.setenv("ROICG_NEO4J_PASSWORD", clean_database.password)
    return clean_database
