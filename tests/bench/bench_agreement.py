"""Do the edges agree with patching? Every path against path ``exact`` at partition ``components``, over the edges that carry 95 % of Σ|exact|.

A miss is looked into by a second experiment: patching in every context (shapley.py). Where ``ports`` agrees with that, its
edges are right about what they say, the mean over contexts, and differ from exact edges by what these leave out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import spearmanr

from roicg.attribution.edges import attribute_edges
from roicg.core.graph import EdgeTable
from roicg.core.partition import RoiPartition
from roicg.core.prompts import TaskPrompts
from roicg.core.settings import AttributionSettings
from roicg.core.sites import is_upstream, port_groups
from roicg.models.lens import Lens
from roicg.rois.controls import components
from tests.bench.evaluated import SEEDS, asked, least, mean, opened
from tests.bench.figures import Figure, keep
from tests.bench.shapley import shapley_edges
from tests.golden import load_golden

PATHS = {
    "ports": AttributionSettings(),
    "inputs": AttributionSettings(path="inputs", rule="left"),
    "clean": AttributionSettings(path="clean"),
    "exact": AttributionSettings(path="exact"),
}


@dataclass(frozen=True)
class Agreement:
    """Spearman's ρ and sign agreement over the strongest edges by ``exact``, and how many of its ten strongest are among ours."""

    spearman: float
    sign: float
    top: int


def agreement(ours: np.ndarray, exact: np.ndarray) -> Agreement:
    """Over the strongest exact edges that carry 95 % of Σ|exact|, at least 20."""
    order = np.argsort(-np.abs(exact))
    carry = np.cumsum(np.abs(exact[order])) / np.abs(exact).sum()
    chosen = order[: max(20, int(np.searchsorted(carry, 0.95)) + 1)]
    mine = np.argsort(-np.abs(ours))
    return Agreement(
        float(spearmanr(ours[chosen], exact[chosen]).statistic),
        float((np.sign(ours[chosen]) == np.sign(exact[chosen])).mean()),
        len(set(order[:10].tolist()) & set(mine[:10].tolist())),
    )


def every_path(lens: Lens, prompts: list[TaskPrompts]) -> dict[str, EdgeTable]:
    """The edges of all tasks by each path."""
    partition = {"components": components(lens.sites)}
    return {name: attribute_edges(lens, prompts, partition, settings)["components"].edges for name, settings in PATHS.items()}


def as_edges(values: Mapping[str, np.ndarray], partition: RoiPartition, edges: EdgeTable) -> np.ndarray:
    """Blocks [source, target] per port group as one value per edge of the table."""
    place = {}
    for group in port_groups(partition.sites):
        sources = [roi for site in partition.sites if is_upstream(site, group.site) for roi in partition.of_site(site.key)]
        for i, source in enumerate(sources):
            for j, target in enumerate(partition.of_site(group.site.key)):
                place[source, target, group.port] = values[group.key][i, j]
    return np.array([place[int(u), int(v), port] for u, v, port in zip(edges.source, edges.target, edges.port, strict=True)])


def test_agreement() -> None:
    figures: list[Figure] = []
    for which, seeds in SEEDS.items():
        found: dict[str, list[Agreement]] = {name: [] for name in PATHS}
        by_task: dict[str, list[float]] = {}
        others: list[Agreement] = []
        contexts: dict[str, list[Agreement]] = {"ports": [], "exact": []}
        for seed in seeds:
            lens, prompts = opened(seed).lens, asked(which, opened(seed).prompts)
            edges, partition = every_path(lens, prompts), components(lens.sites)
            swapped = [replace(task, edges=task.eval, eval=task.edges) for task in prompts]
            again = attribute_edges(lens, swapped, {"components": partition}, PATHS["exact"])["components"].edges
            for t, task in enumerate(edges["exact"].tasks):
                exact = edges["exact"].weight[t]
                for name, table in edges.items():
                    found[name].append(agreement(table.weight[t], exact))
                others.append(agreement(again.weight[t], exact))
                by_task.setdefault(task, []).append(found["ports"][-1].spearman)
                question = next(one for one in prompts if one.task == task)
                shapley = as_edges(shapley_edges(lens, question, partition), partition, edges["exact"])
                for name, some in contexts.items():
                    some.append(agreement(edges[name].weight[t], shapley))
        figures += [least(f"`ports`, {task}, {which}: Spearman's ρ", values, 0.9) for task, values in by_task.items()]
        figures.append(least(f"`ports`, {which}: same sign", [one.sign for one in found["ports"]], 0.95))
        figures.append(least(f"`ports`, {which}: of the ten strongest", [one.top for one in found["ports"]], 9))
        ceiling = f"the same method on other prompts: what sampling leaves; {np.mean([one.top for one in others]):.1f} of the ten strongest, least {min(one.top for one in others)}"
        figures.append(mean(f"`exact` on the other split, {which}: Spearman's ρ", [one.spearman for one in others], ceiling))
        for name in ("inputs", "clean"):
            note = f"sign {np.mean([one.sign for one in found[name]]):.2f}, {np.mean([one.top for one in found[name]]):.1f} of the ten strongest"
            figures.append(mean(f"`{name}`, {which}: Spearman's ρ", [one.spearman for one in found[name]], note))
        for name, some in contexts.items():
            note = f"16 random orders per port group; {np.mean([one.top for one in some]):.1f} of the ten strongest, least {min(one.top for one in some)}"
            figures.append(mean(f"`{name}` against patching in every context, {which}: Spearman's ρ", [one.spearman for one in some], note))
    for which in ("trained", "random"):
        golden = load_golden(which)
        edges = every_path(golden.lens, [golden.prompts])
        for name in ("ports", "inputs", "clean"):
            one = agreement(edges[name].weight[0], edges["exact"].weight[0])
            goals = (0.9, 0.95, 9) if (which, name) == ("trained", "ports") else (None, None, None)
            figures.append(
                Figure(
                    f"`{name}`, golden model, {which}: Spearman's ρ",
                    one.spearman,
                    goals[0],
                    at_most=False,
                    note=f"sign {one.sign:.2f} (goal {goals[1] or '–'}), {one.top} of the ten strongest (goal {goals[2] or '–'})",
                )
            )
    keep("agreement", figures, "make bench ARGS=tests/bench/bench_agreement.py")
    assert all(np.isfinite(figure.value) for figure in figures)
