"""Checkpoints that appear while somebody watches: which can be opened, and the hash of what is asked of each, told without opening any."""

from roicg.core.ids import NUMERICS, digest
from roicg.core.settings import Study
from roicg.models.fingerprint import prompts_fingerprint
from roicg.models.settled import files_digest, unsettled
from roicg.places import reference_label

from .partitions import keys_of


def waits(study: Study, model: str, label: str) -> str | None:
    """Why a checkpoint cannot be run yet, in a few words; None when its files and its reference's are whole and at rest."""
    settings = study.model(model)
    why = unsettled(settings, label, study.folder)
    if why is not None or "reference" not in study.partitions:
        return why
    reference = reference_label(study, model)
    why = unsettled(settings, reference, study.folder) if reference != label else None
    return None if why is None else f"its reference {reference} is not ready: {why}"


def asked(study: Study, model: str, label: str) -> str:
    """Hash of what determines everything that is published about a checkpoint: bytes of its files and of its reference's, settings, prompts.

    ``stages.question_id`` is the hash of what was computed, and has to open the model for it; this one reads files only. Other
    models and checkpoints of the study are no part of it, except where the reference is "the last": a newer checkpoint then
    asks all the others anew. A study of a growing folder names its ``reference``, or leaves that partition out.
    """
    settings = study.model(model)
    labels = [label, reference_label(study, model)] if "reference" in study.partitions else [label]
    checkpoints = [[each, files_digest(settings, each, study.folder)] for each in labels]
    tasks = [[task.model_dump(mode="json"), prompts_fingerprint(task, study.folder)] for task in study.tasks_of(settings)]
    shared = [part.changed() for part in (study.rois, study.attribution, study.circuits, study.analysis, study.findings)]
    return digest(NUMERICS, settings.source.changed("checkpoints", "revisions", "path"), checkpoints, tasks, study.partitions, shared)


def study_asked(study: Study) -> str:
    """Hash of what is asked of all checkpoints that there are."""
    return digest({key: asked(study, *place) for key, place in keys_of(study).items()})
