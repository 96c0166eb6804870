"""``roicg import`` of EAP-IG / MIB json: the files of one model, a task each, published as one graph."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from roicg.cli.console import print_json, say, working
from roicg.core.errors import PublishConflict, RoicgError, StudyError
from roicg.core.graph import Checkpoint, ComputationalGraph
from roicg.core.settings import NAME

if TYPE_CHECKING:
    from roicg.circuits.eap_ig import EapIgFile
    from roicg.store.neo4j.store import Neo4jStore
    from roicg.store.protocol import Slot

_START = 4096
_PICKLES = {b"PK\x03\x04": "a .pt or zip file", b"\x80": "a pickle"}


@dataclass(frozen=True, slots=True)
class Given:
    """What a person said about the files; what is None is asked of the files, where they are exports of ours."""

    study: str | None
    model: str | None
    checkpoint: str | None
    step: int | None
    tasks: tuple[str, ...]
    path: str | None
    d_mlp: int | None


def holds_json(path: Path) -> bool:
    """Whether ``path`` is to be read as an EAP-IG json; False for what may be a bundle; pickles are refused by name."""
    from roicg.circuits.eap_ig import looks_like_eap_ig

    if path.is_dir() or path.name == "manifest.json":
        return False
    try:
        with path.open("rb") as file:
            start = file.read(_START)
    except OSError as error:
        raise RoicgError(f"cannot read {str(path)!r}: {error.strerror or error}") from error
    for mark, kind in _PICKLES.items():
        if start.startswith(mark):
            raise RoicgError(f"{path} is {kind}, which may hold code and is not opened; save the graph with to_json instead")
    return looks_like_eap_ig(start.decode("utf-8", errors="replace"))


def import_graphs(paths: list[Path], given: Given, *, replace: bool, as_json: bool) -> None:
    """Read, publish, say what was done."""
    from roicg.circuits.eap_ig import read_eap_ig
    from roicg.store.connect import connect

    files = [read_eap_ig(_text(path), str(path)) for path in paths]
    study, model, label = _names(given, files)
    tasks = _tasks(given, files)
    with connect() as store, working("importing …"):
        graph, slot = _graph(store, dict(zip(tasks, files, strict=True)), given, (study, model, label))
        _leave_others_alone(store, graph, slot, replace=replace)
        result = store.put(graph, slot, replace=replace)
    if as_json:
        print_json({"slot": slot.key, "graph_id": graph.id, "outcome": result.outcome, "rois": len(graph.partition.rois), "edges": result.edges})
    left_out = sorted({name for file in files for name in file.left_out})
    say(f"{slot.key}: {result.outcome}, {len(graph.partition.rois)} ROIs and {result.edges} edges of {', '.join(tasks)}")
    if left_out:
        say(f"left out: {', '.join(left_out)} of nodes, for which a graph of edges has no place")


def _graph(store: "Neo4jStore", files: "dict[str, EapIgFile]", given: Given, names: tuple[str, str, str]) -> "tuple[ComputationalGraph, Slot]":
    """The graph, and its slot; a checkpoint that is published already keeps its step and its weights."""
    from roicg.circuits.eap_ig import UNKNOWN_WEIGHTS, eap_ig_graph
    from roicg.store.protocol import Slot

    study, model, label = names
    here = [row for row in store.connection.read("move.slots", study=study) if (row["model"], row["label"]) == (model, label)]
    weights = str(store.connection.read("house.version", number=here[0]["number"])[0]["version"]["weights_digest"]) if here else UNKNOWN_WEIGHTS
    step = int(here[0]["step"]) if here else _last_number(label)
    if given.step is not None and here and given.step != step:
        raise RoicgError(f"checkpoint {model}@{label} of study {study} is published with step {step}; leave --step out, or name another checkpoint")
    step = given.step if given.step is not None else step
    graph = eap_ig_graph(files, Checkpoint(model, step, label, weights), path=given.path, d_mlp=given.d_mlp)
    return graph, Slot(study, model, label, step, "components", graph.provenance["path"])


def _leave_others_alone(store: "Neo4jStore", graph: ComputationalGraph, slot: "Slot", *, replace: bool) -> None:
    shown = {row["slot"]: row["graph_id"] for row in store.connection.read("move.slots", study=slot.study)}
    if shown.get(slot.key, graph.id) != graph.id and not replace:
        raise PublishConflict(
            f"slot {slot.key} shows another graph; give --replace to take its place, name another --study, or give the files of all tasks in one command"
        )


def _names(given: Given, files: "list[EapIgFile]") -> tuple[str, str, str]:
    told = files[0].told
    found: dict[str, str] = {}
    for option, value in (("study", given.study), ("model", given.model or told.get("model")), ("checkpoint", given.checkpoint or told.get("checkpoint"))):
        if not value:
            raise RoicgError(f"the file does not say its {option}; give it with --{option} NAME")
        if option != "checkpoint" and not NAME.fullmatch(value):
            raise StudyError(f"--{option} {value!r:.80} is no name: letters, digits, '.', '_' and '-', at most 64, the first a letter or digit")
        found[option] = value
    return found["study"], found["model"], found["checkpoint"]


def _tasks(given: Given, files: "list[EapIgFile]") -> list[str]:
    tasks = list(given.tasks) or [file.told.get("task", "") for file in files]
    if len(tasks) != len(files) or not all(tasks):
        raise RoicgError(
            f"{len(files)} files need as many tasks, given {len([task for task in tasks if task])}; name each with --task, in the order of the files"
        )
    for task in tasks:
        if not NAME.fullmatch(task):
            raise StudyError(f"--task {task!r:.80} is no name: letters, digits, '.', '_' and '-', at most 64, the first a letter or digit")
    if len(set(tasks)) != len(tasks):
        raise RoicgError(f"two files are of the same task ({', '.join(tasks)}); name each with --task")
    return tasks


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise RoicgError(f"{path} is not UTF-8 text: {error}") from error


def _last_number(label: str) -> int:
    numbers = re.findall(r"[0-9]{1,15}", label)
    return int(numbers[-1]) if numbers else 0
