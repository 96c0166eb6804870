"""The asset graph of one study: per checkpoint from weights to a published, analysed graph; per study comparison and report."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from dagster import AssetExecutionContext, AssetsDefinition, Backoff, MaterializeResult, RetryPolicy, asset

from roicg import stages
from roicg.core.ids import NUMERICS
from roicg.core.settings import Study
from roicg.findings import stage as findings

from . import summary
from .answered import told
from .arrivals import asked
from .names import asset_key
from .outcome import materialize
from .partitions import checkpoints_of
from .resources import GraphStoreResource, HomeResource
from .study_files import identifier

ACCELERATOR, NEO4J_WRITE = "accelerator", "neo4j_write"
RETRY = RetryPolicy(max_retries=5, delay=2, backoff=Backoff.EXPONENTIAL)
"""After 2, 4, … 32 seconds, a minute in all: a database that is started anew takes 10 to 40."""


def study_assets(study: Study, on_accelerator: Mapping[str, Any] | None = None) -> list[AssetsDefinition]:
    """The assets of one study, in one group: :func:`.names.per_checkpoint` ones partitioned by checkpoint, :func:`.names.per_study` ones not.

    ``on_accelerator``: tags of the steps in the pool ``accelerator``, by which an executor gives them their GPU (:mod:`.executors`).
    """
    asked = _finding_assets(study) if study.findings.ask else []
    return [*_model_assets(study, dict(on_accelerator or {})), *_store_assets(study), *asked, *_summary_assets(study)]


def _asset(study: Study, *upstream: str, **options: Any) -> Callable[[Callable[..., MaterializeResult[Any]]], AssetsDefinition]:
    """Dagster's decorator with what all assets of a study share."""
    name = identifier(study)
    deps = [asset_key(study, each) for each in upstream]
    made: Any = asset(key_prefix=[name], group_name=name, deps=deps, code_version=str(NUMERICS), tags={"study": name}, **options)
    return cast("Callable[[Callable[..., MaterializeResult[Any]]], AssetsDefinition]", made)


def _model_assets(study: Study, on_accelerator: Mapping[str, Any]) -> list[AssetsDefinition]:
    partitions = checkpoints_of(study)
    accelerated: dict[str, Any] = {"partitions_def": partitions, "pool": ACCELERATOR, "op_tags": on_accelerator}

    @_asset(study, **accelerated, kinds={"pytorch", "transformer"})
    def checkpoint(context: AssetExecutionContext, home: HomeResource) -> MaterializeResult[Any]:
        """The weights, loaded or trained up to this step, and the accuracy on every task."""
        place = home.place(study, context.partition_key)
        question = asked(study, place.model, place.label)  # before the files are read
        return materialize(stages.open_stage, place, home.progress, model=place.model, label=place.label, asked=question)

    @_asset(study, "checkpoint", **accelerated, kinds={"pytorch", "safetensors"})
    def signatures(context: AssetExecutionContext, home: HomeResource) -> MaterializeResult[Any]:
        """What every feature does on split `rois`: the rows that ROIs are found from."""
        return materialize(stages.signature_stage, home.place(study, context.partition_key))

    @_asset(study, "signatures", partitions_def=partitions, kinds={"scikitlearn", "json"})
    def roi_partition(context: AssetExecutionContext, home: HomeResource) -> MaterializeResult[Any]:
        """The checkpoint's own ROIs with their quality against two nulls."""
        return materialize(stages.partition_stage, home.place(study, context.partition_key))

    @_asset(study, "roi_partition", **accelerated, kinds={"pytorch", "safetensors"})
    def edge_attribution(context: AssetExecutionContext, home: HomeResource) -> MaterializeResult[Any]:
        """Integrated-gradient edges of every task under every partition, from one gradient pass."""
        return materialize(stages.edge_stage, home.place(study, context.partition_key), home.progress)

    return [checkpoint, signatures, roi_partition, edge_attribution]


def _store_assets(study: Study) -> list[AssetsDefinition]:
    shared: dict[str, Any] = {"partitions_def": checkpoints_of(study), "pool": NEO4J_WRITE, "kinds": {"neo4j"}, "retry_policy": RETRY}

    @_asset(study, "edge_attribution", **shared)
    def graph_version(context: AssetExecutionContext, home: HomeResource, graphs: GraphStoreResource) -> MaterializeResult[Any]:
        """The graph of every partition, published in Neo4j whole or not at all."""
        with graphs.nothing_staged() as store:
            return materialize(stages.publish_stage, home.place(study, context.partition_key), store)

    @_asset(study, "graph_version", **shared)
    def analyses(context: AssetExecutionContext, home: HomeResource, graphs: GraphStoreResource) -> MaterializeResult[Any]:
        """Faithfulness curves beside random edges, and communities beside their null, added to the published graphs."""
        place = home.place(study, context.partition_key)
        return materialize(stages.analysis_stage, place, graphs.store(), question=stages.question_id(place), asked=_asked(context, study))

    return [graph_version, analyses]


def _asked(context: AssetExecutionContext, study: Study) -> str | None:
    """What the opened checkpoint was asked, for the sensor to compare with: files that changed since then are another question."""
    return told(context.instance, study, "checkpoint", context.partition_key, "asked")


def _finding_assets(study: Study) -> list[AssetsDefinition]:
    shared: dict[str, Any] = {"pool": NEO4J_WRITE, "kinds": {"neo4j", "json"}, "retry_policy": RETRY}

    @_asset(study, "analyses", partitions_def=checkpoints_of(study), **shared)
    def measured(context: AssetExecutionContext, home: HomeResource, graphs: GraphStoreResource) -> MaterializeResult[Any]:
        """The rows of every finding that the study asks for, at this checkpoint."""
        place = home.place(study, context.partition_key)
        return materialize(findings.finding_stage, place, graphs.store(), question=findings.question_id(place), asked=_asked(context, study))

    @_asset(study, "measured", **shared)
    def told(home: HomeResource, graphs: GraphStoreResource) -> MaterializeResult[Any]:
        """The tables of every finding, beside the study in Neo4j and, with their rows, in one file."""
        return materialize(findings.tell, study, home.path(), graphs.store(), home.device)

    return [measured, told]


def _summary_assets(study: Study) -> list[AssetsDefinition]:
    shared: dict[str, Any] = {"kinds": {"neo4j"}, "retry_policy": RETRY}
    told = ("told",) if study.findings.ask else ()

    @_asset(study, "analyses", pool=NEO4J_WRITE, **shared)
    def comparison(home: HomeResource, graphs: GraphStoreResource) -> MaterializeResult[Any]:
        """ROI matches between consecutive checkpoints of every model."""
        return materialize(summary.compare, study, home.path(), graphs.store(), home.device)

    @_asset(study, "comparison", "analyses", *told, **shared)
    def report(home: HomeResource, graphs: GraphStoreResource) -> MaterializeResult[Any]:
        """One self-contained HTML file about the study."""
        return materialize(summary.report, study, home.path(), graphs.store())

    return [comparison, report]
