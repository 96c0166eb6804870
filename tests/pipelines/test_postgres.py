"""Dagster's instance on PostgreSQL with the storage that both docker/dagster.yaml and docker/k8s/dagster.yaml name, on a server of the machine's own PostgreSQL."""

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from dagster import DagsterInstance, DagsterRunStatus, DynamicPartitionsDefinition, asset, materialize
from dagster._core.test_utils import create_run_for_test

from pipelines.leftovers import close_leftovers

DOCKER = Path(__file__).parents[2] / "docker"
STORAGE = yaml.safe_load((DOCKER / "dagster.yaml").read_text())["storage"]
PASSWORD = "of-a-test"


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        pytest.skip("no PostgreSQL on this machine")
    return found[-1].parent if found else Path(str(on_path)).parent


@pytest.fixture
def postgres() -> Iterator[dict[str, str]]:
    """A server on a free port of the loopback interface, with a password; its address in the variables of docker/compose.yaml."""
    if importlib.util.find_spec("dagster_postgres") is None:
        pytest.skip("dagster-postgres is not installed (pip install 'roicg[postgres]')")
    programs = _programs()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="pg") as name:  # pytest's own folders are closed to other users
        folder, options = Path(name), f"-c listen_addresses=127.0.0.1 -p {port} -c unix_socket_directories={name} -c fsync=off"
        (folder / "password").write_text(PASSWORD)
        user = {"user": "nobody"} if os.geteuid() == 0 else {}  # initdb refuses root
        if user:
            shutil.chown(folder, "nobody")

        def call(program: str, *words: str) -> None:
            done = subprocess.run(
                [str(programs / program), *words], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=name, **user
            )
            assert done.returncode == 0, done.stderr

        call("initdb", "-D", f"{name}/data", "-U", "dagster", "--auth=scram-sha-256", f"--pwfile={name}/password", "-E", "UTF8", "--locale=C")
        call("pg_ctl", "-D", f"{name}/data", "-l", f"{name}/log", "-o", options, "-w", "-t", "120", "start")
        try:
            yield {"HOST": "127.0.0.1", "PORT": port, "USER": "dagster", "PASSWORD": PASSWORD, "DB": "postgres"}
        finally:
            call("pg_ctl", "-D", f"{name}/data", "-m", "immediate", "stop")


def test_both_instances_name_one_storage() -> None:
    assert yaml.safe_load((DOCKER / "k8s" / "dagster.yaml").read_text())["storage"] == STORAGE


def test_runs_partitions_and_pools_are_kept_in_postgresql(postgres: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail without `scheme: postgresql+psycopg2`: SQLAlchemy from 2.1 on asks for psycopg 3."""
    for name, value in postgres.items():
        monkeypatch.setenv(f"DAGSTER_PG_{name}", value)
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump({"storage": STORAGE, "telemetry": {"enabled": False}}))
    parts = DynamicPartitionsDefinition(name="parts")

    @asset(partitions_def=parts, pool="accelerator")
    def made() -> None:
        return None

    with DagsterInstance.from_config(str(tmp_path)) as instance:
        instance.add_dynamic_partitions("parts", ["a", "b"])
        assert all(materialize([made], instance=instance, partition_key=key).success for key in ("a", "b"))
        over = create_run_for_test(instance, status=DagsterRunStatus.SUCCESS)
        instance.event_log_storage.set_concurrency_slots("accelerator", 1)
        instance.event_log_storage.claim_concurrency_slot("accelerator", over.run_id, "step")
    with DagsterInstance.from_config(str(tmp_path)) as again:
        assert again.get_materialized_partitions(made.key) == {"a", "b"}
        assert again.event_log_storage.get_concurrency_info("accelerator").active_run_ids == {over.run_id}
        close_leftovers(again)
        assert again.event_log_storage.get_concurrency_info("accelerator").active_run_ids == set()
    assert not list(tmp_path.rglob("*.db"))
