"""More than fifty hostile names through every door that needs no database: refused in one plain sentence, or the same on the other side.

``OUTCOMES`` says which; a name that goes another way than it says fails here.
"""

import contextlib
import csv
import io
import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
import yaml

from pipelines.partitions import partition_key
from pipelines.study_files import identifier
from roicg.circuits.eap_ig import read_eap_ig
from roicg.circuits.export import circuit_graphml, circuit_json
from roicg.cli.json_graphs import Given, _names
from roicg.cli.slots import resolve
from roicg.core.errors import RoicgError
from roicg.core.partition import Roi
from roicg.core.settings import LABEL, NAME, Study, TaskSettings
from roicg.core.study_file import load_study
from roicg.core.tables import Table
from roicg.models.prompt_files import file_pairs
from roicg.report import page
from roicg.store.bundle.bulk import field
from roicg.store.bundle.columns import FORMS, read_rows, write_rows
from roicg.store.bundle.files import checked_name
from roicg.store.protocol import Slot, check_place
from tests.eap_ig_files import eap_ig_json
from tests.handmade import reference_graph
from tests.hostile import HOSTILE
from tests.reported import graph, model, report
from tests.unit.report.test_page import read

TRAVELS, REFUSED = "travels", "refused"


def study(folder: Path, **changes: Any) -> Study:
    """A study file with hostile parts, written by a YAML writer, read by us."""
    names = {"study": "s", "model": "m", "task": "t", "label": "final", "path": "pairs.jsonl", "metric": "logit_difference", "recipe": "modadd"} | changes
    value = {
        "study": names["study"],
        "models": [
            {"name": names["model"], "source": {"kind": "native", "config": {}, "checkpoints": {names["label"]: names["path"]}}, "tasks": [names["task"]]},
            {"name": "other", "source": {"kind": "hf", "name": "hub", "revisions": [names["label"]]}, "tasks": [names["task"]]},
        ],
        "tasks": [{"name": names["task"], "prompts": {"kind": "file", "path": names["path"]}, "metric": names["metric"]}],
    }
    (folder / "study.yaml").write_bytes(yaml.safe_dump(value, allow_unicode=True).encode("utf-8", "surrogatepass"))
    return load_study(folder / "study.yaml")


def prompt_text(name: str, folder: Path) -> str:
    """A text of a prompt file, as the tokenizer gets it."""
    heard: list[str] = []

    def tokenize(text: str) -> list[int]:
        heard.append(text)
        return [len(heard) % 7, 1]

    rows = [{"clean": name, "corrupted": f"{name}!", "answers": [1], "wrong_answers": [2]}]
    (folder / "pairs.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    task = TaskSettings.model_validate({"name": "t", "prompts": {"kind": "file", "path": "pairs.jsonl"}})
    file_pairs("t", task.prompts, "logit_difference", folder, tokenize)  # type: ignore[arg-type]
    return heard[0]


def prompt_file(name: str, folder: Path) -> str:
    """The name of a prompt file beside the study; the file is there if the system can have it."""
    inner = folder / "study"
    inner.mkdir()
    with contextlib.suppress(OSError, ValueError):
        (inner / name).write_text('{"clean": [1, 2], "corrupted": [3, 2], "answers": [1], "wrong_answers": [2]}')
    task = TaskSettings.model_validate({"name": "t", "prompts": {"kind": "file", "path": name}})
    pairs = file_pairs("t", task.prompts, "logit_difference", inner, None)  # type: ignore[arg-type]
    assert sum(len(one.pairs) for one in pairs.values()) == 1
    assert (inner / name).resolve().is_relative_to(inner.resolve())
    return name


def html(name: str, _: Path) -> str:
    """Every name of a report: no tag comes of it, and the text comes back from the page's data."""
    expected = {tag for tag, _ in read(page.render(report())).tags}
    table, told = Table("t", "title", ("a",), (("x",),), "note"), Table(name, name, (name,), ((name,),), name)
    shown = graph(edges={name: graph().edges["add"]}, curves=(), books=())
    text = page.render(replace(report(model(shown, name=name, tasks=(name,)), study=name), tables=((name, told), ("q", table))))
    found = read(text)
    assert {tag for tag, _ in found.tags} <= expected | {"table", "tr", "td", "th", "thead", "tbody"}
    data = next(script for script in found.scripts if script.lstrip().startswith("{"))
    assert name in set(strings(json.loads(data)))
    return name


def strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in strings(part)]
    return [text for item in value for text in strings(item)] if isinstance(value, list) else []


