"""Run the lanes one after the other and say in a table what each ran: ``python -m tests.lanes [LANE …]``.

1. ``embedded``: every test, as ``make test`` runs them.
2. ``next``: the integration suite on the second line of Neo4j.
3. ``container``: the same in a container, through testcontainers.
4. ``uri``: a part of it on the server that ``ROICG_NEO4J_URI`` names, by default one that is started for it.
5. ``compose``: docker/compose.yaml brought up and used.
6. ``wheel``: every torch-free install from the built wheel.

A lane that this machine cannot run is skipped with its reason, or fails where ``ROICG_REQUIRE_DOCKER`` and the like say that it is
expected. It ends with 1 when a test failed, or a lane ran less of the integration suite than the embedded one without a reason
in ``excused.yaml``.

``ROICG_LANES_SECONDS`` is how long all of it may take, for a CI that ends at a fixed time: lanes after the embedded one that would take
longer than what is left are left out, a lane that does take longer is stopped, and the table says so. ``ROICG_LANES_EMBEDDED`` names the
JUnit file of a ``make test`` that just ran: the embedded lane is that run and is not run again. Where there is neither, it is said.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from math import inf, isfinite
from pathlib import Path

import yaml

from roicg.core.errors import RoicgError
from tests.lanes.engine import NoEngine, engine
from tests.lanes.outcomes import Outcomes, complaints, read_outcomes, table, together
from tests.server_fixtures import NO_SERVER, start_embedded, watched_home

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = ("ROICG_NEO4J_URI", "ROICG_NEO4J_USER", "ROICG_NEO4J_PASSWORD")
STOP_S = 60.0
EXCUSED = Path(__file__).with_name("excused.yaml")
PART = ("tests/integration/test_cli.py", "tests/integration/test_publish.py")
SUITE_FOLDER = ("tests/integration", "--ignore=tests/integration/test_measured_findings.py")
LANE_FILES = ("-o", "python_files=lane_*.py")


@dataclass(frozen=True, slots=True)
class Lane:
    """What pytest is given, about the seconds it takes on two idle cores, what the environment adds, which variable requires the lane.

    The seconds are as measured on 2026-11-29.

    ``docker``: it needs an engine. ``suite``: it runs the integration suite. ``named``: it is given an URI. ``beside``: the tests
    with that mark run in a second pytest process at the same time, on the spare server.
    """

    arguments: tuple[str, ...]
    seconds: int
    environment: Mapping[str, str] = field(default_factory=dict)
    required: str = ""
    docker: bool = False
    suite: bool = False
    named: bool = False
    beside: bool = False


LANES = {
    "embedded": Lane((), 0, {"ROICG_TEST_SERVER": "embedded"}, "ROICG_REQUIRE_NEO4J"),
    "next": Lane(SUITE_FOLDER, 240, {"ROICG_NEO4J_LINE": "next", "ROICG_TEST_SERVER": "embedded"}, "ROICG_REQUIRE_NEO4J_NEXT", suite=True, beside=True),
    "container": Lane(SUITE_FOLDER, 250, {"ROICG_TEST_SERVER": "container"}, "ROICG_REQUIRE_DOCKER", docker=True, suite=True),
    "uri": Lane(PART, 60, required="ROICG_REQUIRE_NEO4J", suite=True, named=True),
    "compose": Lane(("tests/lanes/lane_compose.py", *LANE_FILES), 400, {}, "ROICG_REQUIRE_DOCKER", docker=True),
    "wheel": Lane(("tests/lanes/lane_wheel.py", *LANE_FILES), 120, beside=True),
}


def main(names: list[str]) -> int:
    """Run the named lanes, all without names; returns the exit code."""
    unknown = [name for name in names if name not in LANES]
    if unknown:
        print(f"{unknown[0]!r} is no lane; the lanes are {', '.join(LANES)}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that an engine and servers end with us
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a shell's background, and then in the tests of Ctrl-C too
    ended = os.environ.get("ROICG_LANES_EMBEDDED")
    rows: dict[str, Outcomes] = {"embedded": read_outcomes(Path(ended))} if ended else {}
    wrong = judged("embedded", LANES["embedded"], rows) if ended else []
    limit = os.environ.get("ROICG_LANES_SECONDS")
    until = time.monotonic() + float(limit) if limit else inf
    with tempfile.TemporaryDirectory(prefix="rg-lanes-", ignore_cleanup_errors=True) as folder, ExitStack() as stack:
        for name in (name for name in names or LANES if name not in rows):
            lane = LANES[name]
            print(f"\n── lane {name}", flush=True)
            left = until - time.monotonic() if lane.seconds else inf
            if left < lane.seconds:
                rows[name] = Outcomes(
                    skipped={name: f"takes about {lane.seconds} s, and this run had {max(left, 0):.0f} s left; run it by make lanes LANES={name}"}
                )
                continue
            try:
                if lane.docker and "DOCKER_HOST" not in os.environ:  # one engine for the lanes that need one: they share its images
                    os.environ["DOCKER_HOST"] = stack.enter_context(engine(Path(folder) / "docker"))
                with named_server(lane) as address:
                    rows[name] = run_lane(lane, address, Path(folder) / f"{name}.xml", until - time.monotonic() if lane.seconds else inf)
            except subprocess.TimeoutExpired as error:
                rows[name] = Outcomes(skipped={name: f"stopped after {error.timeout:.0f} s, the time of this run was over; run it by make lanes LANES={name}"})
                continue
            except (NoEngine, ImportError, RoicgError) as error:
                rows[name] = Outcomes(skipped={name: str(error)})
            wrong += judged(name, lane, rows)
    alone = [name for name, outcomes in rows.items() if LANES[name].suite and outcomes.ran and "embedded" not in rows]
    rows |= {name: Outcomes(skipped={name: f"not asked for; make lanes LANES={name} runs it"}) for name in LANES if name not in rows}
    print("\n" + "\n".join(table(rows)), flush=True)
    if alone:
        print(f"{', '.join(alone)}: beside no embedded run, so nobody knows what was left out; run the lane embedded too, or name the file of one")
    for line in wrong:
        print(line)
    return 1 if wrong else 0


@contextmanager
def named_server(lane: Lane) -> Iterator[dict[str, str]]:
    """The variables that name a server: the environment's own, or those of an embedded one that runs within the block; none for other lanes."""
    given = {name: value for name, value in os.environ.items() if name in ADDRESS}
    if not lane.named or ADDRESS[0] in given:
        yield given if lane.named else {}
        return
    with watched_home() as home:
        address = start_embedded(home)
        yield dict(zip(ADDRESS, (address.uri, address.user, address.password), strict=True))


