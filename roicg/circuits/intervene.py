"""Intervene on a part of the model: ROIs or edges carry another value than they would, everything downstream is computed anew.

============  ==============================================================================
``ablate``    the value of the corrupted run
``patch``     the value of a donor run: the corrupted prompt, or a prompt that is given
``scale``     corrupted + factor · (clean − corrupted): 1 changes nothing, 0 is ``ablate``
============  ==============================================================================

An ROI gives its value to everything after it; an edge gives it to one target through one port, while all else reads the
source as it is. All values are *frozen*: they come from the clean and the donor run, never from the run that is being
changed, so members of a set do not act through each other and their order does not matter. No weight is touched and
nothing is hooked: a run without the intervention is the run that it was, bit for bit.

Shapes: B examples, P positions, D d_model, H heads, E d_head, N neurons.
"""

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from roicg.core.errors import PromptError, RoicgError
from roicg.core.partition import Roi, RoiPartition
from roicg.core.sites import Site, is_upstream, port_groups
from roicg.models.forward import Cache, read_features
from roicg.models.forward import run as run_lens
from roicg.models.pairs import PairRun

Kind = Literal["ablate", "patch", "scale"]
EdgeKey = tuple[str, str, str]
"""Source ROI, target ROI, port."""


@dataclass(frozen=True, slots=True)
class Intervention:
    """What is done to which ROIs and edges (each once, sorted: the order of naming has no meaning); ``RoicgError`` where it makes no sense.

    ``factor`` belongs to ``scale``. ``donor`` belongs to ``patch``: token ids, as many as the prompts have; None means
    each pair's corrupted prompt.
    """

    kind: Kind
    rois: tuple[str, ...] = ()
    edges: tuple[EdgeKey, ...] = ()
    factor: float = 0.0
    donor: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if not self.rois and not self.edges:
            raise RoicgError(f"nothing to {self.kind}: name at least one ROI, or one edge as source, target and port")
        if not math.isfinite(self.factor):
            raise RoicgError(f"the factor {self.factor} is not a finite number; 1 changes nothing, 0 ablates")
        if self.factor != 0.0 and self.kind != "scale":
            raise RoicgError(f"a factor belongs to scale, not to {self.kind}")
        if self.donor is not None and self.kind != "patch":
            raise RoicgError(f"a donor prompt belongs to patch, not to {self.kind}")
        object.__setattr__(self, "rois", tuple(sorted(set(self.rois))))
        object.__setattr__(self, "edges", tuple(sorted(set(self.edges))))

    @property
    def amount(self) -> float:
        """How far the frozen value is on the way from the clean (0) to the donor's value (1): 1 − factor."""
        return 1.0 - self.factor

    @property
    def size(self) -> int:
        """Number of ROIs and edges."""
        return len(self.rois) + len(self.edges)


@dataclass(frozen=True, slots=True)
class Touched:
    """An intervention looked up in a partition: features per site, and per port group and target ROI the features of each source site."""

    features: Mapping[str, tuple[int, ...]]
    messages: Mapping[str, Mapping[tuple[int, ...], Mapping[str, tuple[int, ...]]]]


def touched(partition: RoiPartition, intervention: Intervention) -> Touched:
    """The features behind the names; an unknown ROI, an ROI that writes nothing or an edge that cannot be is a ``RoicgError`` with the nearest name."""
    features: dict[str, list[int]] = {}
    for key in intervention.rois:
        features.setdefault(_writer(partition, key).site, []).extend(_writer(partition, key).members)
    sites = {site.key: site for site in partition.sites}
    messages: dict[str, dict[tuple[int, ...], dict[str, tuple[int, ...]]]] = {}
    for source, target, port in intervention.edges:
        u, v = _writer(partition, source), _roi(partition, target)
        if port not in sites[v.site].ports:
            raise RoicgError(f"{target} reads through {', '.join(sites[v.site].ports) or 'no port'}, not through {port!r}")
        if not is_upstream(sites[u.site], sites[v.site]):
            raise RoicgError(f"there is no edge {source}>{target}: {target} reads the stream before {source} writes to it")
        into = messages.setdefault(f"{v.site}.{port}", {}).setdefault(v.members, {})
        into[u.site] = tuple(sorted((*into.get(u.site, ()), *u.members)))
    return Touched({site: tuple(sorted(members)) for site, members in features.items()}, messages)


def run_intervened(run: PairRun, partition: RoiPartition, intervention: Intervention, amount: Float[Tensor, " B"] | None = None) -> Float[Tensor, "B P D"]:
    """The final stream of the clean prompts under ``intervention``; ``amount`` instead of the intervention's own may carry a gradient.

    Cost: one forward (two with a given donor). ``PromptError`` where a donor has another length than the prompts; ``ValueError``
    where ``run`` was computed at the answers only, since frozen values are needed at every position.
    """
    if run.clean.at is not None:
        raise ValueError("an intervention takes its values from runs at every position; make the pair without answers_only")
    how_far = torch.full((len(run.batch),), intervention.amount, dtype=run.lens.dtype, device=run.lens.device) if amount is None else amount
    edit = _Frozen(run, donor_run(run, intervention), how_far, touched(partition, intervention), partition.sites)
    final = run_lens(run.lens, run.batch.clean, edit=edit).final
    assert final is not None
    return final


