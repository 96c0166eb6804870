"""Sensors of one study: new checkpoints are run, and after them the summary.

Off until somebody turns them on, in the pages or by ``dagster sensor start``; ``ROICG_SENSORS=one,two`` has those of the studies
``one`` and ``two`` on from the start.

A checkpoint is run once for every question: the run key is its partition with the hash of what is asked (:func:`.arrivals.asked`).
So other weights under the same name, another prompt file or other settings run again, and what a person ran by hand does not.
The cursor holds the question that was last requested (or found answered) per partition. A run that failed is not requested
again: Dagster's run retries, or a person, repeat it.
"""

import json
import os
import time
from dataclasses import dataclass, field

from dagster import (
    DagsterInstance,
    DagsterRunStatus,
    DefaultSensorStatus,
    RunRequest,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)
from dagster._core.storage.tags import PARTITION_NAME_TAG

from roicg.core.errors import RoicgError
from roicg.core.settings import Study

from .answered import last_asset, told
from .arrivals import asked, study_asked, waits
from .jobs import checkpoint_job_name, summary_job_name
from .names import asset_key
from .partitions import checkpoints_of, keys_of
from .study_files import identifier

VARIABLE = "ROICG_SENSORS"
INTERVAL_S = 30
RUNS_PER_TICK = 25
LOOK_S = 20.0
"""Seconds of one tick spent on hashing weights; Dagster gives up on a tick after 60. What was hashed is remembered for the next tick."""
_OPEN = [DagsterRunStatus.QUEUED, DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]


@dataclass(slots=True)
class Tick:
    """What one look found, by partition key: questions to run, questions known, why others wait; and how many were left for the next tick."""

    new: dict[str, str] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)
    left: int = 0

    def said(self) -> str:
        """Why nothing is requested."""
        why = [f"{key}: {reason}" for key, reason in self.waiting.items()]
        more = [f"{len(why) - 5} more wait"] if len(why) > 5 else []
        left = [f"{self.left} were left for the next tick"] if self.left else []
        return "; ".join([*why[:5], *more, *left]) or f"all {len(self.known)} checkpoints were run, or requested, for what is asked now"


def look(study: Study, instance: DagsterInstance, known: dict[str, str]) -> Tick:
    """Compare the checkpoints there are with what was requested before; at most ``RUNS_PER_TICK`` are new at once."""
    tick, until = Tick(), time.monotonic() + LOOK_S
    job = RunsFilter(job_name=checkpoint_job_name(study), statuses=_OPEN)
    busy = {run.tags.get(PARTITION_NAME_TAG) for run in instance.get_runs(job)}
    for key, place in keys_of(study).items():
        if key in known:
            tick.known[key] = known[key]
        if len(tick.new) == RUNS_PER_TICK or time.monotonic() > until:
            tick.left += 1
            continue
        why = "a run is on it" if key in busy else waits(study, *place)
        if why is not None:
            tick.waiting[key] = why
            continue
        question = asked(study, *place)
        if known.get(key) == question:
            continue
        tick.known[key] = question
        if told(instance, study, last_asset(study), key, "asked") != question:
            tick.new[key] = question
    return tick


def study_sensors(study: Study) -> list[SensorDefinition]:
    """A sensor for new checkpoints and one for the summary."""
    name, partitions = identifier(study), checkpoints_of(study)
    named = {each.strip() for each in os.environ.get(VARIABLE, "").split(",")}
    status = DefaultSensorStatus.RUNNING if {study.study, name} & named else DefaultSensorStatus.STOPPED

    @sensor(name=f"{name}_new_checkpoints", job_name=checkpoint_job_name(study), minimum_interval_seconds=INTERVAL_S, default_status=status)
    def new_checkpoints(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        """Find checkpoints that can be opened and have not been asked this question: add their partitions and request their runs."""
        try:
            tick = look(study, context.instance, json.loads(context.cursor or "{}"))
        except RoicgError as error:  # no folder yet, or no reference yet
            return SkipReason(str(error))
        cursor = json.dumps(tick.known)
        if not tick.new:
            return SensorResult(skip_reason=tick.said(), cursor=cursor)
        missing = sorted(set(tick.new) - set(context.instance.get_dynamic_partitions(str(partitions.name))))
        requests = [RunRequest(run_key=f"{key}:{question[:16]}", partition_key=key) for key, question in tick.new.items()]
        return SensorResult(requests, cursor=cursor, dynamic_partitions_requests=[partitions.build_add_request(missing)] if missing else [])

    @sensor(name=f"{name}_all_analysed", job_name=summary_job_name(study), minimum_interval_seconds=INTERVAL_S, default_status=status)
    def all_analysed(context: SensorEvaluationContext) -> RunRequest | SkipReason:
        """Request the summary as soon as every checkpoint is analysed, once for every state of the study."""
        try:
            missing = _unanswered(study, context.instance)
            question = "" if missing else study_asked(study)
        except RoicgError as error:
            return SkipReason(str(error))
        if missing:
            return SkipReason(f"not analysed yet: {', '.join(missing[:5])}{f' and {len(missing) - 5} more' if len(missing) > 5 else ''}")
        if told(context.instance, study, "report", figure="asked") == question:
            return SkipReason("the report is of the checkpoints there are")
        return RunRequest(run_key=question[:16])

    return [new_checkpoints, all_analysed]


def _unanswered(study: Study, instance: DagsterInstance) -> list[str]:
    """Checkpoints that nobody has analysed for what is asked now, those among them whose files are still being written."""
    last, keys = last_asset(study), keys_of(study)
    done = instance.get_materialized_partitions(asset_key(study, last))
    never = [key for key in keys if key not in done]
    return never or [key for key, place in keys.items() if waits(study, *place) or told(instance, study, last, key, "asked") != asked(study, *place)]
