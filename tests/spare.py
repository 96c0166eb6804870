"""The spare embedded server: for what the shared one must not suffer, such as little memory, sudden death and settings of its own.

One for all such tests of a session, because a start takes ten seconds and the questions after it are slow: it has all their settings at
once, and runs on from test to test.
"""

import shutil
from pathlib import Path
from unittest.mock import patch

from roicg.server import embedded
from roicg.server.address import Address
from roicg.server.configuration import Memory
from roicg.server.home import ServerFiles
from tests.server_fixtures import start_embedded

HEAP_MB = 256
JAVA = "-XX:TieredStopAtLevel=1 -XX:ActiveProcessorCount=1"
"""It does not live long enough for Java's second compiler, and leaves the other cores to the tests that run beside."""
CERTIFICATE = Path(__file__).parent / "data" / "tls"
SETTINGS = {
    "db.memory.transaction.max": "16m",
    "server.bolt.tls_level": "OPTIONAL",
    "dbms.ssl.policy.bolt.enabled": "true",
    "dbms.ssl.policy.bolt.base_directory": "tls",
    "dbms.ssl.policy.bolt.private_key": "private.key",
    "dbms.ssl.policy.bolt.public_certificate": "public.crt",
    "dbms.ssl.policy.bolt.client_auth": "NONE",
}


def spare_server(home: Path) -> Address:
    """Start, or find, the server of ``home`` with 256 MB of heap, 16 MB for a transaction, and TLS offered beside plain Bolt."""
    root = ServerFiles.of(home).root
    shutil.copytree(CERTIFICATE, root / "tls", dirs_exist_ok=True)
    root.chmod(0o700)
    with patch.object(embedded, "memory_for", lambda total: Memory(HEAP_MB, 64)):
        return start_embedded(home, SETTINGS, java=JAVA)


def stopped_and_empty(home: Path) -> Path:
    """``home`` with no server running and no database."""
    embedded.stop(home)
    shutil.rmtree(ServerFiles.of(home).data, ignore_errors=True)
    return home
