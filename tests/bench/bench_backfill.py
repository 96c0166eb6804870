"""A hundred partitions backfilled in one go through Dagster's daemon on SQLite, two runs at once: minutes, and what went wrong.

``make bench ARGS="-k hundred_partitions"``; ``ROICG_BACKFILL=12`` asks for another number. The light runs are those of
``tests/pipelines/light.py``: all of Dagster's work and none of ours. ``ROICG_BACKFILL_STAGES=real`` takes the real stages, with an
embedded database; loading TransformerLens anew in every run's process then takes most of the time.
"""

import os
from pathlib import Path

import pytest

from roicg.server.address import Address
from tests.pipelines.backfill import backfill

PARTITIONS = int(os.environ.get("ROICG_BACKFILL", "100"))
REAL = os.environ.get("ROICG_BACKFILL_STAGES") == "real"


@pytest.mark.parametrize("concurrent", [2])
def test_a_hundred_partitions(concurrent: int, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    module, environment = "tests.pipelines.light", {}
    if REAL:
        address: Address = request.getfixturevalue("clean_database")
        module = "pipelines.definitions"
        environment = {"ROICG_NEO4J_URI": address.uri, "ROICG_NEO4J_USER": address.user, "ROICG_NEO4J_PASSWORD": address.password}
    found = backfill(tmp_path / "home", PARTITIONS, concurrent, module=module, environment=environment, patience_s=PARTITIONS * 240.0)
    print(f"\n{PARTITIONS} partitions, {concurrent} at once, {'real' if REAL else 'light'} stages: {found.minutes:.1f} minutes, {found.statuses}")
    print(f"events of level ERROR: {found.errors}; lines of trouble in the log: {len(found.trouble)}")
    assert (found.statuses, found.trouble, found.errors, found.materialized) == ({"SUCCESS": PARTITIONS}, (), 0, PARTITIONS)
