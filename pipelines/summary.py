"""What is made once per study, after its checkpoints."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from roicg import stages
from roicg.core.ids import digest
from roicg.core.settings import Study
from roicg.places import Place

from .arrivals import study_asked
from .partitions import keys_of

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore


def compare(study: Study, home: Path, store: "Neo4jStore", device: str = "cpu") -> dict[str, Any]:
    """Compare the consecutive checkpoints of every model; figures by model. Graphs that no run has left are made on ``device``."""
    found = {model.name: stages.comparison_stage(study, model.name, home, store, device) for model in study.models}
    return {f"{model}/{name}": value for model, figures in found.items() for name, value in figures.items()}


def report_path(study: Study, home: Path) -> Path:
    """Where the study's report lies."""
    return home / "reports" / f"{study.study}.html"


def report(study: Study, home: Path, store: "Neo4jStore") -> dict[str, Any]:
    """Write the report; figures: its path and size, and the questions it answers."""
    from roicg.report import build_report

    path, asked = report_path(study, home), study_asked(study)
    path.parent.mkdir(parents=True, exist_ok=True)
    written = build_report(study, store, path)
    return {"path": str(written), "bytes": written.stat().st_size, "question": study_question(study, home), "asked": asked}


def study_question(study: Study, home: Path) -> str:
    """Hash of what the summary depends on: the questions of all checkpoints."""
    places = [Place(study, model, label, home) for model, label in keys_of(study).values()]
    return digest([stages.question_id(place) for place in places], study.findings.changed())
