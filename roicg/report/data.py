"""What the report shows, as frozen values; every number was a row of a catalogue query, and absent numbers are ``None``."""

from dataclasses import dataclass

from roicg.core.tables import Table


@dataclass(frozen=True, slots=True)
class RoiShown:
    """A node: ``z`` is the smaller z of its site's groups against their two nulls, ``above_null`` the verdict (None: nothing was clustered)."""

    name: str
    site: str
    kind: str
    size: int
    label: str
    is_rest: bool
    above_null: bool | None
    z: float | None


@dataclass(frozen=True, slots=True)
class EdgeShown:
    """An edge of a circuit: ``weight`` is signed, in metric units; ``rank`` 1 = strongest."""

    rank: int
    source: str
    target: str
    port: str
    weight: float
    se: float | None


@dataclass(frozen=True, slots=True)
class Point:
    """φ of one measured circuit with its bootstrap interval, φ of its complement, and the shares of features and weights its ROIs hold."""

    n_edges: int
    phi: float
    low: float | None
    high: float | None
    complement: float | None = None
    features: float | None = None
    parameters: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """φ(n) under one selection (one of :data:`SELECTIONS`); without points where ``reason`` says why."""

    task: str
    selection: str
    total: int
    points: tuple[Point, ...]
    area: float | None
    reason: str | None
    n_examples: int
    solved: bool
    cpr: float | None = None
    cmd: float | None = None

    def at(self, n_edges: int) -> Point | None:
        """The point measured at exactly ``n_edges`` edges."""
        return next((point for point in self.points if point.n_edges == n_edges), None)

    def least(self, faithfulness: float) -> Point | None:
        """The smallest measured circuit that keeps ``faithfulness`` or more."""
        return next((point for point in self.points if point.phi >= faithfulness), None)


@dataclass(frozen=True, slots=True)
class Division:
    """One division into communities, never without its null: ``task`` is ``(mixture)`` for all tasks together."""

    task: str
    gamma: float
    modularity: float
    null_mean: float | None
    null_sd: float | None
    z: float | None
    p: float | None
    above_null: bool
    communities: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Books:
    """The sum law of one port group and task."""

    task: str
    port_group: str
    effect: float | None
    gap: float | None
    steps: int
    complete: bool
    saturated: bool


@dataclass(frozen=True, slots=True)
class Score:
    """How a checkpoint does on one task, on split ``eval``."""

    task: str
    metric: str
    n: int
    clean: float
    corrupted: float
    accuracy: float
    solved: bool


@dataclass(frozen=True, slots=True)
class GraphShown:
    """One published graph; ``edges`` holds the strongest of its ``n_edges`` edges per task."""

    slot: str
    label: str
    partition: str
    n_edges: int
    rois: tuple[RoiShown, ...]
    edges: dict[str, tuple[EdgeShown, ...]]
    curves: tuple[Curve, ...]
    divisions: tuple[Division, ...]
    books: tuple[Books, ...]

    def curve(self, task: str, selection: str) -> Curve | None:
        """The curve of ``task`` under ``selection``, if it was measured."""
        return next((curve for curve in self.curves if (curve.task, curve.selection) == (task, selection)), None)


@dataclass(frozen=True, slots=True)
class Emergence:
    """One task at one checkpoint: ``least_edges`` of ``edges`` keep φ ≥ .9; modularity with its null is that of the mixture."""

    label: str
    task: str
    accuracy: float
    solved: bool
    least_edges: int | None
    edges: int
    area: float | None
    modularity: float | None
    null_mean: float | None
    z: float | None
    p: float | None
    above_null: bool | None


@dataclass(frozen=True, slots=True)
class CheckpointShown:
    """One checkpoint with its scores and its graphs by partition."""

    label: str
    step: int
    scores: tuple[Score, ...]
    graphs: dict[str, GraphShown]

    def score(self, task: str) -> Score | None:
        """The score of ``task``, if the checkpoint was asked."""
        return next((score for score in self.scores if score.task == task), None)


@dataclass(frozen=True, slots=True)
class ModelShown:
    """One model: checkpoints by rising step, emergence by partition."""

    name: str
    tasks: tuple[str, ...]
    checkpoints: tuple[CheckpointShown, ...]
    emergence: dict[str, tuple[Emergence, ...]]

    @property
    def partitions(self) -> tuple[str, ...]:
        """Partitions that at least one checkpoint has, in the order of :data:`PARTITIONS`."""
        return tuple(kind for kind in PARTITIONS if any(kind in checkpoint.graphs for checkpoint in self.checkpoints))


@dataclass(frozen=True, slots=True)
class ReportData:
    """All that one report shows."""

    study: str
    path: str
    models: tuple[ModelShown, ...]
    tables: tuple[tuple[str, Table], ...] = ()
    """(finding, table) of every finding the study asked for."""


PARTITIONS = ("own", "reference", "components")
"""Shown; ``random`` and ``singletons`` are controls."""
SELECTIONS = ("weight", "connected", "greedy", "nodes", "inputs", "clean", "exact", "magnitude", "random")
"""Ways of choosing a circuit's edges, in the order in which they are shown."""
FAITHFUL = 0.9
"""The φ that a circuit must keep to be called faithful in the report."""
MIXTURE = "(mixture)"
"""What the store writes for all tasks together."""
