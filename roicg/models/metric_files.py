"""Where a metric that is not roicg's own lies, and the key that names it by content. Imports nothing of the user's and no torch.

``my_metrics:margin`` is the function ``margin`` of ``my_metrics.py`` beside the study, or of the installed module
``my_metrics``; a bare name is an entry point of the group ``roicg.metrics``. The key is the name with the digest of the
module's file, ``my_metrics:margin@3f2a9c…``: an edited metric is another question, and gives another graph id. What the
file itself imports is not part of the digest.
"""

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from roicg.core.errors import StudyError
from roicg.core.settings import BUILT_IN_METRICS, metric_entry_points


@dataclass(frozen=True, slots=True)
class MetricFile:
    """A metric's function and the file it is written in; ``beside``: it lies beside the study and is loaded by its path."""

    name: str
    module: str
    function: str
    path: Path
    beside: bool

    @property
    def digest(self) -> str:
        """The first 16 hex digits of the sha256 of the file's bytes."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()[:16]

    @property
    def key(self) -> str:
        """The name that tasks and graph ids carry."""
        return f"{self.name}@{self.digest}"


def metric_file(name: str, folder: Path) -> MetricFile | None:
    """The file of the metric ``name`` of a study in ``folder``; None for roicg's own; ``StudyError`` where there is none."""
    if name in BUILT_IN_METRICS:
        return None
    target = name if ":" in name else metric_entry_points().get(name, "")
    module, _, function = target.partition(":")
    if not function:
        raise StudyError(f"no metric {name!r}; known: {', '.join(sorted({*BUILT_IN_METRICS, *metric_entry_points()}))}, or module:function")
    beside = folder.joinpath(*module.split(".")).with_suffix(".py")
    if ":" in name and beside.is_file():
        return MetricFile(name, module, function, beside.resolve(), beside=True)
    try:
        found = find_spec(module)
    except (ImportError, ValueError):
        found = None
    if found is None or found.origin is None or not Path(found.origin).is_file():
        raise StudyError(f"metric {name!r}: there is no module {module!r}, neither {beside} nor installed; put the file beside the study")
    return MetricFile(name, module, function, Path(found.origin), beside=False)
