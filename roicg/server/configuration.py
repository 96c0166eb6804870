"""What the embedded server is told: its ports, its memory, and what it must not do (listen elsewhere, report usage, fill the disk)."""

import contextlib
import json
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from roicg.core.errors import ServerError

LOOPBACK = "127.0.0.1"
# Below the kernel's range for outgoing connections (32768 and up), so that the address of a home is rarely taken while it sleeps.
_FIRST_PORT, _LAST_PORT = 20000, 30000
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Ports:
    """Loopback ports of one server."""

    bolt: int
    http: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Sizes in MiB: Java heap and Neo4j page cache."""

    heap: int
    page_cache: int


def port_is_free(port: int) -> bool:
    """Whether a server could listen on ``port`` of the loopback interface now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def remembered_ports(path: Path) -> Ports | None:
    """The ports noted at ``path`` by the last start, or None when there is no usable note."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        ports = Ports(int(content["bolt"]), int(content["http"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return ports if all(1024 <= port <= 65535 for port in (ports.bolt, ports.http)) else None


def free_ports(remembered: Ports | None = None) -> Ports:
    """The remembered ports where they are still free, else random free ones; raises ServerError when none is found."""
    chosen: list[int] = []
    for wanted in (remembered.bolt, remembered.http) if remembered else (0, 0):
        port = wanted
        for _ in range(200):
            if port and port not in chosen and port_is_free(port):
                chosen.append(port)
                break
            port = _FIRST_PORT + secrets.randbelow(_LAST_PORT - _FIRST_PORT)
        else:
            raise ServerError(f"no free port between {_FIRST_PORT} and {_LAST_PORT} on {LOOPBACK}; close programs that listen there")
    return Ports(bolt=chosen[0], http=chosen[1])


def machine_memory() -> int:
    """Bytes of memory this process may use: the machine's, or the control group's limit where that is smaller."""
    import psutil

    total: int = psutil.virtual_memory().total
    with contextlib.suppress(OSError, ValueError):
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return total


def memory_for(total_bytes: int) -> Memory:
    """An eighth of the machine as heap (384 MiB to 4 GiB), a sixteenth as page cache (64 MiB to 1 GiB)."""
    total = total_bytes // _MIB
    return Memory(heap=min(max(total // 8, 384), 4096), page_cache=min(max(total // 16, 64), 1024))


def neo4j_conf(ports: Ports, memory: Memory) -> str:
    """Text of ``neo4j.conf``: folders stay the defaults below the home folder, so that no path needs escaping."""
    settings = {
        "server.default_listen_address": LOOPBACK,
        "server.default_advertised_address": LOOPBACK,
        "server.bolt.enabled": "true",
        "server.bolt.listen_address": f"{LOOPBACK}:{ports.bolt}",
        "server.bolt.advertised_address": f"{LOOPBACK}:{ports.bolt}",
        "server.http.enabled": "true",
        "server.http.listen_address": f"{LOOPBACK}:{ports.http}",
        "server.http.advertised_address": f"{LOOPBACK}:{ports.http}",
        "server.https.enabled": "false",
        "dbms.security.auth_enabled": "true",
        "dbms.security.procedures.unrestricted": "gds.*",
        # roicg loads no CSV; with it, whoever may read the database could read every file that its process may.
        "dbms.security.allow_csv_import_from_file_urls": "false",
        "dbms.usage_report.enabled": "false",
        "client.allow_telemetry": "false",
        # A new store would otherwise take two preallocated logs of 256 MiB.
        "db.tx_log.preallocate": "false",
        # Nobody is left to wait for when the databases are closed; the default waits twice 5 s at every stop.
        "internal.dbms.bolt.netty_server_shutdown_quiet_period": "0",
        "server.memory.pagecache.size": f"{memory.page_cache}m",
    }
    return "# written by roicg at every start; changes made here are lost\n" + "".join(f"{key}={value}\n" for key, value in settings.items())
