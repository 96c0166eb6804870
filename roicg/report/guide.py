"""What Neo4j Browser is given: a style, the catalogue's questions as saved queries, and a page of ten questions that links into it.

All of it is made anew from the catalogue and from what is published, so that it cannot go stale. Browser 5 takes a ``.grass`` file and
a ``.zip`` of ``.cypher`` files by drag and drop, and puts ``?cmd=edit&arg=…`` of its address into its editor; it runs nothing by itself.
Questions that need a projection of GDS are not among these: the store makes and drops it (``roicg query``, ``roicg.connect()``).
"""

import html
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from roicg.report.page import fill, policy_hash, write_whole
from roicg.store.questions import example, questions
from roicg.store.registry import Query, cypher_root, find_query, opens_transactions

if TYPE_CHECKING:
    from roicg.store.protocol import GraphStore

TEN = {
    "draw.studies": "Every question starts at a slot: the place of one checkpoint's graph.",
    "tasks.scores": "A task that is not solved supports no claim, whatever its graph looks like.",
    "draw.circuit": "The strongest edges, each with its weight in units of the metric.",
    "circuits.faithfulness": "Whether these edges really do the task: beside random edges of equal number.",
    "circuits.hubs": "The ROIs to look at first.",
    "draw.around": "The strongest hub, with what feeds it and what reads it.",
    "tasks.overlap": "Beside what two random circuits of the same size share.",
    "structure.communities": "Beside two nulls: without above_null they are no finding.",
    "compare.emergence": "One row per task and checkpoint.",
    "draw.matches": "ROIs of two checkpoints that hold the same features.",
}
"""Catalogue query → why to ask it, in the order of the guide."""
STYLE = "roicg.grass"
DEMO = {"slot": "demo|multitask-s0@1200|own|ports", "slot_a": "demo|multitask-s0@600|own|ports", "slot_b": "demo|multitask-s0@1200|own|ports"}
"""Slots where nothing is published: Browser takes whole keys only."""
_CUTS = "&#"
"""Browser ends the text that it takes from its address at these, also where they are written as %26 and %23."""
_PARAMETER = re.compile(r"\$(\w+)")
_SIGN = re.compile(rf"[\\'\x00-\x1f\x7f;{_CUTS}]")
"""What a string of Cypher does not hold as it is: its own signs, ends of lines, and ``;``, at which Browser parts statements."""
_SHORT = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r"}
"""Not by their numbers: Cypher 5 reads those before it looks for strings and comments."""


@dataclass(frozen=True, slots=True)
class Given:
    """Values for the parameters of the questions; ``about``: where they come from."""

    about: str
    values: Mapping[str, str]


