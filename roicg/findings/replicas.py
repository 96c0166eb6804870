"""Seeds are the unit of replication: checkpoints of models that differ in their seed alone belong together."""

import re
from collections.abc import Sequence
from typing import Any

from roicg.core.ids import digest
from roicg.core.settings import ModelSettings, Study
from roicg.findings.finding import Measured


def replicas(study: Study, measured: Sequence[Measured]) -> list[tuple[str, list[Measured]]]:
    """(name, checkpoints) per kind of model and label, in the study's order; the name is what the models' names share, and the label."""
    groups: dict[tuple[str, str], list[Measured]] = {}
    for one in measured:
        groups.setdefault((_kind(study.model(one.model), "seed", "checkpoints"), one.label), []).append(one)
    return [(f"{_shared([one.model for one in together])}@{label}", together) for (_, label), together in groups.items()]


def by_model(study: Study, measured: Sequence[Measured]) -> list[list[list[Measured]]]:
    """Per kind of model with the same checkpoints its seeds, each with all its checkpoints."""
    groups: dict[str, dict[str, list[Measured]]] = {}
    for one in measured:
        groups.setdefault(_kind(study.model(one.model), "seed"), {}).setdefault(one.model, []).append(one)
    return [list(models.values()) for models in groups.values()]


def _kind(model: ModelSettings, *but: str) -> str:
    """Hash of all settings but the name and those called ``but``; models from files are each a kind of their own."""
    source = _without(model.source.model_dump(), but)
    return digest(source, model.tasks, None if _has_seed(model) else model.name)


def _without(value: Any, names: Sequence[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(one, names) for key, one in value.items() if key not in names}
    return [_without(one, names) for one in value] if isinstance(value, list | tuple) else value


def _has_seed(model: ModelSettings) -> bool:
    return model.source.kind in ("trained", "stitched")


def _shared(names: Sequence[str]) -> str:
    """``multitask-s`` of ``multitask-s3`` and ``multitask-s4``: without what only numbers the seeds."""
    return names[0] if len(names) == 1 else re.sub(r"[-_.]?s?\d+$", "", names[0]) or names[0]
