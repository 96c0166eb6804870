"""Dagster as a service: a sensor that is on from the start, ticked by the real daemon, its runs launched by the real queue."""

from pathlib import Path

import pytest
from dagster import AssetKey, RunsFilter

from tests.pipelines.service import served
from tests.pipelines.tiny import growing_study, write_checkpoint


@pytest.mark.timeout(600)
def test_the_sensor_of_a_named_study_backfills_the_folder(tmp_path: Path) -> None:
    """With stages that compute nothing (tests/pipelines/light.py); the lane ``compose`` has the real ones, with checkpoints that arrive.

    Seen to fail with ``ROICG_SENSORS`` naming another study: nothing was requested.
    """
    study = growing_study(tmp_path)
    for step in (10, 20):
        write_checkpoint(tmp_path / "run", step)
    with served(tmp_path / "home", {"ROICG_STUDIES": str(study), "ROICG_SENSORS": "growing"}, "tests.pipelines.light") as service:
        service.wait(lambda: list(service.runs().values()) == ["SUCCESS", "SUCCESS"], "both checkpoints were run", 180)
        with service.instance() as instance:
            assert instance.get_materialized_partitions(AssetKey(["growing", "analyses"])) == {"g@00000010", "g@00000020"}
            assert len(instance.get_runs(RunsFilter(tags={"dagster/sensor_name": "growing_new_checkpoints"}))) == 2
