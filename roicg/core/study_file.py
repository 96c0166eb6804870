"""The study file: one YAML, validated before anything runs; an unknown key is an error with the nearest known name."""

import reprlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from roicg.core.errors import StudyError
from roicg.core.nearest import did_you_mean
from roicg.core.settings import (
    AnalysisSettings,
    AttributionSettings,
    CircuitSettings,
    FilePrompts,
    FindingSettings,
    GeneratedPrompts,
    HfSource,
    ModelSettings,
    NativeSource,
    RoiSettings,
    Settings,
    StitchedSource,
    Study,
    TaskSettings,
    TrainedSource,
)

_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxlist, _SHORT.maxdict, _SHORT.maxtuple = 2, 3, 3, 3


def load_study(path: Path) -> Study:
    """Read and validate a study file; every problem is one ``StudyError`` sentence with the place, the value and what is allowed."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise StudyError(f"cannot read the study {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise StudyError(f"the study {path} is not UTF-8 text: {error}") from error
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise StudyError(f"{path} is not valid YAML: {' '.join(ascii(str(error))[1:-1].replace(chr(92) + 'n', ' ').split())}") from error
    except RecursionError as error:
        raise StudyError(f"{path} is nested too deeply for a study") from error
    if not isinstance(data, dict):
        raise StudyError(f"{path} must hold a mapping with the keys {', '.join(sorted(Study.model_fields))}")
    if "folder" in data:
        raise StudyError(f"{path}: unknown key 'folder'{did_you_mean('folder', sorted(Study.model_fields))}")
    try:
        return Study.model_validate({**data, "folder": path.resolve().parent})
    except ValidationError as error:
        raise StudyError(f"{path}: " + "; ".join(_sentence(item, data) for item in _causes(error.errors())[:5])) from error


def inside(folder: Path, relative: str) -> Path:
    """``folder/relative`` if it stays inside ``folder`` after links are followed; else a ``StudyError``."""
    try:
        target = (folder / relative).resolve()
        target.is_file()  # the system says here what it makes of a name that is too long
    except (OSError, ValueError, RuntimeError) as error:
        raise StudyError(
            f"the path {_shown(relative)} is none that this system knows ({getattr(error, 'strerror', None) or type(error).__name__}); name a file beside the study"
        ) from error
    if not target.is_relative_to(folder.resolve()):
        raise StudyError(f"the path {_shown(relative)} leaves the study's folder; copy the file beside the study and name it there")
    return target


def _shown(value: Any) -> str:
    """A value in a sentence: short, in ASCII (so that no control character reaches a terminal), and looked at no deeper than that."""
    return ascii(value)[:80] if isinstance(value, str) else _SHORT.repr(value)[:80]


def _causes(errors: Sequence[Any]) -> list[Any]:
    """Without the echo: a list is called too short when one of its items was refused."""
    return [item for item in errors if not any(item is not other and other["loc"][: len(item["loc"])] == item["loc"] for other in errors)]


def _sentence(item: Any, data: Any) -> str:
    place = [part for part in item["loc"] if part not in ("trained", "stitched", "native", "hf", "generated", "file")]
    where = ".".join(part if isinstance(part, str) and part.isprintable() and len(part) < 80 else _shown(part) for part in place)
    if item["type"] == "extra_forbidden":
        known = sorted(_known_keys(place[:-1], data))
        return f"unknown key {place[-1]!r} in {'.'.join(map(str, place[:-1])) or 'the study'}{did_you_mean(place[-1], known)} (known: {', '.join(known)})"
    if item["type"] == "missing":
        return f"{where} is required"
    message = item["msg"].removeprefix("Value error, ")
    return f"{where}: {message}, given {_shown(item['input'])}" if where else message


def _known_keys(place: list[Any], data: Any) -> set[str]:
    """Keys allowed at ``place``: walk the settings classes beside the data that was given."""
    kinds: dict[str, type[Settings]] = {
        "trained": TrainedSource,
        "stitched": StitchedSource,
        "native": NativeSource,
        "hf": HfSource,
        "generated": GeneratedPrompts,
        "file": FilePrompts,
    }
    table: dict[str, type[Settings]] = {
        "models": ModelSettings,
        "tasks": TaskSettings,
        "rois": RoiSettings,
        "attribution": AttributionSettings,
        "circuits": CircuitSettings,
        "analysis": AnalysisSettings,
        "findings": FindingSettings,
    }
    here: type[Settings] = Study
    for part in place:
        data = data[part]
        if part in ("source", "prompts"):
            here = kinds[data["kind"]]
        elif isinstance(part, str) and part in table:
            here = table[part]
    return set(here.model_fields) - {"folder"}
