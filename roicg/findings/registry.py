"""Every finding by name: the one place where the next is added. A finding's module is imported when it is asked for."""

import difflib
import importlib
from collections.abc import Mapping

from roicg.core.errors import StudyError
from roicg.findings.finding import Finding

FINDINGS: Mapping[str, str] = {name: f"roicg.findings.{name}" for name in ("emergence", "matching", "one_edge", "separation", "size", "subgraphs", "units")}
"""Name → the module whose ``FINDING`` it is."""


def find_finding(name: str) -> Finding:
    """The finding called ``name``; an unknown name is a ``StudyError`` with the known ones."""
    if name not in FINDINGS:
        near = difflib.get_close_matches(name, list(FINDINGS), n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise StudyError(f"findings.ask: no finding {name!r}{hint} (known: {', '.join(sorted(FINDINGS))})")
    finding: Finding = importlib.import_module(FINDINGS[name]).FINDING
    return finding
