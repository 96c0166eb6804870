"""Fresh environments with the built wheel in them, as a user's ``pip install`` makes them."""

import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
CONSTRAINTS = ROOT / "constraints.txt"
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Fresh:
    """One environment; ``folder`` holds it."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def packages(self) -> Path:
        return next((self.folder / "lib").glob("python3*")) / "site-packages"

    def run(self, *words: str, cwd: Path | None = None, offline: bool = False, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a program of this environment in ``cwd`` (default: its folder), away from the checkout and from any setting of roicg but those given."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ROICG_", "PYTHON", "NEO4J_", "DAGSTER_"))}
        inherited |= {"ROICG_HOME": str(self.folder / "home")} | environment
        if offline:
            inherited |= dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOWHERE)
        command = [str(self.folder / "bin" / words[0]), *words[1:]]
        return subprocess.run(command, cwd=cwd or self.folder, env=inherited, capture_output=True, text=True, timeout=600, check=False)

    def said(self, *words: str, **environment: str) -> str:
        """Standard output of a program that must succeed."""
        done = self.run(*words, **environment)
        assert done.returncode == 0, f"{' '.join(words)} ended with {done.returncode}: {(done.stdout + done.stderr)[-3000:]}"
        return done.stdout


def build_wheel(folder: Path) -> Path:
    """The wheel of the checkout, built in ``folder``."""
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("roicg-*.whl"))


def install(folder: Path, *words: str, compiled: bool = False) -> Fresh:
    """An environment of its own in ``folder`` with what ``pip install WORDS`` puts there, pinned as the set-up pins."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    fresh = Fresh(folder)
    quick = () if compiled else ("--no-compile",)
    command = [*PIP, "--python", str(fresh.python), "install", "--quiet", *quick, "-c", str(CONSTRAINTS), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return fresh


def checked(fresh: Fresh) -> None:
    """``pip check`` finds nothing missing and no conflict."""
    done = subprocess.run([*PIP, "--python", str(fresh.python), "check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def declared() -> dict[str, Any]:
    """The project table of pyproject.toml."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project
