"""Everything Dagster loads, put together from the study files."""

from dagster import Definitions

from .assets import study_assets
from .checks import study_checks
from .executors import chosen_execution
from .jobs import study_jobs
from .leftovers import leftovers_sensor
from .resources import GraphStoreResource, HomeResource
from .sensors import study_sensors
from .study_files import load_studies

_studies, _execution = load_studies().values(), chosen_execution()

defs = Definitions(
    assets=[asset for study in _studies for asset in study_assets(study, _execution.on_accelerator)],
    asset_checks=[check for study in _studies for check in study_checks(study)],
    jobs=[job for study in _studies for job in study_jobs(study)],
    sensors=[*(sensor for study in _studies for sensor in study_sensors(study)), leftovers_sensor()],
    resources={"home": HomeResource(), "graphs": GraphStoreResource()},
    executor=_execution.executor,
)
