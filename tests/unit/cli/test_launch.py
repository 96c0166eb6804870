"""The Dagster shell is a child process; roicg passes words and exit codes on, and imports nothing of it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from roicg.cli import launch
from roicg.core.errors import RoicgError

STUDY = "study: s\nmodels: [{name: m, source: {kind: trained, recipe: multitask, checkpoints: [0]}}]\ntasks: [{name: add, prompts: {kind: generated, recipe: multitask.add}}]\n"


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands that would have been started; each ends with 6."""
    started: list[list[str]] = []

    class Child:
        def __init__(self, command: list[str]) -> None:
            started.append(command)

        def wait(self, timeout: float | None = None) -> int:
            return 6

    monkeypatch.setattr(launch.subprocess, "Popen", Child)
    return started


def test_words_go_to_the_child_and_its_exit_code_comes_back(child, roicg, tmp_path: Path) -> None:
    study = tmp_path / "s.yaml"
    study.write_text(STUDY)
    assert roicg("run", str(study), "--model", "m", "--task", "add", "--device", "cuda:1", "--dry-run", "--json").exit_code == 6
    assert roicg("run", str(study)).exit_code == 6
    assert roicg("demo").exit_code == 6
    assert roicg("ui", "--port", "3333").exit_code == 6
    module = [sys.executable, "-m", "pipelines"]
    assert child == [
        [*module, "run", str(study), "--model", "m", "--task", "add", "--device", "cuda:1", "--dry-run", "--json"],
        [*module, "run", str(study), "--device", "auto"],
        [*module, "demo"],
        [*module, "ui", "--port", "3333"],
    ]


def test_a_study_that_cannot_run_starts_nothing(child, roicg, tmp_path: Path) -> None:
    study = tmp_path / "s.yaml"
    study.write_text(STUDY.replace("tasks:", "taks:"))
    result = roicg("run", str(study))
    assert result.exit_code == 3
    assert "unknown key 'taks' in the study; did you mean 'tasks'?" in " ".join(result.stderr.split())
    study.write_text(STUDY)
    assert roicg("run", str(study), "--model", "n").exit_code == 3
    assert child == []


def test_a_stranger_named_pipelines_is_not_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pipelines.py").write_text("raise SystemExit(0)")
    monkeypatch.setattr(launch, "find_spec", lambda name: None if name.startswith("roicg.") else type("Spec", (), {"origin": str(tmp_path / "pipelines.py")})())
    with pytest.raises(RoicgError, match="neither in the package nor at"):
        launch.pipelines_module()


def test_without_dagster_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, roicg) -> None:
    monkeypatch.setattr(launch, "find_spec", lambda name: None)
    result = roicg("demo")
    assert result.exit_code == 1
    assert "pip install 'roicg[all]'" in result.stderr


def test_ctrl_c_waits_for_the_child_to_close_down(tmp_path: Path) -> None:
    """The terminal interrupts both; the child takes half a second to close, and the parent ends with 130 after it."""
    body = "import signal,sys,time\nsignal.signal(signal.SIGINT, lambda *_: (time.sleep(.5), print('closed', flush=True), sys.exit(0)))\nprint('up', flush=True)\ntime.sleep(60)"
    code = (
        "import subprocess, sys\nfrom roicg.cli import launch\nfrom roicg.cli.main import app\n"
        f"real = subprocess.Popen\nlaunch.subprocess.Popen = lambda command: real([sys.executable, '-c', {body!r}])\napp(['demo'])"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "up\n"
        time.sleep(0.2)
        os.killpg(parent.pid, signal.SIGINT)
        out, err = parent.communicate(timeout=60)
    assert parent.returncode == 130
    assert out == "closed\n"
    assert "interrupted" in err
    assert "Traceback" not in err
