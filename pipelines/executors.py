"""Where the steps of a run are executed: by default all in the run's own process, where a checkpoint stays open from stage to stage.

``ROICG_EXECUTOR`` names another way: one of :data:`EXECUTORS`, or a YAML file (``docker/executors/`` has one of each kind)::

    executor: k8s            # one of EXECUTORS
    config: {...}            # that executor's own settings, checked by Dagster when the definitions are loaded
    accelerator: {...}       # op_tags of the assets in the pool `accelerator`, by tag: GPU limits, node selectors

Executors that start a process or a container per step hand files on, nothing else: every step must see the same ``ROICG_HOME``.
"""

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml
from dagster import ExecutorDefinition
from dagster._config import process_config
from dagster._config.errors import PostProcessingError

from roicg.core.errors import StudyError

VARIABLE = "ROICG_EXECUTOR"
EXECUTORS = {
    "in_process": "dagster:in_process_executor",
    "multiprocess": "dagster:multiprocess_executor",
    "docker": "dagster_docker:docker_executor",
    "celery": "dagster_celery:celery_executor",
    "k8s": "dagster_k8s:k8s_job_executor",
}
_KEYS = {"executor", "config", "accelerator"}


@dataclass(frozen=True, slots=True)
class Execution:
    """An executor, and the tags that it reads from the assets which need an accelerator."""

    name: str
    executor: ExecutorDefinition
    on_accelerator: Mapping[str, Any] = field(default_factory=dict)

    @property
    def in_one_process(self) -> bool:
        """Whether the steps run in the process of their run."""
        return self.name == "in_process"


def chosen_execution() -> Execution:
    """What ``ROICG_EXECUTOR`` names; a name, key or setting that does not fit is a ``StudyError``."""
    return execution(os.environ.get(VARIABLE, "") or "in_process")


def execution(given: str) -> Execution:
    """The executor of a name or of a YAML file."""
    if given in EXECUTORS:
        return Execution(given, _find(given))
    written = _read(Path(given))
    name = str(written.get("executor"))
    if unknown := set(written) - _KEYS:
        raise StudyError(f"{given}: unknown key {sorted(unknown)[0]!r}; allowed are {', '.join(sorted(_KEYS))}")
    found, config = _find(name), written.get("config", {})
    _check(found, config, given)
    return Execution(name, found.configured(config, name=name), written.get("accelerator", {}))


def _check(executor: ExecutorDefinition, config: Any, given: str) -> None:
    """Dagster itself looks at an executor's settings only when a run begins."""
    assert executor.config_schema.config_type is not None
    try:
        checked = process_config(executor.config_schema.config_type, config)
    except PostProcessingError as error:  # a variable that is not set
        raise StudyError(f"{given}: {error.__cause__ or error}") from error
    if not checked.success:
        why = "; ".join(each.message for each in checked.errors or ())
        raise StudyError(f"{given}: the settings do not fit the executor {executor.name}: {why}")


def _read(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise StudyError(f"{VARIABLE} is {str(path)!r}, neither one of {', '.join(EXECUTORS)} nor a YAML file that can be read ({error})") from error
    if not isinstance(found, dict):
        raise StudyError(f"{path} must hold the key executor, one of {', '.join(EXECUTORS)}")
    return found


def _find(name: str) -> ExecutorDefinition:
    if name not in EXECUTORS:
        raise StudyError(f"no executor {name!r}; known: {', '.join(EXECUTORS)}")
    module, _, attribute = EXECUTORS[name].partition(":")
    try:
        return cast("ExecutorDefinition", getattr(importlib.import_module(module), attribute))
    except ImportError as error:
        raise StudyError(f"the executor {name} needs {module.replace('_', '-')}, which is not installed; run `pip install 'roicg[scale]'`") from error
