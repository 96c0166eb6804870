"""The set-up script: which Python, which torch, and when there is nothing to do."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def setup(tmp_path: Path) -> ModuleType:
    """The script as a module, working on a folder of its own."""
    spec = importlib.util.spec_from_file_location("roicg_setup", ROOT / ".ci" / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    module.ROOT, module.VENV, module.STAMP = str(tmp_path), str(tmp_path / ".venv"), str(tmp_path / "stamp")
    return module


def test_needs_only_the_standard_library() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import runpy; runpy.run_path({str(ROOT / '.ci' / 'setup.py')!r})"], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_stamp_that_fits_ends_it_and_a_changed_pin_does_not(setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    monkeypatch.setattr(setup, "venv_python", lambda: sys.executable)
    for name in ("make_venv", "install", "fetch_jars"):
        monkeypatch.setattr(setup, name, lambda name=name: steps.append(name))
    assert setup.main() == 0
    assert steps == ["make_venv", "install", "fetch_jars"]
    assert setup.main() == 0
    assert len(steps) == 3
    with open(Path(setup.ROOT) / "constraints.txt", "a") as handle:
        handle.write("rich==1.0\n")
    assert setup.main() == 0
    assert len(steps) == 6


def test_a_python_too_old_hands_over_or_says_what_is_needed(setup: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(setup.sys, "version_info", (3, 9, 1))
    monkeypatch.setattr(setup.shutil, "which", lambda name: None)
    assert setup.main() == 1
    assert "Python 3.9 was found, roicg needs 3.11, 3.12 or 3.13" in capsys.readouterr().err
    called: list[list[str]] = []
    monkeypatch.setattr(setup.shutil, "which", lambda name: sys.executable if name == "python3.12" else None)
    monkeypatch.setattr(setup.subprocess, "call", lambda command, **_: called.append(command) or 0)
    assert setup.main() == 0
    assert called[-1][0] == sys.executable
    assert called[-1][1].endswith("setup.py")


@pytest.mark.parametrize(("offered", "device", "expected"), [("2.13.0+cpu", False, "2.13.0+cpu"), ("2.13.0", False, None), ("2.13.0+cpu", True, None)])
def test_a_cpu_build_of_torch_is_taken_where_pip_offers_one_and_no_device_is_seen(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, offered: str, device: bool, expected: str | None
) -> None:
    monkeypatch.setattr(setup, "read", lambda path: b"torch==2.13.0\n")
    monkeypatch.setattr(setup.platform, "system", lambda: "Linux")
    monkeypatch.setattr(setup.os.path, "exists", lambda path: device)
    monkeypatch.setattr(setup, "works", lambda *_: False)
    monkeypatch.setattr(
        setup.subprocess, "run", lambda *_, **__: SimpleNamespace(stdout=f"torch (2.15.0)\nAvailable versions: 2.15.0, {offered}, 2.12.1\n".encode())
    )
    assert setup.torch_build(["pip"]) == expected


def test_a_failed_step_says_what_to_do(setup: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        setup.step("nothing", [sys.executable, "-c", "raise SystemExit(3)"], "try again")
    assert ended.value.code == 1
    assert "set-up stopped at nothing: try again" in capsys.readouterr().err
