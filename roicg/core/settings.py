"""What a study may say: models, tasks, ROIs, attribution, circuits, analyses, findings, each setting with its default."""

import re
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, model_validator

from roicg.core.errors import StudyError
from roicg.core.nearest import did_you_mean
from roicg.core.partition import PartitionKind

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
OWN_METRIC = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
Name = Annotated[str, Field(pattern=rf"^{NAME.pattern}$")]
LABEL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,63}(/[A-Za-z0-9_][A-Za-z0-9._+-]{0,63}){0,3}")
Label = Annotated[str, Field(pattern=rf"^{LABEL.pattern}$")]
"""What a checkpoint is called: a revision, a tag, a branch such as refs/pr/3."""


class Settings(BaseModel):
    """Base of all settings: frozen, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def changed(self, *leave_out: str) -> dict[str, Any]:
        """The settings that differ from their defaults, without the fields ``leave_out``: what ids and file names hash.

        So a new key with its default leaves every id as it was. The rule that comes with it: who changes a default makes
        the same ids mean something else, and must bump ``NUMERICS`` (core/ids.py).
        """
        return self.model_dump(exclude_defaults=True, exclude=set(leave_out))


Recipe = Literal["multitask", "modadd", "parity", "cue"]


class TrainedSource(Settings):
    """A toy model trained here by a recipe; the run is deterministic by seed and resumes. ``held_out``: share of the recipe's held-out task's cases kept from training."""

    kind: Literal["trained"]
    recipe: Recipe
    seed: int = 0
    config: dict[str, Any] = Field(default_factory=dict)
    held_out: float = Field(default=0.0, ge=0.0, lt=1.0)
    checkpoints: tuple[int, ...]

    @model_validator(mode="after")
    def _steps_rise(self) -> "TrainedSource":
        if not self.checkpoints or list(self.checkpoints) != sorted(set(self.checkpoints)) or self.checkpoints[0] < 0:
            raise ValueError("checkpoints must be rising steps, each ≥ 0")
        return self


class NativeSource(Settings):
    """Weights in TransformerLens names (safetensors) with TransformerBridgeConfig fields; checkpoint label → file beside the study."""

    kind: Literal["native"]
    config: dict[str, Any]
    checkpoints: dict[Label, str] = Field(min_length=1)


class HfSource(Settings):
    """Hugging Face checkpoints: a hub ``name`` with ``revisions``, or a local ``path`` with ``checkpoint-*`` folders (or a single model folder)."""

    kind: Literal["hf"]
    name: str | None = None
    path: str | None = None
    revisions: tuple[Label, ...] = ()

    @model_validator(mode="after")
    def _name_or_path(self) -> "HfSource":
        if (self.name is None) == (self.path is None):
            raise ValueError("give either name (with revisions) or path")
        return self


class StitchedPart(Settings):
    """One trained model inside a stitched one; the fields of a trained source."""

    recipe: Recipe
    seed: int = 0
    config: dict[str, Any] = Field(default_factory=dict)
    held_out: float = Field(default=0.0, ge=0.0, lt=1.0)


class StitchedSource(Settings):
    """Several trained models side by side in one, block by block: what its modules are is known, as no weight joins them (models/stitched.py).

    Part i has tokens of its own: its token t is t + the sizes of the vocabularies before it (prompts: ``shift``). ``seed``: heads and
    neurons of every layer stand in an order that it draws, as in a model that was trained whole; without it part after part.
    """

    kind: Literal["stitched"]
    parts: tuple[StitchedPart, ...] = Field(min_length=2)
    checkpoints: tuple[int, ...]
    seed: int | None = None

    @model_validator(mode="after")
    def _parts_train(self) -> "StitchedSource":
        self.trained()
        return self

    def trained(self) -> tuple[TrainedSource, ...]:
        """The parts as sources of their own."""
        return tuple(TrainedSource(kind="trained", **part.model_dump(), checkpoints=self.checkpoints) for part in self.parts)


Source = Annotated[TrainedSource | StitchedSource | NativeSource | HfSource, Field(discriminator="kind")]


class ModelSettings(Settings):
    """One model of the study; ``reference`` is the checkpoint label whose ROIs are the common node set (default: the last)."""

    name: Name
    source: Source
    tasks: tuple[str, ...] = ()
    reference: str | int | None = None


class GeneratedPrompts(Settings):
    """Prompts drawn by a recipe until each split has ``n`` pairs or the space is used up; ``shift`` is added to every token (a part of a stitched model).

    ``cases``: all, or only those that a model trained with the same ``held_out`` share has seen (``trained``) or has not (``held_out``).
    """

    kind: Literal["generated"]
    recipe: str
    shift: int = Field(default=0, ge=0)
    held_out: float = Field(default=0.0, ge=0.0, lt=1.0)
    cases: Literal["all", "trained", "held_out"] = "all"
    n: int = Field(default=256, ge=1)
    seed: int = 0

    @model_validator(mode="after")
    def _cases_are_held_out(self) -> "GeneratedPrompts":
        if self.cases != "all" and not self.held_out:
            raise ValueError(f"cases: {self.cases} needs held_out, the share that the model's source keeps from training")
        return self


class FilePrompts(Settings):
    """Prompts from a JSONL or CSV file beside the study; ``n`` counts per split."""

    kind: Literal["file"]
    path: str
    n: int | None = Field(default=None, ge=1)


BUILT_IN_METRICS = ("logit_difference", "log_probability", "logit_minus_mean_rest", "margin")
NOT_FOR_EDGES = {
    "kl": "the gradient of KL is zero at the clean run, so every edge would start at 0; circuits and interventions report it beside any metric",
    "accuracy": "accuracy is a step, whose gradient is zero almost everywhere; margin is positive where accuracy counts",
}
"""Metrics that are measured but cannot score edges, and why."""


def metric_entry_points() -> dict[str, str]:
    """Metrics of installed packages: entry-point name of the group ``roicg.metrics`` → module:function."""
    return {point.name: point.value for point in entry_points(group="roicg.metrics")}


def _known_metric(name: str) -> str:
    if name in NOT_FOR_EDGES:
        raise ValueError(f"{NOT_FOR_EDGES[name]}; choose one of {', '.join(BUILT_IN_METRICS)}")
    if name not in BUILT_IN_METRICS and not OWN_METRIC.fullmatch(name) and name not in metric_entry_points():
        known = sorted({*BUILT_IN_METRICS, *metric_entry_points()})
        raise ValueError(f"no such metric{did_you_mean(name, known)} (known: {', '.join(known)}, or module:function of a file beside the study)")
    return name


class TaskSettings(Settings):
    """One task: its prompts and the metric that scores it, by name or as a user's ``module:function``."""

    name: Name
    prompts: Annotated[GeneratedPrompts | FilePrompts, Field(discriminator="kind")]
    metric: Annotated[str, AfterValidator(_known_metric)] = "logit_difference"


