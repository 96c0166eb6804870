"""One dynamic partition dimension per study: ``model@step``, the step with leading zeros so that keys sort by step."""

import re

from dagster import DynamicPartitionsDefinition

from roicg.core.errors import StudyError
from roicg.core.settings import Study
from roicg.places import labels, reference_label

from .study_files import identifier


def checkpoints_of(study: Study) -> DynamicPartitionsDefinition:
    """The partitions of a study's assets; keys are added by a run or by the sensor."""
    return DynamicPartitionsDefinition(name=f"{identifier(study)}_checkpoints")


def partition_key(model: str, step: int) -> str:
    """``model@step`` in Dagster's safe alphabet ``[a-z0-9._@-]``."""
    return f"{re.sub(r'[^a-z0-9._-]', '-', model.lower())}@{step:08d}"


def keys_of(study: Study) -> dict[str, tuple[str, str]]:
    """Partition key → (model, checkpoint label), in the order to run: each model's reference first, then by rising step."""
    keys: dict[str, tuple[str, str]] = {}
    for model in (settings.name for settings in study.models):
        reference = reference_label(study, model)
        for label, step in sorted(labels(study, model), key=lambda item: (item[0] != reference, item[1])):
            key = partition_key(model, step)
            if key in keys:
                raise StudyError(f"models {keys[key][0]!r} and {model!r} have the same partition key {key!r}; rename one")
            keys[key] = (model, label)
    return keys


def place_of(study: Study, key: str) -> tuple[str, str]:
    """(model, checkpoint label) of a partition key; ``StudyError`` when the study has no such checkpoint."""
    keys = keys_of(study)
    if key not in keys:
        raise StudyError(f"study {study.study!r} has no checkpoint {key!r} (any more); it has {', '.join(keys)}")
    return keys[key]
