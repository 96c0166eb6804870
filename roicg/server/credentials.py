"""The password of the embedded server: generated once, kept in a 0600 file, handed to the server as a hash.

The server reads ``auth.ini`` only before its system database exists; its line is
``neo4j:SHA-256,<hash>,<salt>,1024:`` where the hash is sha256(salt + password), hashed again 1023 times.
Written from Python so that the password is on no command line and the file has mode 0600 from its first byte.
"""

import hashlib
import os
import secrets
from pathlib import Path

from roicg.core.errors import ServerError
from roicg.server.home import ServerFiles, private_folder

USER = "neo4j"
_ROUNDS = 1024


def read_password(files: ServerFiles) -> str:
    """The password of this home's server; raises ServerError when its file is missing or empty."""
    try:
        password = files.password.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ServerError(f"the password of the embedded database cannot be read from {files.password} ({error.strerror})") from error
    if not password:
        raise ServerError(f"the password file {files.password} is empty; put the password back, or remove {files.root} to begin with an empty database")
    return password


def ensure_credentials(files: ServerFiles) -> str:
    """Password of this home's server, generated (and told to the server) when the database does not exist yet.

    Raises ServerError when a database is there but its password file is gone.
    """
    exists = (files.data / "databases" / "system").exists()
    if exists and not files.password.exists():
        raise ServerError(
            f"the database in {files.data} has a password, but {files.password} is gone; put it back, or remove {files.root} to begin with an empty database"
        )
    if not files.password.exists():
        write_private(files.password, secrets.token_urlsafe(24) + "\n")
    files.password.chmod(0o600)
    password = read_password(files)
    if not exists:
        private_folder(files.auth.parent)
        write_private(files.auth, auth_line(password, secrets.token_bytes(32)))
    return password


def auth_line(password: str, salt: bytes) -> str:
    """The one line of ``auth.ini`` that makes the server accept ``password`` for the user neo4j."""
    digest = hashlib.sha256(salt + password.encode("utf-8")).digest()
    for _ in range(_ROUNDS - 1):
        digest = hashlib.sha256(digest).digest()
    return f"{USER}:SHA-256,{digest.hex()},{salt.hex()},{_ROUNDS}:\n"


def write_private(path: Path, text: str) -> None:
    """Replace ``path`` with ``text`` in one step, mode 0600 from the first byte."""
    part = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
