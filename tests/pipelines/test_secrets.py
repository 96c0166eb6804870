"""The password of the database is nowhere in what a run writes: not in Dagster's storage, logs, metadata, artifacts, report, bundle or output."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from roicg.server.address import Address

pytestmark = pytest.mark.neo4j
ROOT = Path(__file__).parents[2]
MARK = "a-word-that-no-file-may-hold"


def roicg(home: Path, *words: str, **changes: str) -> subprocess.CompletedProcess[bytes]:
    """``roicg WORD …`` as a person calls it, from an empty folder of its own."""
    here = home / "here"
    here.mkdir(exist_ok=True)
    command = [sys.executable, "-c", "from roicg.cli.main import main; main()", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **changes}
    return subprocess.run(command, cwd=here, env=environment, capture_output=True, timeout=400, check=False)


def holding(folder: Path, secret: str) -> list[str]:
    """Files below ``folder`` whose name or content has the secret."""
    word = secret.encode()
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if word in str(path).encode() or (path.is_file() and word in path.read_bytes())]


def test_a_run_its_report_and_its_bundle_hold_no_password(database: Address, study_file: Path, home: Path, tmp_path: Path) -> None:
    """The search is shown to find a planted one first; what was searched is shown to be there."""
    (tmp_path / "planted").write_text(f"x{database.password}y")
    assert holding(tmp_path, database.password) == ["planted"]
    (tmp_path / "planted").unlink()
    said = b""
    for words in (
        ("run", str(study_file), "--device", "cpu"),
        ("report", str(study_file), "--out", str(tmp_path / "report.html")),
        ("status", "--json"),
        ("verify",),
        ("doctor",),
        ("export", "tiny-study", "--out", str(tmp_path / "bundle"), "--format", "jsonl"),
        ("export", "tiny-study", "--out", str(tmp_path / "csv"), "--format", "neo4j-csv"),
        ("--debug", "cypher", "THIS IS NO CYPHER"),
    ):
        done = roicg(home, *words)
        said += done.stdout + done.stderr
        assert done.returncode == 0 or words[0] in ("doctor", "--debug"), (words, done.stderr[-2000:])
    assert b"tiny-study" in said
    assert database.password.encode() not in said
    assert (tmp_path / "report.html").stat().st_size > 1000
    assert any((home / "dagster").rglob("*.db"))
    assert holding(tmp_path, database.password) == []


@pytest.mark.parametrize("words", [("run", "STUDY"), ("--debug", "status"), ("doctor",), ("query", "house.slots")])
def test_failing_to_log_in_tells_no_password(words: tuple[str, ...], database: Address, study_file: Path, home: Path, tmp_path: Path) -> None:
    """A wrong password, and an address where nobody answers; with the traceback too."""
    asked = [str(study_file) if word == "STUDY" else word for word in words]
    for uri in (database.uri, "bolt://127.0.0.1:1"):
        done = roicg(home, *asked, ROICG_NEO4J_URI=uri, ROICG_NEO4J_PASSWORD=MARK)
        assert MARK.encode() not in done.stdout + done.stderr
        assert done.returncode != 0 or words[0] == "doctor"
    assert holding(tmp_path, MARK) == []