def _known_level(value: Any) -> Any:
    if value in ("auto", "fine") or (isinstance(value, int) and not isinstance(value, bool) and value >= 2):
        return value
    raise ValueError("must be auto, fine, or how many groups a site has, a whole number of at least 2")


class RoiSettings(Settings):
    """How ROIs are found: defaults from five trained models (see rois/partition.py).

    ``signature``: what features are compared by, their activations, or their node scores on path ``inputs`` (5 points; of
    every metric, so at least 4,096 examples are needed to be steady). ``level``: how many groups a site has: ``auto`` by
    eigengap, ``fine`` the most that halves of the prompts still agree on, or a number for every clustered site.
    """

    method: str = "agglomerative"
    signature: Literal["activation", "attribution"] = "activation"
    level: Annotated[Literal["auto", "fine"] | int, PlainValidator(_known_level)] = "auto"
    min_features: int = Field(default=16, ge=2)
    null_draws: int = Field(default=20, ge=2)
    seed: int = 0


class AttributionSettings(Settings):
    """The path of the edges, its quadrature, and when to take more steps.

    ``fallback: exact``: port groups that stay incomplete or saturated are patched edge by edge. ``group_effects``: whether
    every group's effect is measured (one suffix pass each); by default where something is checked against it, that is on
    ``ports`` and ``exact`` and wherever there is a fallback.
    """

    path: Literal["ports", "inputs", "clean", "exact"] = "ports"
    rule: Literal["gauss-legendre", "midpoint", "left", "right"] = "gauss-legendre"
    steps: int = Field(default=5, ge=1, le=64)
    max_steps: int = Field(default=40, ge=1, le=512)
    tolerance: float = Field(default=0.01, gt=0)
    fallback: Literal["none", "exact"] = "none"
    group_effects: bool | None = None
    dtype: Literal["bfloat16", "float32", "float64"] = "float32"
    batch_size: int = Field(default=256, ge=1)
    positions: Literal["sum", "split"] = "sum"

    @property
    def measures_group_effects(self) -> bool:
        """Whether the effect of every port group is measured."""
        if self.group_effects is None:
            return self.path in ("ports", "exact") or self.fallback == "exact"
        return self.group_effects

    @model_validator(mode="after")
    def _checks_have_effects(self) -> "AttributionSettings":
        if self.group_effects is False and (self.path == "ports" or self.fallback == "exact"):
            raise ValueError("group_effects: false leaves nothing to check the edges against; path ports and fallback exact need them")
        return self


