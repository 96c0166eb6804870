"""``python -m pipelines run|demo|ui``: what ``roicg`` starts as a child process."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from roicg.cli.console import print_json, say
from roicg.core.errors import RoicgError

from .interrupt import note_interrupts

INTERRUPTED = 130
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help="The Dagster shell of roicg; use `roicg run`, `roicg demo`, `roicg ui`.")


@app.command()
def run(
    study: Path,
    model: Annotated[str | None, typer.Option()] = None,
    checkpoint: Annotated[str | None, typer.Option()] = None,
    task: Annotated[str | None, typer.Option()] = None,
    device: Annotated[str, typer.Option()] = "auto",
    dry_run: Annotated[bool, typer.Option("--dry-run")] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Run a study through Dagster; what is already published is skipped."""
    from .study_files import StudyFile

    file = StudyFile(study, task)
    if dry_run:
        from .dry_run import say_plan

        say_plan(file, model, checkpoint, device, as_json=as_json)
        return
    from .study_run import run_study, say_outcome

    outcome = run_study(file, model, checkpoint, device)
    say_outcome(outcome)
    if as_json:
        print_json(asdict(outcome))


@app.command()
def demo() -> None:
    """Run the demo study and print what was found."""
    from .demo import demo as run_demo

    run_demo()


@app.command()
def ui(port: Annotated[int, typer.Option(min=1, max=65535)] = 3000) -> None:
    """Show Dagster's pages and the database until Ctrl-C."""
    from .ui import serve

    raise typer.Exit(serve(port))


def main() -> int:
    """Exit code of the command in ``sys.argv``; errors of roicg are one sentence on stderr."""
    note_interrupts()
    code: object = 0
    try:
        app(prog_name="roicg", standalone_mode=True)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except RoicgError as error:
        say(f"roicg: {error}")
        code = error.exit_code
    except SystemExit as error:  # how typer ends, after Ctrl-C too
        code = error.code
    if code == INTERRUPTED:
        say("roicg: interrupted; nothing half-written is visible, the same command goes on from here")
    return code if isinstance(code, int) else int(code is not None)


if __name__ == "__main__":
    sys.exit(main())
