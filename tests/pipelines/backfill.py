"""Backfill many partitions in one go through the daemon, and count what went wrong."""

import logging
import re
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from dagster import AssetKey

from pipelines.instance import SETTINGS
from pipelines.partitions import checkpoints_of, keys_of
from roicg.core.study_file import load_study
from tests.pipelines.service import BACKFILL, Service, served
from tests.pipelines.tiny import native_study

TROUBLE = re.compile(r"database is locked|OperationalError|Traceback \(most recent call last\)")


@dataclass(frozen=True, slots=True)
class Backfilled:
    """How a backfill ended: runs by status, lines of trouble in what the service printed, attempts that failed, minutes."""

    statuses: dict[str, int]
    trouble: tuple[str, ...]
    errors: int
    materialized: int
    minutes: float


def backfill(home: Path, checkpoints: int, concurrent: int, *, module: str, environment: dict[str, str], patience_s: float) -> Backfilled:
    """Backfill ``checkpoints`` partitions of a tiny study, ``concurrent`` runs at once, in a service of its own on SQLite."""
    (home / "study").mkdir(parents=True)
    path = native_study(home / "study", checkpoints)
    study = load_study(path)
    settings = SETTINGS.replace("max_concurrent_runs: 1", f"max_concurrent_runs: {concurrent}")
    assert settings.count(f"max_concurrent_runs: {concurrent}") == 1
    with served(home, {**environment, "ROICG_STUDIES": str(path)}, module, settings) as service:
        with service.instance() as instance:
            instance.add_dynamic_partitions(str(checkpoints_of(study).name), list(keys_of(study)))
        began = time.monotonic()
        launched = service.ask(BACKFILL, set="many_checkpoint_partition_set", names=sorted(keys_of(study)))
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        service.wait(lambda: len(service.runs()) == checkpoints and _all_over(service), f"{checkpoints} runs are over", patience_s)
        minutes = (time.monotonic() - began) / 60
        with service.instance() as instance:
            events = [entry for run in instance.get_runs() for entry in instance.all_logs(run.run_id)]
            done = instance.get_materialized_partitions(AssetKey(["many", "analyses"]))
        errors = sum(entry.level >= logging.ERROR for entry in events)
        return Backfilled(dict(Counter(service.runs().values())), trouble_in(service.log), errors, len(done), minutes)


def trouble_in(log: Path) -> tuple[str, ...]:
    """The lines of a log that tell of a locked database or of an exception."""
    return tuple(line.strip() for line in log.read_text(errors="replace").splitlines() if TROUBLE.search(line))


def _all_over(service: Service) -> bool:
    return set(service.runs().values()) <= {"SUCCESS", "FAILURE", "CANCELED"}