Selection = Literal["weight", "random", "connected", "greedy", "nodes", "magnitude", "clean", "inputs", "exact"]


class CircuitSettings(Settings):
    """Sizes at which circuits are run, as fractions of all edges (MIB's ten, and tenths so that "at φ ≥ .9" is a tenth and not a half off); the selections that are compared, and the draws of the random-edge control.

    ``greedy`` (backward elimination) costs about 10·E circuit runs for E edges.
    ``clean`` (EAP), ``inputs`` (EAP-IG, 5 steps) and ``exact`` rank the same edges by another path, which is then attributed too.
    ``partitions``: whose graphs get curves, of those the study has.
    """

    fractions: tuple[float, ...] = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    selections: tuple[Selection, ...] = Field(default=("weight", "random", "nodes", "magnitude"), min_length=1)
    partitions: tuple[PartitionKind, ...] = ("own", "components")
    random_draws: int = Field(default=5, ge=1)
    bootstrap: int = Field(default=200, ge=20)

    @model_validator(mode="after")
    def _selections_differ(self) -> "CircuitSettings":
        if len(set(self.selections)) != len(self.selections):
            raise ValueError("a selection is named twice; name each once")
        return self


class AnalysisSettings(Settings):
    """Communities and roles: Leiden resolution and the draws of each of their two nulls.

    ``roles``: whether ROIs are divided by alike profiles too (communities are what is joined among itself).
    """

    gamma: float = Field(default=1.0, gt=0)
    roles: bool = True
    null_samples: int = Field(default=100, ge=10)
    seed: int = 0


class FindingSettings(Settings):
    """Questions asked beyond the graphs (``ask``: names of :mod:`roicg.findings`), and what their controls are made of.

    ``draws``: random draws of every permutation null (science.md §7 asks for 40 × the tests of a table, at least 999).
    """

    ask: tuple[str, ...] = ()
    draws: int = Field(default=999, ge=19)
    seed: int = 0


class Study(Settings):
    """A whole study; ``folder`` (set by :func:`load_study`) is what relative paths start from."""

    study: Name
    models: tuple[ModelSettings, ...] = Field(min_length=1)
    tasks: tuple[TaskSettings, ...] = Field(min_length=1)
    rois: RoiSettings = RoiSettings()
    partitions: tuple[PartitionKind, ...] = ("own", "reference", "components", "random")
    attribution: AttributionSettings = AttributionSettings()
    circuits: CircuitSettings = CircuitSettings()
    analysis: AnalysisSettings = AnalysisSettings()
    findings: FindingSettings = FindingSettings()
    folder: Path = Field(default=Path("."), exclude=True)

    @model_validator(mode="after")
    def _names_fit(self) -> "Study":
        tasks = [task.name for task in self.tasks]
        for kind, names in (("task", tasks), ("model", [model.name for model in self.models])):
            for name in {name for name in names if names.count(name) > 1}:
                raise ValueError(f"two {kind}s are named {name!r}")
        for model in self.models:
            if not model.tasks and len(self.models) > 1:
                raise ValueError(f"model {model.name!r}: tasks is required as soon as there is more than one model")
            for task in model.tasks:
                if task not in tasks:
                    raise ValueError(f"model {model.name!r} names the unknown task {task!r}{did_you_mean(task, tasks)}")
        return self

    def model(self, name: str) -> ModelSettings:
        """Settings of the model ``name``; unknown names are a ``StudyError`` with the known ones."""
        for model in self.models:
            if model.name == name:
                return model
        known = [model.name for model in self.models]
        raise StudyError(f"no model {name!r} in study {self.study!r}; it has {', '.join(known)}{did_you_mean(name, known)}")

    def tasks_of(self, model: ModelSettings) -> tuple[TaskSettings, ...]:
        """The tasks this model is asked, in the study's order."""
        return tuple(task for task in self.tasks if not model.tasks or task.name in model.tasks)
