"""The jars of the embedded server: named by Maven coordinates, fetched once per user, and never used unless their sha256 is in the lock.

1. ``jars.lock.json`` (committed; ``jars.next.lock.json`` for the next line) lists every jar with coordinate, sha256 and size; its own
   digest names the folder in the cache.
2. A jar is downloaded by jgo into a scratch repository (or looked up in ``from_dir``), hashed, and only then moved into that folder.
3. The class path is the folder, so ``verify_jars`` refuses by name what differs, is missing or is extra.

An interrupted fetch leaves complete jars only; the next one goes on from there.
"""

import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache as once
from pathlib import Path

from roicg.core.errors import ServerError
from roicg.server.filelock import file_lock
from roicg.server.home import cache, private_folder
from roicg.server.line import find_line

GDS_GROUP = "org.neo4j.gds"
_ENTRY_POINTS = "META-INF/services/org.neo4j.server.startup.EntryPoint"
_WORKERS = 8
_FETCH_LOCK_S = 600.0

Progress = Callable[[int, int, str], None]
"""Called with (jars done, jars in all, name of the jar just done)."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One locked jar; ``coordinate`` is group:artifact:version or group:artifact:version:classifier, ``size`` in bytes."""

    coordinate: str
    sha256: str
    size: int

    @property
    def group(self) -> str:
        """Maven group."""
        return self.coordinate.split(":")[0]

    @property
    def name(self) -> str:
        """File name in a Maven repository and in our folder."""
        return "-".join(self.coordinate.split(":")[1:]) + ".jar"


@dataclass(frozen=True, slots=True)
class JarLock:
    """The committed list of jars; ``roots`` are the coordinates asked for, all others are what they need."""

    neo4j: str
    gds: str
    browser: str
    roots: tuple[str, ...]
    jars: tuple[Jar, ...]
    digest: str

    @property
    def folder(self) -> Path:
        """Where these jars lie in the user's cache."""
        return cache() / f"jars-{self.neo4j}-{self.gds}-{self.digest[:12]}"

    @property
    def size(self) -> int:
        """Bytes of all jars."""
        return sum(jar.size for jar in self.jars)


def read_lock(path: Path | None = None) -> JarLock:
    """The jar lock at ``path``, by default that of the line in use; raises ServerError when it is no lock of ours."""
    return _read_lock(path or find_line().lock_file)


@once
def _read_lock(path: Path) -> JarLock:
    try:
        raw = path.read_bytes()
        content = json.loads(raw)
        jars = tuple(Jar(entry["coordinate"], entry["sha256"], entry["size"]) for entry in content["jars"])
        return JarLock(content["neo4j"], content["gds"], content["browser"], tuple(content["roots"]), jars, hashlib.sha256(raw).hexdigest())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ServerError(f"the jar lock {path} cannot be read ({type(error).__name__}: {error}); reinstall roicg") from error


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def missing_jars(lock: JarLock, folder: Path) -> tuple[Jar, ...]:
    """The locked jars that ``folder`` lacks, by name only."""
    present = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
    return tuple(jar for jar in lock.jars if jar.name not in present)


def verify_jars(lock: JarLock | None = None, folder: Path | None = None) -> Path:
    """The folder of the jars after every one was hashed and compared with the lock.

    Raises ServerError naming each jar that differs from the lock, is missing from or extra to it.
    """
    lock = lock or read_lock()
    folder = folder or lock.folder
    present = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
    expected = {jar.name: jar for jar in lock.jars}
    with ThreadPoolExecutor(_WORKERS) as pool:
        both = sorted(present & expected.keys())
        hashes = dict(zip(both, pool.map(lambda name: sha256_of(folder / name), both), strict=True))
    _refuse("differ from the lock", folder, [name for name in both if hashes[name] != expected[name].sha256], "delete them and run `roicg db fetch`")
    _refuse("are not in the lock", folder, sorted(present - expected.keys()), "move them away")
    _refuse("are missing", folder, sorted(expected.keys() - present), "run `roicg db fetch`")
    return folder


def entry_point(lock: JarLock, folder: Path) -> str:
    """Main class of the server, as its own jar names it: it was renamed between the lines. Raises ServerError when none is named."""
    try:
        with zipfile.ZipFile(folder / f"neo4j-{lock.neo4j}.jar") as jar:
            named = [line.strip() for line in jar.read(_ENTRY_POINTS).decode("utf-8").splitlines() if line.strip() and not line.startswith("#")]
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ServerError(f"the jar of Neo4j {lock.neo4j} in {folder} names no main class ({type(error).__name__}); run `roicg db fetch`") from error
    if not named:
        raise ServerError(f"the jar of Neo4j {lock.neo4j} in {folder} names no main class; run `roicg db fetch`")
    return named[0]


