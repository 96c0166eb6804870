"""``roicg query`` asks the catalogue; ``roicg cypher`` sends a statement of one's own, which the server keeps from writing."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from roicg.cli.console import print_json, print_rows, stdout, working
from roicg.core.errors import QueryError

if TYPE_CHECKING:
    from roicg.store.registry import Field, Query

Timeout = Annotated[float | None, typer.Option("--timeout", min=0.001, metavar="SECONDS", help="Stop it after so long (default: 60 s; 120 s where it writes).")]
Json = Annotated[bool, typer.Option("--json", help="Rows as JSON, whole and unrounded.")]


def query(
    name: Annotated[str | None, typer.Argument(help="Dotted name of a query, such as circuits.strongest.")] = None,
    params: Annotated[
        list[str] | None, typer.Option("-p", "--param", metavar="KEY=VALUE", help="A parameter; slot may be MODEL@STEP or MODEL@STEP:PARTITION.")
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="Show the questions that can be asked.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="With --list: also what roicg asks itself.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Show the query's parameters, columns and Cypher; ask nothing.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="With --list: as a Markdown document.")] = False,
    timeout: Timeout = None,
    as_json: Json = False,
) -> None:
    """Ask a query of the catalogue."""
    from roicg.store.registry import find_query

    if listing or name is None:
        _list(everything=everything, markdown=markdown, as_json=as_json)
        return
    found = find_query(name)
    if show:
        _print_query(found)
        return
    if found.mode != "read":
        raise QueryError(f"{name} writes ({found.mode}), and only roicg itself runs it; `roicg query {name} --show` prints it")
    given = parse_params(params or [])
    from roicg.cli.slots import is_shorthand, resolve
    from roicg.store.connect import connect

    found.parse(given)  # a wrong parameter is said before the database is asked, or started
    with connect() as store, working(f"asking {name} …"):
        if timeout is not None:
            store.limit(timeout)
        for key, value in given.items():
            if key.startswith("slot") and is_shorthand(value):
                given[key] = resolve(store, value).key
        rows = store.run(name, **found.parse(given))
    print_rows(rows, as_json=as_json, title=found.sentence, columns=[field.name for field in found.returns])


def cypher(
    statement: Annotated[str, typer.Argument(help="One Cypher statement.")],
    write: Annotated[bool, typer.Option("--write", help="Let it write. roicg's own data is then in your hands.")] = False,
    timeout: Timeout = None,
    as_json: Json = False,
) -> None:
    """Send one Cypher statement; the server refuses writing unless --write is given."""
    from roicg.store.connect import connect

    with connect() as store, working("asking …"):
        if timeout is not None:
            store.limit(timeout)
        rows = store.cypher(statement, write=write)
    print_rows(rows, as_json=as_json)


def parse_params(pairs: Sequence[str]) -> dict[str, str]:
    """``key=value`` words as a mapping; a word without ``=`` or a key given twice is a ``QueryError``."""
    given: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise QueryError(f"the parameter {pair!r} must be KEY=VALUE, such as -p n=20")
        if key.strip() in given:
            raise QueryError(f"the parameter {key.strip()!r} is given twice; give it once")
        given[key.strip()] = value
    return given


def _list(*, everything: bool, markdown: bool, as_json: bool) -> None:
    from roicg.cli.listing import catalogue_markdown, print_questions
    from roicg.store.questions import inner, questions

    asked, hidden = questions(), inner()
    shown = [*asked, *hidden] if everything else asked
    if markdown:
        print(catalogue_markdown(asked, hidden), end="")
    elif as_json:
        print_json([_as_json(query) for query in shown])
    else:
        print_questions(shown, hidden=0 if everything else len(hidden))


def _print_query(query: "Query") -> None:
    print_rows(
        [
            {"": kind, "name": field.name, "type": field.type, "what": field.description, "default": "–" if field.required else str(field.default)}
            for kind, fields in (("param", query.params), ("return", query.returns))
            for field in fields
        ],
        title=f"{query.name}: {query.sentence}",
    )
    stdout().print("\n" + query.text, soft_wrap=True)


def _as_json(query: "Query") -> dict[str, object]:
    def fields(some: "tuple[Field, ...]") -> list[dict[str, object]]:
        return [{"name": one.name, "type": one.type, "description": one.description, "required": one.required, "default": one.default} for one in some]

    return {
        "name": query.name,
        "sentence": query.sentence,
        "mode": query.mode,
        "params": fields(query.params),
        "returns": fields(query.returns),
        "cypher": query.text,
    }
