"""Content ids: sha256 over a canonical form, the same in every process and on every machine."""

import functools
import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from pydantic_core import to_json

NUMERICS = 3
"""Part of every graph id. Bumped by hand when golden numbers move, and when the default of a setting changes: ids hash the
settings that differ from their defaults (``Settings.changed``), so that a new key leaves them as they are.

2: the points of a path are summed before weights are applied. 3: ids hash changed settings only.
"""
_CHUNK = 10_000


def canonical(value: Any) -> Any:
    """JSON-ready form in which equal content is equal text: floats as shortest repr, arrays by bytes, mappings sorted."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float | np.floating):
        return "float:" + repr(float(value))
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.ndarray):
        return {"array": str(value.dtype), "shape": list(value.shape), "sha256": hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()}
    if isinstance(value, Mapping):
        return {str(key): canonical(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, Sequence):
        return [canonical(item) for item in value]
    raise TypeError(f"no canonical form for {type(value).__name__}")


def canonical_text(value: Any) -> str:
    """The canonical form as the text that is hashed."""
    return json.dumps(canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def float_texts(values: Float[np.ndarray, " value"]) -> list[str]:
    """``repr`` of every value, four times as fast: written by pydantic's Rust where both write plain decimals, which is from 1e-4 to 1e16."""
    numbers = np.asarray(values, dtype=np.float64)
    listed = numbers.tolist()
    if not listed or not _written_alike():
        return list(map(repr, listed))
    texts = to_json(listed).decode()[1:-1].split(",")
    size = np.abs(numbers)
    for i in np.flatnonzero(~((size >= _PLAIN[0]) & (size < _PLAIN[1]))).tolist():
        texts[i] = repr(listed[i])
    return texts


_PLAIN = (1e-4, 1e16)


@functools.cache
def _written_alike() -> bool:
    """Whether the installed pydantic writes plain decimals as ``repr`` does: ids must not change with a library's taste."""
    probes = [1e-4, 0.00012345678901234567, 0.001, 0.1 + 0.2, 1.0, -2.5, 100.0, 1e15, 9007199254740993.0, 9999999999999998.0]
    return to_json(probes).decode() == f"[{','.join(map(repr, probes))}]"


def digest(*parts: Any) -> str:
    """Hex sha256 of the canonical form of ``parts``."""
    return hashlib.sha256(canonical_text(list(parts)).encode()).hexdigest()


def digest_of_texts(*parts: Iterable[str]) -> str:
    """The ``digest`` of lists whose items come as their ``canonical_text``, without holding all of it: a million rows would be a gigabyte."""
    found = hashlib.sha256()
    for i, part in enumerate(parts):
        found.update(b",[" if i else b"[[")
        rest = iter(part)
        first = True
        while chunk := list(itertools.islice(rest, _CHUNK)):
            text = ",".join(chunk)
            found.update((text if first else "," + text).encode())
            first = False
        found.update(b"]")
    found.update(b"]" if parts else b"[]")
    return found.hexdigest()
