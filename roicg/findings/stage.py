"""The two steps of every finding: rows of one checkpoint, left in a file; tables of all rows, put beside the study in the store.

A row file is named by the question: graphs, circuits, analyses, the study's finding settings, the finding and its edition. A killed study
goes on where it stopped, and telling a finding again measures nothing that was measured before.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roicg import artifacts, stages
from roicg.core.errors import LawError
from roicg.core.ids import digest
from roicg.core.settings import Study
from roicg.core.tables import Table
from roicg.findings.finding import Finding, Measured
from roicg.findings.registry import find_finding
from roicg.places import Place, labels

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore


def finding_stage(place: Place, store: "Neo4jStore") -> dict[str, Any]:
    """Measure every finding that the study asks at this checkpoint; figures: rows per finding."""
    return {f"rows/{name}": len(measured_at(place, find_finding(name), store).rows) for name in place.study.findings.ask}


def question_id(place: Place) -> str:
    """Hash of everything that the findings of this checkpoint depend on."""
    return digest(*(_rows_id(place, find_finding(name)) for name in place.study.findings.ask))


def _rows_id(place: Place, finding: Finding) -> str:
    """Hash of everything that the rows of ``finding`` depend on; the first edition is no part of it, so that rows from before editions stay."""
    later = [finding.edition] if finding.edition > 1 else []
    return digest(finding.name, digest(stages.question_id(place), place.study.findings.changed()), *later)


def measured_at(place: Place, finding: Finding, store: "Neo4jStore") -> Measured:
    """The rows of ``finding`` at ``place``, from their file or measured now; a number that is not finite is a ``LawError``."""
    path = place.artifacts / "findings" / f"{_rows_id(place, finding)}.json"
    if not path.exists():
        rows = [dict(row) for row in finding.measure(place, store)]
        for row in rows:
            for key, cell in row.items():
                if isinstance(cell, float) and not math.isfinite(cell):
                    raise LawError(f"finding {finding.name}: {key} of {place.model}@{place.label} is {cell}; a row holds finite numbers, or None")
        artifacts.save_json(path, rows)
    step = dict(labels(place.study, place.model))[place.label]
    return Measured(place.model, place.label, step, tuple(artifacts.load_json(path)))


def tell(study: Study, home: Path, store: "Neo4jStore", device: str = "cpu") -> dict[str, Any]:
    """Make the tables of every finding the study asks, put them in the store and, with all rows, in :func:`results_path`; figures: tables per finding."""
    figures: dict[str, Any] = {}
    kept: dict[str, Any] = {}
    places = [Place(study, model.name, label, home, device) for model in study.models for label, _ in labels(study, model.name)]
    for name in study.findings.ask:
        finding = find_finding(name)
        measured = [measured_at(place, finding, store) for place in places]
        tables = finding.tables(study, measured)
        store.put_tables(study.study, name, tables)
        figures[f"tables/{name}"] = len(tables)
        kept[name] = [asdict(one) for one in measured]
    path = results_path(study, home)
    artifacts.write_whole(path, lambda file: file.write_text(json.dumps(kept, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"))
    return {**figures, "results": str(path)}


def results_path(study: Study, home: Path) -> Path:
    """Where all rows of the study's findings lie, from which :func:`tables_from` makes the tables again without model or database."""
    return home / "reports" / f"{study.study}.findings.json"


def tables_from(study: Study, results: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, tuple[Table, ...]]:
    """Finding → tables, from what :func:`tell` left in :func:`results_path`."""
    return {
        name: tuple(find_finding(name).tables(study, [Measured(one["model"], one["label"], one["step"], tuple(one["rows"])) for one in measured]))
        for name, measured in results.items()
    }
