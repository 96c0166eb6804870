"""Sensors of one study, off until somebody turns them on: new checkpoints are run, and after them the summary."""

from dagster import DefaultSensorStatus, RunRequest, SensorDefinition, SensorEvaluationContext, SensorResult, SkipReason, sensor

from roicg.core.settings import Study

from .assets import asset_key
from .jobs import checkpoint_job_name, summary_job_name
from .partitions import checkpoints_of, keys_of
from .study_files import identifier


def study_sensors(study: Study) -> list[SensorDefinition]:
    """A sensor for new checkpoints and one for the summary."""
    name, partitions = identifier(study), checkpoints_of(study)

    @sensor(name=f"{name}_new_checkpoints", job_name=checkpoint_job_name(study), minimum_interval_seconds=60, default_status=DefaultSensorStatus.STOPPED)
    def new_checkpoints(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        """Find checkpoints without a partition: add it and request its run."""
        known = set(context.instance.get_dynamic_partitions(str(partitions.name)))
        new = [key for key in keys_of(study) if key not in known]
        if not new:
            return SkipReason(f"all {len(known)} checkpoints have their partition")
        requests = [RunRequest(run_key=key, partition_key=key) for key in new]
        return SensorResult(run_requests=requests, dynamic_partitions_requests=[partitions.build_add_request(sorted(new))])

    @sensor(name=f"{name}_all_analysed", job_name=summary_job_name(study), minimum_interval_seconds=60, default_status=DefaultSensorStatus.STOPPED)
    def all_analysed(context: SensorEvaluationContext) -> RunRequest | SkipReason:
        """Request the summary as soon as every checkpoint is analysed."""
        done = context.instance.get_materialized_partitions(asset_key(study, "analyses"))
        missing = [key for key in keys_of(study) if key not in done]
        if missing:
            return SkipReason(f"not analysed yet: {', '.join(missing)}")
        return RunRequest(run_key=",".join(sorted(done)))

    return [new_checkpoints, all_analysed]
