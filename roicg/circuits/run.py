"""Run circuits by edge ablation: every target port reads the corrupted stream plus what its kept sources do differently here.

1. The clean and the corrupted run are given; C circuits run side by side on a leading axis.
2. Going up the stream, each port of each target ROI gets its own input:
   corrupted stream + Σ over kept edges (source in this run − source in the corrupted run).
3. Each ROI's members compute from that input; what the ROI writes here less its corrupted output is a source for later.
4. The logits read the same way. All edges kept = the clean run; none = the corrupted run.

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
from roicg.models.forward import activate, attend, read_features
from roicg.models.pairs import PairRun
from roicg.models.writers import sum_members, weigh_members, written

RUN_BYTES = 2 << 30
"""Circuits that need more than this at once are refused: run fewer examples, fewer sizes or a coarser partition."""
BLOCK_FLOATS = 1 << 24
"""Target inputs held at once; a fixed number, so results never depend on free memory."""


@dataclass(slots=True)
class CircuitState:
    """What has been written so far, as differences from the corrupted run: rows [C,S,B,P,D] with the ROI of each row."""

    rois: list[int]
    rows: Tensor


def keep_masks(edges: EdgeTable, partition: RoiPartition, keep: Bool[np.ndarray, "C edge"]) -> dict[str, Bool[np.ndarray, "C roi roi"]]:
    """Per port group key the kept edges as a mask [circuit, source ROI, target ROI]."""
    n = len(partition.rois)
    masks = {group.key: np.zeros((keep.shape[0], n, n), dtype=bool) for group in port_groups(partition.sites)}
    sites = [roi.site for roi in partition.rois]
    for e in range(len(edges)):
        u, v = int(edges.source[e]), int(edges.target[e])
        masks[f"{sites[v]}.{edges.port[e]}"][:, u, v] = keep[:, e]
    return masks


@torch.no_grad()
def run_circuits(run: PairRun, partition: RoiPartition, masks: Mapping[str, Bool[np.ndarray, "C roi roi"]]) -> Float[Tensor, "C B P D"]:
    """The final stream of each circuit; raises ``LawError`` above ``RUN_BYTES``."""
    circuits = next(iter(masks.values())).shape[0]
    size, length, width = run.clean.tok.shape
    needed = circuits * len(partition.rois) * size * length * width * run.lens.W_E.element_size()
    if needed > RUN_BYTES:
        raise LawError(
            f"these circuits need {needed >> 20} MiB of sources, at most {RUN_BYTES >> 20} MiB are allowed; use smaller batches, fewer sizes or a coarser partition"
        )
    groups = {group.key: group for group in port_groups(partition.sites)}
    tok = _members(partition, "tok")
    rows = written(run.lens, run.clean, run.corrupted, partition.sites[0], [members for _, members in tok]).transpose(0, 1)
    state = CircuitState([roi for roi, _ in tok], rows[None].expand(circuits, *rows.shape))
    for sites in _sites_by_place(partition):
        fresh = [_run_site(run, site, groups, partition, masks, state) for site in sites]
        for rois, new in fresh:
            state.rois.extend(rois)
            state.rows = torch.cat((state.rows, new), dim=1)
    group = groups["logits.in"]
    (logits_roi, _), *_ = _members(partition, "logits")
    return _inputs(run, group, masks, state, [logits_roi])[:, 0]


def _run_site(
    run: PairRun, site: Site, groups: Mapping[str, PortGroup], partition: RoiPartition, masks: Mapping[str, Bool[np.ndarray, "C roi roi"]], state: CircuitState
) -> tuple[list[int], Float[Tensor, "C R B P D"]]:
    """Steps 2 and 3 for one site: its ROIs and the rows they write."""
    members, layer, circuits = _members(partition, site.key), site.layer, state.rows.shape[0]
    assert layer is not None
    rois, sets = [roi for roi, _ in members], [features for _, features in members]
    if site.kind == "attention":
        attention = run.lens.attentions[layer]
        ports = [_read_by_members(run, groups[f"{site.key}.{port}"], masks, state, rois, sets) for port in ("q", "k", "v")]
        q, k, v = (port[0].flatten(0, 1) for port in ports)
        z = attend(run.lens, attention, q, k, v)
        delta = z.reshape(circuits, -1, *z.shape[1:]) - run.corrupted.z[layer]
        heads = torch.einsum("cbphe,hed->cbhpd", delta, attention.W_O)
        rows = sum_members(heads.flatten(0, 1), sets)
    else:
        mlp, base = run.lens.mlps[layer], run.corrupted.post[layer]
        assert mlp is not None
        assert base is not None
        pre = _read_by_members(run, groups[f"{site.key}.in"], masks, state, rois, sets)
        rows = weigh_members((activate(mlp, pre) - base).flatten(0, 1), mlp.W_out, sets)
    return rois, rows.reshape(circuits, -1, *rows.shape[1:]).transpose(1, 2)


def _read_by_members(
    run: PairRun, group: PortGroup, masks: Mapping[str, Bool[np.ndarray, "C roi roi"]], state: CircuitState, rois: list[int], sets: list[tuple[int, ...]]
) -> tuple[Float[Tensor, "C B P ..."], ...]:
    """What the port computes when each ROI's members read their own input."""
    circuits, size = state.rows.shape[0], len(run.batch)
    base = run.corrupted.port(group)
    out = tuple(part[None].repeat(circuits, *[1] * part.ndim) for part in base)
    at_once = max(1, BLOCK_FLOATS // max(1, state.rows[:, 0].numel()))
    for start in range(0, len(rois), at_once):
        stream = _inputs(run, group, masks, state, rois[start : start + at_once])
        for offset, features in enumerate(sets[start : start + at_once]):
            index = list(features)
            values = read_features(run.lens, group, stream[:, offset].flatten(0, 1), index)
            for part, value in zip(out, values, strict=True):
                part[:, :, :, index] = value.reshape(circuits, size, *value.shape[1:])
    return out


def _inputs(
    run: PairRun, group: PortGroup, masks: Mapping[str, Bool[np.ndarray, "C roi roi"]], state: CircuitState, rois: list[int]
) -> Float[Tensor, "C R B P D"]:
    """Step 2: corrupted stream + Σ over kept sources."""
    mask = torch.as_tensor(masks[group.key][:, state.rois][:, :, rois], dtype=state.rows.dtype, device=state.rows.device)
    total = mask.transpose(1, 2) @ state.rows.flatten(2)
    return total.reshape(*mask.shape[:1], len(rois), *state.rows.shape[2:]) + run.corrupted.stream_at(group)


def _members(partition: RoiPartition, site: str) -> list[tuple[int, tuple[int, ...]]]:
    return [(i, partition.rois[i].members) for i in partition.of_site(site)]


def _sites_by_place(partition: RoiPartition) -> list[list[Site]]:
    """Attention and MLP sites grouped by where they read: the two of a parallel block run side by side."""
    places: dict[int, list[Site]] = {}
    for site in partition.sites:
        if site.kind in ("attention", "mlp"):
            assert site.reads_at is not None
            places.setdefault(site.reads_at, []).append(site)
    return [places[place] for place in sorted(places)]
