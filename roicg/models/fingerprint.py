"""Whether a checkpoint is still the one that was opened before, told from its file alone: no TransformerLens, no weights in memory."""

import hashlib
from pathlib import Path

from roicg.core.settings import FilePrompts, ModelSettings, NativeSource, StitchedSource, TaskSettings, TrainedSource
from roicg.core.study_file import inside
from roicg.models.metric_files import metric_file
from roicg.models.trained import training_folder, weights_path


def checkpoint_fingerprint(model: ModelSettings, label: str, folder: Path, artifacts: Path) -> str | None:
    """sha256 of the checkpoint's file (of its parts' files, joined); None where there is no such file (Hugging Face folders, training not done yet)."""
    source = model.source
    if isinstance(source, NativeSource):
        return _file(inside(folder, source.checkpoints[label])) if label in source.checkpoints else None
    if isinstance(source, TrainedSource):
        return _file(weights_path(training_folder(source, artifacts), int(label)))
    if isinstance(source, StitchedSource):
        parts = [_file(weights_path(training_folder(part, artifacts), int(label))) for part in source.trained()]
        return "+".join(part for part in parts if part) if all(parts) else None
    return None


def prompts_fingerprint(task: TaskSettings, folder: Path) -> str | None:
    """sha256 of a prompt file, with the digest of a user's metric; the empty string where the settings determine all; None where the file is missing."""
    prompts = _file(inside(folder, task.prompts.path)) if isinstance(task.prompts, FilePrompts) else ""
    metric = metric_file(task.metric, folder)
    return prompts if prompts is None or metric is None else f"{prompts}@{metric.digest}"


def _file(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
