"""Every finding by name: the one place where the next is added."""

import difflib
from collections.abc import Mapping

from roicg.core.errors import StudyError
from roicg.findings.finding import Finding

FINDINGS: Mapping[str, Finding] = {}


def find_finding(name: str) -> Finding:
    """The finding called ``name``; an unknown name is a ``StudyError`` with the known ones."""
    if name not in FINDINGS:
        near = difflib.get_close_matches(name, list(FINDINGS), n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise StudyError(f"findings.ask: no finding {name!r}{hint} (known: {', '.join(sorted(FINDINGS))})")
    return FINDINGS[name]
