"""The Cypher law: one file, one query, one checked header; nothing else may reach the database.

::

    // Which edges carry a task?                      one sentence, the question it answers, on the first line
    // mode: read                                     read | write | schema
    // param: slot STRING the slot that is asked      name, type, then free text
    // param: n INTEGER = 20 how many edges           with a default (JSON) it may be left out
    // return: source STRING name of the source ROI   one line per returned column, in order
    MATCH …

``cypher/circuits/strongest.cypher`` is ``circuits.strongest``. Further comment lines are free, in header and body.
"""

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from roicg.core.errors import QueryError
from roicg.core.nearest import did_you_mean
from roicg.store.values import TYPES, check_value, parse_value

Mode = Literal["read", "write", "schema"]
MODES: tuple[str, ...] = get_args(Mode)
KEYS = ("mode", "param", "return")

_FIELD = re.compile(r"(?P<name>[a-z][A-Za-z0-9_]*)\s+(?P<type>[A-Z]+(?:<[A-Z]+>)?)(?:\s+(?P<rest>.*))?")
_HEADER = re.compile(r"(?P<key>[a-z_]+):(?P<value>.*)")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_QUIET = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|`[^`]*`|//[^\n]*|/\*.*?\*/", re.DOTALL)
_OPENS_TRANSACTIONS = re.compile(r"\}\s*IN\s+(?:\S+\s+)?(?:CONCURRENT\s+)?TRANSACTIONS\b", re.IGNORECASE)
_USED = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter or a returned column: its name, Cypher type and description; ``required`` is False with a default."""

    name: str
    type: str
    description: str = ""
    required: bool = True
    default: Any = None


@dataclass(frozen=True, slots=True)
class Query:
    """One query of the catalogue; ``text`` is the statement without its header."""

    name: str
    sentence: str
    mode: Mode
    params: tuple[Field, ...]
    returns: tuple[Field, ...]
    text: str
    path: Path

    def bind(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters to send: ``given`` checked against the header, defaults filled in; ``QueryError`` names what is wrong."""
        self._check_names(given)
        bound: dict[str, Any] = {}
        for field in self.params:
            if given.get(field.name) is not None or (field.name in given and not field.required and field.default is None):
                bound[field.name] = check_value(given[field.name], field.type, f"parameter {field.name} of {self.name}")
            elif field.required:
                raise QueryError(f"{self.name} needs the parameter {field.name} ({' '.join((field.type, field.description)).strip()})")
            else:
                bound[field.name] = field.default
        return bound

    def parse(self, given: Mapping[str, str]) -> dict[str, Any]:
        """Like :meth:`bind` for strings from a command line, converted by the declared types."""
        self._check_names(given)
        types = {field.name: field.type for field in self.params}
        return self.bind({name: parse_value(text, types[name], f"parameter {name} of {self.name}") for name, text in given.items()})

    def _check_names(self, given: Mapping[str, Any]) -> None:
        known = [field.name for field in self.params]
        for name in given:
            if name not in known:
                raise QueryError(f"{self.name} has no parameter {name!r}{did_you_mean(name, known)}; it takes {', '.join(known) or 'none'}")


def opens_transactions(text: str) -> bool:
    """Whether a statement makes transactions of its own (``CALL … IN TRANSACTIONS``), which the server allows in no transaction around it."""
    return _OPENS_TRANSACTIONS.search(_QUIET.sub("", text)) is not None


def cypher_root() -> Path:
    """The folder of query files: inside the installed package (``roicg/_cypher``), else beside it (a checkout)."""
    package = Path(__file__).resolve().parents[1]
    for root in (package / "_cypher", package.parent / "cypher"):
        if root.is_dir():
            return root
    raise QueryError(f"no query files: neither {package / '_cypher'} nor {package.parent / 'cypher'} exists; install roicg again")


@functools.cache
def catalogue(root: Path | None = None) -> dict[str, Query]:
    """Every query by dotted name, sorted; the first file that breaks the law is a ``QueryError`` with file and line."""
    root = root or cypher_root()
    queries = (load_query(path, root) for path in sorted(root.rglob("*.cypher")))
    return {query.name: query for query in queries}


def find_query(name: str) -> Query:
    """The query called ``name``; an unknown name is a ``QueryError`` with the nearest known one."""
    known = catalogue()
    if name not in known:
        raise QueryError(f"no query {name!r}{did_you_mean(name, list(known))}; `roicg query --list` shows all {len(known)}")
    return known[name]


def load_query(path: Path, root: Path) -> Query:
    """Read and check one query file below ``root``."""
    relative = path.relative_to(root).with_suffix("")
    for part in relative.parts:
        if not _NAME.fullmatch(part):
            raise QueryError(f"{path}:1: {part!r} cannot be part of a query name; use small letters, digits and _")
    lines = path.read_text(encoding="utf-8").splitlines()
    header = next((i for i, line in enumerate(lines) if not line.startswith("//")), len(lines))
    sentence, mode, params, returns = _read_header(path, lines[:header])
    text = _statement(path, header + 1, "\n".join(lines[header:]), params)
    return Query(".".join(relative.parts), sentence, mode, tuple(params.values()), tuple(returns.values()), text, path)


def _read_header(path: Path, lines: list[str]) -> tuple[str, Mode, dict[str, Field], dict[str, Field]]:
    sentence = lines[0].removeprefix("//").strip() if lines else ""
    if not sentence or _HEADER.fullmatch(sentence) or sentence[-1] not in ".?":
        raise QueryError(f"{path}:1: the first line must be a comment with one sentence, the question this query answers, ending in '?' or '.'")
    mode: str | None = None
    fields: dict[str, dict[str, Field]] = {"param": {}, "return": {}}
    for number, line in enumerate(lines[1:], start=2):
        match = _HEADER.fullmatch(line.removeprefix("//").strip())
        if match is None:
            continue
        key, value = match["key"], match["value"].strip()
        if key not in KEYS:
            raise QueryError(f"{path}:{number}: unknown header key {key!r}{did_you_mean(key, list(KEYS))}; a header line is mode, param or return")
        if key == "mode":
            if value not in MODES or mode is not None:
                raise QueryError(f"{path}:{number}: mode {value!r}: state it once, one of {', '.join(MODES)}")
            mode = value
            continue
        field = _read_field(path, number, key, value)
        if field.name in fields[key]:
            raise QueryError(f"{path}:{number}: {key} {field.name!r} is declared twice")
        fields[key][field.name] = field
    if mode is None:
        raise QueryError(f"{path}:1: no '// mode:' line; state one of {', '.join(MODES)}")
    return sentence, cast(Mode, mode), fields["param"], fields["return"]


def _read_field(path: Path, number: int, key: str, value: str) -> Field:
    match = _FIELD.fullmatch(value)
    if match is None or match["type"] not in TYPES:
        raise QueryError(f"{path}:{number}: {key} {value!r} has no known type; write '// {key}: name TYPE what it is' with TYPE one of {', '.join(TYPES)}")
    rest = (match["rest"] or "").strip()
    if not rest.startswith("="):
        return Field(match["name"], match["type"], rest)
    if key == "return":
        raise QueryError(f"{path}:{number}: a returned column has no default")
    text = rest[1:].strip()
    try:
        default, end = json.JSONDecoder().raw_decode(text)
        default = None if default is None else check_value(default, match["type"], f"the default of {match['name']}")
    except (json.JSONDecodeError, QueryError) as error:
        raise QueryError(f"{path}:{number}: the default of {match['name']} must be JSON of type {match['type']}, given {text!r}") from error
    return Field(match["name"], match["type"], text[end:].strip(), required=False, default=default)


def _statement(path: Path, first_line: int, body: str, params: Mapping[str, Field]) -> str:
    """The one statement of ``body`` if it uses exactly the declared parameters; strings, quoted names and comments are blanked to look."""
    code = _QUIET.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), body)
    if not code.strip():
        raise QueryError(f"{path}:{first_line}: no statement below the header")
    end = code.find(";")
    if end >= 0 and code[end + 1 :].strip():
        line = first_line + code.count("\n", 0, end + 1 + len(code[end + 1 :]) - len(code[end + 1 :].lstrip()))
        raise QueryError(f"{path}:{line}: a second statement; one file holds one")
    used: dict[str, int] = {}
    for match in _USED.finditer(code):
        used.setdefault(match[1], first_line + code.count("\n", 0, match.start()))
    for name, line in used.items():
        if name not in params:
            raise QueryError(f"{path}:{line}: ${name} is used but not declared; add '// param: {name} TYPE …'")
    lines = path.read_text(encoding="utf-8").splitlines()
    for name in params:
        if name not in used:
            line = next(i for i, text in enumerate(lines, start=1) if re.match(rf"//\s*param:\s*{name}\b", text))
            raise QueryError(f"{path}:{line}: param {name} is declared but ${name} is not used")
    return (body if end < 0 else body[:end]).strip()
