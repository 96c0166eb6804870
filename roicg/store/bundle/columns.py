"""The tables of a bundle: names and types of their columns, written and read as JSONL (always) or parquet (with ``roicg[tables]``).

JSONL is one object a line, keys in the order of the columns. A float that JSON has no word for is the text ``NaN``,
``Infinity`` or ``-Infinity``. Every bit of every float survives both forms.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any, Literal, get_args

from roicg.core.errors import QueryError, StoreError
from roicg.store.values import check_value

Form = Literal["jsonl", "parquet"]
FORMS: tuple[Form, ...] = get_args(Form)
Row = dict[str, Any]
Columns = Mapping[str, str]

_NULLS = tuple(f"{null}_{name}" for null in ("blocks", "configuration") for name in ("mean", "sd", "z", "p"))

VERDICT: Columns = (
    {"task": "STRING", "gamma": "FLOAT", "edges": "INTEGER", "modularity": "FLOAT", "nearest_null": "STRING"}
    | dict.fromkeys(("null_mean", "null_sd", "z", "p"), "FLOAT")
    | {"above_null": "BOOLEAN"}
    | dict.fromkeys(_NULLS, "FLOAT")
)
"""What every community of a division repeats of it."""

CIRCUIT: Columns = (
    {"task": "STRING", "selection": "STRING", "n_edges": "INTEGER", "total": "INTEGER"}
    | dict.fromkeys(("faithfulness", "low", "high", "kl", "accuracy", "complement", "features", "parameters", "area", "cpr_mib", "cmd_mib"), "FLOAT")
    | {"reason": "STRING", "n_examples": "INTEGER", "solved": "BOOLEAN"}
)

EDGES: Columns = {
    **{"source": "STRING", "target": "STRING", "port": "STRING", "task": "STRING"},
    **{"weight": "FLOAT", "se": "FLOAT", "mean_abs": "FLOAT", "rank": "INTEGER"},
}
"""One row per edge and task; a file per graph."""

TABLES: Mapping[str, Columns] = {
    "slots": dict.fromkeys(("study", "model", "label"), "STRING") | {"step": "INTEGER", "partition": "STRING", "path": "STRING", "graph": "STRING"},
    "graphs": dict.fromkeys(("graph", "content_hash", "weights_digest", "partition", "settings", "sites", "quality"), "STRING")
    | {"tasks": "LIST<STRING>", "provenance": "STRING"},
    "rois": {
        **{"graph": "STRING", "index": "INTEGER", "name": "STRING", "site": "STRING", "layer": "INTEGER", "kind": "STRING"},
        **{"label": "STRING", "is_rest": "BOOLEAN", "members": "LIST<INTEGER>"},
    },
    "flows": {"graph": "STRING", "roi": "STRING", "task": "STRING", "inflow": "FLOAT", "outflow": "FLOAT"},
    "port_groups": {
        **{"graph": "STRING", "index": "INTEGER", "group": "STRING", "task": "STRING", "effect": "FLOAT", "gap": "FLOAT"},
        **{"steps": "INTEGER", "method": "STRING", "complete": "BOOLEAN", "saturated": "BOOLEAN"},
    },
    "scores": {
        **{"graph": "STRING", "index": "INTEGER", "task": "STRING", "metric": "STRING", "split": "STRING", "n": "INTEGER"},
        **{"clean": "FLOAT", "corrupted": "FLOAT", "accuracy": "FLOAT", "solved": "BOOLEAN", "prompts_digest": "STRING"},
    },
    "analyses": {"analysis": "STRING", "kind": "STRING", "params": "STRING", "graphs": "LIST<STRING>", "properties": "STRING"},
    "circuits": {"analysis": "STRING"} | dict(CIRCUIT),
    "communities": {"analysis": "STRING", "index": "INTEGER"} | dict(VERDICT) | {"rois": "LIST<STRING>"},
    "matches": {"analysis": "STRING", "a": "STRING", "b": "STRING", "jaccard": "FLOAT", "signature": "FLOAT", "assigned": "BOOLEAN"},
    "findings": {
        **{"finding": "STRING", "place": "INTEGER", "name": "STRING", "title": "STRING"},
        **{"columns": "LIST<STRING>", "rows": "LIST<STRING>", "note": "STRING"},
    },
}
"""``analysis`` is a digest of all that the analysis says, ``settings``, ``sites``, ``quality``, ``provenance``, ``params``, ``properties`` are JSON."""

_ROW_GROUP = 50_000


def write_rows(file: IO[bytes], form: Form, columns: Columns, rows: Iterable[Row]) -> int:
    """Write ``rows`` (every column given, None where there is no value) to ``file``; their number."""
    try:
        return _write_parquet(file, columns, rows) if form == "parquet" else _write_jsonl(file, columns, rows)
    except UnicodeEncodeError as error:
        raise StoreError(f"{ascii(error.object)[-80:]} holds half of a surrogate pair, which is no text") from error


def _write_jsonl(file: IO[bytes], columns: Columns, rows: Iterable[Row]) -> int:
    n = 0
    for row in rows:
        line = json.dumps({name: _word(row[name]) for name in columns}, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        file.write(line.encode() + b"\n")
        n += 1
    return n


def read_rows(file: IO[bytes], form: Form, columns: Columns, where: str) -> Iterator[Row]:
    """The rows of ``file``, every value checked against its column's type; ``StoreError`` names ``where`` and the row."""
    raw = _read_parquet(file, columns, where) if form == "parquet" else _read_jsonl(file, where)
    for number, row in enumerate(raw, start=1):
        if row.keys() != columns.keys():
            raise StoreError(f"{where}, row {number}: has the columns {', '.join(map(str, row))[:200]}, expected {', '.join(columns)}")
        try:
            yield {name: check_value(_number(row[name], kind), kind, name) for name, kind in columns.items()}
        except QueryError as error:
            raise StoreError(f"{where}, row {number}: {error}") from error


