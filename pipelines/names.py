"""The names of a study's assets, in their order."""

from dagster import AssetKey

from roicg.core.settings import Study

from .study_files import identifier

PER_CHECKPOINT = ("checkpoint", "signatures", "roi_partition", "edge_attribution", "graph_version", "analyses", "measured")
PER_STUDY = ("comparison", "told", "report")
OF_FINDINGS = ("measured", "told")
"""Assets that a study has only if it asks for findings."""


def asset_key(study: Study, name: str) -> AssetKey:
    """Key of the study's asset ``name``."""
    return AssetKey([identifier(study), name])


def per_checkpoint(study: Study) -> tuple[str, ...]:
    """Assets that are made for every checkpoint, in their order."""
    return tuple(name for name in PER_CHECKPOINT if study.findings.ask or name not in OF_FINDINGS)


def per_study(study: Study) -> tuple[str, ...]:
    """Assets that are made once, in their order."""
    return tuple(name for name in PER_STUDY if study.findings.ask or name not in OF_FINDINGS)
