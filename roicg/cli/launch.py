"""``roicg demo``, ``run``, ``ui``: start the Dagster shell as a child process, because roicg itself never imports it."""

import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from roicg.core.errors import RoicgError


def demo() -> None:
    """Run the demo study end to end: train, find ROIs, compute edges, publish, query, report."""
    _child("demo")


def run(
    study: Annotated[str, typer.Argument(help="The study's YAML file, or the name of a study that comes with roicg.")],
    model: Annotated[str | None, typer.Option(help="Only this model.")] = None,
    checkpoint: Annotated[str | None, typer.Option(help="Only this checkpoint label (needs --model).")] = None,
    task: Annotated[str | None, typer.Option(help="Only this task.")] = None,
    device: Annotated[str, typer.Option(help="Where models run: auto (CUDA where there is one), cpu, cuda or cuda:N.")] = "auto",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would run and what it costs; write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as JSON on stdout.")] = False,
) -> None:
    """Run a study through Dagster; what is already published is skipped."""
    from roicg.cli.studies import study_path
    from roicg.core.study_file import load_study

    path = study_path(study)
    settings = load_study(path)  # every mistake in the file is said before any process starts
    if model is not None:
        settings.model(model)
    words = ["run", str(path)]
    for name, value in (("--model", model), ("--checkpoint", checkpoint), ("--task", task), ("--device", device)):
        words += [name, value] if value is not None else []
    _child(*words, *(["--dry-run"] if dry_run else []), *(["--json"] if as_json else []))


def ui(port: Annotated[int, typer.Option(help="Port of Dagster's pages.", min=1, max=65535)] = 3000) -> None:
    """Start the database and Dagster's web pages; Ctrl-C ends the pages."""
    _child("ui", "--port", str(port))


def pipelines_module() -> str:
    """Name of the Dagster shell: inside an installed wheel, else beside the package in a checkout; never another package of that name."""
    if find_spec("roicg._pipelines") is not None:
        return "roicg._pipelines"
    spec = find_spec("pipelines")
    beside = Path(__file__).resolve().parents[2] / "pipelines"
    if spec is None or spec.origin is None or Path(spec.origin).resolve().parent != beside:
        raise RoicgError(f"the Dagster pipelines are neither in the package nor at {beside}; install roicg again")
    return "pipelines"


def _child(*words: str) -> None:
    """Run ``python -m pipelines WORDS`` and end with its exit code; Ctrl-C reaches it too, and it gets time to close down."""
    if find_spec("dagster") is None:
        raise RoicgError(f"`roicg {words[0]}` needs Dagster, which this install lacks; install it with: pip install 'roicg[all]'")
    child = subprocess.Popen([sys.executable, "-m", pipelines_module(), *words])
    before = signal.signal(signal.SIGTERM, lambda *_: child.terminate())  # whoever ends roicg ends what it started
    try:
        code = child.wait()
    except BaseException:
        _close(child)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
    raise typer.Exit(code if code >= 0 else 128 - code)


def _close(child: "subprocess.Popen[bytes]") -> None:
    """Ctrl-C was sent to the whole group by the terminal: wait, then ask, then end it."""
    for ask in (child.terminate, child.kill, child.poll):
        try:
            child.wait(timeout=20)
            return
        except subprocess.TimeoutExpired:
            ask()
