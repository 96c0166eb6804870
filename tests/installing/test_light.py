"""What an analyst installs: the wheel and exactly what it asks for, in an environment of its own, with nothing else in reach.

The packages are those of the set-up, linked one by one after the wheel's own list of requirements, so that no registry is asked.
"""

import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.installing.test_wheel import unpacked, wheel

__all__ = ["unpacked", "wheel"]
MEGABYTE = 10**6
HEAVY = ("torch", "scipy", "pandas", "pyarrow", "sklearn", "transformer_lens", "dagster", "igraph", "psutil")
REACH = """
import importlib, json, sys
found = {}
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
        found[name] = True
    except ImportError:
        found[name] = False
print(json.dumps(found))
"""


def closure(wheel: Path, extras: tuple[str, ...]) -> list[metadata.Distribution]:
    """Every installed distribution that the wheel needs with these extras, and what those need."""
    (roicg,) = metadata.distributions(name="roicg", path=[str(wheel)])
    wanted, found = [Requirement(line) for line in roicg.requires or []], {}
    todo = [one for one in wanted if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in ("", *extras))]
    while todo:
        one = todo.pop()
        name = canonicalize_name(one.name)
        if name in found and not one.extras:
            continue
        found[name] = metadata.distribution(one.name)
        needed = [Requirement(line) for line in found[name].requires or []]
        todo += [n for n in needed if n.marker is None or any(n.marker.evaluate({"extra": extra}) for extra in ("", *one.extras))]
        if one.extras:
            todo = [n for n in todo if canonicalize_name(n.name) != name]
    return [found[name] for name in sorted(found)]


def unpacked_bytes(distributions: list[metadata.Distribution]) -> int:
    """Size of their files as pip unpacks them, without what Python compiles later."""
    files = [Path(str(file.locate())) for one in distributions for file in one.files or () if file.suffix != ".pyc"]
    return sum(path.stat().st_size for path in files if path.is_file())


def environment(folder: Path, site: Path, distributions: list[metadata.Distribution]) -> Path:
    """A virtual environment with these distributions and the unpacked wheel; its Python."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    packages = next(folder.glob("lib/python*/site-packages"))
    for one in distributions:
        tops = {file.parts[0] for file in one.files or () if file.parts[0] not in ("..", "__pycache__")}
        for top in tops:
            source = Path(str(one.locate_file(top)))
            if source.exists() and not (packages / top).exists():
                (packages / top).symlink_to(source)
    for item in site.iterdir():
        (packages / item.name).symlink_to(item)
    return python


def call(python: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "ROICG"))}
    return subprocess.run([str(python), *words], cwd=folder, env=plain, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def light(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield environment(tmp_path_factory.mktemp("light") / "venv", unpacked, closure(unpacked, ()))


@pytest.fixture(scope="module")
def tables(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield environment(tmp_path_factory.mktemp("tables") / "venv", unpacked, closure(unpacked, ("tables",)))


def test_the_light_install_is_light(unpacked: Path) -> None:
    """Seen to fail with pyarrow among the plain dependencies."""
    distributions = closure(unpacked, ())
    size = unpacked_bytes(distributions) + sum(path.stat().st_size for path in unpacked.rglob("*") if path.is_file())
    names = {canonicalize_name(one.metadata["Name"]) for one in distributions}
    print(f"\nlight install: {size / MEGABYTE:.0f} MB unpacked, {len(names)} packages besides roicg: {', '.join(sorted(names))}")
    assert not names & {"torch", "scipy", "pandas", "pyarrow", "scikit-learn", "transformer-lens", "dagster", "psutil"}
    assert size < 150 * MEGABYTE


def test_nothing_heavy_is_in_reach_of_it_and_it_works(light: Path, tmp_path: Path) -> None:
    reached = call(light, tmp_path, "-c", REACH, "numpy", "neo4j", "pydantic", *HEAVY)
    assert reached.stdout.strip() == str({name: name in ("numpy", "neo4j", "pydantic") for name in ("numpy", "neo4j", "pydantic", *HEAVY)}).replace(
        "'", '"'
    ).replace("True", "true").replace("False", "false"), reached.stderr
    roicg = "import sys; sys.argv[0] = 'roicg'; from roicg.cli.main import main; main()"
    for words in (["--help"], ["query", "--list", "--json"], ["export", "--help"], ["import", "--help"], ["delete", "--help"]):
        done = call(light, tmp_path, "-c", roicg, *words)
        assert done.returncode == 0, done.stderr
    no_database = call(light, tmp_path, "-c", roicg, "status")
    assert no_database.returncode == 8
    assert "pip install 'roicg[server]'" in no_database.stderr


WRITE = """
import io, sys
from roicg.core.errors import StoreError
from roicg.store.bundle.columns import read_rows, write_rows
for form in ("jsonl", "parquet"):
    file = io.BytesIO()
    try:
        write_rows(file, form, {"a": "FLOAT"}, [{"a": 0.1}])
        print(form, list(read_rows(io.BytesIO(file.getvalue()), form, {"a": "FLOAT"}, "here")))
    except StoreError as error:
        print(form, error)
"""


def test_jsonl_needs_nothing_and_parquet_says_what_to_install(light: Path, tmp_path: Path) -> None:
    done = call(light, tmp_path, "-c", WRITE)
    assert done.stdout.splitlines()[0] == "jsonl [{'a': 0.1}]", done.stderr
    assert "pip install 'roicg[tables]'" in done.stdout.splitlines()[1]


def test_the_extra_tables_brings_parquet_and_data_frames(tables: Path, tmp_path: Path) -> None:
    done = call(tables, tmp_path, "-c", WRITE)
    assert done.stdout.splitlines() == ["jsonl [{'a': 0.1}]", "parquet [{'a': 0.1}]"], done.stderr
    reached = call(tables, tmp_path, "-c", REACH, "pandas", "pyarrow", "torch", "scipy")
    assert reached.stdout.strip() == '{"pandas": true, "pyarrow": true, "torch": false, "scipy": false}', reached.stderr
    assert sys.version_info >= (3, 11)
