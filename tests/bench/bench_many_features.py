"""ROIs of a site with 20,000 features: time and memory of the whole way, where the route through landmarks pays, and what nulls on more features would cost."""

import json
import subprocess
import sys
from pathlib import Path
from time import process_time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from roicg.numerics.similarity import eigengap, graph_modularity, largest_k, similarity_graph
from roicg.rois import landmarks, quality
from roicg.rois.landmarks import Clustered
from roicg.rois.methods import agglomerative, cut, merge_tree
from tests.bench.figures import Figure, keep
from tests.bench.many_features import planted

N, COLUMNS = 20_000, 8192
ROOT = Path(__file__).parents[2]


def test_many_features(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = [*_whole(), *_routes(monkeypatch), *_nulls(monkeypatch)]
    keep("roi_scale", figures, "make bench ARGS=tests/bench/bench_many_features.py")
    assert all(np.isfinite(figure.value) for figure in figures)


def _whole() -> list[Figure]:
    done = subprocess.run([sys.executable, "-m", "tests.bench.many_features", str(N), str(COLUMNS)], capture_output=True, text=True, check=True, cwd=ROOT)
    found = json.loads(done.stdout.splitlines()[-1])
    what = f"ROIs of {N:,} features, {COLUMNS:,} columns"
    worth = f"ARI with 50 planted groups of 88 to 4,472 features {found['ari']:.3f}, "
    worth += f"{found['rois']:.0f} ROIs, z {found['z']:.1f}, stability {found['stability']:.2f}"
    memory = f"peak of the whole process; {found['before_mib']:.0f} MiB of it before, the signature among it"
    return [
        Figure(f"{what}: CPU seconds", found["cpu_s"], 600, note=f"one thread; signature to labels, with nulls, hierarchy and stability; {worth}"),
        Figure(f"{what}: MiB", found["peak_mib"], 4096, note=memory),
    ]


def _routes(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Similarity, K, hierarchy and groups of all features, and through landmarks."""
    figures = []
    standing = landmarks.LANDMARKS
    for n in (1024, 2048, 4096, 6000):
        rows, _ = planted(n, 2048)
        seconds = {}
        for name, count in (("all", n), ("2,048 landmarks", 2048), ("4,096 landmarks", 4096)):
            if count > n:
                continue
            monkeypatch.setattr(landmarks, "LANDMARKS", count)
            with threadpool_limits(1):
                start = process_time()
                clustered = Clustered.of(rows, 0)
                k = eigengap(similarity_graph(clustered.similarity), largest_k(n))
                clustered.spread(cut(merge_tree(clustered.similarity), k))
                seconds[name] = process_time() - start
        note = ", ".join(f"{name} {value:.1f}" for name, value in seconds.items() if name != "all") or "fewer than any landmarks"
        figures.append(Figure(f"{n:,} features, all clustered: CPU seconds", seconds["all"], note=note))
    monkeypatch.setattr(landmarks, "LANDMARKS", standing)
    return figures


def _nulls(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Nulls and halves on so many of the features, per draw of each null."""
    figures, draws = [], 5
    rows, _ = planted(N, 2048)
    standing = quality.NULL_FEATURES
    for count in (512, 1024, 2000):
        monkeypatch.setattr(quality, "NULL_FEATURES", count)
        with threadpool_limits(1):
            start = process_time()
            sample = rows[quality.sampled(rows, 0)]
            nulls = quality.against_nulls(sample, 0.0, agglomerative, None, N, draws, 0, np.random.default_rng(0))
            seconds = (process_time() - start) / draws
            clustered = Clustered.of(sample, 0)
            graph = similarity_graph(clustered.similarity)
            k = eigengap(graph, largest_k(N))
            q = graph_modularity(graph, agglomerative(clustered.similarity, k, 0))
        used = " (used)" if count == standing else ""
        note = f"z {nulls['z_rotation']:.0f} and {nulls['z_shuffle']:.0f}, {k} groups, Q {q:.3f}"
        figures.append(Figure(f"nulls on {count:,} of {N:,} features{used}: CPU seconds per draw of both", seconds, note=note))
    monkeypatch.setattr(quality, "NULL_FEATURES", standing)
    return figures
