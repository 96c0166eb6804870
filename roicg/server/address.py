"""Where the database is and how to log in: another server named by the environment, or the embedded one."""

import os
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from roicg.core.errors import StoreUnreachable

_SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """Uri, user, password and database name of a server; its text never shows the password."""

    uri: str
    user: str
    password: str
    database: str = "neo4j"
    source: Literal["embedded", "environment"] = "embedded"

    def __repr__(self) -> str:
        return f"Address(uri={self.uri!r}, user={self.user!r}, password='***', database={self.database!r}, source={self.source!r})"


def environment_address() -> Address | None:
    """The server that ``ROICG_NEO4J_URI``, ``_USER`` (default neo4j) and ``_PASSWORD`` name, or None without a URI.

    Raises StoreUnreachable when the URI has another form than ``bolt://host:port`` or ``neo4j://host:port``, or the password is missing.
    """
    uri = os.environ.get("ROICG_NEO4J_URI", "").strip()
    if not uri:
        return None
    parts = urlsplit(uri)
    if parts.username is not None or parts.password is not None:
        raise StoreUnreachable("ROICG_NEO4J_URI holds credentials; put them into ROICG_NEO4J_USER and ROICG_NEO4J_PASSWORD, where no log shows them")
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise StoreUnreachable(f"ROICG_NEO4J_URI is {uri!r}; it must be {'|'.join(_SCHEMES)}://host:port")
    password = os.environ.get("ROICG_NEO4J_PASSWORD", "")
    if not password:
        raise StoreUnreachable(f"ROICG_NEO4J_URI names {uri} but ROICG_NEO4J_PASSWORD is not set; set it, or unset ROICG_NEO4J_URI to use the embedded server")
    return Address(uri, os.environ.get("ROICG_NEO4J_USER") or "neo4j", password, source="environment")


def database_address(start_if_needed: bool = True) -> Address:
    """The database to use: the one the environment names, else the embedded server of ``home()``, started when it does not run.

    Raises StoreUnreachable when the environment's address is incomplete, or nothing runs and ``start_if_needed`` is false;
    ServerError when the embedded server does not start.
    """
    named = environment_address()
    if named is not None:
        return named
    from roicg.server.embedded import running_address, start
    from roicg.server.home import home

    if start_if_needed:
        return start(home())
    address = running_address(home())
    if address is None:
        raise StoreUnreachable(f"no database runs in {home()}; start it with `roicg db start`, or set ROICG_NEO4J_URI")
    return address
