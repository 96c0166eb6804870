"""Which studies Dagster shows: those beside this file, those that ``ROICG_STUDIES`` names, and those that were ever run in this home."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roicg.core.errors import RoicgError, StudyError
from roicg.core.settings import Study
from roicg.core.study_file import load_study
from roicg.server.home import home_path

BUNDLED = Path(__file__).parent / "studies"
VARIABLE = "ROICG_STUDIES"


@dataclass(frozen=True, slots=True)
class StudyFile:
    """A study file, narrowed to one task or not."""

    path: Path
    task: str | None = None

    def load(self) -> Study:
        """The study, validated; ``StudyError`` otherwise."""
        study = load_study(self.path)
        return study if self.task is None else narrowed(study, self.task)


def narrowed(study: Study, task: str) -> Study:
    """The study with one task only, under the name ``study-task``: its graphs answer another question and get slots of their own."""
    known = [each.name for each in study.tasks]
    if task not in known:
        raise StudyError(f"no task {task!r} in study {study.study!r}; it has {', '.join(known)}")
    models = tuple(model.model_copy(update={"tasks": (task,)}) for model in study.models if not model.tasks or task in model.tasks)
    if not models:
        raise StudyError(f"no model of study {study.study!r} is asked the task {task!r}")
    tasks = tuple(each for each in study.tasks if each.name == task)
    return study.model_copy(update={"study": f"{study.study}-{task}", "models": models, "tasks": tasks})


def identifier(study: Study) -> str:
    """The study's name in Dagster's alphabet (letters, digits, underscore)."""
    return re.sub(r"\W", "_", study.study, flags=re.ASCII)


def load_studies() -> dict[str, Study]:
    """Every study by its Dagster name; a noted file that cannot be read any more is left out, a named one is an error."""
    studies: dict[str, Study] = {}
    for file in (*_bundled(), *_noted()):
        try:
            study = file.load()
        except RoicgError:
            continue  # it was valid when it ran; the file has gone or changed since, and others must still be shown
        studies[identifier(study)] = study
    for name in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        study = StudyFile(Path(name)).load()
        studies[identifier(study)] = study
    return studies


def note(file: StudyFile) -> None:
    """Remember a study that is run, so that the pages of ``roicg ui`` show it later."""
    entry = {"path": str(file.path.resolve()), "task": file.task}
    entries = [*(each for each in _entries() if each != entry), entry]
    path = _note_path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = path.with_suffix(f".{os.getpid()}")
    written.write_text(json.dumps(entries, indent=1), encoding="utf-8")
    written.replace(path)


def _bundled() -> list[StudyFile]:
    return [StudyFile(path) for path in sorted(BUNDLED.glob("*.yaml"))]


def _noted() -> list[StudyFile]:
    return [StudyFile(Path(entry["path"]), entry["task"]) for entry in _entries()]


def _entries() -> list[dict[str, Any]]:
    try:
        entries = json.loads(_note_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [entry for entry in entries if isinstance(entry, dict) and set(entry) == {"path", "task"}]


def _note_path() -> Path:
    return home_path() / "dagster" / "studies.json"
