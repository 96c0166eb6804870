"""``roicg intervene``: change a part of a model; the prediction is printed first, then what was measured, then the other tasks."""

import html
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from roicg.cli.console import print_json, print_rows, say, working
from roicg.core.errors import QueryError, RoicgError, StudyError
from roicg.core.nearest import did_you_mean

if TYPE_CHECKING:
    from roicg.circuits.calibration import Calibration
    from roicg.circuits.intervene import Intervention
    from roicg.circuits.predict import Prediction
    from roicg.core.graph import ComputationalGraph
    from roicg.core.settings import Study
    from roicg.places import Opened, Place

_EDGE = re.compile(r"(?P<source>[^>,]+)>(?P<target>[^>,]+):(?P<port>[a-z]+)")
_NEEDS = {"naive": "graph (control)", "bounded": "graph (control)", "flow": "graph"}


def intervene(
    where: Annotated[str, typer.Argument(metavar="MODEL@STEP", help="A model of the study and a checkpoint (label or step).")],
    task: Annotated[str | None, typer.Option("--task", help="The task it is about; the others are listed as off-target.")] = None,
    ablate: Annotated[str | None, typer.Option("--ablate", metavar="ROI,…", help="Give these ROIs the corrupted run's value.")] = None,
    patch: Annotated[str | None, typer.Option("--patch", metavar="ROI,…", help="Give them the value of another prompt (--from).")] = None,
    scale: Annotated[str | None, typer.Option("--scale", metavar="ROI,…=X", help="Scale their difference to the corrupted run by X.")] = None,
    edges: Annotated[str | None, typer.Option("--edges", metavar="A>B:PORT,…", help="The same for edges (alone: ablated).")] = None,
    donor: Annotated[str | None, typer.Option("--from", metavar="ID,…", help="Token ids of the prompt to patch from (default: corrupted).")] = None,
    partition: Annotated[str, typer.Option("--partition", help="own, reference, components, singletons, random or directions.")] = "own",
    study: Annotated[str | None, typer.Option("--study", help="The study's YAML file or name (default: the shipped one with the model).")] = None,
    steps: Annotated[int, typer.Option("--steps", min=1, max=64, help="Points of the integrated prediction.")] = 5,
    calibrate: Annotated[int | None, typer.Option("--calibrate", min=2, metavar="N", help="Predict and measure N random sets of ROIs instead.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the random sets.")] = 0,
    plot: Annotated[Path | None, typer.Option("--plot", help="Calibration plot (.svg or .html).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything as JSON.")] = False,
) -> None:
    """Ablate, patch or scale ROIs or edges: prediction first, then measurement on split eval, then the other tasks."""
    given = [name for name, value in (("ablate", ablate), ("patch", patch), ("scale", scale)) if value is not None]
    _check_words(given, edges, donor, task, calibrate, plot)
    what = None if calibrate is not None else intervention(given, ablate or patch or scale or "", edges, donor)
    place = place_of(where, study)
    if task is not None:
        _known_task(place, task)
    with working(f"opening {where} and its graph …"):
        opened, graph = _open(place, partition)
    if what is None:
        _calibrate(opened, graph, int(calibrate or 0), task=task, seed=seed, steps=steps, plot=plot, as_json=as_json, title=f"{where}, {partition}")
        return
    _intervene(opened, graph, what, str(task), steps=steps, as_json=as_json, title=f"{where}, {partition}")


def intervention(given: list[str], words: str, edges: str | None, donor: str | None) -> "Intervention":
    """What the options mean; ``QueryError`` where they cannot be read."""
    from roicg.circuits.intervene import Intervention

    kind: Literal["ablate", "patch", "scale"] = given[0] if given else "ablate"  # type: ignore[assignment]
    factor = 0.0
    if kind == "scale":
        words, equals, number = words.rpartition("=")
        try:
            factor = float(number)
        except ValueError:
            equals = ""
        if not equals:
            raise QueryError("--scale needs ROIs and a factor, such as --scale a0.h1,m0.r2=0.5 (1 changes nothing, 0 ablates)")
    named = tuple(word.strip() for word in words.split(",") if word.strip())
    return Intervention(kind, named, _edges(edges), factor, _tokens(donor))