def require_form(form: Form) -> None:
    """``StoreError`` with what to install, where parquet is asked for and cannot be written or read."""
    if form == "parquet":
        _pyarrow()


def _read_jsonl(file: IO[bytes], where: str) -> Iterator[Row]:
    for number, line in enumerate(file, start=1):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise StoreError(f"{where}, row {number}: is not JSON ({error})") from error
        if not isinstance(row, dict):
            raise StoreError(f"{where}, row {number}: is not a JSON object")
        yield row


def _word(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _number(value: Any, kind: str) -> Any:
    """Back from a text that stands for a float."""
    return float(value) if kind == "FLOAT" and value in ("NaN", "Infinity", "-Infinity") else value


def _write_parquet(file: IO[bytes], columns: Columns, rows: Iterable[Row]) -> int:
    pa, pq = _pyarrow()
    schema = pa.schema([(name, _arrow_type(pa, kind)) for name, kind in columns.items()])
    n = 0
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for chunk in _chunks(rows):
            writer.write_table(pa.Table.from_pylist(chunk, schema=schema))
            n += len(chunk)
    return n


def _read_parquet(file: IO[bytes], columns: Columns, where: str) -> Iterator[Row]:
    pa, pq = _pyarrow()
    try:
        with pq.ParquetFile(file) as opened:
            if opened.schema_arrow.names != list(columns):
                raise StoreError(f"{where}: has the columns {', '.join(opened.schema_arrow.names)[:200]}, expected {', '.join(columns)}")
            for batch in opened.iter_batches(batch_size=_ROW_GROUP):
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise StoreError(f"{where}: is not parquet that can be read ({error})") from error


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _ROW_GROUP:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _arrow_type(pa: Any, kind: str) -> Any:
    if kind.startswith("LIST<"):
        return pa.list_(_arrow_type(pa, kind[5:-1]))
    return {"STRING": pa.string(), "INTEGER": pa.int64(), "FLOAT": pa.float64(), "BOOLEAN": pa.bool_()}[kind]


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise StoreError("parquet needs pyarrow, which this install lacks; run `pip install 'roicg[tables]'`, or use the columns jsonl") from error
    return pa, pq
