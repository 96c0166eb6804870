"""Sets of units that should be one task's: chosen by share, or by exact runs, and how far they part the tasks.

1. A unit's share in a task is its part of all strength of the task. A set is *specific* to a task where its units' shares exceed
   their largest share in any other task, *strongest* where their shares are largest. Units may come in groups (ROIs, communities),
   which enter a set whole.
2. Ablate the set of task s, or keep it alone, and measure φ of task t: a matrix [set of, measured on]. The gap of task t is
   taken within its column, so that a fragile task cannot look special: ablating its own set must hurt it more than ablating
   the others' sets does; keeping its own must keep more of it than keeping the others'.
3. Greedy sets are chosen by exact runs instead: edges are taken (to ablate) or dropped (to keep) one after the other as the
   gap says. They cost thousands of runs and are judged on another split than they were chosen on.
4. Null: sets of as many units at random, site by site (edges: port group by port group) as the set itself holds.
"""

from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from roicg.circuits.sets import KeptPhi

Direction = Literal["ablate", "keep"]
Sets = Bool[np.ndarray, "task unit"]
How = Literal["specific", "strongest"]
POOL = 60
"""Edges that a greedy ablation may choose from: the most specific ones."""
MOST = 10
"""Edges that a greedy ablation may take."""
START, LARGEST_START = 0.4, 100
"""Share of the edges, strongest first, that a greedy keeping starts from, and how many they are at most."""
DROPPED = 8
"""One in so many edges goes in a round of greedy keeping."""


def shares(strength: Float[np.ndarray, "task unit"]) -> Float[np.ndarray, "task unit"]:
    """Each unit's part of its task's whole strength (|weight|); 0 where the task has none."""
    whole = strength.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(strength, whole, out=np.zeros_like(strength), where=whole > 0))


def specificity(share: Float[np.ndarray, "task unit"]) -> Float[np.ndarray, "task unit"]:
    """Share in the task less the largest share in any other: above 0 for one task at most."""
    others = np.stack([np.delete(share, t, axis=0).max(axis=0) for t in range(len(share))])
    return np.asarray(share - others)


def chosen_by_share(share: Float[np.ndarray, "task group"], group: Int[np.ndarray, " unit"], how: How, budget: int) -> Sets:
    """For each task the groups of greatest score, while they fit into ``budget`` units (the first always does) and score above 0."""
    score = specificity(share) if how == "specific" else share
    size = np.bincount(group, minlength=share.shape[1])
    sets = np.zeros((len(share), len(group)), dtype=bool)
    for row, values in zip(sets, score, strict=True):
        left = budget
        for g in np.argsort(-values, kind="stable"):
            if values[g] > 0 and (size[g] <= left or left == budget):
                row |= group == g
                left -= size[g]
    return sets


def matrix(phi: KeptPhi, sets: Sets, direction: Direction) -> Float[np.ndarray, "set task"]:
    """φ of every task with each set ablated, or kept alone."""
    return phi(~sets if direction == "ablate" else sets)


def gaps(values: Float[np.ndarray, "*draw set task"], direction: Direction) -> Float[np.ndarray, "*draw task"]:
    """Per measured task: mean over the others' sets less its own set (ablate), or its own less the others' mean (keep)."""
    n = values.shape[-1]
    own = np.diagonal(values, axis1=-2, axis2=-1)
    others = (values.sum(axis=-2) - own) / (n - 1)
    return np.asarray(others - own if direction == "ablate" else own - others)


def random_sets(like: Bool[np.ndarray, " unit"], stratum: Int[np.ndarray, " unit"], count: int, rng: np.random.Generator) -> Bool[np.ndarray, "count unit"]:
    """``count`` random sets with as many units of every stratum as ``like`` has."""
    sets = np.zeros((count, len(like)), dtype=bool)
    for one in np.unique(stratum[like]):
        here = np.flatnonzero(stratum == one)
        n = int(like[here].sum())
        for row in sets:
            row[rng.choice(here, n, replace=False)] = True
    return sets


def pools(
    phi: KeptPhi, sets: Sets, stratum: Int[np.ndarray, " unit"], direction: Direction, count: int, rng: np.random.Generator
) -> Float[np.ndarray, "set count task"]:
    """φ of every task under ``count`` random sets like each task's set."""
    return np.stack([matrix(phi, random_sets(row, stratum, count, rng), direction) for row in sets])


def drawn_gaps(pool: Float[np.ndarray, "set count task"], direction: Direction, draws: int, rng: np.random.Generator) -> Float[np.ndarray, "draw task"]:
    """Gaps when each task's set is a random one of its pool, ``draws`` times."""
    taken = rng.integers(0, pool.shape[1], size=(draws, len(pool)))
    return gaps(pool[np.arange(len(pool)), taken], direction)


def greedy_ablation(phi: KeptPhi, share: Float[np.ndarray, "task edge"]) -> Sets:
    """For each task up to ``MOST`` edges, each the one of ``POOL`` whose removal, too, widens the gap most; ends where none does."""
    score = share - np.stack([np.delete(share, t, axis=0).mean(axis=0) for t in range(len(share))])
    sets = np.zeros(share.shape, dtype=bool)
    for t, row in enumerate(sets):
        pool, best = np.argsort(-score[t], kind="stable")[:POOL], 0.0
        while row.sum() < MOST and len(pool):
            gone = np.repeat(row[None], len(pool), axis=0)
            gone[np.arange(len(pool)), pool] = True
            gap = _one_gap(phi(~gone), t, "ablate")
            found = int(np.argmax(gap))
            if not gap[found] > best:
                break
            best = float(gap[found])
            row[pool[found]] = True
            pool = np.delete(pool, found)
    return sets


def greedy_keeping(phi: KeptPhi, share: Float[np.ndarray, "task edge"]) -> Sets:
    """For each task what is left of its strongest edges after dropping those that do least for the gap; the best of all rounds."""
    sets = np.zeros(share.shape, dtype=bool)
    for t, row in enumerate(sets):
        left, best = np.argsort(-share[t], kind="stable")[: min(LARGEST_START, max(1, int(START * share.shape[1])))], -np.inf
        while len(left) > 1:
            kept = np.zeros((len(left) + 1, share.shape[1]), dtype=bool)
            kept[:, left] = True
            kept[np.arange(len(left)), left] = False
            gap = _one_gap(phi(kept), t, "keep")
            if gap[-1] > best:
                best = float(gap[-1])
                row[:] = kept[-1]
            drop = np.argsort(-gap[:-1], kind="stable")[: max(1, len(left) // DROPPED)]
            left = np.delete(left, drop)
    return sets


def _one_gap(values: Float[np.ndarray, "set task"], t: int, direction: Direction) -> Float[np.ndarray, " set"]:
    """What a set does to task t beside what it does to the others that have an effect; φ beyond 0 and 1 earns nothing."""
    inside = np.clip(values, 0.0, 1.0)
    others = np.delete(inside, t, axis=1)
    others = others[:, ~np.isnan(others).any(axis=0)].mean(axis=1)
    return np.asarray(others - inside[:, t] if direction == "ablate" else inside[:, t] - others)