def place_of(where: str, study: str | None) -> "Place":
    """The checkpoint MODEL@STEP of the study; every name that is not there is an error with those that are."""
    from roicg.cli.studies import study_path
    from roicg.core.study_file import load_study
    from roicg.models.placement import chosen_device
    from roicg.places import Place, labels
    from roicg.server.home import home

    model, at, step = where.partition("@")
    if not (model and at and step):
        raise QueryError(f"{where!r} must be MODEL@STEP, such as multitask-s0@1200")
    settings = load_study(study_path(study)) if study is not None else _shipped_with(model)
    settings.model(model)
    known = labels(settings, model)
    label = next((label for label, number in known if step in (label, str(number))), None)
    if label is None:
        raise StudyError(f"no checkpoint {step!r} of {model} in study {settings.study!r}; it has {', '.join(label for label, _ in known)}")
    return Place(settings, model, label, home(), chosen_device("auto"))


def _shipped_with(model: str) -> "Study":
    from roicg.cli.studies import shipped
    from roicg.core.study_file import load_study

    studies = [load_study(path) for path in shipped().values()]
    found = [one for one in studies if model in [each.name for each in one.models]]
    if len(found) != 1:
        names = ", ".join(one.study for one in found) or "none of those that come with roicg"
        raise StudyError(f"the model {model!r} is in {names}; name its study with --study STUDY.yaml")
    return found[0]


def _open(place: "Place", partition: str) -> "tuple[Opened, ComputationalGraph]":
    from roicg.places import open_place
    from roicg.stages import graphs_of, runnable_at

    if partition not in place.study.partitions:
        raise QueryError(f"study {place.study.study!r} has no partition {partition!r}; it has {', '.join(place.study.partitions)}")
    lens, graph = runnable_at(place, graphs_of(place)[partition])
    return replace(open_place(place), lens=lens), graph


def _intervene(opened: "Opened", graph: "ComputationalGraph", what: "Intervention", task: str, *, steps: int, as_json: bool, title: str) -> None:
    from roicg.circuits.effects import measure
    from roicg.circuits.intervene import touched
    from roicg.circuits.predict import METHODS, predict

    touched(graph.partition, what)
    tasks = sorted(opened.prompts, key=lambda one: one.task != task)
    methods = [method for method in METHODS if what.donor is None or method not in _NEEDS]
    rows: list[dict[str, Any]] = [_row(predict(opened.lens, graph, tasks[0], [what], method, steps)[0], steps) for method in methods]
    if not as_json:
        print_rows(rows, title=f"{title}: {_words(what)}, predicted change of the metric of {task} (split edges)")
    expected = [predict(opened.lens, graph, one, [what], "flow" if what.donor is None else "integrated", steps)[0] for one in tasks]
    effects = [{**asdict(measure(opened.lens, graph.partition, one, [what])[0]), "predicted": guess.change} for one, guess in zip(tasks, expected, strict=True)]
    if as_json:
        print_json({"intervention": asdict(what), "task": task, "predicted": rows, "measured": effects[0], "off_target": effects[1:]})
        return
    columns = ["task", "before", "after", "change", "se", "accuracy_before", "accuracy_after", "kl"]
    print_rows(effects[:1], title=f"measured on {effects[0]['n']} pairs (split eval)", columns=columns)
    if effects[1:]:
        print_rows(effects[1:], title=f"other tasks; predicted by {expected[0].method}", columns=["task", "predicted", *columns[1:]])


