"""A Docker engine for the lanes: the one that answers, else one of our own with folder, socket and pid file apart from any other's."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_S = 60.0
BRIDGE = "docker0"


class NoEngine(Exception):
    """No Docker engine answers and none can be started; the text is the reason of a skip."""


def answering_engine() -> str | None:
    """``DOCKER_HOST`` of an engine that answers this user now, or None."""
    if shutil.which("docker") is None:
        return None
    if not _answers():
        return None
    named = os.environ.get("DOCKER_HOST")
    context = subprocess.run(["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"], capture_output=True, text=True, check=False)
    return named or context.stdout.strip() or "unix:///var/run/docker.sock"


def _answers(*words: str) -> bool:
    try:
        return subprocess.run(["docker", *words, "version"], capture_output=True, timeout=30, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


@contextmanager
def engine(folder: Path) -> Iterator[str]:
    """``DOCKER_HOST`` of the engine that answers, else of one started here (as root) with everything it owns below ``folder``, ended with the block.

    Raises NoEngine with the reason.
    """
    found = answering_engine()
    if found is not None:
        yield found
        return
    for name in ("docker", "dockerd", "iptables"):
        if shutil.which(name) is None:
            raise NoEngine(f"no Docker engine answers, and {name} is not installed to start one")
    if os.geteuid() != 0:
        raise NoEngine("no Docker engine answers, and only root can start one")
    # A bridge that is there belongs to somebody: ours is made by our engine and removed after it.
    bridge_was_there = Path("/sys/class/net", BRIDGE).exists()
    process = _start(folder)
    try:
        yield f"unix://{folder}/docker.sock"
    finally:
        _end(process, 60.0)
        if not bridge_was_there and Path("/sys/class/net", BRIDGE).exists() and shutil.which("ip"):
            subprocess.run(["ip", "link", "delete", BRIDGE], capture_output=True, check=False)


def _start(folder: Path) -> subprocess.Popen[bytes]:
    """The daemon, answering; the driver that stores layers once where the kernel has it, else the one that copies."""
    folder.mkdir(parents=True, exist_ok=True)
    for driver in ("overlay2", "vfs"):
        log = folder / f"dockerd-{driver}.log"
        # No rules of ours in the host's firewall: ports are published by a proxy, containers need nothing from outside.
        command = ["dockerd", "--data-root", str(folder / "data"), "--exec-root", str(folder / "exec"), "--pidfile", str(folder / "docker.pid")]
        command += ["--host", f"unix://{folder}/docker.sock", "--storage-driver", driver, "--iptables=false", "--ip-masq=false"]
        with log.open("wb") as stream:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True)
        deadline = time.monotonic() + START_S
        while process.poll() is None and time.monotonic() < deadline:
            if _answers("--host", f"unix://{folder}/docker.sock"):
                return process
            time.sleep(0.5)
        _end(process, 20.0)
    lines = log.read_text(errors="replace").splitlines()
    raise NoEngine(f"a Docker engine did not start; its last words: {' | '.join(lines[-3:])}")


def _end(process: subprocess.Popen[bytes], patience_s: float) -> None:
    process.terminate()  # its containerd ends with it, which a kill would leave behind
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
