"""Two jobs per study: everything of one checkpoint, and what is made of all of them."""

from typing import Any

from dagster import AssetSelection, define_asset_job

from roicg.core.settings import Study

from .names import asset_key, per_checkpoint, per_study
from .study_files import identifier


def checkpoint_job_name(study: Study) -> str:
    """Name of the job that takes one checkpoint from weights to analyses."""
    return f"{identifier(study)}_checkpoint"


def summary_job_name(study: Study) -> str:
    """Name of the job that compares checkpoints and writes the report."""
    return f"{identifier(study)}_summary"


def study_jobs(study: Study) -> list[Any]:
    """The jobs of one study, with their assets' checks."""
    partitioned = AssetSelection.assets(*(asset_key(study, name) for name in per_checkpoint(study)))
    whole = AssetSelection.assets(*(asset_key(study, name) for name in per_study(study)))
    return [
        define_asset_job(checkpoint_job_name(study), partitioned, description="One checkpoint, from weights to analyses."),
        define_asset_job(summary_job_name(study), whole, description="Comparison of checkpoints and the report."),
    ]
