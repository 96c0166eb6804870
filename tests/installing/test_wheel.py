"""The built wheel works away from the checkout: queries and pipelines travel inside the package."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("roicg-*.whl"))


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def away(site: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in ``folder`` with the unpacked wheel first on the path."""
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run([sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_holds_the_queries_the_pipelines_and_nothing_at_the_top_but_roicg(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    cypher = {path.relative_to(ROOT / "cypher").as_posix() for path in (ROOT / "cypher").rglob("*.cypher")}
    assert {f"roicg/_cypher/{name}" for name in cypher} <= set(names)
    assert "roicg/_pipelines/__init__.py" in names
    assert "roicg/server/jars.lock.json" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"roicg"}
    assert not [name for name in names if name.endswith((".jar", ".pyc", ".safetensors.tmp"))]


def test_the_catalogue_is_read_from_the_wheel(unpacked: Path, tmp_path: Path) -> None:
    done = away(unpacked, tmp_path, "-c", "from roicg.store.registry import cypher_root; print(cypher_root())")
    assert done.stdout.strip() == str(unpacked / "roicg" / "_cypher"), done.stderr


def test_the_command_line_works_from_the_wheel(unpacked: Path, tmp_path: Path) -> None:
    done = away(unpacked, tmp_path, "-c", "import sys; sys.argv = ['roicg', 'query', '--list', '--json']; from roicg.cli.main import main; main()")
    assert done.returncode == 0, done.stderr
    assert '"circuits.circuit"' in done.stdout


def test_the_pipelines_are_taken_from_the_wheel(unpacked: Path, tmp_path: Path) -> None:
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "__init__.py").write_text("raise RuntimeError('a stranger of the same name')")
    done = away(unpacked, tmp_path, "-c", "from roicg.cli.launch import pipelines_module; print(pipelines_module())")
    assert done.stdout.strip() == "roicg._pipelines", done.stderr
