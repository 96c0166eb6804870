"""Is a task's circuit a part of the one graph? Cuts of the mixture graph beside graphs of the task alone, and what tasks share.

1. Mixture strength of an edge = rms over tasks of weight / |total effect|. The mixture circuit is the smallest of its top n that
   keeps φ ≥ .9 of every solved task (split ``edges``); a task's cut of it are the n edges among these that are strongest for the task.
2. The task's own graph: ROIs found from its prompts alone, edges attributed for it alone, its n strongest edges.
3. Both keep as many edges, and φ is measured on split ``eval``. Random edges of the mixture circuit are the control.
4. Overlap of the tasks' top edges, and agreement of communities with the task each ROI serves most, come from the published graph.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

from roicg.core.graph import Checkpoint, ComputationalGraph
from roicg.core.prompts import TaskPrompts
from roicg.core.settings import Study
from roicg.core.tables import Cell, Table, spread
from roicg.findings.finding import Finding, Measured, Row
from roicg.findings.replicas import replicas
from roicg.places import Place, open_place

if TYPE_CHECKING:
    from roicg.models.lens import Lens
    from roicg.store.neo4j.store import Neo4jStore

FAITHFUL = 0.9
FRACTIONS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
PAIRS = 128
RANDOM_DRAWS = 20
OVERLAP_AT = 0.1
SHUFFLES = 999


def measure(place: Place, store: "Neo4jStore") -> list[Row]:
    """One row per task (kind ``cut``), one per pair of tasks (``overlap``), one for the communities (``communities``)."""
    from roicg import stages

    opened = open_place(place)
    graph: ComputationalGraph = stages.graphs_of(place)["own"]
    solved = {score.task: score.solved for score in graph.scores if score.split == "eval"}
    slot = stages.slot_of(place, graph).key
    rows = _cuts(place, opened.lens, opened.prompts, graph, solved)
    n = max(1, round(OVERLAP_AT * len(graph.edges)))
    for pair in store.run("tasks.overlap", slot=slot, edges=n):
        rows.append({"kind": "overlap", "edges": n, **{key: pair[key] for key in ("task_a", "task_b", "jaccard", "expected", "solved")}})
    return [*rows, *_communities(graph, store.run("structure.communities", slot=slot), place.study.findings.seed)]


def mixture_strength(graph: ComputationalGraph) -> Float[np.ndarray, " edge"]:
    """rms over tasks of weight / |total effect|; tasks without an effect (at the logits) have no part in it."""
    effects = {group.task: abs(group.effect) for group in graph.port_groups if group.group == "logits.in" and group.effect}
    rows = [graph.edges.weight[graph.edges.task_index(task)] / effect for task, effect in effects.items()]
    return np.asarray(np.sqrt(np.mean(np.square(rows), axis=0)))


def _cuts(place: Place, lens: "Lens", tasks: Sequence[TaskPrompts], graph: ComputationalGraph, solved: dict[str, bool]) -> list[Row]:
    from roicg.circuits.sets import ask, edges_kept

    total, rng = len(graph.edges), np.random.default_rng([place.study.findings.seed, 11])
    sizes = sorted({max(1, round(fraction * total)) for fraction in FRACTIONS})
    order = np.argsort(-mixture_strength(graph), kind="stable")
    grown = np.stack([_among(order[:n], total) for n in sizes])
    on_edges = edges_kept(ask(lens, tasks, "edges", PAIRS), graph)(grown)
    enough = np.nan_to_num(on_edges[:, [solved[task.task] for task in tasks]], nan=1.0).min(axis=1, initial=np.inf) >= FAITHFUL
    mixture = order[: sizes[int(np.argmax(enough)) if enough.any() else -1]]
    rows: list[Row] = []
    for t, task in enumerate(tasks):
        alone = _alone(place, lens, task)
        strongest = mixture[np.argsort(-graph.edges.strength[t, mixture], kind="stable")]
        wanted = [n for n in sizes if n <= min(len(mixture), len(alone.edges))]
        cut = _phi(lens, task, graph, [strongest[:n] for n in wanted])
        own = _phi(lens, task, alone, [np.argsort(alone.edges.rank[0])[:n] for n in wanted])
        at = next((i for i, value in enumerate(own) if value >= FAITHFUL), len(own) - 1)
        chance = _phi(lens, task, graph, [rng.permutation(mixture)[: wanted[at]] for _ in range(RANDOM_DRAWS)])
        rows.append(
            {
                "kind": "cut",
                "task": task.task,
                "solved": solved[task.task],
                "edges": total,
                "mixture": len(mixture),
                "n": wanted[at],
                "cut": float(cut[at]),
                "own": float(own[at]),
                "random": float(np.mean(chance)),
                "curve_n": json.dumps(wanted),
                "curve_cut": json.dumps([round(float(value), 4) for value in cut]),
                "curve_own": json.dumps([round(float(value), 4) for value in own]),
            }
        )
    return rows


def _alone(place: Place, lens: "Lens", task: TaskPrompts) -> ComputationalGraph:
    """The graph of one task by itself: its own ROIs, its own edges."""
    from roicg.attribution.edges import attribute_edges
    from roicg.build import choose_partitions, find_rois

    own = choose_partitions(lens, [task], find_rois(lens, [task], place.study), ("own",), place.study, None)
    found = attribute_edges(lens, [task], own, place.study.attribution)["own"]
    return ComputationalGraph(task.task, Checkpoint(place.model, 0, place.label, lens.weights_digest), found.partition, found.edges, found.port_groups, (), {})


def _phi(lens: "Lens", task: TaskPrompts, graph: ComputationalGraph, circuits: Sequence[np.ndarray]) -> Float[np.ndarray, " circuit"]:
    from roicg.circuits.sets import ask, edges_kept

    kept = np.stack([_among(circuit, len(graph.edges)) for circuit in circuits])
    return np.nan_to_num(edges_kept(ask(lens, [task], "eval", PAIRS), graph)(kept)[:, 0])


def _among(chosen: np.ndarray, total: int) -> Bool[np.ndarray, " edge"]:
    kept = np.zeros(total, dtype=bool)
    kept[chosen] = True
    return kept


def _communities(graph: ComputationalGraph, rows: Sequence[dict[str, object]], seed: int) -> list[Row]:
    """How far the communities of the mixture are those of tasks: NMI with the task of each ROI's greatest share, beside shuffled labels."""
    from roicg.circuits.task_sets import shares
    from roicg.numerics.agreement import normalised_mutual_information
    from roicg.numerics.permutation import exceedance

    divided = [row for row in rows if row["task"] == "(mixture)"]
    if not divided:
        return []
    share = shares(np.stack([np.abs(graph.outflow(task)) + np.abs(graph.inflow(task)) for task in graph.edges.tasks]))
    place = {roi.key: i for i, roi in enumerate(graph.partition.rois)}
    members = [(i, place[str(name)]) for i, row in enumerate(divided) for name in row["rois"]]  # type: ignore[attr-defined]
    community = np.array([i for i, _ in members])
    task = share[:, [roi for _, roi in members]].argmax(axis=0)
    rng = np.random.default_rng([seed, 13])
    found = normalised_mutual_information(community, task)
    null = np.array([normalised_mutual_information(community, rng.permutation(task)) for _ in range(SHUFFLES)])
    above = bool(divided[0]["above_null"])
    return [{"kind": "communities", "rois": len(members), "nmi": found, "null": float(null.mean()), "p": exceedance(found, null), "above_null": above}]


