"""Everything Dagster loads, put together from the study files."""

from dagster import Definitions, in_process_executor

from .assets import study_assets
from .checks import study_checks
from .jobs import study_jobs
from .resources import GraphStoreResource, HomeResource
from .sensors import study_sensors
from .study_files import load_studies

_studies = load_studies().values()

defs = Definitions(
    assets=[asset for study in _studies for asset in study_assets(study)],
    asset_checks=[check for study in _studies for check in study_checks(study)],
    jobs=[job for study in _studies for job in study_jobs(study)],
    sensors=[sensor for study in _studies for sensor in study_sensors(study)],
    resources={"home": HomeResource(), "graphs": GraphStoreResource()},
    executor=in_process_executor,  # one process per run: the checkpoint stays open from stage to stage
)
