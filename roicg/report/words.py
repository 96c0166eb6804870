"""What was found, in sentences made from the figures. What the figures do not support is said plainly, never left out.

Rules: an unsolved task makes no claim; φ stands beside random edges of equal number; modularity stands beside its null, and
groups that are not above their null are no finding; a port group whose edges do not add up is a warning.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from roicg.report.data import FAITHFUL, MIXTURE, CheckpointShown, Curve, Division, GraphShown, ModelShown, Point, Score

Tone = Literal["finding", "plain", "none", "warning"]
Asked = tuple[str, Mapping[str, str | float]]
"""A query of the catalogue and its parameters."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence, its tone (``none`` = no finding), and the queries that give its figures."""

    text: str
    tone: Tone
    queries: tuple[Asked, ...]


def summary(model: ModelShown) -> str:
    """How much of the model is published."""
    first, last = model.checkpoints[0], model.checkpoints[-1]
    if len(model.checkpoints) == 1:
        return f"One checkpoint, {last.label}; tasks: {', '.join(model.tasks)}."
    return (
        f"{len(model.checkpoints)} checkpoints, {first.label} to {last.label}; tasks: {', '.join(model.tasks)}. What follows holds at {last.label}, the last."
    )


def statements(model: ModelShown) -> tuple[Statement, ...]:
    """Every sentence about ``model``: tasks, communities and ROIs at its last checkpoint, then emergence and warnings of all."""
    last = model.checkpoints[-1]
    found = [*score_statements(last, model.tasks)]
    found += [statement for task in model.tasks for statement in task_statements(last, task)]
    for graph in last.graphs.values():
        found += [division_statement(graph, division) for division in graph.divisions]
        found += roi_statements(graph)
    found += emergence_statements(model)
    found += [warning for checkpoint in model.checkpoints for warning in book_warnings(checkpoint)]
    return tuple(found)


def score_statements(checkpoint: CheckpointShown, tasks: tuple[str, ...]) -> Iterator[Statement]:
    """Which tasks are solved, in one sentence; for each other task one sentence that claims nothing."""
    some = next(iter(checkpoint.graphs.values()))
    asked: tuple[Asked, ...] = (("tasks.scores", {"slot": some.slot}),)
    scores = [(task, checkpoint.score(task)) for task in tasks]
    solved = [f"{task} ({_score(score)})" for task, score in scores if score is not None and score.solved]
    if solved:
        yield Statement(f"Solved (accuracy of at least .9): {', '.join(solved)}.", "plain", asked)
    for task, score in scores:
        if score is None:
            yield Statement(f"{task} was not scored at {checkpoint.label}: no claim is made for it.", "none", asked)
        elif not score.solved:
            yield Statement(f"{task} is not solved (accuracy {_score(score)}): its graph is drawn below, but no claim is made for it.", "none", asked)


def task_statements(checkpoint: CheckpointShown, task: str) -> Iterator[Statement]:
    """How few edges carry a solved task, per partition; nothing for an unsolved one."""
    score = checkpoint.score(task)
    if score is None or not score.solved:
        return
    for graph in checkpoint.graphs.values():
        curve = graph.curve(task, "weight")
        if curve is not None:
            yield _faithful(graph, curve, graph.curve(task, "random"))


def _faithful(graph: GraphShown, curve: Curve, random: Curve | None) -> Statement:
    asked: tuple[Asked, ...] = (
        ("circuits.least_edges", {"slot": graph.slot, "faithfulness": FAITHFUL}),
        ("circuits.faithfulness", {"slot": graph.slot, "task": curve.task}),
    )
    nodes = f"{curve.task}, {graph.partition}"
    if curve.reason == "no_effect":
        words = "corrupting the prompts has no effect on the metric beyond 2 standard errors, so there is no faithfulness to measure"
        return Statement(f"{nodes}: {words}.", "none", asked)
    if curve.reason or not curve.points:
        return Statement(f"{nodes}: faithfulness was not measured ({curve.reason or 'no sizes'}).", "none", asked)
    least = curve.least(FAITHFUL)
    if least is None:
        best = max(curve.points, key=lambda point: point.phi)
        return Statement(
            f"{nodes}: no measured circuit reaches φ ≥ {FAITHFUL}; the best, of {best.n_edges} edges, has φ = {_figure(best.phi, '.2f')}.", "none", asked
        )
    share = f"{least.n_edges} of {curve.total} edges ({least.n_edges / curve.total:.1%})"
    words = f"{nodes}: {share} keep φ = {_interval(least)}"
    control = random.at(least.n_edges) if random is not None else None
    if control is None:
        return Statement(f"{words}. No random control was measured at that size, so this is no finding.", "none", asked)
    beside = f"{words}; as many random edges keep {_interval(control)}"
    if least.n_edges >= curve.total:
        return Statement(f"{beside}. No smaller measured circuit is faithful: nothing was found but the whole graph.", "none", asked)
    if (control.high if control.high is not None else control.phi) >= (least.low if least.low is not None else least.phi):
        return Statement(f"{beside}. The intervals overlap: the circuit is not better than random edges.", "none", asked)
    return Statement(f"{beside}.", "finding", asked)


