"""Which unit? ROIs beside single neurons, principal directions, random groups and whole components, at equal numbers of nodes.

1. At each level every MLP is divided into K groups; K is what the ROIs have there (``auto``), or a fixed number. Heads are nodes of
   their own under every unit.
   * ROIs: features that act alike, cut at K. ROIs by use: features that are used alike (node scores). random groups: the ROIs' sizes.
   * neurons: the K − 1 of greatest node score (rms over tasks of the share, split ``edges``), the others together.
   * directions: the K − 1 principal directions of split ``rois``, all others together (models/directions.py).
   * components: one node per MLP, whatever K.
2. Edges of each by the study's path; φ of growing circuits on split ``eval`` gives the area, node sets of the tasks the gaps.
3. Stability: what two halves of the prompts agree on (ROIs and random groups: adjusted Rand index; neurons: Jaccard of the
   chosen; directions: mean |cosine|).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from roicg.core.graph import ComputationalGraph
from roicg.core.partition import Roi, RoiPartition
from roicg.core.prompts import PromptSet, TaskPrompts
from roicg.core.settings import CircuitSettings, Study
from roicg.core.tables import Cell, Table
from roicg.findings.finding import Finding, Measured, Row
from roicg.findings.replicas import replicas
from roicg.places import Place, open_place

if TYPE_CHECKING:
    from roicg.circuits.sets import Asked, KeptPhi
    from roicg.models.lens import Lens
    from roicg.store.neo4j.store import Neo4jStore

LEVELS: tuple[str | int, ...] = ("auto", 8, 16, 32)
PAIRS = 64
NODE_BUDGETS = (0.05, 0.1, 0.25)
CHUNKS = 32
RANDOM_DRAWS = 3
UNITS = ("ROIs", "ROIs by use", "random groups", "neurons", "directions", "components")

Signatures = Mapping[str, Float[np.ndarray, "feature column"]]


@dataclass(frozen=True, slots=True, eq=False)
class Divided:
    """A model divided into nodes of one unit; ``lens`` is a copied one for directions."""

    unit: str
    lens: "Lens"
    partition: RoiPartition
    stability: float | None


def measure(place: Place, store: "Neo4jStore") -> list[Row]:
    """One row per level and unit (random groups: one per draw)."""
    from roicg.attribution.nodes import attribution_signatures
    from roicg.rois.signatures import activation_signatures

    opened = open_place(place)
    signatures = activation_signatures(opened.lens, opened.prompts, place.study.rois)
    used = attribution_signatures(opened.lens, opened.prompts, place.study.rois.seed)
    rows: list[Row] = []
    for level in LEVELS:
        for divided in _divisions(place, opened.lens, opened.prompts, signatures, used, level):
            rows.append({"level": str(level), "unit": divided.unit, "stability": divided.stability, **_measured(place, divided, opened.prompts)})
    return rows


def _divisions(place: Place, lens: "Lens", tasks: Sequence[TaskPrompts], signatures: Signatures, used: Signatures, level: str | int) -> Iterator[Divided]:
    from roicg.models.directions import along, principal
    from roicg.rois.controls import components, random_like
    from roicg.rois.partition import own_partition

    settings = place.study.rois.model_copy(update={"level": level})
    own = own_partition(lens.sites, signatures, settings)
    counts = {site.key: len(own.of_site(site.key)) for site in own.sites if site.kind == "mlp"}
    for name, partition in (("ROIs", own), ("ROIs by use", own_partition(lens.sites, used, settings))):
        yield Divided(name, lens, partition, float(np.mean([quality.stability for quality in partition.quality.values()])))
    for draw in range(RANDOM_DRAWS):
        groups = random_like(own, place.study.rois.seed + draw)
        yield Divided("random groups", lens, groups, _agreement(groups, random_like(own, place.study.rois.seed + draw + RANDOM_DRAWS)))
    whole, *halves = (_strongest_neurons(lens, some, counts) for some in (tasks, *_halves_of_prompts(tasks)))
    shared = [len(set(a) & set(b)) / max(1, len(set(a) | set(b))) for a, b in zip(halves[0].values(), halves[1].values(), strict=True)]
    yield Divided("neurons", lens, _neurons_apart(own, whole), float(np.mean(shared)))
    bases = {key: principal(signatures[key], count) for key, count in counts.items()}
    directed = along(lens, bases)
    yield Divided("directions", directed.lens, directed.partition, _cosines(signatures, counts))
    if level == LEVELS[0]:
        yield Divided("components", lens, components(lens.sites), None)


def _measured(place: Place, divided: Divided, tasks: Sequence[TaskPrompts]) -> Row:
    from roicg.attribution.edges import attribute_edges
    from roicg.circuits.faithfulness import faithfulness_curves
    from roicg.circuits.sets import ask
    from roicg.core.graph import Checkpoint

    lens = divided.lens
    found = attribute_edges(lens, tasks, {"units": divided.partition}, place.study.attribution)["units"]
    graph = ComputationalGraph("units", Checkpoint(place.model, 0, place.label, lens.weights_digest), found.partition, found.edges, found.port_groups, (), {})
    settings = CircuitSettings(fractions=place.study.circuits.fractions, selections=("weight",), bootstrap=20)
    curves = faithfulness_curves(lens, graph, tasks, settings)
    nodes = [i for i, roi in enumerate(graph.partition.rois) if roi.kind in ("attention", "mlp")]
    choose, tell = (ask(lens, tasks, split, PAIRS) for split in ("edges", "eval"))
    return {
        "nodes": len(nodes),
        "edges": len(graph.edges),
        "areas": json.dumps([curve.area if curve.area is None else round(curve.area, 4) for curve in curves]),
        "solved": all(curve.solved for curve in curves),
        **_gaps(graph, nodes, choose, tell),
    }


def _gaps(graph: ComputationalGraph, nodes: list[int], choose: "Asked", tell: "Asked") -> dict[str, Cell]:
    """Gaps of sets of nodes, the budget and manner chosen on one split."""
    from roicg.circuits.task_sets import Direction, chosen_by_share, gaps, matrix, shares

    share = shares(np.abs(np.stack([graph.outflow(task)[nodes] for task in graph.edges.tasks])))
    alone = np.arange(len(nodes))
    options = [chosen_by_share(share, alone, how, max(1, round(b * len(nodes)))) for how in ("specific", "strongest") for b in NODE_BUDGETS]
    phi = [_nodes_kept(graph.partition, nodes, asked) for asked in (choose, tell)]
    found: dict[str, Cell] = {}
    directions: tuple[Direction, ...] = ("ablate", "keep")
    for direction in directions:
        best = max(options, key=lambda sets, direction=direction: float(np.nan_to_num(gaps(matrix(phi[0], sets, direction), direction)).mean()))  # type: ignore[misc]
        values = gaps(matrix(phi[1], best, direction), direction)
        found[direction] = json.dumps([None if np.isnan(value) else round(float(value), 4) for value in values])
    return found


def _nodes_kept(partition: RoiPartition, nodes: list[int], asked: "Asked") -> "KeptPhi":
    """φ when nodes are kept: all their features are."""
    from roicg.circuits.sets import feature_sites, features_kept

    phi, node_of = features_kept(asked), []
    for site in feature_sites(asked.lens):
        rois = np.array([nodes.index(i) for i in partition.of_site(site.key)])
        node_of.append(rois[partition.labels(site.key)])
    place = np.concatenate(node_of)
    return lambda kept: phi(kept[:, place])


def _strongest_neurons(lens: "Lens", tasks: Sequence[TaskPrompts], counts: Mapping[str, int]) -> dict[str, list[int]]:
    """Per MLP the neurons that stand alone: rms over tasks of their share of the task's node scores, greatest first."""
    from roicg.attribution.nodes import node_scores
    from roicg.circuits.task_sets import shares

    scores = node_scores(lens, tasks)
    found = {}
    for key, count in counts.items():
        share = shares(np.abs(np.stack([scores[task.task][key] for task in tasks])))
        order = np.argsort(-np.sqrt(np.square(share).mean(axis=0)), kind="stable")
        found[key] = order[: count - 1].tolist()
    return found


