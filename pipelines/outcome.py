"""From what a stage returns or raises to what Dagster shows: figures as metadata, one sentence as failure."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from dagster import AssetCheckResult, AssetCheckSeverity, Failure, MaterializeResult, MetadataValue

from roicg.core.errors import LawError, RoicgError, StoreUnreachable
from roicg.models.memory import peak_memory

EXIT_CODE = "exit_code"


def materialize(stage: Callable[..., Mapping[str, Any]], *given: Any, **more: Any) -> MaterializeResult[Any]:
    """Run one stage; its figures become metadata, plotted per partition where they are numbers, ``peak_memory_mib`` among them.

    A ``RoicgError`` becomes a ``Failure`` with its sentence and exit code that is not tried again; only a database that does not
    answer is left to the retry policy.
    """
    try:
        with peak_memory() as peak:
            figures = stage(*given)
    except StoreUnreachable:
        raise
    except RoicgError as error:
        raise Failure(str(error), metadata={EXIT_CODE: error.exit_code}, allow_retries=False) from error
    return MaterializeResult(
        metadata={name: metadata_value(value) for name, value in {**figures, **more, "peak_memory_mib": peak.mib}.items() if value is not None}
    )


def judge(breaches: Callable[[], list[str]], severity: AssetCheckSeverity) -> AssetCheckResult:
    """Passed when ``breaches`` finds none; a value so broken that it cannot even be read is a breach."""
    try:
        found = breaches()
    except LawError as error:
        found = [str(error)]
    said = "; ".join(found[:3]) + (f"; and {len(found) - 3} more" if len(found) > 3 else "")
    return AssetCheckResult(passed=not found, severity=severity, description=said or "holds", metadata={"breaches": len(found)})


def metadata_value(value: Any) -> Any:
    """Whole numbers and finite floats stay numbers; truth values and texts are shown as they are."""
    if isinstance(value, bool):
        return MetadataValue.bool(value)
    if isinstance(value, int):
        return MetadataValue.int(value)
    if isinstance(value, float) and math.isfinite(value):
        return MetadataValue.float(value)
    return MetadataValue.text(str(value))