def browser_files(folder: Path, browser: str, store: "GraphStore | None" = None) -> Path:
    """Write style, saved queries and guide into ``folder`` and return the guide; ``browser``: address of Neo4j Browser.

    The values are those of the last published checkpoint of ``store``; without one, or without graphs, those of the demo.
    """
    given = _published(store) if store is not None else None
    given = given or Given("Nothing is published here yet; the values are those of `roicg demo`.", DEMO)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / STYLE, (cypher_root() / "browser" / STYLE).read_text(encoding="utf-8"))
    with zipfile.ZipFile(folder / "saved-queries.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for query in askable():
            archive.writestr(f"roicg {query.name.replace('.', '/')}.cypher", statement(query, given.values))
    write_whole(folder / "guide.html", guide_page(browser, given))
    return folder / "guide.html"


def askable() -> list[Query]:
    """The questions that can be asked in Browser: all but those that need a projection."""
    return [query for query in questions() if all(field.name != "projection" for field in query.params)]


def guide_page(browser: str, given: Given) -> str:
    """The page of ten questions; it asks nothing of the network."""
    assets = files("roicg.report").joinpath("assets")
    style, script = (assets.joinpath(f"guide.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    places = {
        "policy": f"default-src 'none'; style-src '{policy_hash(style)}'; script-src '{policy_hash(script)}'; base-uri 'none'; form-action 'none'",
        "style": style,
        "script": script,
        "about": html.escape(given.about),
        "browser": html.escape(browser, quote=True),
        "questions": "\n".join(_section(find_query(name), why, browser, given.values) for name, why in TEN.items()),
    }
    return fill(assets.joinpath("guide.html").read_text(encoding="utf-8"), places)


def statement(query: Query, given: Mapping[str, str]) -> str:
    """The query as it is typed into Browser: its question as a comment, then its Cypher with the values in their places.

    It is one statement: of several, such as ``:param`` lines before the Cypher, Browser says which succeeded and shows no answer.
    """
    shown = example(query)
    values = {field.name: field.default for field in query.params} | shown | {key: given[key] for key in shown if key in given}
    # What is compared edge by edge stands on the ROIs that all checkpoints share.
    values |= {key: values[key].replace("|own|", "|reference|") for key in shown if shown[key].endswith(":reference")}
    auto = ":auto " if opens_transactions(query.text) else ""  # Browser puts a transaction around everything else
    text = _PARAMETER.sub(lambda match: literal(values[match[1]]), query.text)
    return f"// {query.sentence} ({query.name})\n{auto}{text};\n"


def _escaped(sign: re.Match[str]) -> str:
    return _SHORT.get(sign[0], f"\\u{ord(sign[0]):04X}")


def literal(value: Any) -> str:
    """``value`` as Cypher writes it."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, str):
        return f"'{_SIGN.sub(_escaped, value)}'"
    return f"[{', '.join(literal(item) for item in value)}]" if isinstance(value, list) else repr(value)


def link(browser: str, text: str) -> str | None:
    """Address that opens Browser with ``text`` in its editor; None where Browser would cut it short."""
    return None if any(sign in text for sign in _CUTS) else f"{browser}?cmd=edit&arg={quote(text, safe='')}"


def _section(query: Query, why: str, browser: str, given: Mapping[str, str]) -> str:
    text = statement(query, given)
    address = link(browser, text)
    opened = f'<a href="{html.escape(address, quote=True)}" target="roicg-browser">Open in Browser</a> ' if address else ""
    head = f"<h2>{html.escape(query.sentence)}</h2>\n<p>{html.escape(why)} <code>{query.name}</code></p>"
    return f'<section>\n{head}\n<p>{opened}<button type="button">Copy</button></p>\n<pre tabindex="0">{html.escape(text)}</pre>\n</section>'


def _published(store: "GraphStore") -> Given | None:
    """Values for what was published: the last checkpoint of the model with most of them, its best task, the strongest hub."""
    slots = [row for row in store.run("house.slots") if row["partition"] == "own"] or store.run("house.slots")
    if not slots:
        return None
    models: dict[tuple[str, str, str, str], list[dict[str, Any]]] = {}
    for row in slots:
        models.setdefault((row["study"], row["model"], row["partition"], row["path"]), []).append(row)
    mine = max(models.values(), key=len)
    last, before = mine[-1], mine[-2] if len(mine) > 1 else mine[-1]
    scores = store.run("tasks.scores", slot=last["slot"])
    best = max(scores, key=lambda row: (row["split"] == "eval", row["solved"], row["accuracy"]), default=None)
    values = {"slot": last["slot"], "slot_a": before["slot"], "slot_b": last["slot"], "study": last["study"]}
    if best is not None:
        hubs = store.run("circuits.hubs", slot=last["slot"], task=best["task"])
        others = [row["task"] for row in scores if row["task"] != best["task"]]
        values |= {"task": best["task"], "hurt": best["task"], "spare": others[0] if others else best["task"]}
        values |= {"roi": hubs[0]["roi"]} if hubs else {}
    return Given(f"The values are those of {last['model']} at {last['label']}, study {last['study']}; put others in their places to ask of another.", values)