def tables(study: Study, measured: Sequence[Measured]) -> list[Table]:
    """Cuts beside own graphs, overlap of tasks, communities and tasks."""
    groups = [(name, [row for one in together for row in one.rows]) for name, together in replicas(study, measured)]
    return [_cut_table(groups), _overlap_table(groups), _community_table(groups)]


def _of(rows: Sequence[Row], kind: str) -> list[Row]:
    return [row for row in rows if row["kind"] == kind]


def _number(cell: Cell) -> float:
    assert isinstance(cell, int | float)
    return float(cell)


def _cut_table(groups: Sequence[tuple[str, list[Row]]]) -> Table:
    lines: list[tuple[Cell, ...]] = []
    for name, rows in groups:
        for task in dict.fromkeys(str(row["task"]) for row in _of(rows, "cut")):
            here = [row for row in _of(rows, "cut") if row["task"] == task]
            columns = {key: [_number(row[key]) for row in here] for key in ("cut", "own", "random", "n", "edges", "mixture")}
            ratio = [cut / own for cut, own in zip(columns["cut"], columns["own"], strict=True) if own]
            share = sum(columns["n"]) / sum(columns["edges"])
            lines.append(
                (name, task, f"{share:.0%}", *(spread(columns[key]) for key in ("cut", "own", "random")), spread(ratio), all(row["solved"] for row in here))
            )
    note = (
        f"At the least n (of {len(FRACTIONS)} sizes) at which the task's own graph keeps φ ≥ {FAITHFUL}: n as a share of the mixture graph's edges; φ on split eval of "
        "the n strongest edges of the task inside the mixture circuit, of the n strongest of the graph made of that task alone, and of n random edges of the "
        "mixture circuit; ratio: cut / own (goal ≥ .9). Mean over seeds, least and greatest in brackets."
    )
    head = ("model", "task", "n", "φ of the cut", "φ of its own graph", "φ at random", "ratio", "solved")
    return Table("cuts", "Is a task's circuit a part of the one graph?", head, tuple(lines), note)


def _overlap_table(groups: Sequence[tuple[str, list[Row]]]) -> Table:
    lines: list[tuple[Cell, ...]] = []
    for name, rows in groups:
        pairs = dict.fromkeys((str(row["task_a"]), str(row["task_b"])) for row in _of(rows, "overlap"))
        for a, b in pairs:
            here = [row for row in _of(rows, "overlap") if (row["task_a"], row["task_b"]) == (a, b)]
            lines.append((name, a, b, spread([_number(row["jaccard"]) for row in here]), _number(here[0]["expected"]), all(row["solved"] for row in here)))
    note = f"Jaccard of the two tasks' strongest {OVERLAP_AT:.0%} of edges (query tasks.overlap); expected: of two random draws of as many. Mean over seeds."
    return Table("overlap", "What do tasks share?", ("model", "task", "task", "Jaccard", "expected", "solved"), tuple(lines), note)


def _community_table(groups: Sequence[tuple[str, list[Row]]]) -> Table:
    lines: list[tuple[Cell, ...]] = []
    for name, rows in groups:
        here = _of(rows, "communities")
        if here:
            above = sum(bool(row["above_null"]) for row in here)
            p = max(_number(row["p"]) for row in here)
            lines.append((name, *(spread([_number(row[key]) for row in here]) for key in ("nmi", "null")), p, f"{above} of {len(here)}"))
    note = (
        f"NMI of communities (Leiden on the mixture) with the task in which each ROI has its greatest share, beside {SHUFFLES} shuffles of the tasks over the ROIs; "
        "p: the largest over seeds; above null: divisions whose modularity stands above its null, which alone would be findings."
    )
    return Table("communities", "Are communities tasks?", ("model", "NMI", "shuffled", "p", "above null"), tuple(lines), note)


FINDING = Finding("subgraphs", "Are the circuits of tasks subgraphs of one graph, and what do they share?", measure, tables)
