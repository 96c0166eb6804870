"""Run circuits by edge ablation: every target port reads the corrupted stream plus what its kept sources do differently here.

1. The clean and the corrupted run are given; C circuits run side by side on a leading axis.
2. Going up the stream, each port of each target ROI gets its own input:
   corrupted stream + Σ over kept edges (source in this run − source in the corrupted run).
3. Each ROI's members compute from that input; what the ROI writes here less its corrupted output is a source for later.
4. The logits read the same way. All edges kept = the clean run; none = the corrupted run.

A mask may hold any number: an edge at m passes m times its source's difference, and the result has a derivative by m.

Shapes: C circuits, S sources so far, R target ROIs, B examples, P positions, D d_model.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from roicg.core.errors import LawError
from roicg.core.graph import EdgeTable
from roicg.core.partition import RoiPartition
from roicg.core.sites import PortGroup, Site, port_groups
from roicg.models.forward import read_features, read_port
from roicg.models.layers import activate, attend
from roicg.models.pairs import PairRun
from roicg.models.writers import sum_members, weigh_members, written

RUN_BYTES = 2 << 30
"""Circuits that need more than this at once are refused: run fewer examples, fewer sizes or a coarser partition."""
CHUNK_FLOATS = 1 << 22
"""Source rows held at once: circuits go in chunks that stay near the processor."""
BLOCK_FLOATS = 1 << 24
"""Target inputs held at once; a fixed number, so results never depend on free memory."""

Masks = Mapping[str, Float[Tensor, "C roi roi"]]
"""Per port group key what passes from source ROI to target ROI in each circuit."""


@dataclass(slots=True)
class Sources:
    """What has been written so far, as differences from the corrupted run: rows [C,S,B,P,D] with the ROI of each row.

    ``room``: the same rows with space for all that is still to come, so that new ones are filled in and nothing is copied.
    """

    rois: list[int]
    rows: Tensor
    room: Tensor | None = None

    def joined(self, fresh: list["Sources"], most: int) -> "Sources":
        """These sources and ``fresh`` ones, ``most`` at the end; in place unless a derivative is asked."""
        rois = [*self.rois, *(roi for one in fresh for roi in one.rois)]
        if any(one.rows.requires_grad for one in fresh):
            return Sources(rois, torch.cat([self.rows, *(one.rows for one in fresh)], dim=1))
        room, at = self.room, len(self.rois)
        if room is None:
            room = self.rows.new_empty((self.rows.shape[0], most, *self.rows.shape[2:]))
            room[:, :at] = self.rows
        for one in fresh:
            room[:, at : at + len(one.rois)] = one.rows
            at += len(one.rois)
        return Sources(rois, room[:, :at], room)


@dataclass(frozen=True, slots=True)
class Circuits:
    """Everything that stays the same while circuits run."""

    run: PairRun
    partition: RoiPartition
    masks: Masks
    groups: Mapping[str, PortGroup]
    count: int

    def members(self, site: str) -> list[tuple[int, ...]]:
        """Features of each ROI of ``site``."""
        return [self.partition.rois[i].members for i in self.partition.of_site(site)]


def keep_masks(edges: EdgeTable, partition: RoiPartition, keep: Bool[np.ndarray, "C edge"]) -> dict[str, Bool[np.ndarray, "C roi roi"]]:
    """Per port group key the kept edges as a mask [circuit, source ROI, target ROI]."""
    n = len(partition.rois)
    return {key: _scatter(np.zeros((keep.shape[0], n, n), dtype=bool), edges, chosen, keep) for key, chosen in edges_of_group(edges, partition).items()}


def edges_of_group(edges: EdgeTable, partition: RoiPartition) -> dict[str, np.ndarray]:
    """Per port group key the indices of its edges."""
    sites, ports = np.array([roi.site for roi in partition.rois]), np.array(edges.port)
    return {group.key: np.flatnonzero((sites[edges.target] == group.site.key) & (ports == group.port)) for group in port_groups(partition.sites)}


def run_circuits(run: PairRun, partition: RoiPartition, masks: Mapping[str, Bool[np.ndarray, "C roi roi"]]) -> Float[Tensor, "C B P D"]:
    """The final stream of each circuit; raises ``LawError`` above ``RUN_BYTES``."""
    like = run.lens.W_E
    numbers = {key: torch.as_tensor(mask, dtype=like.dtype, device=like.device) for key, mask in masks.items()}
    count = next(iter(masks.values())).shape[0]
    _refuse_too_large(run, partition, count)
    at_once = max(1, CHUNK_FLOATS // (len(partition.rois) * run.clean.tok.numel()))
    with torch.no_grad():
        parts = [run_masked(run, partition, {key: mask[i : i + at_once] for key, mask in numbers.items()}) for i in range(0, count, at_once)]
    return torch.cat(parts)


def run_masked(run: PairRun, partition: RoiPartition, masks: Masks) -> Float[Tensor, "C B P D"]:
    """The same with any numbers as masks, differentiable by them."""
    state = Circuits(run, partition, masks, {group.key: group for group in port_groups(partition.sites)}, next(iter(masks.values())).shape[0])
    rows = written(run.lens, run.clean, run.corrupted, partition.sites[0], state.members("tok")).transpose(0, 1)
    sources = Sources(list(partition.of_site("tok")), rows.expand(state.count, *rows.shape))
    for sites in _sites_by_place(partition):
        fresh = [_run_site(state, site, sources) for site in sites]
        sources = sources.joined(fresh, len(partition.rois) - 1)
    return _inputs(state, state.groups["logits.in"], sources, list(partition.of_site("logits")))[:, 0]


def _run_site(state: Circuits, site: Site, sources: Sources) -> Sources:
    """Steps 2 and 3 for one site: what its ROIs write."""
    lens, corrupted, layer, sets = state.run.lens, state.run.corrupted, site.layer, state.members(site.key)
    assert layer is not None
    if site.kind == "attention":
        attention = lens.attentions[layer]
        q, k, v = (_read_by_members(state, state.groups[f"{site.key}.{port}"], sources)[0].flatten(0, 1) for port in ("q", "k", "v"))
        z = attend(lens, attention, q, k, v)
        delta = (z.reshape(state.count, -1, *z.shape[1:]) - corrupted.z[layer]).flatten(0, 1)
        rows = sum_members((delta.transpose(1, 2) @ attention.W_O), sets)
    else:
        mlp, base = lens.mlps[layer], corrupted.post[layer]
        assert mlp is not None
        assert base is not None
        pre = _read_by_members(state, state.groups[f"{site.key}.in"], sources)
        delta = (activate(mlp, pre) - base).flatten(0, 1)
        rows = (delta @ mlp.W_out)[:, None] if _is_whole(site, sets) else weigh_members(delta, mlp.W_out, sets)
    return Sources(list(state.partition.of_site(site.key)), rows.reshape(state.count, -1, *rows.shape[1:]).transpose(1, 2))


def _read_by_members(state: Circuits, group: PortGroup, sources: Sources) -> tuple[Float[Tensor, "C B P ..."], ...]:
    """What the port computes when each ROI's members read their own input."""
    rois, sets, lens = list(state.partition.of_site(group.site.key)), state.members(group.site.key), state.run.lens
    size, length, width = state.run.corrupted.tok.shape
    if _is_whole(group.site, sets):
        values = read_port(lens, group, _inputs(state, group, sources, rois)[:, 0].flatten(0, 1))
        return tuple(value.reshape(state.count, size, *value.shape[1:]) for value in values)
    found: list[tuple[Tensor, ...]] = []
    at_once = max(1, BLOCK_FLOATS // max(1, state.count * size * length * width))
    for start in range(0, len(rois), at_once):
        stream = _inputs(state, group, sources, rois[start : start + at_once])
        found += [read_features(lens, group, stream[:, i].flatten(0, 1), list(sets[start + i])) for i in range(stream.shape[1])]
    order = torch.as_tensor(np.argsort(np.concatenate(sets)), device=lens.device)
    parts = (torch.cat(part, dim=2).index_select(2, order) for part in zip(*found, strict=True))
    return tuple(part.reshape(state.count, size, *part.shape[1:]) for part in parts)


def _inputs(state: Circuits, group: PortGroup, sources: Sources, rois: list[int]) -> Float[Tensor, "C R B P D"]:
    """Step 2: corrupted stream + Σ over kept sources."""
    mask = state.masks[group.key][:, sources.rois][:, :, rois].transpose(1, 2)
    base = state.run.corrupted.stream_at(group)
    total = (mask @ sources.rows.flatten(2)).reshape(state.count, len(rois), *base.shape)
    return total + base if total.requires_grad else total.add_(base)


def _is_whole(site: Site, sets: list[tuple[int, ...]]) -> bool:
    """Whether one ROI holds all features of ``site`` in order."""
    return len(sets) == 1 and sets[0] == tuple(range(site.n_features))


def _scatter(mask: np.ndarray, edges: EdgeTable, chosen: np.ndarray, keep: np.ndarray) -> np.ndarray:
    mask[:, edges.source[chosen], edges.target[chosen]] = keep[:, chosen]
    return mask


def _refuse_too_large(run: PairRun, partition: RoiPartition, count: int) -> None:
    needed = count * len(partition.rois) * run.clean.tok.numel() * run.lens.W_E.element_size()
    if needed > RUN_BYTES:
        raise LawError(
            f"these circuits need {needed >> 20} MiB of sources, at most {RUN_BYTES >> 20} MiB are allowed; use smaller batches, fewer sizes or a coarser partition"
        )


def _sites_by_place(partition: RoiPartition) -> list[list[Site]]:
    """Attention and MLP sites grouped by where they read: the two of a parallel block run side by side."""
    places: dict[int, list[Site]] = {}
    for site in partition.sites:
        if site.kind in ("attention", "mlp"):
            assert site.reads_at is not None
            places.setdefault(site.reads_at, []).append(site)
    return [places[place] for place in sorted(places)]
