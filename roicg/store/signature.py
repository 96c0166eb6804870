"""Signatures of published ROIs, and the match of two graphs by them: across checkpoints, seeds and sizes.

1. ``compare.profiles`` sums an ROI's signed weights by (task, reads or writes, port, kind and layer of the other end).
2. Entries that both graphs have count; where the graphs have different layers, layers are forgotten: entries of one kind are
   added, and ROIs are matched within a kind in place of a site.
3. Every task's entries are divided by their root sum of squares over all ROIs of the graph: each task counts the same, whatever its
   metric's unit and however strong the graph.
4. Matched and judged by numerics/matching.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from roicg.core.errors import StoreError
from roicg.numerics.matching import MatchVerdict, Pairs, judged, matched, signature_similarity
from roicg.store.protocol import GraphStore

Entry: TypeAlias = tuple[str, str, str, str, int | None]
"""(task, side, port, kind of the other end, its layer)."""
Place: TypeAlias = tuple[str, int | None]
"""(kind, layer) of an ROI; layer None where layers are forgotten."""


@dataclass(frozen=True, slots=True)
class SignatureMatch:
    """ROIs matched one to one as (a, b, similarity), best first, with the ``verdict`` on all of them.

    ``nearest``: further pairs in which one ROI is the other's nearest of its group without being matched to it. ``tasks``: those
    that both graphs have. ``within``: ``site`` or ``kind``.
    """

    tasks: tuple[str, ...]
    within: str
    pairs: tuple[tuple[str, str, float], ...]
    nearest: tuple[tuple[str, str, float], ...]
    verdict: MatchVerdict


def match_signatures(store: GraphStore, slot_a: str, slot_b: str, *, draws: int = 200, seed: int = 0) -> SignatureMatch:
    """Match the ROIs of the graphs in two slots by signature; ``StoreError``: nothing published there, no task or site in common."""
    a, b = (_profiles(store, slot) for slot in (slot_a, slot_b))
    tasks = tuple(sorted({entry[0] for entry in a.entries} & {entry[0] for entry in b.entries}))
    if not tasks:
        raise StoreError(f"{slot_a} and {slot_b} have no task in common ({_list(a)}; {_list(b)}); match graphs of one task")
    within = "site" if set(a.places) == set(b.places) else "kind"
    if within == "kind":
        a, b = a.without_layers(), b.without_layers()
    common = sorted(set(a.entries) & set(b.entries), key=str)
    rows_a, rows_b = a.rows(common), b.rows(common)
    groups = {place: i for i, place in enumerate(sorted({*a.places, *b.places}, key=str))}
    group_a, group_b = (np.array([groups[place] for place in side.places]) for side in (a, b))
    if not set(a.places) & set(b.places):
        raise StoreError(f"{slot_a} and {slot_b} have no kind of ROI in common; nothing can be matched")
    similarity = signature_similarity(rows_a, rows_b)
    similarity[group_a[:, None] != group_b[None, :]] = -np.inf
    pairs = matched(rows_a, rows_b, group_a, group_b)
    nearest = [pair for pair in _nearest(similarity) if pair not in set(pairs)]
    half = np.array([tasks.index(entry[0]) % 2 == 0 for entry in common])
    verdict = judged(rows_a, rows_b, group_a, group_b, half, draws, seed)
    return SignatureMatch(tasks, within, _named(pairs, a.names, b.names, similarity), _named(nearest, a.names, b.names, similarity), verdict)


@dataclass(frozen=True, slots=True)
class _Profiles:
    names: tuple[str, ...]
    places: tuple[Place, ...]
    entries: tuple[Entry, ...]
    weight: np.ndarray
    """[roi, entry]."""

    def without_layers(self) -> "_Profiles":
        """Entries that differ in the layer of the other end only are added."""
        entries = tuple(dict.fromkeys((*entry[:4], None) for entry in self.entries))
        weight = np.zeros((len(self.names), len(entries)))
        for column, entry in zip(self.weight.T, self.entries, strict=True):
            weight[:, entries.index((*entry[:4], None))] += column
        return _Profiles(self.names, tuple((kind, None) for kind, _ in self.places), entries, weight)

    def rows(self, entries: Sequence[Entry]) -> np.ndarray:
        """[roi, entry] for ``entries``, each task at one scale (step 3)."""
        column = {entry: i for i, entry in enumerate(self.entries)}
        weight = self.weight[:, [column[entry] for entry in entries]].copy()
        tasks = np.array([entry[0] for entry in entries])
        for task in set(tasks.tolist()):
            scale = float(np.sqrt(np.sum(weight[:, tasks == task] ** 2)))
            weight[:, tasks == task] /= scale or 1.0
        return weight


def _profiles(store: GraphStore, slot: str) -> _Profiles:
    rows = store.run("compare.profiles", slot=slot)
    if not rows:
        raise StoreError(f"nothing with heads or neurons is published in slot {slot!r}; `roicg query house.slots` lists the slots")
    names = list(dict.fromkeys(str(row["roi"]) for row in rows))
    places: dict[str, Place] = {row["roi"]: (row["kind"], row["layer"]) for row in rows}
    keys: list[Entry] = [(row["task"], row["side"], row["port"], row["other_kind"], row["other_layer"]) for row in rows]
    entries = list(dict.fromkeys(keys))
    weight = np.zeros((len(names), len(entries)))
    position, column = {name: i for i, name in enumerate(names)}, {entry: i for i, entry in enumerate(entries)}
    for row, key in zip(rows, keys, strict=True):
        weight[position[row["roi"]], column[key]] = row["weight"]
    return _Profiles(tuple(names), tuple(places[name] for name in names), tuple(entries), weight)


def _nearest(similarity: np.ndarray) -> Pairs:
    """Every ROI with its nearest in the other graph, where its group has any."""
    rows = [(i, int(np.argmax(row))) for i, row in enumerate(similarity) if np.isfinite(row).any()]
    columns = [(int(np.argmax(column)), j) for j, column in enumerate(similarity.T) if np.isfinite(column).any()]
    return sorted({*rows, *columns})


def _named(pairs: Pairs, a: Sequence[str], b: Sequence[str], similarity: np.ndarray) -> tuple[tuple[str, str, float], ...]:
    return tuple(sorted(((a[i], b[j], float(similarity[i, j])) for i, j in pairs), key=lambda row: (-row[2], row[0], row[1])))


def _list(profiles: _Profiles) -> str:
    return ", ".join(sorted({entry[0] for entry in profiles.entries}))