def run_lane(lane: Lane, address: Mapping[str, str], report: Path, within_s: float) -> Outcomes:
    """What the lane's tests did, with its server. Raises subprocess.TimeoutExpired when they take longer than ``within_s``."""
    inherited = {name: value for name, value in os.environ.items() if name not in (*ADDRESS, "ROICG_TEST_SERVER", "ROICG_NEO4J_LINE")}
    environment = {**inherited, **lane.environment, **address}
    began = time.monotonic()
    with ExitStack() as stack:
        runs = [Run((*lane.arguments, *(("-m", "not beside") if lane.beside else ())), environment, report, stack)]
        if lane.beside:
            second = {**environment, "ROICG_TEST_SERVER": "spare"}
            runs.append(Run((*lane.arguments, "-m", "beside"), second, report.with_stem(f"{report.stem}-beside"), stack))
        outcomes = together(run.ended(began + within_s - time.monotonic()) for run in runs)
    return replace(outcomes, seconds=time.monotonic() - began)


class Run:
    """One pytest process, stopped when ``stack`` ends before it.

    Its tests' folders lie beside its report: two processes that end at once sweep a shared root at once, and the one that finds a
    folder gone or not yet empty ends with an error of pytest's own (Directory not empty: '…/pytest-of-root/garbage-…').
    """

    def __init__(self, arguments: tuple[str, ...], environment: Mapping[str, str], report: Path, stack: ExitStack) -> None:
        command = [sys.executable, "-m", "pytest", *arguments, "-ra", "--durations=15", f"--junitxml={report}"]
        self.report = report
        folders = report.with_suffix("")
        folders.mkdir()
        self.process = subprocess.Popen(command, cwd=ROOT, env={**environment, "PYTEST_DEBUG_TEMPROOT": str(folders)})
        stack.callback(_stop, self.process)

    def ended(self, within_s: float) -> Outcomes:
        """What it did, once it has ended; raises subprocess.TimeoutExpired."""
        code = self.process.wait(max(within_s, 0) if isfinite(within_s) else None)
        outcomes = read_outcomes(self.report)
        return replace(outcomes, failed=frozenset({f"pytest ended with {code}"})) if code != 0 and not outcomes.failed else outcomes


def _stop(process: subprocess.Popen[bytes]) -> None:
    """As by Ctrl-C, so that fixtures end what they started; killed when that takes longer than STOP_S. Nothing to do when it has ended."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


def judged(name: str, lane: Lane, rows: Mapping[str, Outcomes]) -> list[str]:
    """What is wrong with the lane just run: failures, a lane that is required and did not run, less of the suite than the embedded lane ran."""
    outcomes = rows[name]
    found = [f"{name}: {test} failed" for test in sorted(outcomes.failed)]
    required = os.environ.get(lane.required) == "1"
    if not outcomes.ran:
        return [*found, f"{name} is required ({lane.required}=1) and ran no test: {'; '.join(outcomes.reasons())}"] if required else found
    if not required and any(NO_SERVER in reason for reason in outcomes.skipped.values()):
        return found
    if lane.suite and "embedded" in rows:
        excused = yaml.safe_load(EXCUSED.read_text(encoding="utf-8")) or {}
        found += complaints(name, outcomes, rows["embedded"], excused.get(name) or {})
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
