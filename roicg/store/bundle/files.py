"""Where the files of a bundle are: in a folder or in a .tar, written whole or not at all, read by the names of the manifest only.

Names inside a bundle are made here or checked here: parts of letters, digits, ``.``, ``_``, ``-``; none begins with a dot. So no
name of a study, model or task ever becomes a path, and no bundle of a stranger leads out of its folder.
"""

import hashlib
import os
import re
import shutil
import tarfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from roicg.core.errors import StoreError

MANIFEST = "manifest.json"
LARGEST_MANIFEST = 64 * 2**20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}(/[A-Za-z0-9][A-Za-z0-9._-]{0,80})?")
_BLOCK = 2**20


@dataclass(frozen=True, slots=True)
class FileMark:
    """Size and sha256 of one file, and its rows."""

    path: str
    sha256: str
    bytes: int
    rows: int


class Source(Protocol):
    """The files of a bundle, by name."""

    where: str

    def open(self, name: str) -> IO[bytes]:
        """The file ``name``; ``StoreError`` where there is none, or it is no plain file."""
        ...


class Folder:
    """A bundle as a folder."""

    def __init__(self, root: Path) -> None:
        self.root, self.where = root, str(root)

    def open(self, name: str) -> IO[bytes]:
        """The file ``name``; links are not followed out of the folder."""
        path = self.root / checked_name(name)
        if not path.is_file() or not path.resolve().is_relative_to(self.root.resolve()):
            raise StoreError(f"{self.where} has no file {name}; the bundle is incomplete, copy it again")
        return path.open("rb")


class Tar:
    """A bundle as one .tar; nothing of it is unpacked."""

    def __init__(self, tar: tarfile.TarFile, where: str) -> None:
        self.where = where
        self._tar = tar
        self._members = {member.name.removeprefix("./"): member for member in tar}

    def open(self, name: str) -> IO[bytes]:
        """The file ``name``; a link, a device or a folder of that name is none."""
        member = self._members.get(checked_name(name))
        file = self._tar.extractfile(member) if member is not None and member.isreg() else None
        if file is None:
            raise StoreError(f"{self.where} has no file {name}; the bundle is incomplete, copy it again")
        return file


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """The bundle at ``path``: a folder, its manifest, or a .tar."""
    if path.is_dir():
        yield Folder(path)
    elif path.name == MANIFEST and path.is_file():
        yield Folder(path.parent)
    else:
        try:
            with tarfile.open(path, "r:") as tar:
                yield Tar(tar, str(path))
        except (tarfile.TarError, EOFError) as error:
            raise StoreError(f"{path} is neither the folder nor the .tar of a study bundle ({error})") from error


@contextmanager
def written_whole(out: Path) -> Iterator[Path]:
    """A folder beside ``out`` to write into, which becomes ``out`` (a folder, or a .tar by its name) at the end, and is removed on any error.

    ``StoreError`` when ``out`` is there already: a bundle never grows out of two exports.
    """
    if out.exists() or out.is_symlink():
        raise StoreError(f"{out} is there already; name a new folder or .tar, or remove it")
    beside = out.with_name(f".{out.name}.{uuid.uuid4().hex[:8]}")
    try:
        beside.mkdir(parents=True)
        yield beside
        if out.suffix == ".tar":
            packed = beside.with_suffix(".packed")
            try:
                _pack(beside, packed)
                packed.replace(out)
            finally:
                packed.unlink(missing_ok=True)
        else:
            beside.replace(out)
    except OSError as error:
        raise StoreError(f"cannot write {out}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def write_file(root: Path, name: str, write: Callable[[IO[bytes]], int]) -> FileMark:
    """The file ``name`` below ``root``, filled by ``write``, which returns its rows; on the disk before it is named."""
    path = root / checked_name(name)
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        rows = write(file)
        file.flush()
        os.fsync(file.fileno())
    with path.open("rb") as file:
        sha256, size = hashed(file)
    return FileMark(name, sha256, size, rows)


def hashed(file: IO[bytes]) -> tuple[str, int]:
    """sha256 and size of what is left in ``file``."""
    found, size = hashlib.sha256(), 0
    while block := file.read(_BLOCK):
        found.update(block)
        size += len(block)
    return found.hexdigest(), size


def checked_name(name: str) -> str:
    """``name`` if it is a file of a bundle: at most one folder deep, nothing that leads out of it."""
    if not _NAME.fullmatch(name):
        raise StoreError(f"a bundle has no file {name!r:.100}: names are letters, digits, '.', '_' and '-', at most one folder deep")
    return name


def _pack(folder: Path, out: Path) -> None:
    """``folder`` as a .tar that depends on its files' content only."""
    with tarfile.open(out, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            member = tarfile.TarInfo(path.relative_to(folder).as_posix())
            member.size = path.stat().st_size
            with path.open("rb") as file:
                tar.addfile(member, file)
