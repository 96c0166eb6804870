"""The weighted computational graph of one checkpoint under one partition, and what was measured on it.

Sign, fixed once: ``weight(u→v) > 0`` means that the clean value of u, through v, *raises* the metric compared with the
corrupted value. Orientation, fixed once: edge lists, source before target.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from roicg.core.errors import LawError
from roicg.core.ids import canonical_text, digest_of_texts, float_texts
from roicg.core.partition import RoiPartition
from roicg.core.sites import is_upstream

_ROWS = 10_000  # of the edge table, written out for the content hash at once
PathName = Literal["ports", "inputs", "clean", "exact"]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One set of weights: ``label`` is what the study calls it (``800``, ``final``, ``step1000``), ``step`` orders it."""

    model: str
    step: int
    label: str
    weights_digest: str


@dataclass(frozen=True, slots=True)
class PortGroupEffect:
    """The sum law of one port group and task.

    ``effect`` = metric(clean) − metric(clean with the group's whole input corrupted); ``gap`` = effect − Σ of its edges
    (both in metric units; on paths without a sum law ``gap`` is measured all the same). ``method`` is the path's name, or
    ``exact`` where the group fell back. ``saturated``: zero gradient at every point although the effect is not zero.
    On paths without a sum law per group ``effect`` and ``gap`` are None unless the study asked for them; ``complete`` is
    False only where a gap was checked and missed (an exact edge is its own measurement: always complete).
    """

    group: str
    task: str
    effect: float | None
    gap: float | None
    steps: int
    method: str
    complete: bool
    saturated: bool


@dataclass(frozen=True, slots=True)
class TaskScore:
    """How the checkpoint does on one task, per split: means over the pairs; ``solved`` is the gate (accuracy ≥ .9)."""

    task: str
    metric: str
    split: str
    n: int
    clean: float
    corrupted: float
    accuracy: float
    solved: bool
    prompts_digest: str


@dataclass(frozen=True, slots=True)
class EdgeTable:
    """Edges as columns. ``source`` and ``target`` index ``RoiPartition.rois``; the task axis follows ``tasks``.

    ``weight`` is signed, in metric units; ``se`` its standard error over examples; ``mean_abs`` the mean |per-example
    weight|; ``rank`` (1 = strongest |weight|, per task; ties by source, target, port).
    """

    tasks: tuple[str, ...]
    source: Int[np.ndarray, " edge"]
    target: Int[np.ndarray, " edge"]
    port: tuple[str, ...]
    weight: Float[np.ndarray, "task edge"]
    se: Float[np.ndarray, "task edge"]
    mean_abs: Float[np.ndarray, "task edge"]
    rank: Int[np.ndarray, "task edge"]

    def __len__(self) -> int:
        return len(self.port)

    @property
    def strength(self) -> Float[np.ndarray, "task edge"]:
        """|weight|."""
        return np.asarray(np.abs(self.weight))

    def task_index(self, task: str) -> int:
        """Row of ``task`` in the task axis; unknown names are a ``LawError`` that lists the known ones."""
        if task not in self.tasks:
            raise LawError(f"no task {task!r} in this graph; it has {', '.join(self.tasks)}")
        return self.tasks.index(task)


