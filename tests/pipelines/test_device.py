"""The device of a run: named once, checked before anything runs, and no part of what is asked."""

import sys
from pathlib import Path

import pytest
from dagster import DagsterInstance, Definitions
from typer.testing import CliRunner

from pipelines.__main__ import app
from pipelines.jobs import checkpoint_job_name
from pipelines.runner import run_job
from roicg import stages
from roicg.core.errors import StudyError
from roicg.core.settings import Study
from roicg.places import Place
from tests.pipelines.conftest import KEY


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_a_device_that_is_not_there_is_refused_before_anything_runs(more: tuple[str, ...], study_file: Path, tmp_path: Path, monkeypatch) -> None:
    """Seen to fail with the device handed on unchecked: the dry run was content, the run failed only when it opened its first checkpoint."""
    monkeypatch.setenv("ROICG_HOME", str(tmp_path / "none"))
    monkeypatch.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)  # a dry run sets it for its process
    done = CliRunner().invoke(app, ["run", str(study_file), "--device", "cuda:99", *more])
    assert isinstance(done.exception, StudyError)
    assert "device 'cuda:99' cannot be used here" in str(done.exception)
    assert not (tmp_path / "none").exists()


def test_the_device_of_a_run_reaches_its_assets(definitions: Definitions, instance: DagsterInstance, study: Study, monkeypatch) -> None:
    """The run's config holds the device, so that the pages repeat the run on the same one.

    Seen to fail with ``QUIET`` alone as the run's config.
    """
    asked: list[str] = []
    monkeypatch.setattr(stages, "open_stage", lambda place, progress: asked.append(place.device) or {})
    monkeypatch.setattr(stages, "signature_stage", lambda place: (_ for _ in ()).throw(StudyError("enough")))
    outcome = run_job(definitions, checkpoint_job_name(study), instance, KEY, device="cuda:7")
    assert (outcome.failure, asked) == ("enough", ["cuda:7"])
    run = instance.get_run_by_id(outcome.run_id)
    assert run is not None
    assert run.run_config["resources"]["home"]["config"]["device"] == "cuda:7"


def test_graphs_have_the_same_ids_on_every_device(study: Study, home: Path) -> None:
    """Seen to fail with the device in ``Place.key``, which names the file of planned ids."""
    keys = {Place(study, "modadd113-s2", "final", home, device).key for device in ("cpu", "cuda", "cuda:1")}
    assert len(keys) == 1
