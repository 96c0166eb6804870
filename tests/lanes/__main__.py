"""Run the lanes one after the other and say in a table what each ran: ``python -m tests.lanes [LANE …]``.

1. ``embedded``: every test, as ``make test`` runs them.
2. ``next``: the integration suite on the second line of Neo4j.
3. ``container``: the same in a container, through testcontainers.
4. ``uri``: a part of it on a server named by ``ROICG_NEO4J_URI``.
5. ``compose``: docker/compose.yaml brought up and used.
6. ``wheel``: every torch-free install from the built wheel.

A lane that this machine cannot run is skipped with its reason, or fails where ``ROICG_REQUIRE_DOCKER`` and the like say that it is
expected. It ends with 1 when a test failed, or a lane ran less of the integration suite than the embedded one without a reason
in ``excused.yaml``.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.lanes.engine import NoEngine, engine
from tests.lanes.outcomes import Outcomes, complaints, read_outcomes, table

ROOT = Path(__file__).resolve().parents[2]
EXCUSED = Path(__file__).with_name("excused.yaml")
LANE_FILES = ("-o", "python_files=lane_*.py")


@dataclass(frozen=True, slots=True)
class Lane:
    """What pytest is given, what the environment adds, which variable requires the lane, whether it needs Docker and runs the suite."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    required: str = ""
    docker: bool = False
    suite: bool = False


LANES = {
    "embedded": Lane(()),
    "next": Lane(("tests/integration",), {"ROICG_NEO4J_LINE": "next", "ROICG_TEST_SERVER": "embedded"}, "ROICG_REQUIRE_NEO4J_NEXT", suite=True),
    "container": Lane(("tests/integration",), {"ROICG_TEST_SERVER": "container"}, "ROICG_REQUIRE_DOCKER", docker=True, suite=True),
    "uri": Lane(("tests/lanes/lane_uri.py", *LANE_FILES)),
    "compose": Lane(("tests/lanes/lane_compose.py", *LANE_FILES), {}, "ROICG_REQUIRE_DOCKER", docker=True),
    "wheel": Lane(("tests/lanes/lane_wheel.py", *LANE_FILES), {}, "ROICG_REQUIRE_INDEX"),
}


def main(names: list[str]) -> int:
    """Run the named lanes, all without names; returns the exit code."""
    unknown = [name for name in names if name not in LANES]
    if unknown:
        print(f"{unknown[0]!r} is no lane; the lanes are {', '.join(LANES)}", file=sys.stderr)
        return 2
    rows: dict[str, Outcomes] = {}
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="rg-lanes-") as folder, ExitStack() as stack:
        for name in names or LANES:
            lane = LANES[name]
            print(f"\n── lane {name}", flush=True)
            try:
                host = stack.enter_context(engine(Path(folder) / "docker")) if lane.docker and "DOCKER_HOST" not in os.environ else None
            except NoEngine as error:
                rows[name] = Outcomes(skipped={name: str(error)})
            else:
                if host:
                    os.environ["DOCKER_HOST"] = host  # for the lanes after it too: they share the engine and its images
                rows[name] = run_lane(lane, Path(folder) / f"{name}.xml")
            wrong += judged(name, lane, rows)
    print("\n" + "\n".join(table(rows)), flush=True)
    for line in wrong:
        print(line)
    return 1 if wrong else 0


def run_lane(lane: Lane, report: Path) -> Outcomes:
    """One pytest process with the lane's server; what it did."""
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", *lane.arguments, "-ra", "--durations=15", f"--junitxml={report}"]
    code = subprocess.call(command, cwd=ROOT, env={**os.environ, **lane.environment})
    outcomes = read_outcomes(report, time.monotonic() - began)
    if code != 0 and not outcomes.failed:
        return Outcomes(outcomes.passed, frozenset({f"pytest ended with {code}"}), outcomes.skipped, outcomes.seconds)
    return outcomes


def judged(name: str, lane: Lane, rows: Mapping[str, Outcomes]) -> list[str]:
    """What is wrong with the lane just run: failures, a lane that is required and did not run, less of the suite than the embedded lane ran."""
    outcomes = rows[name]
    found = [f"{name}: {test} failed" for test in sorted(outcomes.failed)]
    if not outcomes.ran:
        required = os.environ.get(lane.required) == "1" if lane.required else False
        return [*found, f"{name} is required ({lane.required}=1) and ran no test: {'; '.join(outcomes.reasons())}"] if required else found
    if lane.suite and "embedded" in rows:
        excused = yaml.safe_load(EXCUSED.read_text(encoding="utf-8")) or {}
        found += complaints(name, outcomes, rows["embedded"], excused.get(name) or {})
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
