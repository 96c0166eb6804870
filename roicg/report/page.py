"""The report's one file: a template filled once, with its style, script, data and sentences inside, and nothing fetched.

The page forbids itself every outside request (a content security policy without any source); only its own script and
style may act, named by their hashes.
"""

import base64
import hashlib
import html
import os
import re
import tempfile
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from roicg.core.errors import RoicgError
from roicg.core.tables import shown
from roicg.report.payload import payload, to_script

if TYPE_CHECKING:
    from roicg.core.settings import Study
    from roicg.core.tables import Cell, Table
    from roicg.report.data import ModelShown, ReportData
    from roicg.report.words import Statement
    from roicg.store.protocol import GraphStore

SCRIPTS = ("dom", "cypher", "layout", "circuit", "chart", "curves", "emergence", "communities", "app")
LARGEST = 5_000_000
"""Bytes of a report, at most."""
_PLACE = re.compile(r"\{\{([a-z]+)\}\}")


def build_report(study: "Study | str", store: "GraphStore", out: Path) -> Path:
    """Write the report of everything published of ``study`` (settings or name) to ``out`` (HTML, under 5 MB) and return its path.

    ``StoreError``: nothing is published; ``RoicgError``: the file cannot be written, or would be too large.
    """
    from roicg.report.collect import collect

    data = collect(study, store)
    text = render(data)
    size = len(text.encode())
    if size > LARGEST:
        raise RoicgError(f"the report of {data.study!r} would have {size:,} bytes, more than {LARGEST:,}; split the study by models")
    try:
        write_whole(out, text)
    except OSError as error:
        raise RoicgError(f"cannot write the report {out}: {error.strerror or error}; name another file with --out") from error
    return out


def render(data: "ReportData") -> str:
    """The whole page."""
    assets = files("roicg.report").joinpath("assets")
    style = assets.joinpath("style.css").read_text(encoding="utf-8")
    parts = [assets.joinpath(f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    script = '(() => {\n"use strict";\n' + "\n".join(parts) + "\n})();\n"
    places = {
        "study": html.escape(data.study),
        "policy": f"default-src 'none'; style-src '{policy_hash(style)}'; script-src '{policy_hash(script)}'; base-uri 'none'; form-action 'none'",
        "style": style,
        "script": script,
        "data": to_script(payload(data)),
        "words": "\n".join(_words(model) for model in data.models),
        "tables": _tables(data),
    }
    return fill(assets.joinpath("template.html").read_text(encoding="utf-8"), places)


def fill(template: str, places: Mapping[str, str]) -> str:
    """One pass, so that what is filled in is never read as a place itself."""
    return _PLACE.sub(lambda match: places[match[1]], template)


def _words(model: "ModelShown") -> str:
    from roicg.report.words import statements, summary

    items = "\n".join(_item(statement) for statement in statements(model))
    return f"<article><h3>{html.escape(model.name)}</h3>\n<p>{html.escape(summary(model))}</p>\n<ul>\n{items}\n</ul></article>"


def _tables(data: "ReportData") -> str:
    """The section of findings; nothing where the study asked for none."""
    if not data.tables:
        return ""
    query = html.escape(to_script([["findings.tables", {"study": data.study}]]), quote=True)
    tables = "\n".join(_table(table) for _, table in data.tables)
    return f'<section id="findings">\n<h2>Measured beyond the graphs</h2>\n{tables}\n<div class="cypher" data-queries="{query}"></div>\n</section>'


def _table(table: "Table") -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in table.columns)
    body = "\n".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in table.rows)
    about = f'<h3>{html.escape(table.title)}</h3>\n<p class="note">{html.escape(table.note)}</p>'
    return f'<article>{about}\n<div class="scroll"><table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div></article>'


def _cell(cell: "Cell") -> str:
    kind = ' class="num"' if isinstance(cell, int | float) and not isinstance(cell, bool) else ""
    return f"<td{kind}>{html.escape(shown(cell))}</td>"


def _item(statement: "Statement") -> str:
    asked = html.escape(to_script([[name, params] for name, params in statement.queries]), quote=True)
    return f'<li class="{statement.tone}"><span>{html.escape(statement.text)}</span><div class="cypher" data-queries="{asked}"></div></li>'


def policy_hash(text: str) -> str:
    """How a content security policy names the script or style ``text``."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def write_whole(out: Path, text: str) -> None:
    """Into a neighbour first, then renamed: a report is old or new, never half."""
    out.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(out)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
