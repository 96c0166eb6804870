"""The laws of science.md asked of finished values: each function returns one sentence per breach, nothing when all is well.

Wrong (nothing may be published): ``not_finite``, ``unbalanced``, ``not_read_back``. Worth a warning: ``wide_gaps``,
``at_null``, ``unsolved``. The Dagster checks call these; so may anybody.
"""

import math
from collections.abc import Sequence

import numpy as np

from roicg.core.graph import ComputationalGraph, PortGroupEffect, TaskScore
from roicg.core.partition import RoiPartition
from roicg.store.stored import differences

ROUNDING = {"float32": 1e-4, "float64": 1e-9}
"""Allowed error of the books, as a share of the sum of |entries|, by the dtype of the forward pass."""


def not_finite(graph: ComputationalGraph) -> list[str]:
    """Edge columns and port groups that hold a value which is no finite number."""
    columns = [name for name in ("weight", "se", "mean_abs") if not np.isfinite(getattr(graph.edges, name)).all()]
    groups = [f"{g.task} {g.group}" for g in graph.port_groups if not all(math.isfinite(x) for x in (g.effect, g.gap) if x is not None)]
    return [f"{_name(graph)}: {place} holds a value that is not finite" for place in (*(f"edge column {name}" for name in columns), *groups)]


def unbalanced(graph: ComputationalGraph) -> list[str]:
    """Port groups where effect ≠ gap + Σ weights of the group's edges, beyond rounding (all in metric units)."""
    sums = _sums_by_group(graph)
    allowed = ROUNDING.get(graph.provenance.get("dtype", "float32"), ROUNDING["float32"])
    found = []
    for group in graph.port_groups:
        if group.effect is None or group.gap is None:
            continue
        total, size = sums.get((group.task, group.group), (0.0, 0.0))
        error = abs(group.effect - group.gap - total)
        if not error <= allowed * max(size, abs(group.effect), 1e-12):
            found.append(f"{_name(graph)}: the books of {group.task} at {group.group} miss by {error:.3g} (effect {group.effect:.4g}, edges {total:.4g})")
    return found


def not_read_back(graph: ComputationalGraph, stored: ComputationalGraph) -> list[str]:
    """Parts in which what the database holds differs from ``graph``, to the last bit."""
    return [f"{_name(graph)}: {part} came back other than it was written" for part in differences(graph, stored)]


def wide_gaps(graph: ComputationalGraph) -> list[str]:
    """Port groups that are incomplete (gap beyond the tolerance after all steps) or saturated, and did not fall back to exact patching."""
    wide = [g for g in graph.port_groups if g.method != "exact" and (not g.complete or g.saturated)]
    return [f"{g.task} at {g.group}: {_gap(g)} after {g.steps} steps{' (saturated)' if g.saturated else ''}" for g in wide]


def _gap(group: PortGroupEffect) -> str:
    return "effect not measured" if group.gap is None or group.effect is None else f"gap {group.gap:.3g} of effect {group.effect:.3g}"


def at_null(partition: RoiPartition) -> list[str]:
    """Clustered sites whose ROIs do not stand above both nulls."""
    weak = {site: min(q.z_rotation, q.z_shuffle) for site, q in partition.quality.items() if not q.above_null}
    return [f"the ROIs of {site} do not stand above their null (z {z:.1f})" for site, z in weak.items()]


def unsolved(scores: Sequence[TaskScore]) -> list[str]:
    """Tasks that the checkpoint does not solve on split ``eval``: their graphs support no claim."""
    return [f"{s.task} is not solved (accuracy {s.accuracy:.3f} on {s.n} pairs)" for s in scores if s.split == "eval" and not s.solved]


def _sums_by_group(graph: ComputationalGraph) -> dict[tuple[str, str], tuple[float, float]]:
    """(task, port group) → Σ weights and Σ |weights| of its edges."""
    edges, rois = graph.edges, graph.partition.rois
    keys = [f"{rois[v].site}.{port}" for v, port in zip(edges.target.tolist(), edges.port, strict=True)]
    names = sorted(set(keys))
    number = {name: i for i, name in enumerate(names)}
    group = np.array([number[key] for key in keys], dtype=np.int64)
    sums: dict[tuple[str, str], tuple[float, float]] = {}
    for task, row in zip(edges.tasks, edges.weight, strict=True):
        totals, sizes = (np.bincount(group, weights=values, minlength=len(names)).tolist() for values in (row, np.abs(row)))
        sums |= {(task, name): (totals[i], sizes[i]) for i, name in enumerate(names)}
    return sums


def _name(graph: ComputationalGraph) -> str:
    return f"{graph.checkpoint.model}@{graph.checkpoint.label} ({graph.partition.kind})"
