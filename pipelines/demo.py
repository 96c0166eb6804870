"""``roicg demo``: the study ``demo`` from training to report, then what the database answers about it, then where to look."""

import shutil
import sys
from pathlib import Path

from roicg.cli.console import stdout
from roicg.server.address import Address, database_address
from roicg.server.home import ServerFiles, home
from roicg.store.connect import connect

from .demo_tables import Emergence, print_tables
from .study_files import BUNDLED, StudyFile
from .study_run import StudyOutcome, run_study, say_outcome

STUDY = BUNDLED / "demo.yaml"
CYPHER = """\
MATCH (s:Slot {{key: '{slot}'}})-[:PUBLISHED]->(v:GraphVersion)-[:HAS_ROI]->(a:ROI)
MATCH (a)-[e:EDGE {{graph: v.number, task: '{task}'}}]->(b:ROI)
WHERE e.rank <= 25
RETURN a, e, b"""


def demo() -> StudyOutcome:
    """Run the demo study and print what was found and where to look further."""
    file = StudyFile(STUDY)
    study = file.load()
    outcome = run_study(file)
    say_outcome(outcome)
    shown = Emergence.of(study)
    with connect() as store:
        print_tables(store, study, shown)
    _say_where(outcome, shown, database_address())
    return outcome


def _say_where(outcome: StudyOutcome, shown: Emergence, address: Address) -> None:
    out = stdout()
    out.print()
    out.print(f"The report     {_short(Path(outcome.report or ''))}")
    out.print(f"Dagster        {_command()} ui")
    if address.source == "embedded":
        from roicg.server.embedded import status

        out.print(f"Neo4j Browser  {status(home()).browser_uri}")
        # A person at a terminal gets the password; a log does not.
        password = f"password {address.password}" if sys.stdout.isatty() else f"password in {_short(ServerFiles.of(home()).password)}"
        out.print(f"               user {address.user}, {password}; bolt {address.uri}", highlight=False, markup=False)
    else:
        out.print(f"Neo4j          {address.uri} as {address.user} (named by ROICG_NEO4J_URI)")
    print(f"Ask on         {_command()} query circuits.circuit -p slot='{shown.slot(shown.last, 'own')}' -p task={shown.tasks[0]}")
    out.print()
    out.print(f"Cypher to paste into the Browser (the circuit of 25 edges of {shown.tasks[0]}, by {shown.model} at step {shown.last}):")
    out.print()
    print(CYPHER.format(slot=shown.slot(shown.last, "own"), task=shown.tasks[0]))  # as it is: a line broken to fit could not be pasted


def _command() -> str:
    """How to call roicg from here: by name where the shell finds it, else by path."""
    return "roicg" if shutil.which("roicg") else _short(Path(sys.executable).parent / "roicg")


def _short(path: Path) -> str:
    """The path from here where that is shorter."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