def _neurons_apart(own: RoiPartition, alone: Mapping[str, Sequence[int]]) -> RoiPartition:
    """``own`` with its MLP ROIs replaced by single neurons and one group of all others."""
    rois: list[Roi] = []
    for site in own.sites:
        if site.key not in alone:
            rois += [own.rois[i] for i in own.of_site(site.key)]
            continue
        others = sorted(set(range(site.n_features)) - set(alone[site.key]))
        rois += [Roi(f"{site.key}.n{i}", site.key, site.layer, site.kind, (i,)) for i in alone[site.key]]
        rois.append(Roi(f"{site.key}.others", site.key, site.layer, site.kind, tuple(others)))
    return RoiPartition("own", own.sites, tuple(rois), {"method": "strongest neurons"})


def _halves_of_prompts(tasks: Sequence[TaskPrompts]) -> Iterator[list[TaskPrompts]]:
    for side in (0, 1):
        yield [replace(task, edges=_every_second(task.edges, side)) for task in tasks]


def _every_second(prompts: PromptSet, side: int) -> PromptSet:
    return replace(prompts, pairs=prompts.pairs[side::2])


def _agreement(one: RoiPartition, other: RoiPartition) -> float:
    from roicg.numerics.agreement import adjusted_rand

    return float(np.mean([adjusted_rand(one.labels(site.key), other.labels(site.key)) for site in one.sites if site.kind == "mlp"]))


