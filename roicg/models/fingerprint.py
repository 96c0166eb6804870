"""Whether a checkpoint is still the one that was opened before, told from its file alone: no TransformerLens, no weights in memory."""

import hashlib
from pathlib import Path

from roicg.core.settings import FilePrompts, ModelSettings, NativeSource, TaskSettings, TrainedSource, inside
from roicg.models.trained import training_folder, weights_path


def checkpoint_fingerprint(model: ModelSettings, label: str, folder: Path, artifacts: Path) -> str | None:
    """sha256 of the checkpoint's one file; None where there is no such file (Hugging Face folders, training not done yet)."""
    source = model.source
    if isinstance(source, NativeSource):
        return _file(inside(folder, source.checkpoints[label])) if label in source.checkpoints else None
    if isinstance(source, TrainedSource):
        return _file(weights_path(training_folder(source, artifacts), int(label)))
    return None


def prompts_fingerprint(task: TaskSettings, folder: Path) -> str | None:
    """sha256 of a prompt file; the empty string for drawn prompts, which their settings determine; None where the file is missing."""
    return _file(inside(folder, task.prompts.path)) if isinstance(task.prompts, FilePrompts) else ""


def _file(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
