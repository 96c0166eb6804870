"""What every member set wrote differently in the two runs, laid out so that each port reads a prefix of it.

Rows are in stream order. Sites of the last layer are held at the answer positions only, since only the logits (and the
MLP of that layer) read them; a port that reads at the answer positions gets all its rows there. Until the first port asks,
only the differences of z, post and tok are kept, a fraction of the rows' size; while rows are made the books are checked:
Σ_u Δ_u = Δ(stream) at every port.

Shapes: S rows, B examples, P positions, A answer positions, D d_model, N neurons.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from roicg.attribution.plan import RowPlan
from roicg.attribution.targets import GradientSum, wide
from roicg.attribution.weights import Neurons
from roicg.core.errors import LawError
from roicg.core.sites import PortGroup, Site, port_groups
from roicg.models.forward import in_tail, rows_at
from roicg.models.pairs import PairRun
from roicg.models.writers import site_delta, write_rows, write_site

BOOKS = {torch.float64: 1e-10, torch.float32: 1e-4}
"""Allowed error of the books as a share of the stream's largest entry (half precision: 5e-2)."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where ports read: one of its port groups, the stream's difference there, and by how much the books may miss it."""

    group: PortGroup
    delta: Float[Tensor, "B P D"]
    allowed: float


class Sources:
    """The sources of one batch; raises ``LawError`` where the books of a port do not balance."""

    @torch.no_grad()
    def __init__(self, run: PairRun, plan: RowPlan) -> None:
        self.plan, self.lens, self.at = plan, run.lens, run.clean.at
        self.sites = tuple(site for site in plan.sites if site.writes_at is not None)
        dtype = wide(run.lens.dtype)
        self.deltas = {site.key: site_delta(run.clean, run.corrupted, site).to(dtype) for site in self.sites}
        places: dict[tuple[int | None, bool], Place] = {}
        for group in port_groups(plan.sites):
            key = group.site.reads_at, run.in_tail(group)
            if key not in places:
                allowed = BOOKS.get(run.lens.dtype, 5e-2) * max(1.0, float(run.clean.stream_at(group).abs().max()))
                places[key] = Place(group, run.stream_delta(group).to(dtype), allowed)
        self.places = places
        self._rows: tuple[Tensor, Tensor | None] | None = None
        self._neurons: tuple[tuple[PortGroup, list[Tensor]], dict[str, Neurons]] | None = None

    def read_by(self, group: PortGroup) -> Float[Tensor, "U B P D"]:
        """The rows upstream of ``group``, at the positions where it reads."""
        wanted = sum(len(self.plan.members[site.key]) for site in self.plan.upstream(group.site))
        rows, tail = self._made()
        early = rows[: min(wanted, len(rows))]
        if self.at is None or not in_tail(self.lens, group):
            return early
        early = early[:, torch.arange(early.shape[1], device=early.device)[:, None], self.at]
        return early if tail is None or wanted == len(early) else torch.cat((early, tail[: wanted - len(early)]))

    def computed_differently(self, group: PortGroup, site: Site) -> Float[Tensor, "B P ..."]:
        """The differences of the activations of ``site`` (z or post), at the positions where ``group`` reads; kept only where needed."""
        values = self.deltas[site.key]
        return rows_at(values, self.at) if in_tail(self.lens, group) and not self._late(site) else values

    @torch.no_grad()
    def neurons_read_by(self, gradient: GradientSum, site: Site) -> Neurons:
        """The single neurons of ``site`` as the port of ``gradient`` sees them; ports that read one stream one after the other share them."""
        group = gradient.group
        if self._neurons is None or not self._same_stream(gradient, *self._neurons[0]):
            self._neurons = (group, gradient.normals), {}
        kept = self._neurons[1]
        if site.key not in kept:
            mlp = self.lens.mlps[site.layer or 0]
            assert mlp is not None
            delta = self.computed_differently(group, site)
            kept[site.key] = Neurons.of(delta, mlp.W_out.to(delta.dtype), gradient.normals)
        return kept[site.key]

    def _same_stream(self, gradient: GradientSum, group: PortGroup, normals: list[Tensor]) -> bool:
        """Whether ``gradient`` was taken at the same points of the same stream as the ``normals`` of ``group``."""
        same_place = group.site.key == gradient.group.site.key and in_tail(self.lens, group) == in_tail(self.lens, gradient.group)
        return same_place and [normal.data_ptr() for normal in normals] == [normal.data_ptr() for normal in gradient.normals]

    @torch.no_grad()
    def _made(self) -> tuple[Tensor, Tensor | None]:
        """``rows`` [S,B,P,D] of the sites before the last layer and ``tail`` [S',B,A,D] of those of the last layer."""
        if self._rows is None:
            early, late = ([site for site in self.sites if self._late(site) == where] for where in (False, True))
            rows, written = self._write(early)
            tail, more = self._write(late) if late else (None, [])
            self._check([*zip(early, written, strict=True), *zip(late, more, strict=True)])
            if not self.plan.neurons:
                self.deltas = {}
            self._rows = rows, tail
        return self._rows

    def _write(self, sites: list[Site]) -> tuple[Float[Tensor, "S B P D"], list[Float[Tensor, "B P D"]]]:
        """The rows of ``sites``, and what each of them wrote differently as a whole."""
        first, width = self.deltas[sites[0].key], self.lens.W_E.shape[1]
        rows = first.new_empty((sum(len(self.plan.members[site.key]) for site in sites), *first.shape[:2], width))
        start, written = 0, []
        for site in sites:
            members, delta = self.plan.members[site.key], self.deltas[site.key]
            out = rows[start : start + len(members)]
            write_rows(self.lens, delta, site, members, out)
            start += len(members)
            pick = next(iter(self.plan.picks.values()))[site.key]
            written.append(write_site(self.lens, delta, site) if pick is None else out[list(pick)].sum(0))
        return rows, written

    def _check(self, written: list[tuple[Site, Tensor]]) -> None:
        """The books at every place that is read, going up the stream."""
        for (reads_at, tail), place in self.places.items():
            total = torch.zeros_like(place.delta)
            for site, delta in written:
                if site.writes_at is not None and reads_at is not None and site.writes_at < reads_at:
                    total += rows_at(delta, self.at) if tail and not self._late(site) else delta
            error = float((total - place.delta).abs().max())
            if not error <= place.allowed:
                raise LawError(
                    f"the books of port group {place.group.key} do not balance: the writers' differences miss the stream's by {error:.3g} "
                    f"(allowed {place.allowed:.3g})"
                )
        self.places = {}

    def _late(self, site: Site) -> bool:
        return self.at is not None and site.layer == self.lens.n_layers - 1
