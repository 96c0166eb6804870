import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from roicg.cli.db import app
from roicg.cli.doctor import examine
from roicg.core.errors import ServerError


@pytest.fixture(autouse=True)
def _empty_home_and_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROICG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ROICG_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("ROICG_NEO4J_URI", raising=False)


def test_status_of_nothing_says_so_and_creates_nothing(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["status", "--json"])
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["running"], found["pid"], found["home"]) == (False, None, str(tmp_path / "home"))
    assert list(tmp_path.iterdir()) == []


def test_stop_of_nothing_is_no_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["stop"])
    assert result.exit_code == 0
    assert "no database runs" in result.stderr


def test_fetch_from_a_folder_without_jars_names_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "jars").mkdir()
    result = CliRunner().invoke(app, ["fetch", "--from", str(tmp_path / "jars")])
    assert isinstance(result.exception, ServerError)
    assert "346 jar(s)" in str(result.exception)
    assert "and 338 more" in str(result.exception)


def test_doctor_finds_missing_jars_and_says_what_to_do() -> None:
    findings = {finding.name: finding for finding in examine()}
    assert findings["jars"].state == "warn"
    assert "roicg db fetch" in findings["jars"].todo
    assert {"python", "roicg", "torch", "transformer-lens", "dagster", "neo4j", "py2neo", "licences", "home", "java", "ports", "gpu"} <= findings.keys()
    assert "21" in findings["java"].found
    assert "GPL" in findings["licences"].found
    assert [finding for finding in findings.values() if finding.state == "fail"] == []


def test_doctor_names_a_foreign_jar(tmp_path: Path) -> None:
    from roicg.server.jars import read_lock

    folder = read_lock().folder
    folder.mkdir(parents=True)
    for jar in read_lock().jars:
        (folder / jar.name).write_bytes(b"")
    finding = next(finding for finding in examine() if finding.name == "jars")
    assert finding.state == "fail"
    assert "differ from the lock" in finding.found


def test_doctor_reports_an_unreachable_named_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROICG_NEO4J_URI", "bolt://127.0.0.1:9")
    monkeypatch.setenv("ROICG_NEO4J_PASSWORD", "s3cret-word")
    finding = next(finding for finding in examine() if finding.name == "environment")
    assert finding.state == "fail"
    assert "no graph database answers" in finding.found
    assert "s3cret-word" not in str(finding)


def test_doctor_warns_of_a_home_that_others_can_read(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home").chmod(0o755)
    finding = next(finding for finding in examine() if finding.name == "home")
    assert (finding.state, finding.todo) == ("warn", f"chmod 700 {tmp_path / 'home'}")


def test_doctor_says_that_a_remembered_port_is_taken(tmp_path: Path) -> None:
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        note = tmp_path / "home" / "neo4j" / "ports.json"
        note.parent.mkdir(parents=True)
        note.write_text(json.dumps({"bolt": port, "http": 20001}))
        finding = next(finding for finding in examine() if finding.name == "ports")
    assert finding.state == "warn"
    assert f"[{port}] taken" in finding.found


def test_doctor_on_a_light_install_warns_and_fails_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roicg.cli.doctor.find_spec", lambda name: None)
    findings = {finding.name: finding for finding in examine()}
    assert findings["embedded database"].state == "warn"
    assert "java" not in findings


@pytest.mark.parametrize(("cards", "device"), [([], "cpu"), (["H100", "H200"], "cuda")])
def test_doctor_says_which_device_a_run_would_use(cards: list[str], device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with the device left out of either sentence."""
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(cards))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(cards))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: cards[index])
    (found,) = [finding.found for finding in examine() if finding.name == "gpu"]
    assert f"`roicg run` uses device {device}" in found
    assert found.startswith(", ".join(cards) or "none")
