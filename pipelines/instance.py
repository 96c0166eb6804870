"""The Dagster instance of a home: its settings, its folder, and how its pages find the code of a run again."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef

from roicg.server.home import home, private_folder

LOCATION = "roicg"
MODULE = f"{__package__}.definitions"
NO_CAPTURE = {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"}
"""Dagster's capture starts four processes per run and takes the terminal away from the progress bars."""
SETTINGS = """\
# Written once by roicg; change it as you like.
telemetry:
  enabled: false
nux:
  enabled: false          # no sign-up dialog
concurrency:
  pools:
    granularity: op
    default_limit: 1        # accelerator, neo4j_write
  runs:
    max_concurrent_runs: 1  # runs of one machine share its cores; raise it where there are more
run_monitoring:
  enabled: true
  start_timeout_seconds: 300  # on a busy machine torch alone takes a while to load
  cancel_timeout_seconds: 120
  free_slots_after_run_end_seconds: 30
  poll_interval_seconds: 30
retention:
  sensor:
    purge_after_days: 7
"""


def dagster_home() -> Path:
    """The instance's folder in ``ROICG_HOME`` with its dagster.yaml, both created if missing; ``DAGSTER_HOME`` is set to it."""
    folder = private_folder(home() / "dagster")
    settings = folder / "dagster.yaml"
    if not settings.exists():
        settings.write_text(SETTINGS, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(folder)
    return folder


def workspace_file() -> Path:
    """A workspace.yaml in the instance's folder that loads this very package, also where it was installed from a wheel."""
    spec = find_spec(MODULE)
    assert spec is not None
    assert spec.origin is not None
    root = Path(spec.origin).resolve().parents[MODULE.count(".")]
    path = dagster_home() / "workspace.yaml"
    path.write_text(
        f"load_from:\n  - python_module:\n      module_name: {MODULE}\n      working_directory: {str(root)!r}\n      location_name: {LOCATION}\n",
        encoding="utf-8",
    )
    return path


@contextmanager
def open_instance() -> Iterator[DagsterInstance]:
    """The instance that ``roicg ui`` shows, for runs in this process: they print nothing, so nothing need capture what they print."""
    with DagsterInstance.from_ref(InstanceRef.from_dir(str(dagster_home()), overrides={"compute_logs": NO_CAPTURE})) as instance:
        yield instance