@dataclass(frozen=True, slots=True)
class ComputationalGraph:
    """Nodes (the partition's ROIs), weighted edges of every task, and the books that show they add up.

    ``id`` = hash of weights digest, prompt digests per split, normalised settings, partition kind and ``NUMERICS``: equal
    for equal questions. ``content_hash`` = hash of the answer. ``provenance``: path, rule, baseline, dtype, device, versions.
    """

    id: str
    checkpoint: Checkpoint
    partition: RoiPartition
    edges: EdgeTable
    port_groups: tuple[PortGroupEffect, ...]
    scores: tuple[TaskScore, ...]
    provenance: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        edges, rois = self.edges, self.partition.rois
        shape = (len(edges.tasks), len(edges))
        for name in ("weight", "se", "mean_abs", "rank"):
            if getattr(edges, name).shape != shape:
                raise LawError(f"edge column {name} has shape {getattr(edges, name).shape}, expected {shape} (task, edge)")
        for name in ("weight", "se", "mean_abs"):
            if not np.isfinite(getattr(edges, name)).all():
                raise LawError(f"edge column {name} of {self.checkpoint.model}@{self.checkpoint.label} holds a value that is not finite")
        sites = {site.key: site for site in self.partition.sites}
        triples = set()
        for u, v, port in zip(edges.source.tolist(), edges.target.tolist(), edges.port, strict=True):
            if not is_upstream(sites[rois[u].site], sites[rois[v].site]) or port not in sites[rois[v].site].ports:
                raise LawError(f"edge {rois[u].key}→{rois[v].key} ({port}): the source is not upstream of that port")
            triples.add((u, v, port))
        if len(triples) != len(edges):
            raise LawError("two edges share source, target and port")

    @property
    def content_hash(self) -> str:
        """Hash over sorted nodes, edges and port groups: two graphs with this hash are the same graph."""
        nodes = sorted([r.key, r.site, list(r.members), r.is_rest] for r in self.partition.rois)
        groups = sorted([g.task, g.group, g.effect, g.gap, g.steps, g.method, g.complete, g.saturated] for g in self.port_groups)
        return digest_of_texts(map(canonical_text, nodes), self._sorted_rows(), map(canonical_text, groups))

    def _sorted_rows(self) -> Iterator[str]:
        """Edges of every task by task, source, target, port: at most one row has each, so that nothing else decides the order.

        Each is the canonical text of [task, source, target, port, weight, se, mean_abs], written out here: graphs are hashed at
        every publication, and row by row ``canonical_text`` takes four times as long.
        """
        edges, names = self.edges, [roi.key for roi in self.partition.rois]
        ends = [(names[u], names[v], port) for u, v, port in zip(edges.source.tolist(), edges.target.tolist(), edges.port, strict=True)]
        order = sorted(range(len(ends)), key=ends.__getitem__)
        text = {name: canonical_text(name) for name in {*names, *edges.port}}
        middles = [",".join([text[part] for part in ends[e]]) for e in order]
        for t in sorted(range(len(edges.tasks)), key=edges.tasks.__getitem__):
            task = canonical_text(edges.tasks[t])
            columns = [column[t][order] for column in (edges.weight, edges.se, edges.mean_abs)]
            for start in range(0, len(order), _ROWS):
                part = slice(start, start + _ROWS)
                for middle, weight, se, mean_abs in zip(middles[part], *(float_texts(column[part]) for column in columns), strict=True):
                    yield f'[{task},{middle},"float:{weight}","float:{se}","float:{mean_abs}"]'

    def inflow(self, task: str) -> Float[np.ndarray, " roi"]:
        """Σ of weights into each ROI."""
        return self._flow(task, self.edges.target)

    def outflow(self, task: str) -> Float[np.ndarray, " roi"]:
        """Σ of weights out of each ROI; near the inflow, exactly so in linear models (``tok`` has none in, ``logits`` none out)."""
        return self._flow(task, self.edges.source)

    def _flow(self, task: str, end: Int[np.ndarray, " edge"]) -> Float[np.ndarray, " roi"]:
        row = self.edges.weight[self.edges.task_index(task)]
        return np.asarray(np.bincount(end, weights=row, minlength=len(self.partition.rois)), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class FaithfulnessCurve:
    """φ(n) of circuits of growing size for one task on split ``eval``, under one way of choosing edges.

    ``phi[i]`` is the ratio of means with its bootstrap interval ``[low, high]`` at ``n_edges[i]`` edges of ``total``;
    all three are empty with ``reason='no_effect'`` when the denominator is within 2 standard errors of 0.
    ``selection``: how edges are chosen (circuits/ladders.py): ``weight`` (top n by strength), ``random`` (mean over draws), …
    ``complement[i]``: φ of the graph without the circuit's edges (empty for ``random``). ``features`` and ``parameters``: the shares of the
    model's heads and neurons, and of their weights, that the pruned circuit's ROIs hold. ``area``: trapezoid over n/total
    from 0. ``cpr_mib``, ``cmd_mib``: areas of φ and |1 − φ| over MIB's ten fractions; None where other sizes were measured.
    Curves made before these were measured have them empty.
    """

    task: str
    selection: str
    total: int
    n_edges: tuple[int, ...]
    phi: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    kl: tuple[float, ...]
    accuracy: tuple[float, ...]
    area: float | None
    reason: str | None
    n_examples: int
    solved: bool
    complement: tuple[float, ...] = ()
    cpr_mib: float | None = None
    cmd_mib: float | None = None
    features: tuple[float, ...] = ()
    parameters: tuple[float, ...] = ()
