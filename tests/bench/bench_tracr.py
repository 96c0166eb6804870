"""Compiled programs, whose live edges are known: how well strength separates them on every path, and what the exact fallback adds."""

from tests.bench.figures import Figure, keep
from tests.unit.attribution.test_tracr import DEAD, PARTITIONS, PATHS, attributed, flagged, group_of, live_edges, load_tracr, separation, weights


def test_tracr() -> None:
    figures = []
    for name in ("frac_prevs_x", "hist"):
        for kind in sorted(PARTITIONS):
            partition, live = PARTITIONS[kind](load_tracr(name).lens.sites), live_edges(name, kind)
            for path in PATHS:
                found = attributed(name, path, partition)
                by_edge = weights(found)
                lost = {edge for edge in live if abs(by_edge[edge]) < DEAD * max(map(abs, by_edge.values()))}
                told = sum(group_of(edge) in flagged(found) for edge in lost)
                note = f"{len(lost)} of {len(live)} live edges without weight, {told} of these in a group that the path flagged"
                if path != "exact":
                    mended = attributed(name, path, partition, fallback="exact")
                    again = sum(group.method == "exact" for group in mended.port_groups)
                    note += f"; with the exact fallback AUROC {separation(weights(mended), live):.3f}, {again} of {len(mended.port_groups)} groups fell back"
                figures.append(Figure(f"AUROC of strength, live against not, {name}, {kind}, `{path}`", separation(by_edge, live), note=note))
    keep("tracr", figures, "make bench ARGS=tests/bench/bench_tracr.py")
    assert all(0 <= figure.value <= 1 for figure in figures)
