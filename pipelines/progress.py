"""What a person sees while a study runs: bars on stderr, one line per finished checkpoint, seconds per stage at the end."""

from collections.abc import Iterator
from contextlib import contextmanager

from dagster import DagsterEvent, DagsterEventType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from roicg.cli.console import say, stderr

from .interrupt import raise_if_lost
from .names import PER_CHECKPOINT, PER_STUDY
from .resources import LISTENER
from .runner import RunOutcome

STAGES = (*PER_CHECKPOINT, *PER_STUDY)


class Display:
    """Two bars: runs of the study, and the stages of the current run with what is going on inside."""

    def __init__(self, bars: Progress, title: str, runs: int) -> None:
        self._bars = bars
        self._all = bars.add_task(title, total=runs)
        self._now = bars.add_task("", total=1, visible=False)
        self._stage = ""

    def start(self, name: str, stages: int) -> None:
        """A run begins."""
        self._name, self._stages = name, stages
        self._bars.reset(self._now, total=stages, description=name, visible=True)

    def hear(self, what: str, share: float) -> None:
        """Progress inside a stage: a moment to end a long one, should its interrupt have been lost."""
        raise_if_lost()
        if what != "training":
            what = f"edges of {what}"
        self._bars.update(self._now, description=f"{self._name} {what} {share:.0%}")

    def event(self, event: DagsterEvent) -> None:
        """An event of the run."""
        stage = (event.step_key or "").rpartition("__")[2]
        if stage not in STAGES:
            return
        if event.event_type == DagsterEventType.STEP_START:
            self._bars.update(self._now, description=f"{self._name} {stage}")
        elif event.event_type == DagsterEventType.STEP_SUCCESS:
            self._bars.advance(self._now)
        elif event.event_type == DagsterEventType.ENGINE_EVENT and (pool := event.engine_event_data.metadata.get("pool")) is not None:
            self._bars.console.print(f"{self._name} {stage} waits: another run has the last place in the pool {pool.value}; `roicg ui` shows which")

    def done(self, name: str, outcome: RunOutcome) -> None:
        """A run is over."""
        self._bars.advance(self._all)
        seconds = sum(outcome.seconds.values())
        line = f"{name}: {'failed' if outcome.failure else 'done'} in {seconds:.1f} s"
        self._bars.console.print(line)


@contextmanager
def display(title: str, runs: int) -> Iterator[Display]:
    """Show progress while the block runs; on a terminal as bars, else as lines."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = stderr()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        shown = Display(bars, title, runs)
        token = LISTENER.set(shown.hear)
        try:
            yield shown
        finally:
            LISTENER.reset(token)


def say_seconds(outcomes: list[RunOutcome], elsewhere: float) -> None:
    """One line: seconds per stage over all runs, checks together, and what went by outside of stages."""
    total = {stage: sum(outcome.seconds.get(stage, 0.0) for outcome in outcomes) for stage in STAGES}
    checks = sum(seconds for outcome in outcomes for step, seconds in outcome.seconds.items() if step not in STAGES)
    parts = [f"{stage} {seconds:.1f}" for stage, seconds in total.items() if seconds]
    rest = elsewhere - sum(total.values()) - checks
    say("seconds per stage: " + " · ".join([*parts, f"checks {checks:.1f}", f"start and Dagster {max(0.0, rest):.1f}"]))
