"""One checkpoint of a study and where its files go; a checkpoint opened with its prompts, ready to be asked."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from roicg.core.errors import PromptError, StudyError
from roicg.core.graph import Checkpoint
from roicg.core.ids import digest
from roicg.core.prompts import TaskPrompts
from roicg.core.settings import ModelSettings, Study

if TYPE_CHECKING:
    from roicg.models.lens import Lens

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Place:
    """One checkpoint of one model of a study, and where files go."""

    study: Study
    model: str
    label: str
    home: Path
    device: str = "cpu"
    """``auto``, ``cpu``, ``cuda`` or ``cuda:N``; no part of the question: graphs have the same ids on every device."""

    @property
    def settings(self) -> ModelSettings:
        """Settings of the model."""
        return self.study.model(self.model)

    @property
    def artifacts(self) -> Path:
        """Folder of the files between stages."""
        return self.home / "artifacts"

    @property
    def key(self) -> str:
        """Hash of the study's settings and of this place in it: the same question, the same key."""
        return digest(self.study.model_dump(mode="json"), str(self.study.folder), self.model, self.label, str(self.home))

    def at(self, label: str) -> "Place":
        """Another checkpoint of the same model."""
        return Place(self.study, self.model, label, self.home, self.device)


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A checkpoint ready to be asked."""

    checkpoint: Checkpoint
    lens: "Lens"
    prompts: tuple[TaskPrompts, ...]


def labels(study: Study, model: str) -> tuple[tuple[str, int], ...]:
    """(label, step) of every checkpoint of ``model``, by rising step, without loading weights."""
    from roicg.models.sources import checkpoint_labels

    return checkpoint_labels(study.model(model), study.folder)


def reference_label(study: Study, model: str) -> str:
    """The checkpoint whose ROIs are the common node set: the one the study names, or the last."""
    known = [label for label, _ in labels(study, model)]
    wanted = study.model(model).reference
    if wanted is None:
        return known[-1]
    if str(wanted) not in known:
        raise StudyError(f"model {model!r}: reference {wanted!r} is none of its checkpoints {', '.join(known)}")
    return str(wanted)


def open_place(place: Place, progress: Progress | None = None) -> Opened:
    """The checkpoint with its prompts; the last few stay open, since every stage of a checkpoint asks for it."""
    key = place.key, place.device
    if key not in _OPEN:
        _OPEN[key] = _load(place, progress)
        while len(_OPEN) > KEPT_OPEN:
            _OPEN.popitem(last=False)
    _OPEN.move_to_end(key)
    return _OPEN[key]


_OPEN: OrderedDict[tuple[str, str], Opened] = OrderedDict()
KEPT_OPEN = 3


def _load(place: Place, progress: Progress | None) -> Opened:
    import torch

    from roicg.models.prompts import task_prompts
    from roicg.models.sources import checkpoint_tokenize, open_checkpoint

    torch.set_num_threads(1)
    study = place.study
    training = None if progress is None else (lambda done, total: progress("training", done / total))
    checkpoint, lens = open_checkpoint(
        place.settings, place.label, folder=study.folder, artifacts=place.artifacts, device=place.device, dtype=study.attribution.dtype, progress=training
    )
    tokenize = checkpoint_tokenize(place.settings, place.label, study.folder)
    prompts = []
    for task in study.tasks_of(place.settings):
        try:
            prompts.append(
                task_prompts(task, folder=study.folder, tokenize=tokenize, n_vocab=lens.W_E.shape[0], n_ctx=lens.n_ctx, n_vocab_out=lens.W_U.shape[1])
            )
        except PromptError as error:
            raise PromptError(f"model {place.model!r}, task {task.name!r}: {error}") from error
    return Opened(checkpoint, lens, tuple(prompts))
