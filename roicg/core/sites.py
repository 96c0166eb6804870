"""The places of a transformer that roicg draws: sites (which write) and port groups (which read).

====================  ==========  =======================  ==========================================
site key              kind        features                 port groups that read the stream for it
====================  ==========  =======================  ==========================================
``tok``               tok         1, or one per position   –
``a{l}``              attention   query heads of layer l   ``a{l}.q``, ``a{l}.k``, ``a{l}.v``
``m{l}``              mlp         neurons of layer l       ``m{l}.in``
``logits``            logits      1 (the metric)           ``logits.in``
====================  ==========  =======================  ==========================================

Positional embeddings and biases have Δ = 0 and are not drawn. ``rank`` orders the stream: a source is upstream of a
port group when its ``writes_at`` is smaller than the group's ``reads_at`` (in parallel blocks both of a layer's sites
read the same stream, so attention of a layer does not feed its MLP).
"""

from dataclasses import dataclass
from typing import Literal

SiteKind = Literal["tok", "attention", "mlp", "logits"]
Port = Literal["q", "k", "v", "in"]


@dataclass(frozen=True, slots=True)
class Site:
    """A place of features: ``reads_at`` and ``writes_at`` are positions in the stream (``None``: never)."""

    key: str
    kind: SiteKind
    layer: int | None
    n_features: int
    reads_at: int | None
    writes_at: int | None

    @property
    def ports(self) -> tuple[Port, ...]:
        """The ports through which this site reads the stream."""
        if self.kind == "attention":
            return ("q", "k", "v")
        return ("in",) if self.kind in ("mlp", "logits") else ()


@dataclass(frozen=True, slots=True)
class PortGroup:
    """All features of one site reading through one port; ``key`` is like ``a0.q``, ``m1.in``, ``logits.in``."""

    site: Site
    port: Port

    @property
    def key(self) -> str:
        """Site key and port."""
        return f"{self.site.key}.{self.port}"


def transformer_sites(n_layers: int, n_heads: int, d_mlp: int, *, parallel: bool = False, tok_features: int = 1) -> tuple[Site, ...]:
    """Sites of a decoder in stream order; ``d_mlp=0`` means attention-only; ``parallel`` = attention and MLP read the same stream."""
    sites = [Site("tok", "tok", None, tok_features, None, 0)]
    for layer in range(n_layers):
        attention_at, mlp_at = 1 + 2 * layer, 1 + 2 * layer if parallel else 2 + 2 * layer
        sites.append(Site(f"a{layer}", "attention", layer, n_heads, attention_at, attention_at))
        if d_mlp:
            sites.append(Site(f"m{layer}", "mlp", layer, d_mlp, mlp_at, mlp_at))
    sites.append(Site("logits", "logits", None, 1, 1 + 2 * n_layers, None))
    return tuple(sites)


def port_groups(sites: tuple[Site, ...]) -> tuple[PortGroup, ...]:
    """Every port group of ``sites`` in stream order."""
    return tuple(PortGroup(site, port) for site in sites for port in site.ports)


def is_upstream(source: Site, reader: Site) -> bool:
    """Whether what ``source`` writes can be read by ``reader``."""
    return source.writes_at is not None and reader.reads_at is not None and source.writes_at < reader.reads_at
