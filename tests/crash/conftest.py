"""Rounds and seeds of the crash tests, and how long each part took."""

import os
import random
from collections import defaultdict

import pytest

ROUNDS = int(os.environ.get("ROICG_CRASH_ROUNDS", "20"))
_GIVEN = os.environ.get("ROICG_CRASH_SEED")
SEEDS = [int(_GIVEN)] if _GIVEN else random.SystemRandom().sample(range(10**6), ROUNDS)
"""One seed per round; ``ROICG_CRASH_SEED=123456 make crash ARGS="-k killed_writer"`` plays one again."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", SEEDS, ids=[f"seed{seed}" for seed in SEEDS])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line per scenario: rounds, seconds, and how many failed."""
    rounds: dict[str, list[float]] = defaultdict(list)
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            rounds[report.nodeid.rpartition("::")[2].partition("[")[0]].append(report.duration)
    terminalreporter.section("how long each part took")
    for name, seconds in sorted(rounds.items()):
        terminalreporter.write_line(f"{name:<60} {len(seconds):>3} rounds {sum(seconds):>7.0f} s, longest {max(seconds):.0f} s")
    terminalreporter.write_line(f"{'all':<60} {'':>10} {sum(map(sum, rounds.values())):>7.0f} s")
