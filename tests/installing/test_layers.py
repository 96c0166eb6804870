"""Every contract of the import law can break: a copy of the code with one forbidden import each fails them all."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

FORBIDDEN = {
    "1.": ("roicg/core/errors.py", "import roicg.store.registry"),
    "2.": ("roicg/circuits/select.py", "import dagster"),
    "3a": ("roicg/cli/console.py", "import neo4j"),
    "3b": ("roicg/cli/console.py", "import py2neo"),
    "4.": ("roicg/store/stored.py", "import torch"),
    "5.": ("pipelines/__init__.py", "import torch"),
    "6.": ("roicg/circuits/select.py", "import transformer_lens"),
}


def verdicts(folder: Path) -> dict[str, str]:
    """KEPT or BROKEN by the number of each contract, as import-linter sees the code in ``folder``."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)
    found = re.findall(r"^(\d[.ab])\.? .* (KEPT|BROKEN)", done.stdout, re.MULTILINE)
    assert found, done.stdout + done.stderr
    return dict(found)


def test_every_contract_breaks_where_its_law_is_broken(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in ("roicg", "pipelines"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for path, line in FORBIDDEN.values():
        with open(tmp_path / path, "a") as handle:
            handle.write(f"\n{line}\n")
    assert verdicts(tmp_path) == dict.fromkeys(FORBIDDEN, "BROKEN")


def test_every_exception_has_its_reason_beside_it() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    exceptions = [line for contract in contracts for line in contract.get("ignore_imports", [])]
    assert exceptions
    for exception in exceptions:
        assert re.search(re.escape(f'"{exception}",') + r" # .{20,}", text), exception
