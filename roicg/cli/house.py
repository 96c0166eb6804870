"""``roicg status``, ``verify``, ``gc``, ``report``: looking after what is published."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from roicg.cli.console import print_json, print_rows, say, working
from roicg.core.errors import RoicgError

Json = Annotated[bool, typer.Option("--json", help="As JSON.")]


def status(study: Annotated[str, typer.Option("--study", help="Only this study.")] = "", as_json: Json = False) -> None:
    """Show what is published, staged and superseded."""
    from roicg.store.connect import connect

    with connect() as store:
        rows = store.run("house.published", study=study)
    columns = ["slot", "status", "number", "rois", "edges", "created"]
    print_rows(rows, as_json=as_json, title="published graphs", columns=columns)


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


def gc(as_json: Json = False) -> None:
    """Remove superseded, abandoned and expired versions that no slot and no running writer holds."""
    from roicg.store.connect import connect

    with connect() as store, working("collecting …"):
        removed = store.gc()
    if as_json:
        print_json({"removed": removed})
    else:
        say(f"removed {len(removed)} versions" + (f": {', '.join(map(str, removed))}" if removed else ""))


def report(
    study: Annotated[str, typer.Argument(help="The study's YAML file, or the name of a study that comes with roicg.")],
    out: Annotated[Path | None, typer.Option("--out", help="The file to write (default: reports/STUDY.html in ROICG_HOME).")] = None,
) -> None:
    """Write the report of a study: one HTML file that opens from disk and asks nothing of the network."""
    from roicg.cli.studies import study_path
    from roicg.core.settings import load_study
    from roicg.report import build_report
    from roicg.server.home import home
    from roicg.store.connect import connect

    settings = load_study(study_path(study))
    target = out or home() / "reports" / f"{settings.study}.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    with connect() as store, working(f"writing {target} …"):
        build_report(settings, store, target)
    say(f"report: {target}")
