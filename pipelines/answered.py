"""What the last materialization of an asset said: by this a study knows which of its questions are answered."""

from dagster import AssetRecordsFilter, DagsterInstance

from roicg.core.settings import Study

from .names import asset_key, per_checkpoint


def last_asset(study: Study) -> str:
    """The asset that is made last of a checkpoint."""
    return per_checkpoint(study)[-1]


def told(instance: DagsterInstance, study: Study, asset: str, key: str | None = None, figure: str = "question") -> str | None:
    """The figure of the last materialization of ``asset`` (of the partition ``key``); None where there is none."""
    wanted = AssetRecordsFilter(asset_key=asset_key(study, asset), asset_partitions=[key] if key else None)
    records = instance.fetch_materializations(wanted, limit=1).records
    found = records[0].asset_materialization if records else None
    value = found.metadata.get(figure) if found else None
    return str(value.value) if value else None
