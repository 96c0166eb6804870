"""``roicg run``: a study, one Dagster run per checkpoint and one for the summary; what is published already is left alone."""

import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from dagster import DagsterInstance, Definitions

from roicg import stages
from roicg.cli.console import say
from roicg.core.errors import RoicgError, StudyError
from roicg.core.settings import Study
from roicg.findings.registry import find_finding
from roicg.findings.stage import question_id
from roicg.models.own_metrics import open_metric
from roicg.models.placement import chosen_device
from roicg.places import Place
from roicg.server.home import home
from roicg.store.connect import connect

from .answered import last_asset, told
from .instance import open_instance
from .jobs import checkpoint_job_name, summary_job_name
from .leftovers import close_leftovers
from .names import per_checkpoint, per_study
from .partitions import checkpoints_of, keys_of
from .progress import Display, display, say_seconds
from .runner import RunOutcome, run_job
from .study_files import StudyFile, note
from .summary import report_path, study_question


@dataclass(slots=True)
class StudyOutcome:
    """What a study's runs did: partition keys that ran and that were there already, seconds, warnings, and the report."""

    study: str
    ran: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0
    report: str | None = None


class RunFailed(RoicgError):
    """A step of a run failed; carries the exit code of what went wrong."""

    def __init__(self, sentence: str, exit_code: int) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


def run_study(file: StudyFile, model: str | None = None, checkpoint: str | None = None, device: str = "auto") -> StudyOutcome:
    """Run what is not published yet on ``device``: reference checkpoints first, then by rising step, then comparison and report."""
    began, study, device = time.monotonic(), file.load(), chosen_device(device)
    keys = chosen_keys(study, model, checkpoint)
    check_asked(study, keys)
    note(file)
    definitions = _definitions()
    outcome, runs = StudyOutcome(study.study), []
    with open_instance() as instance:
        close_leftovers(instance)
        instance.add_dynamic_partitions(str(checkpoints_of(study).name), sorted(keys))  # the pages plot in this order
        todo = _unpublished(study, keys, instance, device)
        outcome.skipped = [key for key in keys if key not in todo]
        with display(study.study, len(todo) + 1) as shown:
            for key in todo:
                runs.append(_run(definitions, checkpoint_job_name(study), instance, shown, device, per_checkpoint(study), key))
                outcome.ran.append(key)
            if todo or not _is_summed_up(study, instance):
                runs.append(_run(definitions, summary_job_name(study), instance, shown, device, per_study(study)))
    outcome.warnings = [warning for run in runs for warning in run.warnings]
    outcome.seconds = time.monotonic() - began
    outcome.report = str(report_path(study, home()))
    if runs:
        say_seconds(runs, outcome.seconds)
    return outcome


def chosen_keys(study: Study, model: str | None, checkpoint: str | None) -> dict[str, tuple[str, str]]:
    """The partition keys that are asked for, in the order to run; unknown names are a ``StudyError``."""
    if checkpoint is not None and model is None:
        raise StudyError(f"--checkpoint {checkpoint} needs --model; the study has {', '.join(each.name for each in study.models)}")
    if model is not None:
        study.model(model)
    known = {key: place for key, place in keys_of(study).items() if model in (None, place[0])}
    keys = {key: place for key, place in known.items() if checkpoint in (None, place[1])}
    if not keys:
        raise StudyError(f"model {model!r} has no checkpoint {checkpoint!r}; it has {', '.join(label for _, label in known.values())}")
    return keys


def check_asked(study: Study, keys: dict[str, tuple[str, str]]) -> None:
    """Open every metric and look up every finding that a run of ``keys`` would ask for; one that is not there is a ``StudyError`` now."""
    for name in dict.fromkeys(name for name, _ in keys.values()):
        for task in study.tasks_of(study.model(name)):
            open_metric(task.metric, study.folder)
    for name in study.findings.ask:
        find_finding(name)


def _definitions() -> Definitions:
    """The definitions, loaded after the study was noted, so that they hold it."""
    from .definitions import defs

    return defs


def _run(
    definitions: Definitions, job: str, instance: DagsterInstance, shown: Display, device: str, assets: tuple[str, ...], key: str | None = None
) -> RunOutcome:
    name = key or "comparison and report"
    shown.start(name, len(assets))
    outcome = run_job(definitions, job, instance, key, shown.event, device)
    shown.done(name, outcome)
    if outcome.failure is not None:
        raise RunFailed(outcome.failure, outcome.exit_code)
    return outcome


def _unpublished(study: Study, keys: dict[str, tuple[str, str]], instance: DagsterInstance, device: str) -> list[str]:
    """Keys whose analyses and findings were not made for the question that is asked now, or whose graphs the database lacks."""
    analysed = {key: told(instance, study, last_asset(study), key) for key in keys}
    if not any(analysed.values()):
        return list(keys)
    with connect() as store:
        published = {(row["model"], row["label"], row["graph_id"]) for row in store.run("house.slots") if row["study"] == study.study}
    is_done = partial(_is_done, study=study, published=published, device=device)
    return [key for key, place in keys.items() if not (analysed[key] and is_done(place, analysed[key]))]


def _is_done(place: tuple[str, str], question: str | None, study: Study, published: set[tuple[Any, ...]], device: str) -> bool:
    here = Place(study, *place, home(), device)
    asked = question_id(here) if study.findings.ask else stages.question_id(here)
    return question == asked and all((*place, id_) in published for id_ in stages.planned_graph_ids(here).values())


def _is_summed_up(study: Study, instance: DagsterInstance) -> bool:
    path: Path = report_path(study, home())
    return path.is_file() and told(instance, study, "report") == study_question(study, home())


def say_outcome(outcome: StudyOutcome) -> None:
    """What was done, in words."""
    for warning in outcome.warnings[:6]:
        say(f"warning: {warning}")
    if len(outcome.warnings) > 6:
        say(f"… {len(outcome.warnings) - 6} more warnings; `roicg ui` shows them at their assets")
    if not outcome.ran:
        say(f"{outcome.study}: everything is already published ({len(outcome.skipped)} checkpoints)")
    else:
        there = f", {len(outcome.skipped)} were there already" if outcome.skipped else ""
        say(f"{outcome.study}: {len(outcome.ran)} checkpoints published{there}, {outcome.seconds:.0f} s")
