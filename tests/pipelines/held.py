"""``python -m tests.pipelines.held run STUDY``: the project's own command, in which runs wait at a point while a file tells them to.

The files are in ``$ROICG_HOME/hold``: ``publish`` (a graph is half loaded) and ``analyses`` (a projection is open). A run that
waits there says so by ``<point>.reached``. Nothing else is changed, but that a batch of the load has five rows.
"""

import functools
import os
import sys
import time
from pathlib import Path
from typing import Any

from pipelines.__main__ import main
from roicg.store.neo4j import divisions, store
from roicg.store.neo4j.publish import PublishRules

_communities = divisions._communities


def _wait(point: str) -> None:
    asked = Path(os.environ["ROICG_HOME"]) / "hold" / point
    while asked.exists():
        asked.with_suffix(".reached").touch()
        time.sleep(0.05)


def _held_communities(*given: Any) -> Any:
    _wait("analyses")
    return _communities(*given)


if __name__ == "__main__":
    if (Path(os.environ["ROICG_HOME"]) / "hold" / "publish").exists():
        store.PublishRules = functools.partial(PublishRules, batch=5, on_batch=lambda rows: _wait("publish") if rows >= 10 else None)  # type: ignore[assignment,misc]
    divisions._communities = _held_communities
    sys.exit(main())