def graphml(name: str, _: Path) -> str:
    """The label of every ROI in GraphML; what XML cannot hold becomes U+FFFD."""
    graph = reference_graph(200)
    labelled = replace(graph, partition=replace(graph.partition, rois=tuple(replace(roi, label=name) for roi in graph.partition.rois)))
    assert {roi["label"] for roi in json.loads(circuit_json(labelled, "add", 5))["rois"]} == {name}
    opened = nx.parse_graphml(circuit_graphml(labelled, "add", 5), force_multigraph=True)
    (found,) = {data.get("label") for _, data in opened.nodes(data=True)}
    plain = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", "\ufffd", name).replace("\r\n", "\n").replace("\r", "\n")
    assert (found or "") == plain
    return name


def bundle_rows(name: str, _: Path) -> str:
    """A text in the columns of a bundle, in both forms."""
    columns = {"text": "STRING", "list": "LIST<STRING>", "number": "FLOAT"}
    for form in FORMS:
        file = io.BytesIO()
        write_rows(file, form, columns, [{"text": name, "list": [name, name], "number": math.inf}])
        (row,) = read_rows(io.BytesIO(file.getvalue()), form, columns, "here")
        assert row == {"text": name, "list": [name, name], "number": math.inf}
    return name


def csv_field(name: str, _: Path) -> str:
    """A field of the CSV for neo4j-admin, and an item of a list there."""
    field([name, "b"], "string[]")
    ((found,),) = csv.reader(io.StringIO(field(name, "string")), strict=True)
    return found


def dagster_key(name: str, _: Path) -> str:
    """Partition keys and Dagster names have an alphabet of their own, whatever the name was."""
    assert re.fullmatch(r"[a-z0-9._-]*@[0-9]{8}", partition_key(name, 7))
    assert re.fullmatch(r"\w*", identifier(Study.model_construct(study=name)), re.ASCII)
    return name


def edge_name(name: str, _: Path) -> str:
    value = eap_ig_json(1, 1)
    value["edges"][name] = {"score": 1.0, "in_graph": True}
    read_eap_ig(json.dumps(value), "f.json")
    return name


def label_of_file(name: str, _: Path) -> str:
    """A model's name in a json file that is imported."""
    value = eap_ig_json(1, 1) | {"roicg": {"model": name, "checkpoint": "final"}}
    return _names(Given("s", None, None, None, (), None, None), [read_eap_ig(json.dumps(value), "f.json")])[1]


class _Nothing:
    def run(self, query: str, **_: Any) -> list[dict[str, Any]]:
        return []


def shorthand(name: str, _: Path) -> str:
    resolve(_Nothing(), f"{name}@{name}")  # type: ignore[arg-type]
    return name


def by(allowed: Callable[[str], bool]) -> Callable[[str], str]:
    return lambda name: TRAVELS if allowed(name) else REFUSED


def always(_: str) -> str:
    return TRAVELS


def is_text(name: str) -> bool:
    return "\ud800" not in name


def is_place(name: str) -> bool:
    return 0 < len(name) <= 200 and name.isprintable() and "|" not in name and "@" not in name


def is_file_here(name: str) -> bool:
    inside = not name.startswith("/") and ".." not in name.split("/")
    return inside and is_text(name) and "\x00" not in name and 0 < len(name.encode()) < 256 and name not in (".", "..") and "/" not in name.strip("/")


