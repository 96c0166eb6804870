"""Execute one job in this process, against the instance that the pages show, so that they can show and repeat it.

The run carries the origin (workspace, repository, job) that Dagster's own launcher would give it: by this the pages find its
code again. Events are handed on as they come.
"""

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, cast

from dagster import DagsterEvent, DagsterEventType, DagsterInstance, DagsterRun, Definitions
from dagster._core.definitions.job_base import InMemoryJob  # the public execute_in_process gives a run no origin and shows no events
from dagster._core.events import RunFailureReason
from dagster._core.execution.api import execute_run_iterator
from dagster._core.remote_origin import RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.storage.tags import PARTITION_NAME_TAG, REPOSITORY_LABEL_TAG
from dagster._core.utils import make_new_run_id
from dagster._core.workspace.load_target import WorkspaceFileTarget

from roicg.core.errors import LawError, RoicgError

from .instance import LOCATION, workspace_file
from .interrupt import raise_if_lost, was_interrupted
from .outcome import EXIT_CODE
from .processes import process_tag

REPOSITORY = "__repository__"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Dagster's own lines stay in the event log."""


@dataclass(slots=True)
class RunOutcome:
    """What one run did: ``seconds`` per asset, and what failed (one sentence, exit code), if anything."""

    run_id: str
    seconds: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    failure: str | None = None
    exit_code: int = 0
    interrupted: bool = False


def run_job(
    definitions: Definitions,
    job_name: str,
    instance: DagsterInstance,
    partition: str | None = None,
    on_event: Callable[[DagsterEvent], None] | None = None,
    device: str = "auto",
) -> RunOutcome:
    """Run ``job_name`` for ``partition`` on ``device``; a failure is in the outcome, Ctrl-C is a ``KeyboardInterrupt`` after the run was closed."""
    job = definitions.resolve_job_def(job_name)
    outcome = RunOutcome(make_new_run_id())
    tags = {REPOSITORY_LABEL_TAG: f"{REPOSITORY}@{LOCATION}", **process_tag(outcome.run_id)} | ({PARTITION_NAME_TAG: partition} if partition else {})
    try:
        run = instance.create_run_for_job(
            job_def=job, run_id=outcome.run_id, run_config=_config(device), tags=tags, remote_job_origin=_origin(job_name), job_code_origin=None
        )
        with closing(cast("Generator[DagsterEvent, None, None]", execute_run_iterator(InMemoryJob(job), run, instance))) as events:
            for event in events:
                _cancel_if_lost(instance, run)
                _note(event, outcome)
                if on_event is not None:
                    on_event(event)
        raise_if_lost()
    except KeyboardInterrupt:
        _close(instance, outcome.run_id)
        raise
    if outcome.interrupted:
        raise KeyboardInterrupt
    return outcome


def _config(device: str) -> dict[str, Any]:
    """The run's config: the pages show it, and a run that is repeated from there goes to the same device."""
    return {**QUIET, "resources": {"home": {"config": {"device": device}}}}


def _cancel_if_lost(instance: DagsterInstance, run: DagsterRun) -> None:
    """Raise an interrupt that has not arrived; Dagster, which then closes the run, is told that it was canceled."""
    if was_interrupted():
        now = instance.get_run_by_id(run.run_id)
        if now is not None and not now.is_finished:
            instance.report_run_canceling(run, "Ctrl-C")
        raise KeyboardInterrupt


def _close(instance: DagsterInstance, run_id: str) -> None:
    """Mark a run that Dagster had no chance to end as canceled, so that the pages do not show it running for ever; its places in pools are free."""
    left = instance.get_run_by_id(run_id)
    if left is not None and not left.is_finished:
        instance.report_run_canceled(left)
    if instance.event_log_storage.supports_global_concurrency_limits:
        instance.event_log_storage.free_concurrency_slots_for_run(run_id)


def _origin(job_name: str) -> RemoteJobOrigin:
    (location,) = WorkspaceFileTarget(paths=[str(workspace_file())]).create_origins()
    return RemoteRepositoryOrigin(location, REPOSITORY).get_job_origin(job_name)


def _note(event: DagsterEvent, outcome: RunOutcome) -> None:
    kind, step = event.event_type, (event.step_key or "").rpartition("__")[2]
    if kind == DagsterEventType.STEP_SUCCESS:
        outcome.seconds[step] = event.step_success_data.duration_ms / 1000
    elif kind == DagsterEventType.STEP_FAILURE:
        _note_failure(event, outcome, step)
    elif kind == DagsterEventType.ASSET_CHECK_EVALUATION:
        check = event.asset_check_evaluation_data
        if not check.passed:
            sentence = f"{event.partition or ''} {check.check_name}: {check.description}".strip()
            outcome.warnings.append(sentence)
            if check.blocking:
                outcome.failure, outcome.exit_code = f"the law {sentence}", LawError.exit_code
    elif kind == DagsterEventType.RUN_FAILURE:
        outcome.interrupted |= event.job_failure_data.failure_reason == RunFailureReason.UNEXPECTED_TERMINATION  # Ctrl-C between two steps
        if outcome.failure is None:
            outcome.failure, outcome.exit_code = event.message or "the run failed", 1


def _note_failure(event: DagsterEvent, outcome: RunOutcome, step: str) -> None:
    if outcome.failure is not None:
        return
    data = event.step_failure_data
    user = data.user_failure_data
    if user is not None and EXIT_CODE in user.metadata:
        outcome.failure, outcome.exit_code = str(user.description), int(user.metadata[EXIT_CODE].value)  # type: ignore[arg-type]
        return
    error = data.error
    while error is not None and error.cause is not None:
        error = error.cause
    name, message = (error.cls_name or "error", error.message.strip()) if error else ("error", "it gave no reason")
    outcome.interrupted = name == "DagsterExecutionInterruptedError"  # Ctrl-C inside a step
    known = _exit_codes()
    outcome.exit_code = known.get(name, 1)
    outcome.failure = message.partition(": ")[2] if name in known else f"{step}: {message}"


def _exit_codes() -> Mapping[str, int]:
    """Class name → exit code of every error roicg raises on purpose."""
    found: dict[str, int] = {}
    todo: list[Any] = [RoicgError]
    while todo:
        each = todo.pop()
        found[each.__name__] = each.exit_code
        todo += each.__subclasses__()
    return found
