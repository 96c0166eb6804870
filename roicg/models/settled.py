"""Whether the files of a checkpoint are all there and at rest, and what they are: for checkpoints that appear while somebody watches.

Told from names, sizes, times and the first bytes of weight files; no weights are read except to hash them.

1. A native checkpoint is one file; a Hugging Face folder needs its config, its weights and, where they are in parts, every part.
2. A safetensors file says in its header how long it is: a shorter one is still being copied.
3. What changed within the last seconds may change again. The time asked is that of the last change of the entry (``ctime``),
   which a copy that keeps old modification times cannot set.

Trained models and names on a hub have no files here: their settings determine them, and they are settled always.
"""

import hashlib
import json
import re
import time
from pathlib import Path

from roicg.core.errors import SourceError
from roicg.core.ids import digest
from roicg.core.settings import HfSource, ModelSettings, NativeSource
from roicg.core.study_file import inside
from roicg.models.hf_labels import hf_folder, unreadable

QUIET_S = 10.0
"""Seconds without a change after which a checkpoint counts as written."""
_INDEX = "model.safetensors.index.json"
_PART = re.compile(r".*-[0-9]{5}-of-[0-9]{5}\.safetensors")
_READ = (".safetensors", ".json", ".txt", ".model")
_NOT_READ = ("trainer_state.json",)
_LONGEST_HEADER = 100_000_000


def unsettled(model: ModelSettings, label: str, folder: Path, *, quiet_s: float | None = None) -> str | None:
    """Why the checkpoint cannot be opened yet, in a few words; None when it is whole and nothing changed for ``quiet_s`` (default ``QUIET_S``)."""
    try:
        return _missing(model, label, folder) or _restless(_entries(model, label, folder), QUIET_S if quiet_s is None else quiet_s)
    except PermissionError as error:
        return unreadable(error)
    except OSError as error:  # an entry that went away between two looks at the folder
        return f"its files are changing ({error.strerror or error})"


def files_digest(model: ModelSettings, label: str, folder: Path) -> str:
    """sha256 over names and bytes of the files that the checkpoint is read from; the empty string where its settings determine it."""
    entries = [path for path in _entries(model, label, folder) if path.is_file() and path.suffix in _READ and path.name not in _NOT_READ]
    try:
        return digest([[path.name, _hash(path)] for path in sorted(entries)]) if entries else ""
    except OSError as error:
        raise SourceError(f"a file of checkpoint {label!r} of model {model.name!r} cannot be read ({error.strerror or error})") from error


def _entries(model: ModelSettings, label: str, folder: Path) -> tuple[Path, ...]:
    """The checkpoint's file, or its folder and the files in it."""
    source = model.source
    if isinstance(source, NativeSource):
        return (inside(folder, source.checkpoints[label]),)
    if isinstance(source, HfSource) and source.path is not None:
        root = Path(hf_folder(source, label, folder)[0])
        return (root, *(path for path in root.iterdir() if path.is_file()))
    return ()


def _missing(model: ModelSettings, label: str, folder: Path) -> str | None:
    """Steps 1 and 2."""
    entries = _entries(model, label, folder)
    files = {path.name: path for path in entries if path.is_file()}
    if isinstance(model.source, NativeSource):
        if not files:
            return f"its file {entries[0].name} is not there yet"
    elif entries:
        weights = [name for name in files if name.endswith(".safetensors")]
        if not weights:
            return "its weights are not there yet"
        if _INDEX in files:
            named = _read_object(files[_INDEX]).get("weight_map")
            lacking = sorted({str(part) for part in named.values()} - set(files)) if isinstance(named, dict) else [_INDEX]
            if lacking:
                return f"{lacking[0]} is not there yet, or half-written"
        elif all(_PART.fullmatch(name) for name in weights):
            return f"its {_INDEX} is not there yet"
        if not _read_object(files["config.json"]):
            return "its config.json is half-written"
    short = next((path.name for path in files.values() if path.suffix == ".safetensors" and not _is_whole(path)), None)
    return None if short is None else f"{short} is half-written"


def _restless(entries: tuple[Path, ...], quiet_s: float) -> str | None:
    """Step 3. A clock that runs behind the file server's makes files wait a little longer, never be taken too early."""
    now = time.time()
    for path in entries:
        if now - path.stat().st_ctime < quiet_s:
            return f"{path.name} changed less than {quiet_s:g} s ago"
    return None


def _is_whole(path: Path) -> bool:
    """Whether a safetensors file is as long as its header says."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 0 < length <= _LONGEST_HEADER:
            return False
        try:
            header = json.loads(file.read(length))
            ends = [int(entry["data_offsets"][1]) for name, entry in header.items() if name != "__metadata__"]
        except (ValueError, TypeError, LookupError, AttributeError):
            return False
    return path.stat().st_size >= 8 + length + max(ends, default=0)


def _read_object(path: Path) -> dict[str, object]:
    """A JSON object; empty while the file cannot be read as one."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _hash(path: Path) -> str:
    """sha256 of a file, remembered as long as the entry does not change: a reference's weights are asked for with every checkpoint."""
    now = path.stat()
    key = (str(path), now.st_size, now.st_mtime_ns, now.st_ctime_ns)
    if key not in _HASHES:
        with path.open("rb") as file:
            _HASHES[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return _HASHES[key]


_HASHES: dict[tuple[str, int, int, int], str] = {}