DOORS: dict[str, tuple[Callable[[str, Path], str], Callable[[str], str]]] = {
    "study": (lambda name, folder: study(folder, study=name).study, by(lambda name: bool(NAME.fullmatch(name)))),
    "model": (lambda name, folder: study(folder, model=name).models[0].name, by(lambda name: bool(NAME.fullmatch(name)))),
    "task": (lambda name, folder: study(folder, task=name).tasks[0].name, by(lambda name: bool(NAME.fullmatch(name)))),
    "label": (lambda name, folder: next(iter(study(folder, label=name).models[0].source.checkpoints)), by(lambda name: bool(LABEL.fullmatch(name)))),  # type: ignore[union-attr]
    "metric": (lambda name, folder: study(folder, metric=name).tasks[0].metric, by(lambda name: False)),
    "prompt text": (prompt_text, by(is_text)),
    "prompt file": (prompt_file, by(is_file_here)),
    "report": (html, always),
    "graphml and json": (graphml, always),
    "bundle": (bundle_rows, by(is_text)),
    "csv": (csv_field, by(lambda name: "\x1f" not in name)),
    "dagster": (dagster_key, always),
    "place": (lambda name, _: Slot(name, "m", "0", 0, "own", "ports").study, by(is_place)),
    "label of a slot": (lambda name, _: Slot("s", "m", name, 0, "own", "ports").label, by(lambda name: is_place(name.replace("@", "")))),
    "task of a graph": (lambda name, _: check_place("task", name) or name, by(lambda name: is_place(name.replace("@", "")))),
    "file of a bundle": (
        lambda name, _: checked_name(name),
        by(lambda name: bool(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}(/[A-Za-z0-9][A-Za-z0-9._-]{0,80})?", name))),
    ),
    "edge of a json": (edge_name, by(lambda name: False)),
    "model of a json": (label_of_file, by(lambda name: bool(NAME.fullmatch(name)))),
    "MODEL@STEP": (shorthand, by(lambda name: False)),
}


def test_there_are_more_than_fifty_and_they_differ() -> None:
    assert len(HOSTILE) > 50
    assert len(set(HOSTILE.values())) == len(HOSTILE)


@pytest.mark.parametrize("door", list(DOORS))
def test_each_name_is_refused_in_a_sentence_or_comes_back_as_it_was(door: str, tmp_path: Path) -> None:
    """Seen to fail with line ends let through in names, and with a path that is only joined to the study's folder."""
    through, expected = DOORS[door]
    wrong = []
    for number, (what, name) in enumerate(HOSTILE.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            found, outcome = through(name, folder), TRAVELS
        except RoicgError as error:
            found, outcome = name, REFUSED
            said = str(error)
            if "\n" in said or not said.isprintable() or len(said) > 700:
                wrong.append(f"{what}: not one plain sentence: {said!r:.300}")
        if outcome != expected(name) or found != name:
            wrong.append(f"{what}: {outcome}, expected {expected(name)}; came back as {found!r:.80}")
    assert not wrong, "\n".join(wrong)


BOMB = "\n".join(["a0: &a0 [x, x, x, x, x, x, x, x, x]", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12))])


@pytest.mark.parametrize(
    "text",
    [
        f"{BOMB}\nstudy: *a11\nmodels: *a11\ntasks: *a11\n",
        f"{BOMB}\nstudy: s\nmodels: [{{name: *a11, source: *a11}}]\ntasks: [*a11]\n",
        "study: !!python/object/apply:os.system [id]\n",
        "study: &a [*a]\nmodels: *a\ntasks: *a\n",
        "study: !!binary aGVsbG8=\n",
        "- a\n- b\n",
        "study: s\n? [a, b]\n: c\n",
        "study: s\n\x00",
        "study: " + "[" * 3_000,
        "%TAG ! tag:x,2000:\n---\nstudy: s\n--- \nstudy: t\n",
    ],
)
@pytest.mark.timeout(20)
def test_hostile_yaml_is_refused_quickly_and_in_a_sentence(text: str, tmp_path: Path) -> None:
    """A file of nine lines that stands for 9^12 texts must not be printed: seen to hang with repr of what was given."""
    (tmp_path / "study.yaml").write_text(text)
    with pytest.raises(RoicgError) as refused:
        load_study(tmp_path / "study.yaml")
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 3_000


def test_a_roi_that_is_called_like_another_layer_is_still_its_own(tmp_path: Path) -> None:
    assert Roi("m0.r0'}) //", "m0", 0, "mlp", (0,)).key == "m0.r0'}) //"
