"""What a test run did, read from its JUnit file, and what one lane left out of what another ran."""

import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

SUITE = "tests.integration."
"""Where the tests lie that every lane runs."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The tests that passed, failed, and were skipped (with the reason), each as ``module::name``, and the seconds it took."""

    passed: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    skipped: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def ran(self) -> frozenset[str]:
        """The tests that were run to an end."""
        return self.passed | self.failed

    def reasons(self) -> list[str]:
        """Why tests were skipped: reason and count, the most frequent first."""
        return [f"{count} × {reason}" for reason, count in Counter(self.skipped.values()).most_common()]


def together(parts: Iterable[Outcomes]) -> Outcomes:
    """The outcomes of runs that share their tests; their seconds are not added up, for they may have run at the same time."""
    runs = list(parts)
    passed, failed = (frozenset[str]().union(*sets) for sets in ((run.passed for run in runs), (run.failed for run in runs)))
    return Outcomes(passed - failed, failed, {name: reason for run in runs for name, reason in run.skipped.items()})


def read_outcomes(path: Path) -> Outcomes:
    """The outcomes and seconds in the JUnit file ``path``; none when the run ended before it was written."""
    if not path.exists():
        return Outcomes()
    passed, failed, skipped = set(), set(), {}
    root = ElementTree.parse(path).getroot()  # written by our own pytest a moment ago
    seconds = sum(float(suite.get("time", "0")) for suite in root.iter("testsuite"))
    for case in root.iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            failed.add(name)
        elif skip is not None:
            skipped[name] = _first_line(skip.get("message") or "")
        else:
            passed.add(name)
    return Outcomes(frozenset(passed - failed), frozenset(failed), skipped, seconds)


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[0][:160]


def in_suite(names: Iterable[str]) -> set[str]:
    """The tests of the integration suite among ``names``."""
    return {name for name in names if name.startswith(SUITE)}


def complaints(lane: str, outcomes: Outcomes, embedded: Outcomes, excused: Mapping[str, str]) -> list[str]:
    """What is wrong with a lane beside the embedded one: tests it did not run that no prefix in ``excused`` names, and prefixes that excuse nothing."""
    missing = in_suite(embedded.ran) - in_suite(outcomes.ran)
    unexcused = sorted(name for name in missing if not any(name.startswith(SUITE + prefix) for prefix in excused))
    idle = [prefix for prefix in excused if not any(name.startswith(SUITE + prefix) for name in missing)]
    found = [f"{lane} did not run {name}, which the embedded lane ran; list the reason in tests/lanes/excused.yaml" for name in unexcused]
    return found + [f"tests/lanes/excused.yaml excuses {prefix} from {lane}, but nothing of it was left out; remove it" for prefix in idle]


def table(rows: Mapping[str, Outcomes]) -> list[str]:
    """One line a lane: tests run, failed, skipped, minutes; then why tests were skipped."""
    lines = [f"{'lane':<10} {'run':>6} {'failed':>7} {'skipped':>8} {'minutes':>8}  reason"]
    for lane, outcomes in rows.items():
        head = f"{lane:<10} {len(outcomes.ran):>6} {len(outcomes.failed):>7} {len(outcomes.skipped):>8} {outcomes.seconds / 60:>8.1f}"
        first, *others = outcomes.reasons() or [""]
        lines += [f"{head}  {first}".rstrip(), *(f"{'':<45}{reason}" for reason in others)]
    return lines
