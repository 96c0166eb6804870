"""How does structure grow with size? The same tasks at several widths and depths, seeds as the unit of replication.

One line per kind of model (every setting but the seed). Figures are of the solved tasks alone; the number of solved tasks is said.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from roicg.core.partition import PartitionKind
from roicg.core.settings import ModelSettings, Study, TrainedSource
from roicg.core.tables import Cell, Table, spread
from roicg.findings.finding import Finding, Measured, Row
from roicg.findings.portrait import FAITHFUL, least_share, over, portrait
from roicg.findings.replicas import replicas
from roicg.places import Place

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore

PARTITIONS: tuple[PartitionKind, ...] = ("own", "components")


def measure(place: Place, store: "Neo4jStore") -> list[Row]:
    """One row per partition and task (kind ``task``), and one for the checkpoint (kind ``checkpoint``)."""
    rows: list[Row] = []
    for kind in PARTITIONS:
        tasks, checkpoint = portrait(place, store, kind)
        rows += [{"kind": "task", "partition": kind, **row} for row in tasks]
    return [*rows, {"kind": "checkpoint", **checkpoint}]


def tables(study: Study, measured: Sequence[Measured]) -> list[Table]:
    """One line per kind of model, by rising size."""
    lines = [_line(study, together) for _, together in replicas(study, measured)]
    note = (
        f"Means over seeds (least–greatest) and solved tasks, split eval. solved: tasks × seeds with accuracy ≥ .9. ROIs of the MLPs, and sites whose ROIs stand above "
        f"their null. edges: share of the graph's edges at φ ≥ {FAITHFUL}; area under φ(n); the same between components (one node per MLP); path: edges from input to "
        "logits; hub: share of all strength through the greatest hub; Q of the mixture's communities with z against its null."
    )
    head = ("layers", "width", "seeds", "solved", "ROIs", "above null", "edges", "area", "components: edges", "area", "path", "hub", "Q", "z")
    return [Table("size", "How does structure grow with size?", head, tuple(sorted(lines, key=lambda line: line[:2])), note)]


def _line(study: Study, together: Sequence[Measured]) -> tuple[Any, ...]:
    layers, width = _size(study.model(together[0].model))
    rows = [row for one in together for row in one.rows]
    checkpoints = [row for row in rows if row["kind"] == "checkpoint"]
    by_seed = [[row for row in one.rows if row["kind"] == "task" and row["solved"]] for one in together]
    asked = [row for row in rows if row["kind"] == "task" and row["partition"] == "own"]
    above = f"{sum(int(row['above_null'] or 0) for row in checkpoints)} of {sum(int(row['sites'] or 0) for row in checkpoints)}"

    def mean(kind: str, column: str) -> str:
        """Mean over tasks per seed, then over seeds."""
        found = [[_cell(row, column) for row in rows if row["partition"] == kind] for rows in by_seed]
        seeds = [[float(value) for value in values if isinstance(value, float)] for values in found]
        return spread([sum(values) / len(values) for values in seeds if values])

    solved = f"{sum(bool(row['solved']) for row in asked)} of {len(asked)}"
    figures = (
        mean("own", "edges"),
        mean("own", "area"),
        mean("components", "edges"),
        mean("components", "area"),
        mean("own", "length"),
        mean("own", "hub_share"),
    )
    communities = (over(row["modularity"] for row in checkpoints), over(row["z"] for row in checkpoints))
    return (layers, width, len(together), solved, over(row["rois"] for row in checkpoints), above, *figures, *communities)


def _cell(row: Row, column: str) -> Cell:
    return least_share(row) if column == "edges" else row[column]


def _size(model: ModelSettings) -> tuple[int, int]:
    from roicg.models.trained import training_settings

    config = training_settings(model.source)[0] if isinstance(model.source, TrainedSource) else getattr(model.source, "config", {})
    return int(config.get("n_layers", 0)), int(config.get("d_model", 0))


FINDING = Finding("size", "How does structure grow with width and depth?", measure, tables)
