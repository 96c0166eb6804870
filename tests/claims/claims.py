"""README's claims: tables of the studies beside this project, made from result files that are kept here with date and command.

1. ``roicg run STUDY`` leaves all rows of its findings in the home; ``python -m tests.claims.claims keep STUDY MODEL LABEL`` keeps them here,
   with the one checkpoint that is measured again to check them.
2. ``make docs`` puts the tables into README between ``<!-- claims:STUDY.FINDING.TABLE -->`` and ``<!-- end -->``.
3. ``make claims`` makes every table again from the kept rows and fails where README says anything else; then it opens, trains and
   measures the one checkpoint of each study anew, in a home of its own, and fails where a row differs.
"""

import json
import math
import platform
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from roicg import stages
from roicg.core.study_file import load_study
from roicg.core.tables import Table
from roicg.findings.registry import find_finding
from roicg.findings.stage import measured_at, results_path, tables_from
from roicg.places import Place, reference_label
from roicg.server.home import home
from roicg.store.connect import connect

ROOT = Path(__file__).parents[2]
STUDIES = ROOT / "pipelines" / "studies"
RESULTS = Path(__file__).parent / "results"
README = ROOT / "README.md"
END = "<!-- end -->"
RELATIVE, ABSOLUTE = 1e-3, 1e-3
"""How far a number that is measured again may lie from the kept one: another processor adds in another order."""


def keep(name: str, model: str, label: str, folder: Path) -> Path:
    """Keep the rows that ``roicg run`` left in ``folder`` (a home), to be checked by measuring ``model`` at ``label`` again."""
    study = load_study(STUDIES / f"{name}.yaml")
    findings = json.loads(results_path(study, folder).read_text(encoding="utf-8"))
    about = {
        "command": f"roicg run pipelines/studies/{name}.yaml",
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, Python {platform.python_version()}, one thread",
        "again": [model, label],
    }
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({**about, "findings": findings}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def kept_tables() -> Iterator[tuple[str, Table, Mapping[str, Any]]]:
    """(``STUDY.FINDING.TABLE``, table, about) of every kept result."""
    for path in sorted(RESULTS.glob("*.json")):
        kept = json.loads(path.read_text(encoding="utf-8"))
        for finding, tables in tables_from(load_study(STUDIES / f"{path.stem}.yaml"), kept["findings"]).items():
            for table in tables:
                yield f"{path.stem}.{finding}.{table.name}", table, kept


def fill(text: str) -> str:
    """``text`` with each table between its marks made anew."""
    for name, table, about in kept_tables():
        start = f"<!-- claims:{name} -->"
        if start in text:
            before, rest = text.split(start, 1)
            made = f"{table.markdown()} `{about['command']}`, {about['date']}, {about['machine']}."
            text = f"{before}{start}\n{made}\n{END}{rest.split(END, 1)[1]}"
    return text


def differences(kept: Any, found: Any, where: str) -> Iterator[str]:
    """Where two rows differ: names and truth exactly, numbers within :data:`RELATIVE` or :data:`ABSOLUTE`; JSON inside a text is compared as such."""
    if isinstance(kept, str) and isinstance(found, str) and kept[:1] in "[{" and kept[:1]:
        yield from differences(json.loads(kept), json.loads(found), where)
    elif isinstance(kept, dict) and isinstance(found, dict) and kept.keys() == found.keys():
        for key in kept:
            yield from differences(kept[key], found[key], f"{where}.{key}")
    elif isinstance(kept, list) and isinstance(found, list) and len(kept) == len(found):
        for i, (a, b) in enumerate(zip(kept, found, strict=True)):
            yield from differences(a, b, f"{where}[{i}]")
    elif isinstance(kept, float) and isinstance(found, int | float):
        if not math.isclose(kept, found, rel_tol=RELATIVE, abs_tol=ABSOLUTE):
            yield f"{where}: kept {kept}, measured {found}"
    elif kept != found:
        yield f"{where}: kept {kept!r:.80}, measured {found!r:.80}"


def measured_again(name: str, kept: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """Differences between the kept rows of the study's one checkpoint and those measured now in the home ``folder``."""
    model, label = kept["again"]
    study = load_study(STUDIES / f"{name}.yaml")
    place = Place(study, model, label, folder)
    with connect() as store:
        if "reference" in study.partitions and label != reference_label(study, model):
            stages.own_rois(place.at(reference_label(study, model)))
        stages.publish_stage(place, store)
        stages.analysis_stage(place, store)
        for finding, measured in kept["findings"].items():
            rows = next(one["rows"] for one in measured if (one["model"], one["label"]) == (model, label))
            again = measured_at(place, find_finding(finding), store).rows
            yield from differences(rows, [dict(row) for row in again], f"{name}.{finding}")


def check() -> list[str]:
    """Everything in README and in the result files that does not hold."""
    text = README.read_text(encoding="utf-8")
    found = [f"README has no table {name}" for name, _, _ in kept_tables() if f"<!-- claims:{name} -->" not in text]
    if fill(text) != text:
        found.append("README's tables are not those of tests/claims/results; run make docs and look at the difference")
    for path in sorted(RESULTS.glob("*.json")):
        kept = json.loads(path.read_text(encoding="utf-8"))
        print(f"{path.stem}: {' at '.join(kept['again'])} again …", flush=True)
        with tempfile.TemporaryDirectory(prefix="roicg-claims-") as folder:
            found += measured_again(path.stem, kept, Path(folder))
    return found


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["keep", name, model, label]:
            print(keep(name, model, label, home()))
        case ["fill"]:
            README.write_text(fill(README.read_text(encoding="utf-8")), encoding="utf-8")
        case ["check"]:
            wrong = check()
            print("\n".join(wrong) or "every table of README is that of its study, and one checkpoint of each study measured the same again")
            sys.exit(bool(wrong))
        case _:
            sys.exit("python -m tests.claims.claims keep STUDY MODEL LABEL | fill | check")
