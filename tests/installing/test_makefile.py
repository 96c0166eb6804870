"""The words a person types are short, and CI types the same."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.lanes.__main__ import LANES

ROOT = Path(__file__).resolve().parents[2]
WORDS = {
    "setup",
    "fmt",
    "lint",
    "types",
    "layers",
    "check",
    "test",
    "lanes",
    "crash",
    "bench",
    "bench-peer",
    "claims",
    "demo",
    "up",
    "down",
    "docs",
    "wheel",
    "ui",
}


def recipes() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    word = ""
    for line in (ROOT / "Makefile").read_text().splitlines():
        if match := re.match(r"([a-z-]+):", line):
            word = match[1]
            found[word] = []
        elif line.startswith("\t"):
            found[word].append(line.strip())
    return found


def test_every_word_is_there_and_at_most_three_lines() -> None:
    found = recipes()
    assert set(found) == WORDS
    assert max(len(lines) for lines in found.values()) <= 3


def test_every_word_is_phony() -> None:
    phony = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith(".PHONY:"))
    assert set(phony.split()[1:]) == WORDS


def test_bytecode_is_kept_where_the_machine_forbids_it() -> None:
    asked = "include Makefile\nshown:\n\t@echo [$$PYTHONDONTWRITEBYTECODE]\n"
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(["make", "-s", "-f", "-", "shown"], input=asked, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_ci_calls_the_same_words_and_allows_no_skipped_database() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    called = re.findall(r"^(?:ROICG_\w+=\S+ )*make (\w+)", script, re.MULTILINE)
    assert called == ["setup", "check", "test", "lanes"]
    assert re.search(r'^ROICG_REQUIRE_NEO4J=1 ROICG_REQUIRE_BROWSER=1 make test ARGS="[^"]*--junitxml=\$report"$', script, re.MULTILINE)
    assert script.endswith('\nROICG_LANES_EMBEDDED=$report make lanes LANES="$lanes"\n')
    named = re.findall(r'^ *lanes="([a-z ]+)"$', script, re.MULTILINE)
    assert ["embedded", *named[-1].split()] == list(LANES)
    assert {lane.required for lane in LANES.values() if lane.required} | {"ROICG_REQUIRE_BROWSER"} == set(re.findall(r"ROICG_REQUIRE_\w+", script))
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "THIRD_PARTY.md", ".pre-commit-config.yaml", "Makefile"])
def test_the_top_level_says_no_path_of_a_machine(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.search(r"(?<![\w./-])/(?:work|root|home)/", text)
