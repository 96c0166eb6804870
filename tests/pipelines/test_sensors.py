"""Sensors looked at while a folder grows; no run is executed and no database is needed (the lane ``compose`` does both)."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import (
    AssetKey,
    AssetMaterialization,
    DagsterInstance,
    DagsterRunStatus,
    DefaultSensorStatus,
    Definitions,
    RunRequest,
    SensorResult,
    SkipReason,
    build_sensor_context,
)
from dagster._core.storage.tags import PARTITION_NAME_TAG
from dagster._core.test_utils import create_run_for_test

from pipelines import sensors
from pipelines.answered import last_asset
from pipelines.arrivals import asked, study_asked
from pipelines.assets import study_assets
from pipelines.jobs import study_jobs
from pipelines.partitions import checkpoints_of, keys_of
from pipelines.resources import GraphStoreResource, HomeResource
from pipelines.sensors import study_sensors
from roicg.core.settings import Study
from roicg.core.study_file import load_study
from roicg.models import settled
from tests.pipelines.conftest import KEY
from tests.pipelines.tiny import growing_study, native_study, write_checkpoint


class Watched:
    """The two sensors of a study, evaluated as the daemon does it: with the cursor of the time before, and the partitions added."""

    def __init__(self, study: Study, instance: DagsterInstance) -> None:
        self.study, self.instance, self.cursor = study, instance, None
        resources = {"home": HomeResource(), "graphs": GraphStoreResource()}
        self.definitions = Definitions(assets=study_assets(study), jobs=study_jobs(study), sensors=study_sensors(study), resources=resources)

    def tick(self) -> SensorResult | SkipReason:
        found = self._evaluate("new_checkpoints", self.cursor)
        if isinstance(found, SensorResult):
            self.cursor = found.cursor
            for added in found.dynamic_partitions_requests or ():
                self.instance.add_dynamic_partitions(added.partitions_def_name, added.partition_keys)
        return found

    def requested(self) -> list[str]:
        found = self.tick()
        return [str(request.partition_key) for request in found.run_requests or ()] if isinstance(found, SensorResult) else []

    def said(self) -> str:
        found = self.tick()
        reason = found.skip_reason if isinstance(found, SensorResult) else found
        assert isinstance(reason, SkipReason)
        return str(reason.skip_message)

    def summary(self) -> RunRequest | SkipReason:
        return self._evaluate("all_analysed", None)

    def _evaluate(self, name: str, cursor: str | None):
        sensor = self.definitions.resolve_sensor_def(f"{self.study.study.replace('-', '_')}_{name}")
        return sensor(build_sensor_context(instance=self.instance, definitions=self.definitions, cursor=cursor))

    def analyse(self, key: str, question: str | None = None) -> None:
        """Report that the last asset was made for what is asked now."""
        metadata = {"asked": question or asked(self.study, *keys_of(self.study)[key])}
        event = AssetMaterialization(AssetKey([self.study.study.replace("-", "_"), last_asset(self.study)]), partition=key, metadata=metadata)
        self.instance.report_runless_asset_event(event)


@pytest.fixture(autouse=True)
def quiet_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settled, "QUIET_S", 0.0)


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as made:
        yield made


def test_a_folder_that_grows_is_run_checkpoint_by_checkpoint(tmp_path: Path, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail without the look at the weights (checkpoint 20 was requested from its config alone), and without the cursor
    (checkpoint 10 was requested a second time).
    """
    watched = Watched(load_study(growing_study(tmp_path)), instance)
    assert "does not exist" in watched.said()
    run = tmp_path / "run"
    run.mkdir()
    assert "neither a config.json nor checkpoint-<step> folders" in watched.said()
    write_checkpoint(run, 10)
    assert watched.requested() == ["g@00000010"]
    later = write_checkpoint(tmp_path / "elsewhere", 20)
    half = run / "checkpoint-20"
    half.mkdir()
    shutil.copy(later / "config.json", half)
    assert watched.said() == "g@00000020: its weights are not there yet"
    whole = (later / "model.safetensors").read_bytes()
    (half / "model.safetensors").write_bytes(whole[:-8])
    assert watched.said() == "g@00000020: model.safetensors is half-written"
    (half / "model.safetensors").write_bytes(whole)
    monkeypatch.setattr(settled, "QUIET_S", 600.0)
    assert "changed less than 600 s ago" in watched.said()
    monkeypatch.setattr(settled, "QUIET_S", 0.0)
    assert watched.requested() == ["g@00000020"]
    assert watched.said() == "all 2 checkpoints were run, or requested, for what is asked now"
    assert set(instance.get_dynamic_partitions("growing_checkpoints")) == {"g@00000010", "g@00000020"}


def test_a_changed_question_runs_again_and_an_unchanged_one_does_not(tmp_path: Path, instance: DagsterInstance) -> None:
    """Other weights under the old name, other settings, a metric file; but not a new model beside, nor the same bytes copied again.

    Seen to fail with the run key made of the partition alone, and with ``study.models`` as a part of the question.
    """
    path = growing_study(tmp_path)
    write_checkpoint(tmp_path / "run", 10)
    watched = Watched(load_study(path), instance)
    keys = [str(watched.tick().run_requests[0].run_key)]
    weights = tmp_path / "run" / "checkpoint-10" / "model.safetensors"
    whole = weights.read_bytes()
    weights.unlink()
    weights.write_bytes(whole)
    assert watched.requested() == []
    watched.study = load_study(path).model_copy(update={"models": (*watched.study.models, watched.study.models[0].model_copy(update={"name": "h"}))})
    assert asked(watched.study, "g", "10") == asked(load_study(path), "g", "10")
    weights.write_bytes(write_checkpoint(tmp_path / "elsewhere", 11).joinpath("model.safetensors").read_bytes())
    keys.append(str(watched.tick().run_requests[0].run_key))
    path.write_text(path.read_text().replace("bootstrap: 20", "bootstrap: 30"))
    changed = Watched(load_study(path), instance)
    changed.cursor = watched.cursor
    keys.append(str(changed.tick().run_requests[0].run_key))
    assert [key.partition(":")[0] for key in keys] == ["g@00000010"] * 3
    assert len(set(keys)) == 3