def donor_run(run: PairRun, intervention: Intervention) -> Cache:
    """The run that values come from: the pairs' corrupted run, or that of the given donor prompt."""
    if intervention.donor is None:
        return run.corrupted
    size, length = run.batch.clean.shape
    if len(intervention.donor) != length:
        raise PromptError(f"the donor prompt has {len(intervention.donor)} tokens and the prompts it is patched into have {length}; give as many")
    tokens = torch.tensor(intervention.donor, device=run.lens.device)
    with torch.no_grad():
        return run_lens(run.lens, tokens.expand(size, length))


@dataclass(slots=True)
class _Frozen:
    """The :class:`~roicg.models.forward.Edit` that an intervention is; ``given`` keeps what each site gave to this run."""

    run: PairRun
    donor: Cache
    amount: Float[Tensor, " B"]
    touched: Touched
    sites: tuple[Site, ...]
    given: dict[str, Tensor] = field(default_factory=dict)

    def wrote(self, site: str, value: Tensor) -> Tensor:
        """The site's values with the touched features frozen."""
        features = self.touched.features.get(site)
        if features is not None:
            value = torch.where(self._mask(site, features, value), self._frozen(site), value)
        self.given[site] = value
        return value

    def read(self, group: str, stream: Float[Tensor, "B P D"], value: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """What the port computes when each target of a touched edge reads the frozen value of that source instead of the source's own."""
        for members, sources in self.touched.messages.get(group, {}).items():
            message = sum((self._difference(site, features) for site, features in sources.items()), stream)
            if group == "logits.in":
                return (message,)
            where = next(one for one in port_groups(self.sites) if one.key == group)
            changed = read_features(self.run.lens, where, message, list(members))
            value = tuple(part.index_copy(2, torch.tensor(members, device=part.device), new) for part, new in zip(value, changed, strict=True))
        return value

    def _frozen(self, site: str) -> Tensor:
        clean, donor = _values(self.run.clean, site), _values(self.donor, site)
        return torch.lerp(clean, donor, self.amount.view(-1, *[1] * (clean.ndim - 1)))

    def _difference(self, site: str, features: tuple[int, ...]) -> Float[Tensor, "B P D"]:
        """Frozen minus given, as written to the stream by ``features`` of ``site``."""
        delta = self._frozen(site) - self.given[site]
        delta = torch.where(self._mask(site, features, delta), delta, 0.0)
        if site == "tok":
            return delta
        layer = int(site[1:])
        if delta.ndim == 4:
            return delta.flatten(2) @ self.run.lens.attentions[layer].W_O.flatten(0, 1)
        mlp = self.run.lens.mlps[layer]
        assert mlp is not None
        return delta @ mlp.W_out

    def _mask(self, site: str, features: tuple[int, ...], value: Tensor) -> Tensor:
        """Where ``features`` are, broadcast to the site's values; one ``tok`` feature is all positions, several are one position each."""
        mask = torch.zeros(value.shape[1] if site == "tok" else value.shape[2], dtype=torch.bool, device=value.device)
        if site == "tok":
            whole = next(one for one in self.sites if one.key == "tok").n_features == 1
            mask[slice(None) if whole else [p for p in features if p < len(mask)]] = True
            return mask[:, None]
        mask[list(features)] = True
        return mask[:, None] if value.ndim == 4 else mask


def _values(cache: Cache, site: str) -> Tensor:
    """What the features of ``site`` gave in a run: tok [B,P,D], z [B,P,H,E] or post [B,P,N]."""
    if site == "tok":
        return cache.tok
    value = (cache.z if site.startswith("a") else cache.post)[int(site[1:])]
    assert value is not None
    return value


def _roi(partition: RoiPartition, key: str) -> Roi:
    known = {roi.key: roi for roi in partition.rois}
    if key not in known:
        near = difflib.get_close_matches(key, list(known), n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]}?" if near else "."
        shown = ", ".join(list(known)[:20]) + (f" … ({len(known)} in all)" if len(known) > 20 else "")
        raise RoicgError(f"no ROI {key!r} in partition {partition.kind!r}{hint} It has {shown}")
    return known[key]


def _writer(partition: RoiPartition, key: str) -> Roi:
    roi = _roi(partition, key)
    if roi.kind == "logits":
        raise RoicgError("the logits write nothing that could be changed; name an ROI of another site, or an edge into the logits")
    return roi
