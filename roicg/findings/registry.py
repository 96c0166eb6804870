"""Every finding by name: the one place where the next is added. A finding's module is imported when it is asked for."""

import importlib
from collections.abc import Mapping

from roicg.core.errors import StudyError
from roicg.core.nearest import did_you_mean
from roicg.findings.finding import Finding

FINDINGS: Mapping[str, str] = {name: f"roicg.findings.{name}" for name in ("emergence", "matching", "one_edge", "separation", "size", "subgraphs", "units")}
"""Name → the module whose ``FINDING`` it is."""


def find_finding(name: str) -> Finding:
    """The finding called ``name``; an unknown name is a ``StudyError`` with the known ones."""
    if name not in FINDINGS:
        raise StudyError(f"findings.ask: no finding {name!r}{did_you_mean(name, FINDINGS)} (known: {', '.join(sorted(FINDINGS))})")
    finding: Finding = importlib.import_module(FINDINGS[name]).FINDING
    return finding
