"""``roicg status``, ``verify``, ``gc``, ``report``: looking after what is published."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from roicg.cli.console import print_json, print_rows, say, working
from roicg.core.errors import RoicgError
from roicg.core.ids import NUMERICS

Json = Annotated[bool, typer.Option("--json", help="As JSON.")]


def status(study: Annotated[str, typer.Option("--study", help="Only this study.")] = "", as_json: Json = False) -> None:
    """Show what is published, stale, being written, failed and superseded, and which schema the database has.

    stale: published, but made by an earlier numerics than this roicg computes with. failed: staged by a writer that is gone.
    """
    from roicg.store.connect import connect

    with connect() as store:
        schema = store.schema()
        rows = store.run("house.published", study=study)
        failed = {row["number"] for row in store.run("house.leftovers", expiry_s=store.rules.expiry_s) if row["status"] == "staged"}
    rows = [row | {"status": _status(row, failed)} for row in rows]
    if as_json:
        print_json({"schema": {"recorded": schema.recorded, "known": schema.known}, "graphs": rows})
        return
    print_rows(rows, title="published graphs", columns=["slot", "status", "number", "rois", "edges", "created"])
    counts = Counter(row["status"] for row in rows)
    say(", ".join([f"{n} {name}" for name, n in sorted(counts.items())] + [str(schema)]))
    if counts["failed"] or counts["superseded"]:
        say("`roicg gc` removes what is failed, and what was superseded longer ago than any read lasts")


def _status(row: dict[str, Any], failed: set[int]) -> str:
    if row["number"] in failed:
        return "failed"
    old = row["status"] == "published" and row.get("numerics") is not None and row["numerics"] != NUMERICS
    return "stale" if old else str(row["status"])


def verify(
    witness: Annotated[str | None, typer.Option("--witness", help="Read everything a second time through py2neo, which shares no code with roicg.")] = None,
    as_json: Json = False,
) -> None:
    """Check every published graph against its hash and its books; ends with 1 if something is wrong."""
    if witness not in (None, "py2neo"):
        raise RoicgError(f"--witness {witness!r} is not known; the one witness is py2neo")
    from roicg.store.connect import connect
    from roicg.store.verify import verify as check

    with connect() as store, working("reading every published graph back …"):
        findings = check(store, witness=witness is not None)
        graphs = len(store.ids())
    rows = [asdict(finding) for finding in findings]
    if as_json:
        print_json({"graphs": graphs, "witness": witness, "findings": rows})
    elif rows:
        print_rows(rows, title="findings")
    else:
        say(f"{graphs} published graphs are as they were written" + (", and py2neo reads the same" if witness else ""))
    if rows:
        raise typer.Exit(1)


def gc(dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False, as_json: Json = False) -> None:
    """Remove superseded, abandoned and expired versions that no slot and no running writer holds, and all that only they used.

    In small transactions: it may be stopped at any point and started again, and whoever reads meanwhile notices nothing.
    """
    from roicg.store.connect import connect

    with connect() as store, working("looking …" if dry_run else "collecting …"):
        found = store.gc(dry_run=dry_run)
    if as_json:
        print_json({"dry_run": dry_run, "removed": [asdict(version) for version in found.versions], "counts": found.counts})
        return
    if found.versions:
        print_rows([asdict(version) for version in found.versions], title="would be removed" if dry_run else "removed")
    parts = [f"{len(found.versions)} versions"] + [f"{n} {kind}" for kind, n in sorted(found.counts.items())]
    say(f"{'would remove' if dry_run else 'removed'} {', '.join(parts)}" if found else "nothing to remove")


def report(
    study: Annotated[str, typer.Argument(help="The study's YAML file, or the name of a study that comes with roicg.")],
    out: Annotated[Path | None, typer.Option("--out", help="The file to write (default: reports/STUDY.html in ROICG_HOME).")] = None,
) -> None:
    """Write the report of a study: one HTML file that opens from disk and asks nothing of the network."""
    from roicg.cli.studies import study_path
    from roicg.core.study_file import load_study
    from roicg.report import build_report
    from roicg.server.home import home
    from roicg.store.connect import connect

    settings = load_study(study_path(study))
    target = out or home() / "reports" / f"{settings.study}.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    with connect() as store, working(f"writing {target} …"):
        build_report(settings, store, target)
    say(f"report: {target}")
