"""The Lens run forward: one full run, and runs resumed at a port group with everything before it kept.

The stream is a list of places: attention of layer l reads it, writes to it; the MLP of layer l reads (the same place in
parallel blocks), writes; the logits read the end. :func:`run` keeps what every writer wrote and every port read;
:func:`resume` replaces what one port group computed and recomputes only what is downstream of it.

Shapes: B examples, P positions, D d_model, H heads, E d_head, N neurons, A answer positions, V output vocabulary.
"""

from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor

from roicg.core.errors import PromptError
from roicg.core.sites import PortGroup
from roicg.models.layers import activate, attend, normalise, project, read_mlp, write_heads, write_mlp
from roicg.models.lens import Lens


@dataclass(slots=True)
class Cache:
    """What one run read and wrote; lists are indexed by layer. ``pre[l]`` is ``(linear,)`` or ``(linear, gate)``; empty tuples and None in attention-only layers."""

    tok: Float[Tensor, "B P D"]
    at: Int[Tensor, "B A"] | None = None
    attn_in: list[Float[Tensor, "B P D"]] = field(default_factory=list)
    q: list[Float[Tensor, "B P H E"]] = field(default_factory=list)
    k: list[Float[Tensor, "B P H E"]] = field(default_factory=list)
    v: list[Float[Tensor, "B P H E"]] = field(default_factory=list)
    z: list[Float[Tensor, "B P H E"]] = field(default_factory=list)
    attn_out: list[Float[Tensor, "B P D"]] = field(default_factory=list)
    mlp_in: list[Float[Tensor, "B P D"] | None] = field(default_factory=list)
    pre: list[tuple[Float[Tensor, "B P N"], ...]] = field(default_factory=list)
    post: list[Float[Tensor, "B P N"] | None] = field(default_factory=list)
    mlp_out: list[Float[Tensor, "B P D"] | None] = field(default_factory=list)
    final: Float[Tensor, "B P D"] | None = None

    def stream_at(self, group: PortGroup) -> Float[Tensor, "B P D"]:
        """The stream that ``group`` reads, before its norm, at the positions where it is read."""
        layer = group.site.layer
        place = self.final if layer is None else self.attn_in[layer] if group.site.kind == "attention" else self.mlp_in[layer]
        assert place is not None
        return rows_at(place, self.at) if group.port == "q" and layer == len(self.attn_in) - 1 else place

    def port(self, group: PortGroup) -> tuple[Tensor, ...]:
        """What ``group`` computed from the stream: q, k or v [B,P,H,E]; the pre-activations [B,P,N]; the final stream for the logits."""
        layer = group.site.layer
        if layer is None:
            assert self.final is not None
            return (self.final,)
        return self.pre[layer] if group.port == "in" else ({"q": self.q, "k": self.k, "v": self.v}[group.port][layer],)


