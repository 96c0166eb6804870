"""Model sources behind two functions: which checkpoints there are, and one of them as a Lens.

A further kind of source is one entry in ``SOURCES``: a function that boots one checkpoint, and one that lists labels.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from roicg.core.errors import SourceError, StudyError
from roicg.core.graph import Checkpoint
from roicg.core.settings import HfSource, ModelSettings, NativeSource, StitchedSource, TrainedSource
from roicg.core.study_file import inside
from roicg.models.hf_labels import hf_labels, step_in
from roicg.models.lens import Lens
from roicg.models.trained import Progress

DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32, "float64": torch.float64}
Tokenize = Callable[[str], list[int]]
Labels = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Boot:
    """What a source is asked for: one checkpoint of one model, in a dtype."""

    label: str
    step: int
    folder: Path
    artifacts: Path
    dtype: torch.dtype
    progress: Progress | None


@dataclass(frozen=True, slots=True)
class SourceKind:
    """``boot`` gives (TransformerBridge, weights digest); ``labels`` the (label, step) pairs without loading weights."""

    boot: Callable[[Any, Boot], tuple[Any, str]]
    labels: Callable[[Any, Path], Labels]


def _boot_native(source: NativeSource, boot: Boot) -> tuple[Any, str]:
    from roicg.models.native import native_bridge
    from roicg.models.native_config import native_config
    from roicg.models.tensors import read_tensors, state_digest

    config = native_config(source.config)
    path = inside(boot.folder, source.checkpoints[boot.label])
    tensors = read_tensors(path)
    return native_bridge(config, tensors, str(path), boot.dtype), state_digest(tensors, config)


def _boot_trained(source: TrainedSource, boot: Boot) -> tuple[Any, str]:
    from roicg.models.native import native_bridge
    from roicg.models.tensors import state_digest
    from roicg.models.trained import trained_tensors

    config, tensors, where = trained_tensors(source, boot.step, boot.artifacts, boot.progress)
    return native_bridge(config, tensors, where, boot.dtype), state_digest(tensors, config)


def _boot_stitched(source: StitchedSource, boot: Boot) -> tuple[Any, str]:
    from roicg.models.native import native_bridge
    from roicg.models.stitched import stitched_tensors
    from roicg.models.tensors import state_digest

    config, tensors = stitched_tensors(source, boot.step, boot.artifacts, boot.progress)
    return native_bridge(config, tensors, "the stitched model", boot.dtype), state_digest(tensors, config)


def _boot_hf(source: HfSource, boot: Boot) -> tuple[Any, str]:
    from roicg.models.hf import hf_bridge

    return hf_bridge(source, boot.label, boot.folder, boot.dtype)


def _native_labels(source: NativeSource, folder: Path) -> Labels:
    steps = {label: step_in(label, index) for index, label in enumerate(source.checkpoints)}
    return tuple(sorted(steps.items(), key=lambda item: item[1]))


SOURCES: dict[str, SourceKind] = {
    "trained": SourceKind(_boot_trained, lambda source, folder: tuple((str(step), step) for step in source.checkpoints)),
    "stitched": SourceKind(_boot_stitched, lambda source, folder: tuple((str(step), step) for step in source.checkpoints)),
    "native": SourceKind(_boot_native, _native_labels),
    "hf": SourceKind(_boot_hf, hf_labels),
}


def checkpoint_labels(model: ModelSettings, folder: Path) -> Labels:
    """(label, step) of every checkpoint, by rising step, without loading weights; the step of a named label is its last number, else its place."""
    labels = SOURCES[model.source.kind].labels(model.source, folder)
    steps = [step for _, step in labels]
    if len(set(steps)) != len(steps):
        raise StudyError(f"model {model.name!r}: two checkpoints have the same step ({', '.join(f'{label} → {step}' for label, step in labels)}); rename one")
    return labels


def open_checkpoint(
    model: ModelSettings, label: str, *, folder: Path, artifacts: Path, device: str = "cpu", dtype: str = "float32", progress: Progress | None = None
) -> tuple[Checkpoint, Lens]:
    """One checkpoint as a Lens on ``device``; ``SourceError`` when it cannot be loaded, ``UnsupportedModel`` when not represented.

    ``folder`` is the study's folder, ``artifacts`` where trained checkpoints are kept, ``progress`` hears of training steps.
    """
    from roicg.models.extract import lens_from_bridge
    from roicg.models.placement import place

    if dtype not in DTYPES:
        raise StudyError(f"dtype {dtype!r} is not supported; allowed: {', '.join(DTYPES)}")
    steps = dict(checkpoint_labels(model, folder))
    if label not in steps:
        raise SourceError(f"model {model.name!r} has no checkpoint {label!r}; it has {', '.join(steps)}")
    bridge, weights_digest = SOURCES[model.source.kind].boot(model.source, Boot(label, steps[label], folder, artifacts, DTYPES[dtype], progress))
    lens = place(lens_from_bridge(bridge, weights_digest), device)
    return Checkpoint(model.name, steps[label], label, weights_digest), lens


def checkpoint_tokenize(model: ModelSettings, label: str, folder: Path) -> Tokenize | None:
    """Text → token ids for prompt files, or None where the source has no tokenizer."""
    if not isinstance(model.source, HfSource):
        return None
    from roicg.models.hf import hf_tokenize

    return hf_tokenize(model.source, label, folder)


def checkpoint_token_text(model: ModelSettings, label: str, folder: Path) -> Callable[[int], str] | None:
    """Token id → text for labels, or None where the source has no tokenizer."""
    if not isinstance(model.source, HfSource):
        return None
    from roicg.models.hf import hf_token_text

    return hf_token_text(model.source, label, folder)
