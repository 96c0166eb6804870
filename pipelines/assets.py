"""The asset graph of one study: per checkpoint from weights to a published, analysed graph; per study comparison and report."""

from collections.abc import Callable
from typing import Any, cast

from dagster import AssetExecutionContext, AssetKey, AssetsDefinition, Backoff, MaterializeResult, RetryPolicy, asset

from roicg import stages
from roicg.core.ids import NUMERICS
from roicg.core.settings import Study
from roicg.findings import stage as findings

from . import summary
from .outcome import materialize
from .partitions import checkpoints_of
from .resources import GraphStoreResource, HomeResource
from .study_files import identifier

PER_CHECKPOINT = ("checkpoint", "signatures", "roi_partition", "edge_attribution", "graph_version", "analyses", "measured")
PER_STUDY = ("comparison", "told", "report")
OF_FINDINGS = ("measured", "told")
"""Assets that a study has only if it asks for findings."""
ACCELERATOR, NEO4J_WRITE = "accelerator", "neo4j_write"
RETRY = RetryPolicy(max_retries=3, delay=2, backoff=Backoff.EXPONENTIAL)


def asset_key(study: Study, name: str) -> AssetKey:
    """Key of the study's asset ``name``."""
    return AssetKey([identifier(study), name])


def per_checkpoint(study: Study) -> tuple[str, ...]:
    """Assets that are made for every checkpoint, in their order."""
    return tuple(name for name in PER_CHECKPOINT if study.findings.ask or name not in OF_FINDINGS)


def per_study(study: Study) -> tuple[str, ...]:
    """Assets that are made once, in their order."""
    return tuple(name for name in PER_STUDY if study.findings.ask or name not in OF_FINDINGS)


def study_assets(study: Study) -> list[AssetsDefinition]:
    """The assets of one study, in one group: :func:`per_checkpoint` ones partitioned by checkpoint, :func:`per_study` ones not."""
    asked = _finding_assets(study) if study.findings.ask else []
    return [*_model_assets(study), *_store_assets(study), *asked, *_summary_assets(study)]


def _asset(study: Study, *upstream: str, **options: Any) -> Callable[[Callable[..., MaterializeResult[Any]]], AssetsDefinition]:
    """Dagster's decorator with what all assets of a study share."""
    name = identifier(study)
    deps = [asset_key(study, each) for each in upstream]
    made: Any = asset(key_prefix=[name], group_name=name, deps=deps, code_version=str(NUMERICS), tags={"study": name}, **options)
    return cast("Callable[[Callable[..., MaterializeResult[Any]]], AssetsDefinition]", made)


def _model_assets(study: Study) -> list[AssetsDefinition]:
    partitions = checkpoints_of(study)

    @_asset(study, partitions_def=partitions, pool=ACCELERATOR, kinds={"pytorch", "transformer"})
    def checkpoint(context: AssetExecutionContext, home: HomeResource) -> MaterializeResult[Any]:
        """The weights, loaded or trained up to this step, and the accuracy on every task."""
        place = home.place(study, context.partition_key)
        return materialize(stages.open_stage, place, home.progress, model=place.model, label=place.label)

    @_asset(study, "checkpoint", partitions_def=partitions, pool=ACCELERATOR, kinds={"pytorch", "safetensors"})
    def signatures(context: AssetExecutionContext, home: HomeResource) -> MaterializeResult[Any]:
        """What every feature does on split `rois`: the rows that ROIs are found from."""
        return materialize(stages.signature_stage, home.place(study, context.partition_key))

    @_asset(study, "signatures", partitions_def=partitions, kinds={"scikitlearn", "json"})
    def roi_partition(context: AssetExecutionContext, home: HomeResource) -> MaterializeResult[Any]:
        """The checkpoint's own ROIs with their quality against two nulls."""
        return materialize(stages.partition_stage, home.place(study, context.partition_key))

    @_asset(study, "roi_partition", partitions_def=partitions, pool=ACCELERATOR, kinds={"pytorch", "safetensors"})
    def edge_attribution(context: AssetExecutionContext, home: HomeResource) -> MaterializeResult[Any]:
        """Integrated-gradient edges of every task under every partition, from one gradient pass."""
        return materialize(stages.edge_stage, home.place(study, context.partition_key), home.progress)

    return [checkpoint, signatures, roi_partition, edge_attribution]


def _store_assets(study: Study) -> list[AssetsDefinition]:
    shared: dict[str, Any] = {"partitions_def": checkpoints_of(study), "pool": NEO4J_WRITE, "kinds": {"neo4j"}, "retry_policy": RETRY}

    @_asset(study, "edge_attribution", **shared)
    def graph_version(context: AssetExecutionContext, home: HomeResource, graphs: GraphStoreResource) -> MaterializeResult[Any]:
        """The graph of every partition, published in Neo4j whole or not at all."""
        return materialize(stages.publish_stage, home.place(study, context.partition_key), graphs.store())

    @_asset(study, "graph_version", **shared)
    def analyses(context: AssetExecutionContext, home: HomeResource, graphs: GraphStoreResource) -> MaterializeResult[Any]:
        """Faithfulness curves beside random edges, and communities beside their null, added to the published graphs."""
        place = home.place(study, context.partition_key)
        return materialize(stages.analysis_stage, place, graphs.store(), question=stages.question_id(place))

    return [graph_version, analyses]


def _finding_assets(study: Study) -> list[AssetsDefinition]:
    shared: dict[str, Any] = {"pool": NEO4J_WRITE, "kinds": {"neo4j", "json"}, "retry_policy": RETRY}

    @_asset(study, "analyses", partitions_def=checkpoints_of(study), **shared)
    def measured(context: AssetExecutionContext, home: HomeResource, graphs: GraphStoreResource) -> MaterializeResult[Any]:
        """The rows of every finding that the study asks for, at this checkpoint."""
        place = home.place(study, context.partition_key)
        return materialize(findings.finding_stage, place, graphs.store(), question=findings.question_id(place))

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