def division_statement(graph: GraphShown, division: Division) -> Statement:
    """Communities with modularity, null, z and p; a finding only above the null."""
    whose = "all tasks together" if division.task == MIXTURE else division.task
    count = len(division.communities)
    words = f"Communities ({graph.partition}, {whose}): {count}, {against_null(division)}"
    asked: tuple[Asked, ...] = (("structure.communities", {"slot": graph.slot}),)
    if division.above_null:
        return Statement(f"{words}: above its null.", "finding", asked)
    return Statement(f"{words}: not above its null, so these groups are no finding.", "none", asked)


def against_null(division: Division) -> str:
    """``modularity Q against its null mean ± sd, z, p``."""
    null = (
        "a null without figures" if division.null_mean is None else f"{_figure(division.null_mean, '.3f')} ± {_figure(division.null_sd, '.3f')} under its null"
    )
    return f"modularity {_figure(division.modularity, '.3f')} against {null}, z = {_figure(division.z, '.1f')}, p = {_figure(division.p, '.3g')}"


def roi_statements(graph: GraphShown) -> list[Statement]:
    """Per clustered site, whether its groups of features stand above both nulls."""
    found: list[Statement] = []
    for site in dict.fromkeys(roi.site for roi in graph.rois if roi.above_null is not None):
        groups = [roi for roi in graph.rois if roi.site == site and not roi.is_rest]
        if graph.partition != "own" or len(groups) < 2:
            continue
        words = f"ROIs of {site}: {len(groups)} groups, the smaller z of their modularity against two nulls is {_figure(groups[0].z, '.1f')}"
        asked: tuple[Asked, ...] = (("structure.rois", {"slot": graph.slot}),)
        if groups[0].above_null:
            found.append(Statement(f"{words}: above both.", "finding", asked))
        else:
            found.append(Statement(f"{words}: not above its null, so these groups are no finding.", "none", asked))
    return found


def emergence_statements(model: ModelShown) -> list[Statement]:
    """Since which checkpoint each task has been solved without interruption, in one sentence."""
    if len(model.checkpoints) < 2:
        return []
    found = []
    for task in model.tasks:
        scores = [(checkpoint.label, score) for checkpoint in model.checkpoints if (score := checkpoint.score(task)) is not None]
        since = next((i for i in range(len(scores)) if all(score.solved for _, score in scores[i:])), None)
        if since is not None:
            label, score = scores[since]
            before = f"{scores[since - 1][1].accuracy:.2f} at {scores[since - 1][0]}, " if since else ""
            found.append(f"{task} from {label} on ({before}{score.accuracy:.2f} there)")
    slot = next(iter(model.checkpoints[0].graphs.values())).slot
    return [Statement(f"Emergence: {'; '.join(found)}.", "plain", (("compare.emergence", {"slot": slot, "faithfulness": FAITHFUL}),))] if found else []


def book_warnings(checkpoint: CheckpointShown) -> Iterator[Statement]:
    """One sentence on the port groups whose edges do not add up, one on those whose gradient is zero all along the path."""
    graph = next(iter(checkpoint.graphs.values()))
    asked: tuple[Asked, ...] = (("structure.port_groups", {"slot": graph.slot}),)
    incomplete = [book for book in graph.books if not book.complete]
    if incomplete:
        worst = max(incomplete, key=lambda book: abs(book.gap or 0.0))
        tasks = ", ".join(dict.fromkeys(book.task for book in incomplete))
        count = f"At {checkpoint.label}, {len(incomplete)} of {len(graph.books)} port groups are incomplete ({tasks}): their edges miss the group's effect"
        yield Statement(
            f"{count}, at most by {abs(worst.gap or 0.0):.2g} of {_figure(worst.effect, '.2g')} ({worst.port_group} of {worst.task}, {worst.steps} steps).",
            "warning",
            asked,
        )
    saturated = [f"{book.port_group} of {book.task}" for book in graph.books if book.saturated]
    if saturated:
        yield Statement(f"At {checkpoint.label}, {', '.join(saturated)}: an effect but no gradient, so the edges are 0 (saturated).", "warning", asked)


def _score(score: Score) -> str:
    return f"{score.accuracy:.2f} on {score.n} prompt pairs"


def _interval(point: Point) -> str:
    if point.low is None or point.high is None:
        return _figure(point.phi, ".2f")
    return f"{_figure(point.phi, '.2f')} [{_figure(point.low, '.2f')}, {_figure(point.high, '.2f')}]"


def _figure(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form).replace("-", "−")