def _calibrate(
    opened: "Opened", graph: "ComputationalGraph", n: int, *, task: str | None, seed: int, steps: int, plot: Path | None, as_json: bool, title: str
) -> None:
    from roicg.circuits.calibration import calibrate, random_sets
    from roicg.circuits.calibration_plot import calibration_svg
    from roicg.cli.circuit import write_out

    tasks = sorted(opened.prompts, key=lambda one: one.task != task)
    with working(f"predicting and measuring {n} sets on {len(tasks)} tasks …"):
        found = calibrate(opened.lens, graph, tasks, random_sets(graph.partition, n, seed), steps=steps)
    if plot is not None:
        svg = calibration_svg(found, f"{title}: {n} random sets of ROIs ablated")
        page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title><body>{svg}</body></html>\n'
        write_out(page if plot.suffix in (".html", ".htm") else svg, plot)
    if as_json:
        print_json({"seed": seed, "steps": steps, "calibrations": [_whole(one) for one in found]})
        return
    rows = [{"task": one.task, "prediction": one.method, "R2": one.r2, "sign": one.sign, "clear": one.n_clear, "sets": len(one.sets)} for one in found]
    print_rows(rows, title=f"{title}: {n} random sets ablated, predicted on split edges, measured on split eval")
    say("R2: no refit, below 0 a constant would be better. sign: of the sets whose change is clear (more than 2 se). ceiling: measured on split edges.")


def _whole(one: "Calibration") -> dict[str, Any]:
    sets = [
        {"rois": what.rois, "predicted": predicted, "measured": effect.change, "se": effect.se, "accuracy": effect.accuracy_after, "kl": effect.kl}
        for what, predicted, effect in zip(one.sets, one.predicted, one.measured, strict=True)
    ]
    return {"task": one.task, "prediction": one.method, "r2": one.r2, "sign": one.sign, "clear": one.n_clear, "sets": sets}


def _row(one: "Prediction", steps: int) -> dict[str, Any]:
    passes = steps if one.method == "integrated" else 1
    return {"prediction": one.method, "needs": _NEEDS.get(one.method, f"model, {passes} forward + backward"), "change": one.change, "se": one.se}


def _words(what: "Intervention") -> str:
    names = [*what.rois, *(f"{source}>{target}:{port}" for source, target, port in what.edges)]
    return f"{what.kind} {', '.join(names)}" + (f" by {what.factor:g}" if what.kind == "scale" else "")


def _edges(text: str | None) -> tuple[tuple[str, str, str], ...]:
    found = []
    for word in (part.strip() for part in (text or "").split(",")):
        match = _EDGE.fullmatch(word)
        if word and match is None:
            raise QueryError(f"the edge {word!r} must be SOURCE>TARGET:PORT, such as a0.h1>m1.r0:in (ports are q, k, v, in)")
        if match is not None:
            found.append((match["source"].strip(), match["target"].strip(), match["port"]))
    return tuple(found)


def _tokens(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError:
        raise QueryError(f"--from {text!r} must be token ids with commas between them, such as --from 23,4,7") from None


def _known_task(place: "Place", task: str) -> None:
    known = [one.name for one in place.study.tasks_of(place.settings)]
    if task not in known:
        raise StudyError(f"{place.model} has no task {task!r}; it has {', '.join(known)}{did_you_mean(task, known)}")


def _check_words(given: list[str], edges: str | None, donor: str | None, task: str | None, calibrate: int | None, plot: Path | None) -> None:
    if len(given) > 1:
        raise QueryError(f"--{given[0]} and --{given[1]} cannot be given together; call roicg intervene once for each")
    if calibrate is not None and (given or edges is not None):
        raise QueryError("--calibrate draws its own random sets; leave --ablate, --patch, --scale and --edges out")
    if calibrate is None and not given and edges is None:
        raise QueryError("say what to do: --ablate ROI, --patch ROI, --scale ROI=0.5, --edges SOURCE>TARGET:PORT, or --calibrate N")
    if calibrate is None and task is None:
        raise QueryError("say for which task the prediction is, with --task TASK")
    if plot is not None and calibrate is None:
        raise RoicgError("--plot draws a calibration; give --calibrate N too")
    if donor is not None and given != ["patch"]:
        raise QueryError("--from names the prompt that --patch takes values from; give --patch ROI too")
