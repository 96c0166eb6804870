"""The demo's tables: the catalogue's questions, answered by the database, a few rows of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from roicg.cli.console import print_rows
from roicg.core.settings import Study
from roicg.places import labels

if TYPE_CHECKING:
    from roicg.store.neo4j.store import Neo4jStore

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Emergence:
    """The checkpoints of the study's first model, whose emergence the tables show."""

    study: str
    model: str
    path: str
    labels: tuple[str, ...]
    tasks: tuple[str, ...]

    @classmethod
    def of(cls, study: Study) -> "Emergence":
        """The sequence of the study's first model."""
        model = study.models[0]
        names = tuple(label for label, _ in labels(study, model.name))
        return cls(study.study, model.name, study.attribution.path, names, tuple(task.name for task in study.tasks_of(model)))

    @property
    def last(self) -> str:
        """Label of the last checkpoint."""
        return self.labels[-1]

    def slot(self, label: str, partition: str) -> str:
        """Key of one slot."""
        return f"{self.study}|{self.model}@{label}|{partition}|{self.path}"


def print_tables(store: "Neo4jStore", study: Study, shown: Emergence) -> None:
    """All tables, each with the query that gave it."""
    print_rows(_published(store, study), title="\nPublished graphs: edges by partition (house.published)")
    print_rows(_emergence(store, shown), title=f"\nTasks emerge one after another: accuracy of {shown.model} (compare.emergence)")
    finals = [shown.slot(shown.last, "own"), *_other_models(study)]
    print_rows(
        [row for slot in finals for row in _faithfulness(store, slot)],
        title="\nHow few edges carry a task: area beside random edges and node ablation (circuits.faithfulness)",
    )
    print_rows(_communities(store, shown, finals), title="\nCommunities of the own ROIs beside the nearer of two nulls (structure.modularity_by_checkpoint)")
    print_rows(_paths(store, shown), title=f"\nStrongest paths at step {shown.last} (circuits.strongest_paths)")
    before, after, task = shown.labels[-4], shown.labels[-3], shown.tasks[-2]
    drift = store.run("compare.edge_drift", slot_a=shown.slot(before, "reference"), slot_b=shown.slot(after, "reference"), task=task, limit=5)
    columns = ["source", "target", "port", "weight_a", "weight_b", "drift", "noise", "rank_a", "rank_b"]
    print_rows(drift, columns=columns, title=f"\nEdges of {task} that changed most from step {before} to {after} (compare.edge_drift)")


def _published(store: "Neo4jStore", study: Study) -> list[Row]:
    places = {row["slot"]: row for row in store.run("house.slots") if row["study"] == study.study}
    versions = [{**places[row["slot"]], **row} for row in store.run("house.published", study=study.study) if row["slot"] in places]
    versions.sort(key=lambda row: (row["model"], row["step"]))
    rows: list[Row] = []
    for (model, label), group in groupby(versions, key=lambda row: (row["model"], row["label"])):
        found = {row["partition"]: row for row in group}
        rois = {"own ROIs": found["own"]["rois"]} if "own" in found else {}
        rows.append({"model": model, "checkpoint": label, **rois, **{f"{kind}": row["edges"] for kind, row in found.items()}})
    return rows


def _emergence(store: "Neo4jStore", shown: Emergence) -> list[Row]:
    found = store.run("compare.emergence", slot=shown.slot(shown.last, "own"))
    by_label: dict[str, Row] = {label: {"step": label} for label in shown.labels}
    for row in found:
        by_label[row["label"]][row["task"]] = row["accuracy"]
    return list(by_label.values())


def _other_models(study: Study) -> list[str]:
    """Slots of the own graph at the last checkpoint of every further model."""
    last = {model.name: labels(study, model.name)[-1][0] for model in study.models[1:]}
    return [f"{study.study}|{model}@{label}|own|{study.attribution.path}" for model, label in last.items()]


def _faithfulness(store: "Neo4jStore", slot: str) -> list[Row]:
    rows: list[Row] = []
    for least in store.run("circuits.least_edges", slot=slot):
        curves = store.run("circuits.faithfulness", slot=slot, task=least["task"])
        areas = {row["selection"]: row["area"] for row in curves}
        without = {row["n_edges"]: row["complement"] for row in curves if row["selection"] == "weight"}
        rows.append(
            {
                "model": slot.split("|")[1],
                "task": least["task"],
                "area": areas.get("weight"),
                "random": areas.get("random"),
                "nodes": areas.get("nodes"),
                "φ ≥ .9 at": least["n_edges"],
                "of": least["total"],
                "φ": least["reached"],
                "φ without": without.get(least["n_edges"]),
                "solved": least["solved"],
            }
        )
    return rows


def _communities(store: "Neo4jStore", shown: Emergence, slots: Sequence[str]) -> list[Row]:
    keys = ("step", "communities", "modularity", "null_mean", "z", "p", "above_null")
    found = [(slot.split("|")[1].split("@")[0], row) for slot in slots for row in store.run("structure.modularity_by_checkpoint", slot=slot)]
    return [{"model": model, **{key: row[key] for key in keys}} for model, row in found]


def _paths(store: "Neo4jStore", shown: Emergence) -> list[Row]:
    slot = shown.slot(shown.last, "own")
    found = {task: store.run("circuits.strongest_paths", slot=slot, task=task, paths=2) for task in shown.tasks}
    return [{"task": task, "path": " → ".join(row["rois"]), "share": row["score"]} for task, rows in found.items() for row in rows]
