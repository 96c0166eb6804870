"""The example notebook as a program: its code cells, run one after another as Jupyter would, and what each shows.

``python -m tests.notebook`` fills the outputs that it keeps, from the hand-made graphs on a server of its own, which the test compares.
"""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from roicg.server.address import Address

NOTEBOOK = Path(__file__).resolve().parents[1] / "cypher" / "notebook.ipynb"
MARK = "-- end of cell --"


def read() -> dict[str, Any]:
    """The notebook's JSON."""
    found: dict[str, Any] = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return found


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """Its cells of code, in order."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def program(notebook: dict[str, Any]) -> str:
    """One Python program of all cells: a cell's last expression is printed as Jupyter shows it in plain text, and a mark ends each cell."""
    parts = []
    for cell in code_cells(notebook):
        tree = ast.parse("".join(cell["source"]))
        if tree.body and isinstance(tree.body[-1], ast.Expr):
            value = tree.body[-1].value
            shown = ast.parse("if (_shown := None) is not None: print(repr(_shown))").body[0]
            assert isinstance(shown, ast.If)
            assert isinstance(shown.test, ast.Compare)
            assert isinstance(shown.test.left, ast.NamedExpr)
            shown.test.left.value = value
            tree.body[-1] = shown
        parts += [ast.unparse(ast.fix_missing_locations(tree)), f"print({MARK!r})"]
    return "\n".join(parts) + "\n"


def outputs(notebook: dict[str, Any], address: Address) -> list[str]:
    """What each code cell shows when all are run on the database at ``address``; a failing cell is an ``AssertionError`` with its traceback."""
    named = {"ROICG_NEO4J_URI": address.uri, "ROICG_NEO4J_USER": address.user, "ROICG_NEO4J_PASSWORD": address.password}
    command = [sys.executable, "-W", "error", "-c", program(notebook)]
    done = subprocess.run(command, env={**os.environ, **named}, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr
    return [part.removeprefix("\n") for part in done.stdout.split(MARK)[:-1]]


def kept(cell: dict[str, Any]) -> str:
    """The text of the outputs that a cell keeps."""
    return "".join("".join(output["text"]) for output in cell["outputs"])


def fill(address: Address) -> None:
    """Write the notebook with the outputs of a run on ``address``."""
    notebook = read()
    for count, (cell, text) in enumerate(zip(code_cells(notebook), outputs(notebook, address), strict=True), start=1):
        cell["execution_count"] = count
        cell["outputs"] = [{"name": "stdout", "output_type": "stream", "text": text.splitlines(keepends=True)}] if text else []
    NOTEBOOK.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    """Fill the outputs from the hand-made graphs, on the environment's server or one that is started for it."""
    from roicg.server.address import environment_address
    from tests.published import handmade_store
    from tests.server_fixtures import start_embedded, watched_home

    named = environment_address()
    if named is not None:
        with handmade_store(named):
            fill(named)
        return
    with watched_home() as home:
        address = start_embedded(home)
        with handmade_store(address):
            fill(address)


if __name__ == "__main__":
    main()
