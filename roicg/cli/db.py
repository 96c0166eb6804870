"""``roicg db``: start, stop and look at the embedded graph database, and fetch its jars."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from roicg.cli.console import print_json, say, stderr, stdout, working

if TYPE_CHECKING:
    from roicg.server.embedded import ServerStatus
    from roicg.server.jars import Progress

app = typer.Typer(help="The embedded Neo4j with GDS and Browser: start, stop, status, fetch.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="As JSON (never with the password).")]


@app.command()
def start(as_json: Json = False) -> None:
    """Start the database of this home, or attach to the running one, and print where it answers."""
    from roicg.server.address import environment_address
    from roicg.server.embedded import running_address
    from roicg.server.embedded import start as start_server
    from roicg.server.embedded import status as look
    from roicg.server.home import home
    from roicg.server.jars import fetch_jars

    if environment_address() is not None:
        say("note: ROICG_NEO4J_URI is set, so the other commands use that server and not the embedded one")
    if running_address(home()) is None:
        with jar_progress() as progress:
            fetch_jars(progress=progress)
    with working("starting Neo4j …"):
        start_server(home())
    _print(look(home()), as_json)


@app.command()
def stop() -> None:
    """Stop the database of this home cleanly."""
    from roicg.server.embedded import stop as stop_server
    from roicg.server.home import home

    with working("stopping Neo4j …"):
        stopped = stop_server(home())
    say("the database is stopped" if stopped else f"no database runs in {home()}")


@app.command()
def status(as_json: Json = False) -> None:
    """Say whether the database of this home runs and where; ends with 1 when it does not answer."""
    from roicg.server.embedded import status as look
    from roicg.server.home import home_path

    found = look(home_path())
    _print(found, as_json)
    if not found.running or found.problem:
        raise typer.Exit(1)


@app.command()
def fetch(
    from_dir: Annotated[Path | None, typer.Option("--from", help="Take the jars from this folder instead of Maven (any depth, by name and hash).")] = None,
    line: Annotated[str | None, typer.Option(help="lts or next; default ROICG_NEO4J_LINE, else lts.")] = None,
) -> None:
    """Fetch the jars of the database into the user's cache and compare each with the committed sha256."""
    from roicg.server.jars import fetch_jars, read_lock
    from roicg.server.line import find_line

    lock = read_lock(find_line(line).lock_file)
    say(f"the jars of Neo4j {lock.neo4j} are up to {lock.size >> 20} MiB; those already in the cache are not fetched again")
    with jar_progress() as progress:
        folder = fetch_jars(from_dir, progress, lock)
    say(f"{len(lock.jars)} jars ({lock.size >> 20} MiB) are in {folder}, every one as locked")


@contextmanager
def jar_progress() -> Iterator["Progress"]:
    """A bar on stderr that appears when the first jar arrives, so that a complete cache shows nothing."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("fetching jars"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=stderr(), transient=True)
    task = bar.add_task("jars", total=None)

    def show(done: int, total: int, name: str) -> None:
        if not bar.live.is_started:
            bar.start()
        bar.update(task, completed=done, total=total)
        if done == total:
            bar.stop()

    try:
        yield show
    finally:
        bar.stop()


def as_row(found: "ServerStatus") -> dict[str, Any]:
    """The status as plain values; the password itself is never among them."""
    from dataclasses import asdict

    return {name: str(value) if isinstance(value, Path) else value for name, value in asdict(found).items()}


def _print(found: "ServerStatus", as_json: bool) -> None:
    if as_json:
        print_json(as_row(found))
        return
    if not found.running:
        say(f"no database runs in {found.home} (line {found.line}); start it with `roicg db start`")
        return
    lines = [f"Neo4j {found.version or '?'} (line {found.line}) with GDS {found.gds_version or '?'}, process {found.pid}"]
    lines += [f"Bolt      {found.bolt_uri}", f"Browser   {found.browser_uri}", f"user      {found.user}", f"password  in {found.password_file}"]
    lines += [f"logs      {found.logs}"] + ([f"problem   {found.problem}"] if found.problem else [])
    for line in lines:
        stdout().print(line, soft_wrap=True)
