"""``roicg export``, ``import``, ``delete``: a study out of the database, into another one, or away."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from roicg.cli.console import print_json, print_rows, say, working
from roicg.core.errors import RoicgError

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore

Json = Annotated[bool, typer.Option("--json", help="As JSON.")]


class Format(StrEnum):
    """What an export is written as."""

    auto = "auto"
    jsonl = "jsonl"
    parquet = "parquet"
    neo4j_csv = "neo4j-csv"


def export(
    study: Annotated[str, typer.Argument(help="Name of a published study; `roicg status` shows them.")],
    out: Annotated[Path, typer.Option("--out", help="A new folder, or a new .tar.")],
    format: Annotated[
        Format, typer.Option("--format", help="Columns of the bundle (auto: parquet where the extra `tables` is installed); neo4j-csv for neo4j-admin import.")
    ] = Format.auto,
    as_json: Json = False,
) -> None:
    """Write everything that a study has published into a bundle, which `roicg import` publishes again, here or elsewhere."""
    from roicg.store.connect import connect

    with connect() as store, working(f"exporting {study} …"):
        if format is Format.neo4j_csv:
            counts, notes = _csv(store, study, out)
        else:
            counts, notes = _bundle(store, study, out, format)
    if as_json:
        print_json({"study": study, "out": str(out), "counts": counts})
    else:
        print_rows([{"kind": kind, "n": n} for kind, n in counts.items()], title=f"{study} → {out}")
    for note in notes:
        say(note)


def import_(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH…", help="A study bundle (folder or .tar), or EAP-IG / MIB json files of one model, a task each.")
    ],
    study: Annotated[str | None, typer.Option("--study", help="Name of the study (a bundle brings its own).")] = None,
    model: Annotated[str | None, typer.Option("--model", help="Name of the model that json files are of.")] = None,
    checkpoint: Annotated[str | None, typer.Option("--checkpoint", help="Its checkpoint's label, for json files.")] = None,
    step: Annotated[int | None, typer.Option("--step", min=0, help="The checkpoint's step (default: the last number in its label, else 0).")] = None,
    task: Annotated[list[str] | None, typer.Option("--task", help="The task of each json file, in their order.")] = None,
    path: Annotated[str | None, typer.Option("--path", help="The path that the scores were computed by (default: as the file says, else inputs).")] = None,
    d_mlp: Annotated[int | None, typer.Option("--d-mlp", min=1, help="Neurons of an MLP (json files do not say; default 1, the whole MLP).")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Let it take the place of other graphs in the same slots.")] = False,
    as_json: Json = False,
) -> None:
    """Publish what a file holds, told apart by content; calling it again writes nothing, and one that was stopped goes on."""
    from roicg.cli.json_graphs import Given, holds_json, import_graphs
    from roicg.store.connect import connect

    kinds = {holds_json(one) for one in paths}
    if kinds == {True}:
        given = Given(study, model, checkpoint, step, tuple(task or ()), path, d_mlp)
        import_graphs(paths, given, replace=replace, as_json=as_json)
        return
    if len(paths) > 1:
        raise RoicgError("one bundle at a time; several files are read as the tasks of one model, and then all must be EAP-IG json")
    odd = [name for name, value in (("--model", model), ("--checkpoint", checkpoint), ("--task", task), ("--path", path)) if value]
    if odd:
        raise RoicgError(f"{odd[0]} is for EAP-IG json; a bundle says itself what its graphs are")
    from roicg.store.neo4j.import_study import import_study

    with connect() as store, working("importing …"):
        found = import_study(store, paths[0], study=study, replace_other=replace)
    outcomes = dict(sorted(found.outcomes.items()))
    if as_json:
        print_json({"study": found.study, "slots": outcomes, "edges": found.edges, "analyses": found.analyses, "tables": found.tables})
    what = ", ".join(f"{n} {outcome}" for outcome, n in outcomes.items())
    say(
        f"study {found.study}: {what or 'no graphs'}; {found.edges} edges, {found.analyses} analyses and {found.tables} tables are new"
        if found.changed
        else f"study {found.study} is here already ({what}); nothing was written"
    )


def delete(
    study: Annotated[str, typer.Argument(help="Name of the study.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    as_json: Json = False,
) -> None:
    """Remove a study from the database: everything that it published and no other study shows. Files that runs left in ROICG_HOME stay."""
    from roicg.store.connect import connect
    from roicg.store.neo4j.delete_study import delete_study, study_extent

    with connect() as store:
        extent = study_extent(store.connection, study)
        if not as_json:
            print_rows([{"kind": kind, "n": n} for kind, n in extent.items()], title=f"study {study}: {'would be' if dry_run else 'will be'} removed")
        if dry_run:
            if as_json:
                print_json({"study": study, "dry_run": True, "counts": extent})
            return
        if not yes and not typer.confirm(f"remove study {study} from {store.address.uri}?", err=True):
            raise RoicgError("nothing was removed")
        with working(f"removing {study} …"):
            found = delete_study(store, study)
    if as_json:
        print_json({"study": study, "dry_run": False, "counts": extent, "kept": found.kept})
    say(f"study {study} is removed" + (f"; {found.kept} of its graphs stay, because other studies show them" if found.kept else ""))


def _bundle(store: "Neo4jStore", study: str, out: Path, format: Format) -> tuple[dict[str, int], list[str]]:
    from importlib.util import find_spec

    from roicg.store.neo4j.export_study import export_study

    parquet = format is Format.parquet or (format is Format.auto and find_spec("pyarrow") is not None)
    found = export_study(store, study, out, form="parquet" if parquet else "jsonl")
    notes = [f"{found.left_out} analyses that also are of graphs of other studies stay here"] if found.left_out else []
    return found.counts, [*notes, f"bundle: {out}; `roicg import {out}` publishes it"]


def _csv(store: "Neo4jStore", study: str, out: Path) -> tuple[dict[str, int], list[str]]:
    from roicg.store.neo4j.export_csv import export_csv

    found = export_csv(store, study, out)
    notes = [f"{found.left_out} analyses that also are of graphs of other studies stay here"] if found.left_out else []
    return found.counts, [*notes, f"{out}/README.txt says how to import it"]
