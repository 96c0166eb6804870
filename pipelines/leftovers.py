"""Runs whose process was killed: closed, and their places in the pools given back.

Dagster notices a worker that dies under a living code server. What it does not notice is a ``roicg run`` that was killed, or a
code server that went down together with its workers (a container that was stopped): such a run shows as running for ever, and
keeps its place in a pool of one, for which every later run would wait without end. Three look for them: ``roicg run`` and
``roicg ui`` before they begin, and where a daemon runs, the sensor ``leftovers`` every minute, in the code server, that is on
the host of the workers.
"""

from dagster import (
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    DefaultSensorStatus,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    sensor,
)
from dagster._core.events import JobFailureData, RunFailureReason

from .processes import is_dead

INTERVAL_S = 60
_OPEN = [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]


def close_leftovers(instance: DagsterInstance, *, retry: bool = False) -> list[str]:
    """Close open runs whose process on this host has ended, and free the pools of all runs that are over; ids of the closed ones.

    They end as canceled, or with ``retry`` as failed, which Dagster's run retries repeat; one that was being canceled is canceled.
    """
    dead = [run for run in instance.get_runs(RunsFilter(statuses=_OPEN)) if is_dead(run.run_id, run.tags)]
    for run in dead:
        if retry and run.status != DagsterRunStatus.CANCELING:
            lost = JobFailureData(error=None, failure_reason=RunFailureReason.UNEXPECTED_TERMINATION)
            instance.report_run_failed(run, "the process of this run was killed", lost)
        else:
            instance.report_run_canceled(run, message="the process of this run was killed; its work goes on in the next run")
    _free_pools(instance)
    return [run.run_id for run in dead]


def leftovers_sensor() -> SensorDefinition:
    """The sensor of a code location that closes what was killed on its host; always on."""

    @sensor(name="leftovers", minimum_interval_seconds=INTERVAL_S, default_status=DefaultSensorStatus.RUNNING)
    def leftovers(context: SensorEvaluationContext) -> SkipReason:
        """Close runs whose process was killed, and give their places in the pools back; run retries repeat them where they are on."""
        closed = close_leftovers(context.instance, retry=True)
        return SkipReason(f"closed: {', '.join(closed)}" if closed else "no run has lost its process")

    return leftovers


def _free_pools(instance: DagsterInstance) -> None:
    storage = instance.event_log_storage
    if not storage.supports_global_concurrency_limits:
        return
    for key in storage.get_concurrency_keys():
        info = storage.get_concurrency_info(key)
        for run_id in info.active_run_ids | info.assigned_run_ids | info.pending_run_ids:
            found: DagsterRun | None = instance.get_run_by_id(run_id)
            if found is None or found.is_finished:
                storage.free_concurrency_slots_for_run(run_id)