def _cosines(signatures: Signatures, counts: Mapping[str, int]) -> float:
    """Mean |cosine| of the single directions of two halves of the columns, paired by their order."""
    from roicg.models.directions import principal

    found: list[float] = []
    for key, count in counts.items():
        chunks = np.array_split(np.arange(signatures[key].shape[1]), CHUNKS)
        halves = [principal(signatures[key][:, np.concatenate(chunks[side::2])], count)[:-1] for side in (0, 1)]
        found += [abs(float(a[:, 0] @ b[:, 0])) for a, b in zip(*halves, strict=True)]
    return float(np.mean(found)) if found else 1.0


def tables(study: Study, measured: Sequence[Measured]) -> list[Table]:
    """Units by level, seeds put together; and who is best at what."""
    return [table for name, together in replicas(study, measured) if any(one.rows for one in together) for table in _tables_of(name, together)]


@dataclass(frozen=True, slots=True)
class _Line:
    """One level and unit: per seed the mean over tasks (random groups: over draws, too)."""

    level: str
    unit: str
    nodes: int
    edges: int
    area: Float[np.ndarray, " seed"]
    ablate: Float[np.ndarray, " seed"]
    keep: Float[np.ndarray, " seed"]
    stability: float | None


def _tables_of(name: str, together: Sequence[Measured]) -> list[Table]:
    lines = list(_lines(together))
    random = {line.level: line for line in lines if line.unit == "random groups"}
    rows = [
        (
            line.level,
            line.unit,
            line.nodes,
            line.edges,
            _spread(line.area),
            None if line.unit in ("random groups", "components") else _spread(line.area - random[line.level].area),
            _spread(line.ablate),
            _spread(line.keep),
            line.stability,
        )
        for line in lines
    ]
    note = (
        "nodes: heads, and groups per MLP; area under φ(n) over n/N (mean over tasks, split eval, the study's path); less random: the same seed's "
        f"area less that of {RANDOM_DRAWS} random groupings of equal sizes; gaps of node sets as in the finding separation, chosen on split edges; means over "
        f"{len(together)} seeds, least and greatest in brackets; stability: what two halves of the prompts agree on."
    )
    head = ("K per MLP", "unit", "nodes", "edges", "area", "less random", "ablate gap", "keep gap", "stability")
    slug = name.replace("@", "-")
    return [Table(f"units-{slug}", f"Which unit? {name}", head, tuple(rows), note), _winners(slug, name, lines)]


def _winners(slug: str, name: str, lines: Sequence[_Line]) -> Table:
    rows = []
    for level in dict.fromkeys(line.level for line in lines):
        here = [line for line in lines if line.level == level and line.unit != "components"]
        rows.append((level, *(_winner(here, measure) for measure in ("area", "ablate", "keep"))))
    note = "Greatest mean over seeds; in brackets its lead over the next in each seed (least to greatest): a lead that changes its sign is none."
    return Table(f"winners-{slug}", f"Which unit is best? {name}", ("K per MLP", "area", "ablate gap", "keep gap"), tuple(rows), note)


def _winner(lines: Sequence[_Line], measure: str) -> str:
    order = sorted(lines, key=lambda line: -float(getattr(line, measure).mean()))
    (lead,) = (getattr(a, measure) - getattr(b, measure) for a, b in list(pairwise(order))[:1])
    return f"{order[0].unit} ({lead.min():+.3f} to {lead.max():+.3f} over {order[1].unit})"


def _lines(together: Sequence[Measured]) -> Iterator[_Line]:
    keys = dict.fromkeys((str(row["level"]), str(row["unit"])) for one in together for row in one.rows)
    for level, unit in sorted(keys, key=lambda key: ([str(one) for one in LEVELS].index(key[0]), UNITS.index(key[1]))):
        seeds = [[row for row in one.rows if (row["level"], row["unit"]) == (level, unit)] for one in together]
        area, ablate, keep = (np.array([np.mean([_mean(row[column]) for row in rows]) for rows in seeds]) for column in ("areas", "ablate", "keep"))
        stable = [float(row["stability"]) for rows in seeds for row in rows if isinstance(row["stability"], float)]
        nodes, edges = (int(np.mean([float(row[column] or 0) for rows in seeds for row in rows])) for column in ("nodes", "edges"))
        yield _Line(level, unit, nodes, edges, area, ablate, keep, float(np.mean(stable)) if stable else None)


def _mean(text: Any) -> float:
    """Mean of a JSON list, tasks without an effect left out."""
    values = [value for value in json.loads(str(text)) if value is not None]
    return float(np.mean(values)) if values else 0.0


def _spread(values: Float[np.ndarray, " seed"]) -> str:
    return f"{values.mean():.3f} ({values.min():.3f}–{values.max():.3f})" if len(values) > 1 else f"{values[0]:.3f}"


FINDING = Finding("units", "Which unit carries tasks best at equal numbers of nodes: ROIs, neurons, directions, random groups?", measure, tables, seconds=60.0)
