"""Checkpoint labels of Hugging Face sources, read from folder or revision names: no weights, no torch."""

import os
import re
from pathlib import Path

from roicg.core.errors import SourceError
from roicg.core.settings import HfSource
from roicg.core.study_file import inside


def hf_labels(source: HfSource, folder: Path) -> tuple[tuple[str, int], ...]:
    """(label, step) by rising step: revisions (``step1000`` → 1000), ``checkpoint-500`` folders, or ``final`` for a single model folder."""
    if source.name is not None:
        revisions = source.revisions or ("main",)
        steps = {revision: step_in(revision, index) for index, revision in enumerate(revisions)}
        return tuple(sorted(steps.items(), key=lambda item: item[1]))
    try:
        return _local_labels(inside(folder, str(source.path)))
    except PermissionError as error:
        raise SourceError(unreadable(error)) from error


def _local_labels(root: Path) -> tuple[tuple[str, int], ...]:
    if not root.is_dir():
        raise SourceError(f"the model folder {root} does not exist; name a folder with config.json or with checkpoint-* folders in it")
    found = [(entry.name.removeprefix("checkpoint-"), int(entry.name.removeprefix("checkpoint-"))) for entry in root.iterdir() if is_checkpoint(entry)]
    if found:
        return tuple(sorted(found, key=lambda item: item[1]))
    if (root / "config.json").is_file():
        return (("final", 0),)
    raise SourceError(f"{root} holds neither a config.json nor checkpoint-<step> folders with one")


def hf_folder(source: HfSource, label: str, folder: Path) -> tuple[str, str | None]:
    """(folder or hub name, revision) of a checkpoint label; unknown labels are a ``SourceError`` with the known ones."""
    labels = [known for known, _ in hf_labels(source, folder)]
    if label not in labels:
        raise SourceError(f"no checkpoint {label!r}; the source has {', '.join(labels)}")
    if source.name is not None:
        return source.name, label
    root = inside(folder, str(source.path))
    return str(root if label == "final" else next(entry for entry in root.iterdir() if is_checkpoint(entry) and entry.name == f"checkpoint-{label}")), None


def is_checkpoint(entry: Path) -> bool:
    """Whether ``entry`` is a ``checkpoint-<step>`` folder with a config."""
    return re.fullmatch(r"checkpoint-[0-9]{1,12}", entry.name) is not None and (entry / "config.json").is_file()


def unreadable(error: PermissionError) -> str:
    """What to say of a file that belongs to somebody else; trainers leave weights that nobody but themselves may read."""
    return f"{error.filename} may not be read by user {os.geteuid()}: let it (chmod a+rX)"


def step_in(text: str, otherwise: int) -> int:
    """The last number in a revision or label, or ``otherwise``."""
    numbers = re.findall(r"[0-9]+", text)
    return int(numbers[-1]) if numbers else otherwise