def test_what_was_run_by_hand_is_not_requested(tmp_path: Path, instance: DagsterInstance) -> None:
    """Seen to fail without the look at the last materialization; one of another question is requested."""
    for step in (10, 20):
        write_checkpoint(tmp_path / "run", step)
    watched = Watched(load_study(growing_study(tmp_path)), instance)
    watched.analyse("g@00000010")
    watched.analyse("g@00000020", "another question")
    assert watched.requested() == ["g@00000020"]
    assert len(json.loads(watched.cursor or "")) == 2


def test_a_checkpoint_with_an_open_run_waits(tmp_path: Path, instance: DagsterInstance) -> None:
    """Seen to fail without ``busy``: `roicg run` and the sensor would both run it."""
    write_checkpoint(tmp_path / "run", 10)
    watched = Watched(load_study(growing_study(tmp_path)), instance)
    tags = {PARTITION_NAME_TAG: "g@00000010"}
    run = create_run_for_test(instance, job_name="growing_checkpoint", tags=tags, status=DagsterRunStatus.STARTED)
    assert watched.said() == "g@00000010: a run is on it"
    instance.report_run_canceled(run)
    assert watched.requested() == ["g@00000010"]


def test_the_reference_is_waited_for(tmp_path: Path, instance: DagsterInstance) -> None:
    """The reference's ROIs are nodes of every graph. Seen to fail without the look at the reference: 10 was requested while 20 had no weights."""
    path = growing_study(tmp_path)
    path.write_text(path.read_text().replace("partitions: [components]\ncircuits", "partitions: [components, reference]\ncircuits"))
    write_checkpoint(tmp_path / "run", 10)
    half = write_checkpoint(tmp_path / "run", 20) / "model.safetensors"
    half.rename(tmp_path / "kept")
    watched = Watched(load_study(path), instance)
    assert watched.said() == (
        "g@00000020: its weights are not there yet; g@00000010: its reference 20 is not ready: its weights are not there yet"
    )  # fmt: skip
    (tmp_path / "kept").rename(half)
    assert watched.requested() == ["g@00000020", "g@00000010"]
    write_checkpoint(tmp_path / "run", 30)
    assert len(watched.requested()) == 3  # the last is the reference of all: the others are asked anew
    path.write_text(path.read_text().replace("path: run}", "path: run}, reference: 40"))
    assert "reference 40 is none of its checkpoints" in Watched(load_study(path), instance).said()


def test_a_tick_requests_a_bounded_number_and_the_next_goes_on(tmp_path: Path, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail without the bound."""
    monkeypatch.setattr(sensors, "RUNS_PER_TICK", 3)
    watched = Watched(load_study(native_study(tmp_path, 7)), instance)
    assert [len(watched.requested()) for _ in range(4)] == [3, 3, 1, 0]
    monkeypatch.setattr(sensors, "LOOK_S", -1.0)
    watched.cursor = None
    assert watched.said() == "7 were left for the next tick"


def test_the_sensor_adds_partitions_and_requests_runs(study: Study, instance: DagsterInstance) -> None:
    watched = Watched(study, instance)
    found = watched.tick()
    assert isinstance(found, SensorResult)
    assert [request.partition_key for request in found.run_requests or ()] == [KEY]
    assert [list(request.partition_keys) for request in found.dynamic_partitions_requests or ()] == [[KEY]]
    assert watched.requested() == []


def test_the_summary_waits_for_every_checkpoint_and_is_requested_once_per_state(tmp_path: Path, instance: DagsterInstance) -> None:
    """Seen to fail with materialized partitions alone looked at: the old analysis of changed weights counted."""
    for step in (10, 20):
        write_checkpoint(tmp_path / "run", step)
    watched = Watched(load_study(growing_study(tmp_path)), instance)
    instance.add_dynamic_partitions(str(checkpoints_of(watched.study).name), list(keys_of(watched.study)))
    watched.analyse("g@00000010")
    assert "g@00000020" in str(watched.summary().skip_message)
    watched.analyse("g@00000020", "of other weights")
    assert str(watched.summary().skip_message) == "not analysed yet: g@00000020"
    watched.analyse("g@00000020")
    first = watched.summary()
    assert isinstance(first, RunRequest)
    report = AssetMaterialization(AssetKey(["growing", "report"]), metadata={"asked": study_asked(watched.study)})
    instance.report_runless_asset_event(report)
    assert isinstance(watched.summary(), SkipReason)
    write_checkpoint(tmp_path / "run", 30)
    assert str(watched.summary().skip_message) == "not analysed yet: g@00000030"
    watched.analyse("g@00000030")
    second = watched.summary()
    assert isinstance(second, RunRequest)
    assert second.run_key != first.run_key


def test_sensors_are_off_unless_the_study_is_named(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with every sensor on: a lab's daemon would have trained the bundled studies."""
    assert {sensor.default_status for sensor in study_sensors(study)} == {DefaultSensorStatus.STOPPED}
    monkeypatch.setenv(sensors.VARIABLE, "other, tiny-study")
    assert {sensor.default_status for sensor in study_sensors(study)} == {DefaultSensorStatus.RUNNING}
    monkeypatch.setenv(sensors.VARIABLE, "tiny")
    assert {sensor.default_status for sensor in study_sensors(study)} == {DefaultSensorStatus.STOPPED}
