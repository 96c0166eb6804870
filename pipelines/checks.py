"""The laws as asset checks: blocking where a value is wrong, warnings where it supports no claim."""

import warnings

from dagster import AssetCheckExecutionContext, AssetCheckResult, AssetChecksDefinition, AssetCheckSeverity, asset_check
from dagster._utils.warnings import PreviewWarning

from roicg import laws, stages
from roicg.core.settings import Study

from .names import asset_key
from .outcome import judge
from .partitions import checkpoints_of
from .resources import GraphStoreResource, HomeResource

BLOCKING = ("finite", "books_balance", "read_back")
WARNINGS = ("gaps", "above_null", "solved")


def study_checks(study: Study) -> list[AssetChecksDefinition]:
    """The checks of one study's assets."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PreviewWarning)  # partitioned checks are a preview in the pinned Dagster, and tested here
        return [*_blocking_checks(study), *_warning_checks(study)]


def _blocking_checks(study: Study) -> list[AssetChecksDefinition]:
    partitions, edges, published = checkpoints_of(study), asset_key(study, "edge_attribution"), asset_key(study, "graph_version")

    @asset_check(asset=edges, blocking=True, partitions_def=partitions)
    def finite(context: AssetCheckExecutionContext, home: HomeResource) -> AssetCheckResult:
        """Every weight, error, effect and gap is a finite number."""
        place = home.place(study, context.partition_key)
        return judge(lambda: [breach for graph in stages.graphs_of(place).values() for breach in laws.not_finite(graph)], AssetCheckSeverity.ERROR)

    @asset_check(asset=edges, blocking=True, partitions_def=partitions)
    def books_balance(context: AssetCheckExecutionContext, home: HomeResource) -> AssetCheckResult:
        """At every port group and task the edges and the gap add up to the effect."""
        place = home.place(study, context.partition_key)
        return judge(lambda: [breach for graph in stages.graphs_of(place).values() for breach in laws.unbalanced(graph)], AssetCheckSeverity.ERROR)

    @asset_check(asset=published, blocking=True, partitions_def=partitions)
    def read_back(context: AssetCheckExecutionContext, home: HomeResource, graphs: GraphStoreResource) -> AssetCheckResult:
        """What the database holds is what was computed, to the last bit."""
        place, store = home.place(study, context.partition_key), graphs.store()
        mine = stages.graphs_of(place).values()
        return judge(lambda: [breach for graph in mine for breach in laws.not_read_back(graph, store.get(graph.id))], AssetCheckSeverity.ERROR)

    return [finite, books_balance, read_back]


def _warning_checks(study: Study) -> list[AssetChecksDefinition]:
    partitions, edges = checkpoints_of(study), asset_key(study, "edge_attribution")

    @asset_check(asset=edges, partitions_def=partitions)
    def gaps(context: AssetCheckExecutionContext, home: HomeResource) -> AssetCheckResult:
        """Every port group is complete: its gap is within the tolerance."""
        place = home.place(study, context.partition_key)
        return judge(lambda: laws.wide_gaps(next(iter(stages.graphs_of(place).values()))), AssetCheckSeverity.WARN)

    @asset_check(asset=asset_key(study, "roi_partition"), partitions_def=partitions)
    def above_null(context: AssetCheckExecutionContext, home: HomeResource) -> AssetCheckResult:
        """The ROIs of every clustered site stand above both nulls."""
        place = home.place(study, context.partition_key)
        return judge(lambda: laws.at_null(stages.own_rois(place)), AssetCheckSeverity.WARN)

    @asset_check(asset=edges, partitions_def=partitions)
    def solved(context: AssetCheckExecutionContext, home: HomeResource) -> AssetCheckResult:
        """The checkpoint solves every task: else its graphs are shown, and support no claim."""
        place = home.place(study, context.partition_key)
        return judge(lambda: laws.unsolved(next(iter(stages.graphs_of(place).values())).scores), AssetCheckSeverity.WARN)

    return [gaps, above_null, solved]
