"""``roicg ui``: the database and Dagster's pages as long as this command runs."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from types import FrameType

from roicg.cli.console import say, stdout
from roicg.cli.pages import open_pages, write_guide
from roicg.core.errors import RoicgError
from roicg.server.address import database_address
from roicg.server.home import home

from .instance import dagster_home, open_instance, workspace_file
from .leftovers import close_leftovers

START_S, STOP_S = 120, 15


def serve(port: int) -> int:
    """Show the pages on ``port`` until Ctrl-C or SIGTERM; the exit code."""
    _refuse_taken(port)
    address = database_address()
    folder, workspace = dagster_home(), workspace_file()
    with open_instance() as instance:
        close_leftovers(instance)
    words = ["dev", "-w", str(workspace), "-h", "127.0.0.1", "-p", str(port)]
    environment = {**os.environ, "DAGSTER_HOME": str(folder), "ROICG_HOME": str(home())}
    for number in (signal.SIGTERM, signal.SIGINT):  # the latter is ignored in what a script starts in its background
        signal.signal(number, _interrupt)
    with (folder / "ui.log").open("w") as log:
        pages = subprocess.Popen([sys.executable, "-m", "dagster", *words], stdout=log, stderr=log, env=environment, cwd=folder, start_new_session=True)
        try:
            _wait(pages, port, log.name)
            _say_where(port, address.source)
            return pages.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            _stop(pages)


def _say_where(port: int, source: str) -> None:
    out = stdout()
    dagster = f"http://127.0.0.1:{port}"
    pages = [dagster]
    out.print(f"Dagster        {dagster}")
    if source == "embedded":
        from roicg.server.embedded import status

        server = status(home())
        out.print(f"Neo4j Browser  {server.browser_uri} (user neo4j, password in {server.password_file})")
        if server.browser_uri is not None:
            if (guide := write_guide(server.browser_uri)) is not None:
                out.print(f"               ten questions to begin with, colours and saved queries: {guide}")
                pages.append(guide.as_uri())
            pages.append(server.browser_uri)
    open_pages(*pages)
    say("Ctrl-C ends Dagster's pages; the database goes on until `roicg db stop`")


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise RoicgError(f"port {port} cannot be used ({error.strerror}); choose another one: roicg ui --port {port + 1}") from error


def _wait(pages: "subprocess.Popen[bytes]", port: int, log: str) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if pages.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise RoicgError(f"Dagster's pages did not come up within {START_S} s; its words are in {log}")


def _stop(pages: "subprocess.Popen[bytes]") -> None:
    """End the whole process group: Dagster's own processes outlive their parent for a moment otherwise."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(pages.pid, number)
        except ProcessLookupError:
            break
        deadline = time.monotonic() + STOP_S
        while _alive(pages) and time.monotonic() < deadline:
            time.sleep(0.1)
    pages.wait()


def _alive(pages: "subprocess.Popen[bytes]") -> bool:
    pages.poll()
    try:
        os.killpg(pages.pid, 0)
    except ProcessLookupError:
        return False
    return True


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