def _refuse(what: str, folder: Path, names: list[str], cure: str) -> None:
    if names:
        listed = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        raise ServerError(f"{len(names)} jar(s) in {folder} {what}: {listed}; {cure}")


def fetch_jars(from_dir: Path | None = None, progress: Progress | None = None, lock: JarLock | None = None) -> Path:
    """Complete the jar folder, from Maven by coordinates or from the folder ``from_dir`` (any depth), then verify and return it.

    Jars already there are not fetched again. Raises ServerError when a jar cannot be had, differs from the lock, or the disk is full.
    """
    lock = lock or read_lock()
    folder = private_folder(lock.folder)
    try:
        with file_lock(cache() / "fetch.lock", _FETCH_LOCK_S, "fetching the jars"):
            missing = missing_jars(lock, folder)
            if missing:
                _require_space(folder, sum(jar.size for jar in missing))
                with tempfile.TemporaryDirectory(prefix="fetch-", dir=cache()) as scratch:
                    source = _from_folder(from_dir, missing) if from_dir is not None else _from_maven(Path(scratch) / "m2")
                    _bring(missing, source, Path(scratch), folder, len(lock.jars), progress)
    except OSError as error:
        raise ServerError(f"the jars cannot be stored in {folder} ({error.strerror or error}); free space there or set ROICG_CACHE") from error
    return verify_jars(lock, folder)


def _require_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < 2 * needed:
        raise ServerError(f"the jars need {2 * needed >> 20} MiB while they are fetched, {folder} has {free >> 20} MiB free; free space or set ROICG_CACHE")


def _bring(missing: Iterable[Jar], source: Callable[[Jar], Path], scratch: Path, folder: Path, total: int, progress: Progress | None) -> None:
    """Fetch, hash, move: a jar appears in ``folder`` whole and right, or not at all."""

    def bring(jar: Jar) -> Jar:
        found = source(jar)
        part = scratch / jar.name
        shutil.copyfile(found, part)
        if sha256_of(part) != jar.sha256:
            raise ServerError(f"{jar.name} from {found} differs from the lock (its sha256 is another); it is refused, get the jar {jar.coordinate} again")
        os.replace(part, folder / jar.name)
        return jar

    wanted = tuple(missing)
    pool = ThreadPoolExecutor(_WORKERS)
    try:
        for done, future in enumerate(as_completed([pool.submit(bring, jar) for jar in wanted]), total - len(wanted) + 1):
            jar = future.result()
            if progress is not None:
                progress(done, total, jar.name)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _from_folder(from_dir: Path, missing: Iterable[Jar]) -> Callable[[Jar], Path]:
    """Look jars up by name below ``from_dir``; of several with one name, one with the right hash is taken."""
    if not from_dir.is_dir():
        raise ServerError(f"--from {from_dir} is no folder; give a folder that holds the jars")
    found: dict[str, list[Path]] = {}
    for path in sorted(from_dir.rglob("*.jar")):
        found.setdefault(path.name, []).append(path)
    _refuse("are missing", from_dir, [jar.name for jar in missing if jar.name not in found], "add them, or leave --from out to fetch from Maven")

    def look_up(jar: Jar) -> Path:
        candidates = found[jar.name]
        return next((path for path in candidates if sha256_of(path) == jar.sha256), candidates[0])

    return look_up


def _from_maven(repository: Path) -> Callable[[Jar], Path]:
    """Download by coordinate with jgo, from Maven Central and the repositories of the user's jgo settings."""
    try:
        from jgo.config import GlobalSettings
        from jgo.constants import MAVEN_CENTRAL_URL
        from jgo.maven import MavenContext
    except ImportError as error:
        raise ServerError(
            "fetching jars needs jgo, which is not installed; run `pip install 'roicg[server]'`, or use `roicg db fetch --from FOLDER`"
        ) from error

    remotes = {**GlobalSettings.load().repositories, "central": MAVEN_CENTRAL_URL}
    context = MavenContext(repo_cache=repository, remote_repos=remotes, timeout=60)

    def download(jar: Jar) -> Path:
        group, artifact, version, *classifier = jar.coordinate.split(":")
        try:
            return Path(context.project(group, artifact).at_version(version).artifact(*classifier).resolve())
        except (RuntimeError, OSError) as error:  # requests' errors are OSErrors
            raise ServerError(
                f"{jar.coordinate} could not be fetched ({type(error).__name__}: {str(error)[:200]}); check the network, or use `roicg db fetch --from FOLDER`"
            ) from error

    return download
