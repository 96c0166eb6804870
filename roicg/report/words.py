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
    found = [statement for task in model.tasks for statement in task_statements(last, task)]
    for graph in last.graphs.values():
        found += [division_statement(graph, division) for division in graph.divisions]
        found += roi_statements(graph)
    found += emergence_statements(model)
    found += [warning for checkpoint in model.checkpoints for warning in book_warnings(checkpoint)]
    return tuple(found)


def task_statements(checkpoint: CheckpointShown, task: str) -> Iterator[Statement]:
    """Whether the task is solved, and how few edges carry it; for an unsolved task one sentence that claims nothing."""
    score = checkpoint.score(task)
    some = next(iter(checkpoint.graphs.values()))
    asked: tuple[Asked, ...] = (("tasks.scores", {"slot": some.slot}),)
    if score is None:
        yield Statement(f"{task} was not scored at {checkpoint.label}: no claim is made for it.", "none", asked)
        return
    if not score.solved:
        yield Statement(f"{task} is not solved (accuracy {_score(score)}): its graph is drawn below, but no claim is made for it.", "none", asked)
        return
    yield Statement(f"{task} is solved: accuracy {_score(score)}.", "plain", asked)
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
        return Statement(f"{nodes}: no measured circuit reaches φ ≥ {FAITHFUL}; the best, of {best.n_edges} edges, has φ = {best.phi:.2f}.", "none", asked)
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
    null = "a null without figures" if division.null_mean is None else f"{division.null_mean:.3f} ± {_or_dash(division.null_sd, '.3f')} under its null"
    return f"modularity {division.modularity:.3f} against {null}, z = {_or_dash(division.z, '.1f')}, p = {_or_dash(division.p, '.3g')}"


def roi_statements(graph: GraphShown) -> list[Statement]:
    """Per clustered site, whether its groups of features stand above both nulls."""
    found: list[Statement] = []
    for site in dict.fromkeys(roi.site for roi in graph.rois if roi.above_null is not None):
        groups = [roi for roi in graph.rois if roi.site == site and not roi.is_rest]
        if graph.partition != "own" or len(groups) < 2:
            continue
        words = f"ROIs of {site}: {len(groups)} groups, the smaller z of their modularity against two nulls is {_or_dash(groups[0].z, '.1f')}"
        asked: tuple[Asked, ...] = (("structure.rois", {"slot": graph.slot}),)
        if groups[0].above_null:
            found.append(Statement(f"{words}: above both.", "finding", asked))
        else:
            found.append(Statement(f"{words}: not above its null, so these groups are no finding.", "none", asked))
    return found


def emergence_statements(model: ModelShown) -> list[Statement]:
    """For each task, since which checkpoint it has been solved without interruption."""
    if len(model.checkpoints) < 2:
        return []
    found: list[Statement] = []
    slot = next(iter(model.checkpoints[0].graphs.values())).slot
    asked: tuple[Asked, ...] = (("compare.emergence", {"slot": slot, "faithfulness": FAITHFUL}),)
    for task in model.tasks:
        scores = [(checkpoint.label, score) for checkpoint in model.checkpoints if (score := checkpoint.score(task)) is not None]
        since = next((i for i in range(len(scores)) if all(score.solved for _, score in scores[i:])), None)
        if not scores or since is None:
            continue
        label, score = scores[since]
        before = f"; at {scores[since - 1][0]} accuracy was {scores[since - 1][1].accuracy:.2f}" if since else ", the first"
        found.append(Statement(f"{task} is solved from checkpoint {label} on (accuracy {score.accuracy:.2f}{before}).", "plain", asked))
    return found


def book_warnings(checkpoint: CheckpointShown) -> Iterator[Statement]:
    """One sentence per task whose port groups do not add up, or whose gradient is zero all along the path."""
    graph = next(iter(checkpoint.graphs.values()))
    asked: tuple[Asked, ...] = (("structure.port_groups", {"slot": graph.slot}),)
    for task in dict.fromkeys(book.task for book in graph.books):
        mine = [book for book in graph.books if book.task == task]
        open_books = [book for book in mine if not book.complete]
        if open_books:
            worst = max(open_books, key=lambda book: abs(book.gap))
            count = f"{len(open_books)} of {len(mine)} port groups of {task} are incomplete"
            gap = f"edges and effect differ most at {worst.port_group}, by {abs(worst.gap):.2g} of an effect of {worst.effect:.2g} after {worst.steps} steps"
            yield Statement(f"At {checkpoint.label}, {count}: {gap}.", "warning", asked)
        still = [book.port_group for book in mine if book.saturated]
        if still:
            yield Statement(f"At {checkpoint.label}, {', '.join(still)} of {task} have an effect but no gradient: their edges are 0.", "warning", asked)


def _score(score: Score) -> str:
    return f"{score.accuracy:.2f} on {score.n} prompt pairs, at least .9 asked"


def _interval(point: Point) -> str:
    if point.low is None or point.high is None:
        return f"{point.phi:.2f}"
    return f"{point.phi:.2f} [{point.low:.2f}, {point.high:.2f}]"


def _or_dash(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
