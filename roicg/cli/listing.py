"""How the catalogue is shown: people's questions by room, as tables of at most 100 columns or as a Markdown document."""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from roicg.cli.console import WIDTH, say, stdout

if TYPE_CHECKING:
    from roicg.store.registry import Field, Query

NAME, NEEDS = 34, 17
"""Widths of the columns beside the question."""


def print_questions(queries: "Sequence[Query]", hidden: int) -> None:
    """A table per room: the question, what to type, and what it needs; ``hidden`` queries are only counted."""
    from rich.table import Table
    from rich.text import Text

    console = stdout()
    width = min(console.width, WIDTH)
    for room, members in groupby(queries, key=room_of):
        table = Table(box=None, pad_edge=False, show_header=False, width=width, title=heading(room), title_justify="left", title_style="bold")
        table.add_column("question", overflow="fold")
        table.add_column("query", width=NAME, no_wrap=True)
        table.add_column("needs", width=NEEDS, style="dim", overflow="fold")
        for query in members:
            table.add_row(Text(query.sentence), Text(query.name), Text(" ".join(field.name for field in query.params if field.required)))
        console.print(table)
        console.print()
    say(f"{len(queries)} questions; `roicg query NAME -p key=value` asks one, `roicg query NAME --show` prints its parameters, columns and Cypher")
    if hidden:
        say(f"`roicg query --list --all` shows {hidden} more, which roicg asks itself")


def catalogue_markdown(asked: "Sequence[Query]", inner: "Sequence[Query]") -> str:
    """The catalogue as a Markdown document, a section per room (``make docs`` writes it to cypher/README.md)."""
    from roicg.store.questions import example

    lines = [
        "# The queries",
        "",
        "Made by `make docs` from the headers of the files; ask one with `roicg query NAME -p key=value`, or from Python with",
        "`roicg.connect().ask(NAME, key=value)`. The examples are asked of the graphs of `make demo`.",
        "",
        "Beside the queries lie [an example notebook](notebook.ipynb), run by the tests, and [a style](browser/roicg.grass) for Neo4j Browser;",
        "`roicg ui` writes a guide of ten questions and saved queries for it.",
    ]
    for room, members in groupby(asked, key=room_of):
        lines += ["", f"## {heading(room)}", "", "| question | query | parameters | example |", "| --- | --- | --- | --- |"]
        for query in members:
            words = "".join(f" -p {name}={value}" for name, value in example(query).items())
            lines.append(f"| {_in_a_table(query.sentence)} | `{query.name}` | {parameters(query)} | `roicg query {query.name}{words}` |")
    lines += ["", "## What roicg asks itself", "", "| question | query | parameters |", "| --- | --- | --- |"]
    lines += [f"| {_in_a_table(query.sentence)} | `{query.name}` | {parameters(query)} |" for query in inner]
    return "\n".join(lines) + "\n"


def room_of(query: "Query") -> str:
    """The folder of the query."""
    return query.name.split(".")[0]


def heading(room: str) -> str:
    """What stands above a room's questions."""
    from roicg.store.questions import ROOMS

    return ROOMS.get(room, f"{room}: asked by roicg itself")


def parameters(query: "Query") -> str:
    """Every parameter, with its default where it has one, for a cell of Markdown."""
    return ", ".join(f"`{_in_a_table(_parameter(field))}`" for field in query.params)


def _parameter(field: "Field") -> str:
    return field.name if field.required else f"{field.name}={field.default}"


def _in_a_table(text: str) -> str:
    return text.replace("|", "\\|")
