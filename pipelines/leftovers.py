"""Runs whose process was killed: closed before new ones begin, and their places in the pools given back.

Dagster leaves both to its daemon's run monitoring. Without it a killed run shows as running for ever, and keeps its place in a
pool of one, for which every later run would wait without end.
"""

import os
import socket

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from roicg.store.neo4j.writer import is_known_dead

PROCESS_TAG = "roicg/process"
_OPEN = [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]


def process_tag() -> dict[str, str]:
    """What tells later processes whether this one still lives: host and process."""
    return {PROCESS_TAG: f"{socket.gethostname()}:{os.getpid()}:"}


def close_leftovers(instance: DagsterInstance) -> list[str]:
    """Cancel open runs whose process on this host has ended, and free the pools of all runs that are over; ids of the canceled ones."""
    dead = [run for run in instance.get_runs(RunsFilter(statuses=_OPEN)) if is_known_dead(run.tags.get(PROCESS_TAG, ""))]
    for run in dead:
        instance.report_run_canceled(run, message="the process of this run was killed; its work goes on in the next run")
    storage = instance.event_log_storage
    if storage.supports_global_concurrency_limits:
        for key in storage.get_concurrency_keys():
            info = storage.get_concurrency_info(key)
            for run_id in info.active_run_ids | info.assigned_run_ids | info.pending_run_ids:
                found = instance.get_run_by_id(run_id)
                if found is None or found.is_finished:
                    storage.free_concurrency_slots_for_run(run_id)
    return [run.run_id for run in dead]