class Edit(Protocol):
    """What an intervention changes while the stream runs; keys are those of sites (``a0``) and port groups (``a0.q``)."""

    def wrote(self, site: str, value: Tensor) -> Tensor:
        """What the features of ``site`` give to the rest of the run, given what they computed: tok [B,P,D], z [B,P,H,E] or post [B,P,N]."""

    def read(self, group: str, stream: Float[Tensor, "B P D"], value: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """What the port goes on with, given the stream before the norm and what it computed from it: see :meth:`Cache.port`."""


def embed(lens: Lens, tokens: Int[Tensor, "B P"]) -> Float[Tensor, "B P D"]:
    """Token embeddings, positions not yet added; refuses ids beyond the vocabulary and prompts longer than the context."""
    if tokens.shape[1] > lens.n_ctx:
        raise PromptError(f"a prompt has {tokens.shape[1]} tokens, the model reads at most {lens.n_ctx}; shorten it")
    if tokens.numel() and (int(tokens.max()) >= lens.W_E.shape[0] or int(tokens.min()) < 0):
        raise PromptError(f"token id {int(tokens.max())} is beyond the vocabulary of {lens.W_E.shape[0]}; ids run from 0 to {lens.W_E.shape[0] - 1}")
    return lens.W_E[tokens]


def run(
    lens: Lens,
    tokens: Int[Tensor, "B P"],
    tok: Float[Tensor, "B P D"] | None = None,
    edit: Edit | None = None,
    at: Int[Tensor, "B A"] | None = None,
    *,
    resumes: bool = True,
) -> Cache:
    """One full run; ``tok`` replaces the token embeddings (positions stay those of ``tokens``), ``edit`` changes what is written and read.

    ``at``: the answer positions, when nothing else is asked of the final stream: the last layer's queries, heads' outputs
    and MLP are then computed there only, and the cache holds [B,A,…] for them. Without ``resumes`` the cache keeps only
    where the stream is read and what the writers' features computed (tok, z, post): enough for differences, not for :func:`resume`.

    ``edit`` and ``at`` together are a ``ValueError``: the last layer's keys and values read every position, so an edit must too.
    """
    if edit is not None and at is not None:
        raise ValueError("an edited run is computed at every position, because the last layer's keys and values read them all; leave out at")
    cache = Cache(embed(lens, tokens) if tok is None else tok, at)
    if edit is not None:
        cache.tok = edit.wrote("tok", cache.tok)
    stream = cache.tok if lens.W_pos is None else cache.tok + lens.W_pos[: tokens.shape[1]]
    for layer in range(lens.n_layers):
        stream = run_layer(lens, layer, stream, cache, edit, at if layer == lens.n_layers - 1 else None)
        if not resumes:
            for column in (cache.q, cache.k, cache.v, cache.attn_out, cache.pre, cache.mlp_out):
                column.clear()
    cache.final = stream if edit is None else edit.read("logits.in", stream, (stream,))[0]
    return cache


def run_layer(
    lens: Lens,
    layer: int,
    stream: Float[Tensor, "B P D"],
    cache: Cache | None = None,
    edit: Edit | None = None,
    at: Int[Tensor, "B A"] | None = None,
) -> Float[Tensor, "B P D"]:
    """The stream after ``layer`` (at positions ``at`` only, when given); everything read and written is appended to ``cache`` when given, changed by ``edit`` when given."""
    attention, mlp = lens.attentions[layer], lens.mlps[layer]
    x, attn_in = normalise(attention.norm, stream), stream
    stream = rows_at(stream, at)
    q, k, v = project(rows_at(x, at), attention.W_Q, attention.b_Q), project(x, attention.W_K, attention.b_K), project(x, attention.W_V, attention.b_V)
    if edit is not None:
        q, k, v = (edit.read(f"a{layer}.{port}", stream, (value,))[0] for port, value in (("q", q), ("k", k), ("v", v)))
    z = attend(lens, attention, q, k, v, at)
    if edit is not None:
        z = edit.wrote(f"a{layer}", z)
    attn_out = write_heads(attention, z)
    mlp_in, post, mlp_out = None, None, None
    pre: tuple[Tensor, ...] = ()
    after = stream + attn_out
    if mlp is not None:
        mlp_in = stream if lens.parallel else after
        pre = read_mlp(mlp, normalise(mlp.norm, mlp_in))
        if edit is not None:
            pre = edit.read(f"m{layer}.in", mlp_in, pre)
        post = activate(mlp, pre)
        if edit is not None:
            post = edit.wrote(f"m{layer}", post)
        mlp_out = write_mlp(mlp, post)
        after = after + mlp_out
    if cache is not None:
        cache.attn_in.append(attn_in)
        cache.q.append(q)
        cache.k.append(k)
        cache.v.append(v)
        cache.z.append(z)
        cache.attn_out.append(attn_out)
        cache.mlp_in.append(mlp_in)
        cache.pre.append(pre)
        cache.post.append(post)
        cache.mlp_out.append(mlp_out)
    return after


def resume(lens: Lens, cache: Cache, group: PortGroup, value: tuple[Tensor, ...]) -> Float[Tensor, "kB P D"]:
    """The final stream when ``group`` computed ``value`` instead, all before it as in ``cache``, all after it recomputed.

    ``value`` may hold k stacked copies of the batch ([k·B, …]); the cache is repeated to fit.
    """
    layer = group.site.layer
    if layer is None:
        return value[0]
    copies = value[0].shape[0] // cache.tok.shape[0]

    def again(x: Tensor | None) -> Tensor:
        assert x is not None
        return x if copies == 1 else x.repeat(copies, *[1] * (x.ndim - 1))

    attention, mlp, last = lens.attentions[layer], lens.mlps[layer], lens.n_layers - 1
    tail = None if cache.at is None else again(cache.at)
    at = tail if layer == last else None
    stream = again(rows_at(cache.attn_in[layer], cache.at if layer == last else None))
    if group.port == "in":
        assert mlp is not None
        stream = stream + again(cache.attn_out[layer]) + write_mlp(mlp, activate(mlp, value))
    else:
        q, k, v = (value[0] if group.port == port else again(kept[layer]) for port, kept in (("q", cache.q), ("k", cache.k), ("v", cache.v)))
        stream = stream + write_heads(attention, attend(lens, attention, q, k, v, at))
        if mlp is not None:
            out = again(cache.mlp_out[layer]) if lens.parallel else write_mlp(mlp, activate(mlp, read_mlp(mlp, normalise(mlp.norm, stream))))
            stream = stream + out
    for later in range(layer + 1, lens.n_layers):
        stream = run_layer(lens, later, stream, at=tail if later == last else None)
    return stream


def in_tail(lens: Lens, group: PortGroup) -> bool:
    """Whether ``group`` need only be read at the answer positions: the logits, and the queries and the MLP of the last layer."""
    layer = group.site.layer
    return layer is None or (layer == lens.n_layers - 1 and group.port in ("q", "in"))


def rows_at(x: Float[Tensor, "B P D"], at: Int[Tensor, "B A"] | None) -> Float[Tensor, "B A D"]:
    """``x`` at the positions ``at`` of each example; all of it without ``at``."""
    return x if at is None else x.gather(1, at.view(*at.shape, *[1] * (x.ndim - 2)).expand(-1, -1, *x.shape[2:]))


def read_port(lens: Lens, group: PortGroup, stream: Float[Tensor, "B P D"]) -> tuple[Tensor, ...]:
    """What ``group`` computes when it reads ``stream``: the inverse of :meth:`Cache.port`."""
    layer = group.site.layer
    if layer is None:
        return (stream,)
    if group.port == "in":
        mlp = lens.mlps[layer]
        assert mlp is not None
        return read_mlp(mlp, normalise(mlp.norm, stream))
    attention = lens.attentions[layer]
    weight, bias = {"q": (attention.W_Q, attention.b_Q), "k": (attention.W_K, attention.b_K), "v": (attention.W_V, attention.b_V)}[group.port]
    return (project(normalise(attention.norm, stream), weight, bias),)


def read_features(lens: Lens, group: PortGroup, stream: Float[Tensor, "B P D"], features: list[int]) -> tuple[Tensor, ...]:
    """Like :func:`read_port` for some heads [B,P,k,E] or neurons [B,P,k] of the site only."""
    layer = group.site.layer
    assert layer is not None
    attention, mlp = lens.attentions[layer], lens.mlps[layer]
    if group.port == "in":
        assert mlp is not None
        some = replace(mlp, W_in=mlp.W_in[:, features], b_in=mlp.b_in[features])
        if mlp.W_gate is not None:
            some = replace(some, W_gate=mlp.W_gate[:, features], b_gate=None if mlp.b_gate is None else mlp.b_gate[features])
        return read_mlp(some, normalise(mlp.norm, stream))
    weight, bias = {"q": (attention.W_Q, attention.b_Q), "k": (attention.W_K, attention.b_K), "v": (attention.W_V, attention.b_V)}[group.port]
    return (project(normalise(attention.norm, stream), weight[features], bias[features]),)


def logits_at(lens: Lens, final: Float[Tensor, "B P D"], positions: Int[Tensor, "B A"]) -> Float[Tensor, "B A V"]:
    """Logits at the answer positions only."""
    return unembed(lens, rows_at(final, positions))


def unembed(lens: Lens, final: Float[Tensor, "B A D"]) -> Float[Tensor, "B A V"]:
    """Logits of the final stream, wherever it was taken; in float32 from half precision, so that metrics are no coarser than the logits."""
    found = normalise(lens.final_norm, final) @ lens.W_U + lens.b_U
    return found.to(torch.promote_types(found.dtype, torch.float32))


def logits(lens: Lens, tokens: Int[Tensor, "B P"]) -> Float[Tensor, "B P V"]:
    """Logits at every position."""
    final = run(lens, tokens).final
    assert final is not None
    return normalise(lens.final_norm, final) @ lens.W_U + lens.b_U
