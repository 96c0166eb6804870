"""docker/compose.yaml brought up and used: a study is launched through the webserver, another by its sensor, as README's "Running it for a lab" has it."""

import itertools
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import neo4j
import pytest

from roicg.server.jars import read_lock
from tests.lanes.container import neo4j_image, new_password
from tests.lanes.engine import answering_engine
from tests.lanes.fresh import CONSTRAINTS, PIP, build_wheel
from tests.lanes.images import ROOT, official_or_local, roicg_image
from tests.pipelines.tiny import write_checkpoint

pytestmark = pytest.mark.timeout(3600)  # set-up makes four images; each wait has PATIENCE_S of its own and ends with the services' logs
SERVICES = {"neo4j", "postgres", "code", "webserver", "daemon"}
PATIENCE_S = 900.0
WEIGHTS = ROOT / "pipelines" / "studies" / "weights" / "modadd113_seed2.safetensors"
STUDY = """\
study: composed
models:
  - name: modadd113-s2
    source:
      kind: native
      config: {n_layers: 1, d_model: 128, n_heads: 4, d_head: 32, d_mlp: 512, n_ctx: 3, d_vocab: 114, d_vocab_out: 114, act_fn: relu, normalization_type: null}
      checkpoints: {final: w.safetensors}
tasks:
  - {name: modadd, prompts: {kind: generated, recipe: modadd, n: 24}, metric: logit_minus_mean_rest}
rois: {null_draws: 2}
partitions: [own, components]
circuits: {fractions: [0.1, 1.0], random_draws: 1, bootstrap: 20}
analysis: {null_samples: 10}
"""
KEY = "modadd113-s2@00000000"
# Asks in READ access mode for what the study published.
PUBLISHED = "MATCH (s:Slot)-[:PUBLISHED]->(v:GraphVersion) WHERE s.key STARTS WITH 'composed|' RETURN count(v) AS versions"
README = (ROOT / "README.md").read_text(encoding="utf-8").split("## Running it for a lab")[1].split("\n## ")[0]
BY_SENSOR = """query($tags: [ExecutionTag!]!) { runsOrError(filter: {tags: $tags}) { ... on Runs { results { status tags { key value } } } } }"""


@dataclass(frozen=True)
class Stack:
    """The running services: how compose is called for them, where they answer, the databases' passwords, and the folder of ``studies``."""

    command: tuple[str, ...]
    environment: dict[str, str]
    folder: Path
    dagster: str
    bolt: str

    def compose(self, *words: str, check: bool = True) -> str:
        """Output of one compose command; a failing one fails the test with its last words."""
        done = subprocess.run([*self.command, *words], capture_output=True, text=True, env=self.environment, timeout=PATIENCE_S, check=False)
        assert not check or done.returncode == 0, f"{' '.join(words)}: {(done.stdout + done.stderr)[-4000:]}\n{self.logs() if words[0] == 'up' else ''}"
        return done.stdout

    def logs(self) -> str:
        """The last lines of every service."""
        return self.compose("logs", "--no-color", "--tail=40", check=False)[-12000:]

    def inspected(self, service: str) -> dict[str, Any]:
        """What the engine knows of the service's container."""
        container = self.compose("ps", "-q", service).strip()
        found = subprocess.run(["docker", "inspect", container], capture_output=True, text=True, check=True)
        state: dict[str, Any] = json.loads(found.stdout)[0]
        return state

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        """The webserver's answer."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.dagster}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            found = json.load(answer)
        assert "errors" not in found, found["errors"]
        data: dict[str, Any] = found["data"]
        return data


def pairs() -> Iterator[dict[str, Any]]:
    """Prompts for the tiny model of :func:`write_checkpoint`."""
    for a, b, c in itertools.product(range(4), range(4), range(4, 7)):
        yield {"clean": [a, b, 7], "corrupted": [c, b, 7], "answers": [(a + b) % 7], "wrong_answers": [(c + b) % 7], "position": -1}


def compose_command() -> tuple[str, ...] | None:
    """Compose as a plugin of docker, else the older program."""
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0:
        return ("docker", "compose")
    return ("docker-compose",) if shutil.which("docker-compose") else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def refuse(reason: str) -> None:
    """Skip with the reason, or fail where a Docker engine is expected."""
    if os.environ.get("ROICG_REQUIRE_DOCKER") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Everything brought up from a wheel, in a project of its own; taken down with its volumes."""
    command = compose_command()
    if answering_engine() is None or command is None:
        refuse("no Docker engine answers" if command else "neither docker compose nor docker-compose is installed")
    assert command is not None
    folder = tmp_path_factory.mktemp("compose")
    folder.chmod(0o755)
    wheel = build_wheel(folder / "dist")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "wheel")
    beside = ["--no-deps", "-c", str(CONSTRAINTS), "--target", str(folder / "wheel"), "dagster-postgres", "psycopg2-binary"]  # what the set-up leaves out
    subprocess.run([*PIP, "install", "--quiet", *beside], check=True)
    (folder / "studies").mkdir()
    (folder / "studies" / "composed.yaml").write_text(STUDY)
    (folder / "studies" / "mine.yaml").write_text(re.findall(r"^```yaml\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)[0])
    (folder / "studies" / "pairs.jsonl").write_text("".join(f"{json.dumps(pair)}\n" for pair in pairs()))
    shutil.copy(WEIGHTS, folder / "studies" / "w.safetensors")
    python_image, postgres_image = official_or_local()
    image = roicg_image(wheel, python_image, [sys.executable, "-m", "pip"])
    ports = {name: str(free_port()) for name in ("DAGSTER_PORT", "NEO4J_BOLT_PORT", "NEO4J_HTTP_PORT")}
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("ROICG_", "NEO4J_", "DAGSTER_", "PYTHON"))},
        **ports,
        **{"NEO4J_PASSWORD": new_password(), "POSTGRES_PASSWORD": new_password()},
        **{"NEO4J_IMAGE": neo4j_image(read_lock()), "POSTGRES_IMAGE": postgres_image, "ROICG_IMAGE": image, "DAGSTER_IMAGE": image},
        **{"NEO4J_HEAP": "768m", "NEO4J_PAGECACHE": "128m", "NEO4J_MEMORY": "2g", "ROICG_MEMORY": "4g"},
        **{"ROICG_STUDIES_FOLDER": str(folder / "studies"), "ROICG_STUDIES": "/studies/composed.yaml:/studies/mine.yaml", "ROICG_SENSORS": "mine"},
        **{"TEST_VENV": sys.prefix, "TEST_PYTHON": sys.base_prefix, "TEST_WHEEL": str(folder / "wheel")},
    }
    files = ("-f", str(ROOT / "docker" / "compose.yaml"), "-f", str(Path(__file__).with_name("compose.test.yaml")))
    project = ("-p", f"roicg-test-{secrets.token_hex(4)}")
    stack = Stack(
        (*command, *project, *files), environment, folder, f"http://127.0.0.1:{ports['DAGSTER_PORT']}", f"bolt://127.0.0.1:{ports['NEO4J_BOLT_PORT']}"
    )
    try:
        stack.compose("up", "-d", "--no-build")
        yield stack
    finally:
        stack.compose("down", "-v", "--timeout", "20", check=False)


