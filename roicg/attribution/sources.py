"""What every member set wrote differently in the two runs, laid out so that each port reads a prefix of it.

Rows are in stream order. Sites of the last layer are held at the answer positions only, since only the logits (and the
MLP of that layer) read them; a port that reads at the answer positions gets all its rows there. While rows are made the
books are checked: Σ_u Δ_u = Δ(stream) at every port.

Shapes: S rows, B examples, P positions, A answer positions, D d_model, N neurons.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from roicg.attribution.plan import RowPlan
from roicg.core.errors import LawError
from roicg.core.sites import PortGroup, Site, port_groups
from roicg.models.forward import rows_at
from roicg.models.pairs import PairRun
from roicg.models.writers import site_delta, write_rows, write_site


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """``rows`` [S,B,P,D] of the sites before the last layer, ``tail`` [S',B,A,D] of those of the last layer (None: no tail).

    ``neurons[site]`` [B,P,N] (or [B,A,N]) holds the activation differences of the sites that are taken neuron by neuron.
    """

    sites: tuple[Site, ...]
    count: Mapping[str, int]
    rows: Float[Tensor, "S B P D"]
    tail: Float[Tensor, "T B A D"] | None
    neurons: Mapping[str, Float[Tensor, "B P N"]]
    run: PairRun

    def read_by(self, group: PortGroup, upstream: tuple[Site, ...]) -> Float[Tensor, "U B P D"]:
        """The rows of ``upstream``, at the positions where ``group`` reads."""
        wanted = sum(self.count[site.key] for site in upstream)
        early = self.rows[: min(wanted, len(self.rows))]
        if not self.run.in_tail(group):
            return early
        assert self.run.clean.at is not None
        early = _at(early, self.run.clean.at)
        return early if self.tail is None or wanted == len(early) else torch.cat((early, self.tail[: wanted - len(early)]))

    def neurons_read_by(self, group: PortGroup, site: Site) -> Float[Tensor, "B P N"]:
        """The activation differences of ``site``, at the positions where ``group`` reads."""
        values, at = self.neurons[site.key], self.run.clean.at
        return rows_at(values, at) if self.run.in_tail(group) and not _written_in_tail(self.run, site) else values


@torch.no_grad()
def source_rows(run: PairRun, plan: RowPlan) -> Sources:
    """The rows of all writing sites of ``plan``; raises ``LawError`` where the books of a port do not balance."""
    writing = tuple(site for site in plan.sites if site.writes_at is not None)
    count = {site.key: len(plan.members[site.key]) for site in writing}
    early = [site for site in writing if not _written_in_tail(run, site)]
    late = writing[len(early) :]
    size, length, width = run.clean.tok.shape
    rows = run.clean.tok.new_empty((sum(count[site.key] for site in early), size, length, width), dtype=wide(run.clean.tok.dtype))
    tail = None if not late or run.clean.at is None else rows.new_empty((sum(count[site.key] for site in late), size, run.clean.at.shape[1], width))
    neurons: dict[str, Tensor] = {}
    books = Books(run)
    for part, sites in ((rows, early), (tail, late)):
        start = 0
        for site in sites:
            assert part is not None
            delta = site_delta(run.clean, run.corrupted, site).to(rows.dtype)
            out = part[start : start + count[site.key]]
            write_rows(run.lens, delta, site, plan.members[site.key], out)
            start += count[site.key]
            if plan.by_neuron(site.key):
                neurons[site.key] = delta
            first = next(iter(plan.picks.values()))[site.key]
            books.wrote(site, write_site(run.lens, delta, site) if first is None else out[list(first)].sum(0))
    books.check(plan.sites)
    return Sources(writing, count, rows, tail, neurons, run)


def wide(dtype: torch.dtype) -> torch.dtype:
    """The dtype that sums are held in: float32 for half-precision models."""
    return torch.float32 if dtype in (torch.bfloat16, torch.float16) else dtype


class Books:
    """Σ_u Δ_u = Δ(stream) at every port: to 1e-10 of the stream's largest entry in float64, 1e-4 in float32, 5e-2 in half precision."""

    def __init__(self, run: PairRun) -> None:
        self.run = run
        self.written: list[tuple[Site, Tensor]] = []

    def wrote(self, site: Site, total: Float[Tensor, "B P D"]) -> None:
        """What all member sets of ``site`` wrote differently, together."""
        self.written.append((site, total))

    def check(self, sites: tuple[Site, ...]) -> None:
        """Compare at every place that is read, going up the stream."""
        places: dict[tuple[int | None, bool], PortGroup] = {}
        for group in port_groups(sites):
            places.setdefault((group.site.reads_at, self.run.in_tail(group)), group)
        at = self.run.clean.at
        tolerance = {torch.float64: 1e-10, torch.float32: 1e-4}.get(self.run.lens.dtype, 5e-2)
        for group in places.values():
            total: Tensor | float = 0.0
            for site, delta in self.written:
                if site.writes_at is not None and group.site.reads_at is not None and site.writes_at < group.site.reads_at:
                    total = total + (rows_at(delta, at) if self.run.in_tail(group) and not _written_in_tail(self.run, site) else delta)
            delta = self.run.stream_delta(group)
            bound = tolerance * max(1.0, float(self.run.clean.stream_at(group).abs().max()))
            error = float((total - delta).abs().max())
            if not error <= bound:
                raise LawError(
                    f"the books of port group {group.key} do not balance: the writers' differences miss the stream's by {error:.3g} (allowed {bound:.3g})"
                )


def _written_in_tail(run: PairRun, site: Site) -> bool:
    return run.clean.at is not None and site.layer == run.lens.n_layers - 1


def _at(rows: Float[Tensor, "S B P D"], at: Tensor) -> Float[Tensor, "S B A D"]:
    return rows[:, torch.arange(rows.shape[1], device=rows.device)[:, None], at]
