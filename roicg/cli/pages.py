"""The pages that ``roicg ui`` offers beside Dagster's: the guide to Neo4j Browser, opened where there is a desktop."""

import os
import sys
import webbrowser
from pathlib import Path

from roicg.cli.console import say
from roicg.core.errors import RoicgError


def write_guide(browser: str) -> Path | None:
    """Write guide, style and saved queries for Neo4j Browser at ``browser`` into the home's folder ``browser``; None, with the reason said, where that fails."""
    from roicg.report.guide import browser_files
    from roicg.server.home import home
    from roicg.store.connect import connect

    try:
        with connect() as store:
            return browser_files(home() / "browser", browser, store)
    except (RoicgError, OSError) as error:
        say(f"no guide to Neo4j Browser: {error}")
        return None


def has_desktop() -> bool:
    """Whether a person sits at a desktop here: stdout is a terminal, and on Linux a display is named."""
    shown = sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return shown and sys.stdout.isatty()


def open_pages(*addresses: str) -> bool:
    """Open the addresses in the person's web browser; False where there is no desktop or none that opens them."""
    if not has_desktop():
        return False
    opened = [webbrowser.open(address) for address in addresses]
    return all(opened)