def test_without_passwords_nothing_starts() -> None:
    command = compose_command()
    if command is None:
        refuse("neither docker compose nor docker-compose is installed")
    assert command is not None
    clean = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    asked = [*command, "-f", str(ROOT / "docker" / "compose.yaml"), "config", "-q"]
    done = subprocess.run(asked, capture_output=True, text=True, env=clean, check=False)
    assert done.returncode != 0
    assert "is not set, see docker/example.env" in done.stderr
    done = subprocess.run(asked, capture_output=True, text=True, env={**clean, "NEO4J_PASSWORD": "long-enough", "POSTGRES_PASSWORD": "x"}, check=False)
    assert done.returncode == 0, done.stderr


def test_every_service_becomes_healthy(stack: Stack) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        health = {service: stack.inspected(service)["State"]["Health"]["Status"] for service in SERVICES}
        if set(health.values()) == {"healthy"}:
            return
        assert time.monotonic() < deadline, f"{health}\n{stack.logs()}"
        time.sleep(2)


def test_nobody_is_root_and_everybody_has_a_limit_and_is_restarted(stack: Stack) -> None:
    for service in SERVICES:
        found = stack.inspected(service)
        listed = subprocess.run(["docker", "top", found["Id"], "-eo", "pid,uid,cmd"], capture_output=True, text=True, check=True)  # without pid it is refused
        processes = listed.stdout.splitlines()[1:]
        assert len(processes) >= 1, service
        assert [line for line in processes if line.split()[1] in ("0", "root")] == [], service
        assert found["HostConfig"]["Memory"] > 0, service
        assert found["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped", service
    assert {volume.split("_")[-1] for volume in named_volumes(stack)} == {"neo4j-data", "postgres-data", "roicg-home"}


def named_volumes(stack: Stack) -> set[str]:
    mounts = [mount for service in SERVICES for mount in stack.inspected(service)["Mounts"]]
    return {mount["Name"] for mount in mounts if mount["Type"] == "volume" and "-" in mount["Name"]}


def test_ports_are_open_on_the_loopback_interface_only(stack: Stack) -> None:
    published = [entry for service in SERVICES for entries in (stack.inspected(service)["NetworkSettings"]["Ports"] or {}).values() for entry in entries or []]
    assert len(published) >= 3
    assert {entry["HostIp"] for entry in published} == {"127.0.0.1"}


def test_neo4js_health_check_notices_a_wrong_password(stack: Stack) -> None:
    """The check itself, run with another password: seen to fail with a check that asks for the start page only."""
    found = stack.inspected("neo4j")
    check = found["Config"]["Healthcheck"]["Test"][1]
    asked = [
        subprocess.run(["docker", "exec", *words, found["Id"], "sh", "-c", check], check=False).returncode
        for words in ([], ["-e", "NEO4J_AUTH=neo4j/wrong-one"])
    ]
    assert asked[0] == 0
    assert asked[1] != 0


def test_a_study_is_launched_through_the_webserver_and_its_graph_is_in_neo4j(stack: Stack) -> None:
    repository = {"repositoryLocationName": "roicg", "repositoryName": "__repository__"}
    added = stack.graphql(
        "mutation($r: RepositorySelector!, $p: String!, $k: String!) "
        "{ addDynamicPartition(repositorySelector: $r, partitionsDefName: $p, partitionKey: $k) { __typename } }",
        r=repository,
        p="composed_checkpoints",
        k=KEY,
    )
    assert added["addDynamicPartition"]["__typename"] == "AddDynamicPartitionSuccess", added
    launched = stack.graphql(
        "mutation($e: ExecutionParams!) { launchRun(executionParams: $e) { __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }",
        e={
            "selector": {**repository, "jobName": "composed_checkpoint"},
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": KEY}]},
        },
    )["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    assert wait_for_run(stack, launched["run"]["runId"]) == "SUCCESS", stack.logs()
    with neo4j.GraphDatabase.driver(stack.bolt, auth=("neo4j", stack.environment["NEO4J_PASSWORD"])) as driver:
        rows = driver.execute_query(PUBLISHED, database_="neo4j", routing_=neo4j.RoutingControl.READ).records
    assert rows[0]["versions"] == 2  # partitions own and components
    said = stack.compose("exec", "-T", "code", "roicg", "status", "--json")
    assert [row["status"] for row in json.loads(said)["graphs"]] == ["published"] * 2


def wait_for_run(stack: Stack, run: str) -> str:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        status: str = stack.graphql("query($i: ID!) { runOrError(runId: $i) { ... on Run { status } } }", i=run)["runOrError"]["status"]
        if status in ("SUCCESS", "FAILURE", "CANCELED"):
            return status
        assert time.monotonic() < deadline, stack.logs()
        time.sleep(1)


def test_a_sensor_runs_the_checkpoints_of_a_folder_and_those_that_arrive(stack: Stack) -> None:
    """README's study and its commands. Seen to fail with ``ROICG_SENSORS`` not handed to the containers."""
    run7 = stack.folder / "studies" / "run7"
    for step in (1000, 2000):
        arrive(run7, step)
    wait_for_sensor(stack, "mine_new_checkpoints", ["run7@00001000", "run7@00002000"])
    wait_for_sensor(stack, "mine_all_analysed", [""])
    arrive(run7, 3000)
    wait_for_sensor(stack, "mine_new_checkpoints", ["run7@00001000", "run7@00002000", "run7@00003000"])
    wait_for_sensor(stack, "mine_all_analysed", ["", ""])
    for line in re.findall(r" exec code (.*)", README):
        said = stack.compose("exec", "-T", "code", *line.split())
        assert all(step in said for step in ("1000", "2000", "3000")), said
    ((service, report),) = re.findall(r" cp (\w+):(\S+) \.", README)
    copied = ["docker", "cp", f"{stack.inspected(service)['Id']}:{report}", str(stack.folder)]  # Debian's older compose has no cp
    subprocess.run(copied, check=True, capture_output=True)
    assert "run7" in (stack.folder / "mine.html").read_text()


def arrive(folder: Path, step: int) -> None:
    """A checkpoint that the services' user may read."""
    for path in write_checkpoint(folder, step).iterdir():
        path.chmod(0o644)


def wait_for_sensor(stack: Stack, sensor: str, keys: list[str]) -> None:
    """Wait until the runs that the sensor requested are those of these partitions (without one: "") and have succeeded."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = stack.graphql(BY_SENSOR, tags=[{"key": "dagster/sensor_name", "value": sensor}])["runsOrError"]["results"]
        runs = sorted(({tag["key"]: tag["value"] for tag in run["tags"]}.get("dagster/partition", ""), run["status"]) for run in found)
        assert "FAILURE" not in dict(runs).values(), stack.logs()
        if runs == [(key, "SUCCESS") for key in keys]:
            return
        assert time.monotonic() < deadline, f"{runs}\n{stack.logs()}"
        time.sleep(2)


def test_what_was_published_outlives_the_containers(stack: Stack) -> None:
    """Runs after the study: everything is taken down but the volumes, and brought up again."""
    stack.compose("stop", "--timeout", "60", "neo4j")
    stack.compose("rm", "-f", "neo4j")
    stack.compose("up", "-d", "--no-build", "neo4j")
    deadline = time.monotonic() + PATIENCE_S
    while stack.inspected("neo4j")["State"]["Health"]["Status"] != "healthy":
        assert time.monotonic() < deadline, stack.logs()
        time.sleep(2)
    with neo4j.GraphDatabase.driver(stack.bolt, auth=("neo4j", stack.environment["NEO4J_PASSWORD"])) as driver:
        assert driver.execute_query(PUBLISHED, database_="neo4j").records[0]["versions"] == 2


def test_no_password_is_in_a_log(stack: Stack) -> None:
    logs = stack.compose("logs", "--no-color")
    assert [name for name in ("NEO4J_PASSWORD", "POSTGRES_PASSWORD") if stack.environment[name] in logs] == []
