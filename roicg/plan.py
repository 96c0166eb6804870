"""What a study would cost, from its file alone: no weights are read and no database is opened.

1. Sites follow from the model's config (a Hugging Face model's config is not read: its figures stay empty).
2. Passes: per checkpoint, task and point of the path one forward and backward pass of all pairs; path ``ports`` once per port group.
3. Rows: edges × tasks, summed over partitions, with ``GUESSED_ROIS`` ROIs per MLP, since ROIs are not known before they are found.
4. Minutes: passes × pairs × parameters at ``RATE``, plus ``FIXED_S`` per checkpoint, plus training, plus what the findings that the
   study asks for say of themselves; rough, on one core.
"""

import math
from dataclasses import dataclass
from typing import Any

from roicg.core.settings import HfSource, ModelSettings, StitchedSource, Study, TrainedSource
from roicg.core.sites import Site, is_upstream, port_groups, transformer_sites
from roicg.findings.registry import find_finding
from roicg.models.trained import training_settings

GUESSED_ROIS = 6
RATE = 2e9
"""Multiplications and additions per second that were seen in these small passes on one core, times parameters per pair."""
FIXED_S = 12.0
"""Seconds per checkpoint for what does not grow with passes: ROIs with their nulls, curves, publishing, communities."""
TRAINING_RATE, TRAINING_FIXED_S = 4e10, 0.012
"""Operations per second and seconds per step that were seen in training on one core: 2 layers of width 64, batches of 256 and 512."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one model of a study would cost; None where it is not known before the model is read."""

    model: str
    checkpoints: int
    tasks: int
    passes: int | None
    rows: int | None
    minutes: float | None


def study_cost(study: Study, checkpoints: dict[str, int]) -> tuple[Cost, ...]:
    """The cost of every model in ``checkpoints`` (model name → how many of its checkpoints would run)."""
    return tuple(_model_cost(study, study.model(name), count) for name, count in checkpoints.items())


def _model_cost(study: Study, model: ModelSettings, count: int) -> Cost:
    tasks = study.tasks_of(model)
    if isinstance(model.source, HfSource):
        return Cost(model.name, count, len(tasks), None, None, None)
    config = _config(model)
    sites = transformer_sites(config["n_layers"], config["n_heads"], config["d_mlp"])
    chosen = study.attribution
    points = {"clean": 1, "exact": GUESSED_ROIS**2}.get(chosen.path, chosen.steps)
    passes = count * len(tasks) * points * (len(port_groups(sites)) if chosen.path in ("ports", "exact") else 1)
    rows = count * len(tasks) * sum(_edges(sites, kind) for kind in study.partitions)
    pairs = sum(task.prompts.n or 256 for task in tasks) / len(tasks)
    findings = count * len(tasks) * sum(find_finding(name).seconds for name in study.findings.ask)
    seconds = passes * pairs * 6 * _parameters(config) / RATE + count * FIXED_S + _training_s(model) + findings
    return Cost(model.name, count, len(tasks), passes, rows, math.ceil(seconds / 6) / 10)


def _parameters(config: dict[str, Any]) -> int:
    """Weights of all layers."""
    return int(config["n_layers"] * config["d_model"] * (4 * config["d_model"] + 2 * config["d_mlp"]))


def _config(model: ModelSettings) -> dict[str, Any]:
    if isinstance(model.source, TrainedSource):
        return training_settings(model.source)[0]
    if isinstance(model.source, StitchedSource):
        parts = [_config(model.model_copy(update={"source": part})) for part in model.source.trained()]
        return {**parts[0], **{key: sum(part[key] for part in parts) for key in ("n_heads", "d_model", "d_mlp")}}
    assert not isinstance(model.source, HfSource)
    given = model.source.config
    return {"d_mlp": 4 * given["d_model"], **given} if not given.get("attn_only") else {**given, "d_mlp": 0}


def _training_s(model: ModelSettings) -> float:
    sources = (model.source,) if isinstance(model.source, TrainedSource) else model.source.trained() if isinstance(model.source, StitchedSource) else ()
    return sum(source.checkpoints[-1] * training_step_s(source) for source in sources)


def training_step_s(source: TrainedSource) -> float:
    """Seconds of one training step: forward and backward of every token of the batch through every parameter, and the optimizer's own."""
    config, training = training_settings(source)
    tokens = training.batch_size * int(config["n_ctx"])
    return TRAINING_FIXED_S + 6.0 * _parameters(config) * float(tokens) / TRAINING_RATE


def _edges(sites: tuple[Site, ...], kind: str) -> int:
    """Sources × targets over all port groups."""

    def rois(site: Site) -> int:
        if site.kind != "mlp" or kind == "singletons":
            return site.n_features
        return 1 if kind == "components" else min(site.n_features, GUESSED_ROIS)

    return sum(rois(group.site) * sum(rois(site) for site in sites if is_upstream(site, group.site)) for group in port_groups(sites))
