"""Random but lawful values for property tests."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from roicg.core.graph import Checkpoint, ComputationalGraph, EdgeTable, PortGroupEffect, TaskScore
from roicg.core.ids import digest
from roicg.core.partition import PARTITION_KINDS, Roi, RoiPartition, SiteQuality
from roicg.core.rank import rank_edges
from roicg.core.sites import Site, is_upstream, port_groups, transformer_sites
from roicg.store.protocol import Slot

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | FLOATS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)


@st.composite
def sites(draw: st.DrawFn) -> tuple[Site, ...]:
    """Sites of a small decoder, sequential or parallel, with or without MLPs."""
    return transformer_sites(
        draw(st.integers(0, 2)), draw(st.integers(1, 3)), draw(st.integers(0, 5)), parallel=draw(st.booleans()), tok_features=draw(st.integers(1, 3))
    )


@st.composite
def partitions(draw: st.DrawFn) -> RoiPartition:
    """Any grouping of each site's features, some groups marked as rest, with quality where a site has several."""
    places = draw(sites())
    rois, quality = [], {}
    for site in places:
        labels = draw(st.lists(st.integers(0, 3), min_size=site.n_features, max_size=site.n_features))
        for label in sorted(set(labels)):
            members = draw(st.permutations([i for i, other in enumerate(labels) if other == label]))
            rois.append(Roi(f"{site.key}.r{label}", site.key, site.layer, site.kind, tuple(members), is_rest=label == 3, label=draw(TEXT)))
        if len(set(labels)) > 1:
            z = draw(st.floats(allow_nan=False))
            quality[site.key] = SiteQuality(len(set(labels)), draw(FLOATS), z, draw(FLOATS), draw(FLOATS), 0.5, draw(FLOATS), draw(st.booleans()))
    return RoiPartition(draw(st.sampled_from(PARTITION_KINDS)), places, tuple(rois), draw(st.dictionaries(TEXT, JSON, max_size=3)), quality)


@st.composite
def graphs(draw: st.DrawFn) -> ComputationalGraph:
    """Any lawful computational graph: some of the possible edges in any order, every finite float, several tasks."""
    partition = draw(partitions())
    by_key = {site.key: site for site in partition.sites}
    possible = [
        (u, v, port)
        for u, source in enumerate(partition.rois)
        for v, target in enumerate(partition.rois)
        for port in by_key[target.site].ports
        if is_upstream(by_key[source.site], by_key[target.site])
    ]
    chosen = draw(st.lists(st.sampled_from(possible), unique=True, max_size=24)) if possible else []
    tasks = tuple(draw(st.lists(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,5}", fullmatch=True), min_size=1, max_size=3, unique=True)))
    columns = {
        name: np.array([draw(st.lists(FLOATS, min_size=len(chosen), max_size=len(chosen))) for _ in tasks]).reshape(len(tasks), len(chosen))
        for name in ("weight", "se", "mean_abs")
    }
    names = [roi.key for roi in partition.rois]
    ports = [port for _, _, port in chosen]
    rank = rank_edges(columns["weight"], [names[u] for u, _, _ in chosen], [names[v] for _, v, _ in chosen], ports)
    edges = EdgeTable(
        tasks, np.array([u for u, _, _ in chosen], dtype=np.int64), np.array([v for _, v, _ in chosen], dtype=np.int64), tuple(ports), **columns, rank=rank
    )
    keys = draw(st.lists(st.sampled_from([group.key for group in port_groups(partition.sites)]), unique=True, max_size=4))
    groups = tuple(
        PortGroupEffect(
            key, task, draw(FLOATS), draw(FLOATS), draw(st.integers(1, 40)), draw(st.sampled_from(["ports", "exact"])), draw(st.booleans()), draw(st.booleans())
        )
        for key in keys
        for task in tasks
    )
    scores = tuple(
        TaskScore(task, "logit_difference", split, draw(st.integers(1, 999)), draw(FLOATS), draw(FLOATS), draw(FLOATS), draw(st.booleans()), digest(task))
        for task in tasks
        for split in draw(st.sets(st.sampled_from(["edges", "eval"])))
    )
    provenance: dict[str, Any] = draw(st.dictionaries(TEXT, TEXT, max_size=3)) | {"rule": "gauss-legendre", "steps": "5"}
    step = draw(st.integers(0, 10**9))
    checkpoint = Checkpoint(draw(st.sampled_from(["toy", "pico-2l"])), step, str(step), digest(step))
    question = digest(repr((checkpoint, partition, groups, scores, provenance)), tasks, chosen, *columns.values())
    return ComputationalGraph(question, checkpoint, partition, edges, groups, scores, provenance)


def slot_of(graph: ComputationalGraph, study: str = "s", path: str = "ports") -> Slot:
    """The slot where ``graph`` belongs."""
    return Slot(study, graph.checkpoint.model, graph.checkpoint.label, graph.checkpoint.step, graph.partition.kind, path)
