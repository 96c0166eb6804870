"""The command ``roicg``: one file per noun beside this one, each importing what is heavy only when it is called."""

import errno
import logging
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import roicg
from roicg.cli import circuit, compare, house, intervene, launch, move, query
from roicg.cli.console import say
from roicg.cli.db import app as db_app
from roicg.cli.doctor import doctor
from roicg.core.errors import RoicgError

EXIT_CODES = (
    "Exit codes: 0 done · 1 error or a finding · 2 wrong usage · 3 study · 4 model · 5 prompts · "
    "6 a law is broken · 7 graph database or query · 8 embedded server · 130 interrupted."
)


class _Group(TyperGroup):
    """Turns every error into one sentence on stderr and its exit code; with ``--debug`` the traceback comes too."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort):
            raise
        except KeyboardInterrupt:
            say("roicg: interrupted; nothing half-written is visible, the same command goes on from here")
            raise typer.Exit(130) from None
        except BrokenPipeError:
            raise
        except (RoicgError, OSError, MemoryError) as error:
            _fail(ctx, error)
        except Exception as error:
            if type(error).__module__.startswith("typer"):
                raise
            _fail(ctx, error)


def _fail(ctx: Any, error: BaseException) -> None:
    if ctx.params.get("debug"):
        raise error
    if isinstance(error, RoicgError):
        say(f"roicg: {error}")
        raise typer.Exit(error.exit_code) from None
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        say(f"roicg: the disk is full ({error.filename or error}); free some space and call the same command again")
    elif isinstance(error, OSError):
        say(f"roicg: {error}")
    else:
        say(f"roicg: unexpected {type(error).__name__}: {error}; this is a bug in roicg, `roicg --debug …` shows where")
    raise typer.Exit(1) from None


app = typer.Typer(
    name="roicg",
    cls=_Group,
    help="Neural networks as weighted computational graphs of ROIs and integrated-gradient edges, per checkpoint, in Neo4j.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"roicg {roicg.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error (may stand anywhere).")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.", callback=_version, is_eager=True)] = False,
) -> None:
    """Options of every command; ``_Group`` reads ``debug`` when an error comes."""


app.command()(launch.demo)
app.command()(launch.run)
app.command()(launch.ui)
app.command()(query.query)
app.command()(query.cypher)
app.command()(compare.compare)
app.command()(circuit.circuit)
app.command()(intervene.intervene)
app.command()(house.report)
app.command()(house.status)
app.command()(house.verify)
app.command()(house.gc)
app.command()(move.export)
app.command(name="import")(move.import_)
app.command()(move.delete)
app.command()(doctor)
app.add_typer(db_app, name="db")


def main() -> None:
    """Entry point of the command ``roicg``; ``--debug`` may stand anywhere in it."""
    logging.getLogger("neo4j").addHandler(logging.NullHandler())  # its retries are no news for a person; errors arrive as ours
    words = sys.argv[1:]
    if "--debug" in words:
        words = ["--debug", *(word for word in words if word != "--debug")]
    app(args=words, prog_name="roicg")
