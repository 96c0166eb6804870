"""Queries of the catalogue sent through the official driver: access mode, timeout, name and errors in one place."""

import os
import random
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import neo4j
from neo4j.exceptions import AuthError, ConfigurationError, DriverError, IncompleteCommit, Neo4jError

from roicg.core.errors import QueryError, RoicgError, StoreError, StoreUnreachable
from roicg.store.registry import find_query, opens_transactions

if TYPE_CHECKING:
    from roicg.server.address import Address

READ_TIMEOUT_S = 60.0
WRITE_TIMEOUT_S = 120.0
Rows = list[dict[str, Any]]
T = TypeVar("T")

_MEMORY_CODES = ("MemoryPoolOutOfMemoryError", "TransactionOutOfMemoryError", "OutOfMemoryError")
_QUIET = (
    neo4j.NotificationDisabledClassification.HINT,
    neo4j.NotificationDisabledClassification.UNRECOGNIZED,
    neo4j.NotificationDisabledClassification.PERFORMANCE,
    neo4j.NotificationDisabledClassification.TOPOLOGY,
    neo4j.NotificationDisabledClassification.SCHEMA,
)
RETRY_S = 20.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 4.0
_REPEATS = 3
# Two processes that create one constraint or index at the same time: one of them hears that it is there.
_THERE_ALREADY = ("EquivalentSchemaRuleAlreadyExists", "ConstraintAlreadyExists", "IndexAlreadyExists")


class TransactionMemoryFull(StoreError):
    """The transaction holds more than the server allows one; the caller sends less at once."""


@dataclass(frozen=True, slots=True)
class _Alone:
    """Statements each in a transaction that the server makes for it: one journey to the server instead of three."""

    session: neo4j.Session
    metadata: dict[str, Any]
    timeout: float

    def run(self, text: str, params: dict[str, Any]) -> neo4j.Result:
        return self.session.run(neo4j.Query(text, metadata=self.metadata, timeout=self.timeout), params)


class Transaction:
    """A transaction that runs catalogue queries by name; made by :meth:`Connection.transaction`."""

    def __init__(self, inner: neo4j.Transaction | _Alone, allowed: tuple[str, ...]) -> None:
        self._inner = inner
        self._allowed = allowed

    def run(self, name: str, /, **params: Any) -> Rows:
        """Rows of the query ``name``."""
        query = find_query(name)
        if query.mode not in self._allowed:
            raise QueryError(f"{name} is a {query.mode} query; here only {' or '.join(self._allowed)} queries may run")
        if opens_transactions(query.text) and not isinstance(self._inner, _Alone):
            raise QueryError(f"{name} makes transactions of its own, so that it can be part of none; ask it alone")
        return self.send(name, query.text, query.bind(params), plain=True)

    def send(self, name: str, text: str, params: dict[str, Any], *, plain: bool = False) -> Rows:
        """Rows of the statement ``text``, called ``name`` in errors; ``plain``: no column is a node, relationship or path."""
        try:
            result = self._inner.run(text, params)
            columns = result.keys()
            return [dict(zip(columns, record, strict=True)) for record in result] if plain else result.data()
        except Neo4jError as error:
            # Its code calls the memory error transient, so that the driver would repeat it for half a minute.
            if _is_memory(error):
                raise TransactionMemoryFull(f"{name}: {error.message}") from error
            raise


class Connection:
    """One driver; ``read``, ``write`` and ``transaction`` are managed and named in ``SHOW TRANSACTIONS``.

    Managed: repeated on transient errors, and after a connection was lost, even when that happened while committing and nobody
    knows whether it took effect. So every writing query of the catalogue, and every ``work`` given here, may take effect twice.
    """

    def __init__(self, address: "Address", *, read_timeout_s: float = READ_TIMEOUT_S, write_timeout_s: float = WRITE_TIMEOUT_S) -> None:
        self.address = address
        self.read_timeout_s, self.write_timeout_s = read_timeout_s, write_timeout_s
        self.looks: dict[str, tuple[float, Rows]] = {}
        """When (``time.monotonic``) and what :func:`roicg.store.neo4j.settled.settled` last saw published; forgotten when this connection writes."""
        with self._plain_errors("open"):
            self._driver = neo4j.GraphDatabase.driver(
                address.uri,
                auth=(address.user, address.password),
                user_agent="roicg",
                connection_timeout=10.0,
                # What remains are warnings of deprecation. To warn, the driver keeps the stack of every query: a tenth of a second
                # each in a process full of modules (Dagster with torch), so only those who ask for it (ROICG_STRICT) pay.
                warn_notification_severity="WARNING" if os.environ.get("ROICG_STRICT") else None,
                notifications_disabled_classifications=_QUIET,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._driver.close()

    def verify(self) -> None:
        """``StoreUnreachable`` with what to do, unless the server answers and accepts the credentials."""
        with self._plain_errors("connect"):
            self._driver.verify_connectivity()
            self._driver.verify_authentication()

    def read(self, name: str, /, **params: Any) -> Rows:
        """Rows of a reading query in READ access mode, where the server itself refuses writes."""
        return self._managed(name, lambda tx: tx.run(name, **params), ("read",), alone=True)

    def reading(self, name: str, work: Callable[[Transaction], T]) -> T:
        """Several reading queries in one transaction called ``name``; ``work`` may run more than once."""
        return self._managed(name, work, ("read",))

    def write(self, name: str, /, **params: Any) -> Rows:
        """Rows of one writing query in a transaction of its own."""
        return self._managed(name, lambda tx: tx.run(name, **params), ("write", "read"), alone=True)

    def transaction(self, name: str, work: Callable[[Transaction], T]) -> T:
        """Several queries in one writing transaction called ``name``; ``work`` may run more than once."""
        return self._managed(name, work, ("write", "read"))

    def define(self, name: str, /) -> None:
        """Run one schema query, which may find that what it makes is there."""
        self._managed(name, lambda tx: tx.run(name), ("schema",))

    def free(self, text: str, params: dict[str, Any] | None = None, *, write: bool = False) -> Rows:
        """Rows of Cypher that a person typed; READ access mode unless ``write``, which is never repeated on doubt.

        What makes transactions of its own (``IN TRANSACTIONS``) is in doubt after any failure, and then not repeated at all.
        """
        allowed, alone = ("write", "read") if write else ("read",), opens_transactions(text)
        return self._managed("typed", lambda tx: tx.send("typed", text, params or {}), allowed, repeatable=not write, alone=alone)

    def _managed(self, name: str, work: Callable[[Transaction], T], allowed: tuple[str, ...], *, repeatable: bool = True, alone: bool = False) -> T:
        """Try until it is done, gives up for good, or has failed for ``RETRY_S``.

        The driver's own loop would repeat for half a minute what has no memory (its code says transient), and begins with a
        second for a deadlock that has passed at once.
        """
        failures, until, pause = 0, 0.0, _FIRST_PAUSE_S
        with self._plain_errors(name):
            while True:
                try:
                    return self._once(name, work, allowed, alone=alone)
                except (DriverError, Neo4jError, OSError) as error:
                    if alone and not repeatable:  # its transactions commit one by one, some of them perhaps already
                        raise
                    failures += 1
                    now = time.monotonic()
                    until = until or now + RETRY_S
                    if now >= until or not _passes(error, failures, repeatable, allowed):
                        raise
                time.sleep(pause * random.uniform(0.8, 1.2))
                pause = min(2 * pause, _LONGEST_PAUSE_S)

    def _once(self, name: str, work: Callable[[Transaction], T], allowed: tuple[str, ...], *, alone: bool) -> T:
        reads = allowed == ("read",)
        if not reads:
            self.looks.clear()
        timeout = self.read_timeout_s if reads else self.write_timeout_s
        metadata = {"app": "roicg", "query": name}
        with self._session(reads=reads) as session:
            if alone:
                return work(Transaction(_Alone(session, metadata, timeout), allowed))
            with session.begin_transaction(metadata=metadata, timeout=timeout) as inner:
                answer = work(Transaction(inner, allowed))
                inner.commit()
                return answer

    def _session(self, *, reads: bool = False) -> neo4j.Session:
        # One bookmark manager: on a cluster, what one session wrote the next one sees.
        return self._driver.session(
            database=self.address.database,
            default_access_mode=neo4j.READ_ACCESS if reads else neo4j.WRITE_ACCESS,
            fetch_size=20_000,
            bookmark_manager=self._driver.execute_query_bookmark_manager,
        )

    @contextmanager
    def _plain_errors(self, name: str) -> Iterator[None]:
        """Turn driver and server errors into sentences with what to do."""
        try:
            yield
        except RoicgError:
            raise
        except AuthError as error:
            raise StoreUnreachable(
                f"{self.address.uri} refuses user {self.address.user!r} with this password; correct ROICG_NEO4J_USER and ROICG_NEO4J_PASSWORD, "
                "or unset ROICG_NEO4J_URI to use the embedded database"
            ) from error
        except ConfigurationError as error:
            raise StoreUnreachable(f"{self.address.uri!r} is no database address ({error}); it must look like bolt://host:7687 or neo4j://host:7687") from error
        except IncompleteCommit as error:
            raise StoreUnreachable(
                f"the connection to {self.address.uri} was lost while {name} was being committed, so that it may or may not have taken effect; look before you repeat it"
            ) from error
        except Neo4jError as error:
            raise _server_said(name, error) from error
        except UnicodeEncodeError as error:
            raise QueryError(f"{name}: {ascii(error.object)[:80]} holds half of a surrogate pair, which is no text and cannot be stored") from error
        except (DriverError, OSError) as error:
            if (refused := _refused_certificate(error)) is not None:
                raise StoreUnreachable(
                    f"the certificate of {self.address.uri} is refused ({refused.verify_message}); name the certificate of its authority in SSL_CERT_FILE, "
                    "or take any certificate with bolt+ssc:// or neo4j+ssc://"
                ) from error
            raise StoreUnreachable(
                f"no database answers at {self.address.uri} ({_first_line(error)}); start one with `roicg db start`, or set ROICG_NEO4J_URI to one that runs"
            ) from error


def _is_memory(error: Neo4jError) -> bool:
    return (error.code or "").endswith(_MEMORY_CODES)


def _passes(error: DriverError | Neo4jError | OSError, failures: int, repeatable: bool, allowed: tuple[str, ...]) -> bool:
    """Whether it is worth trying again."""
    if isinstance(error, IncompleteCommit | OSError):  # OSError: the driver lets it through where a connection breaks between its handshake and its first word
        return repeatable
    if isinstance(error, DriverError) or error.is_retryable():
        return error.is_retryable() and not (isinstance(error, Neo4jError) and _is_memory(error))
    code = error.code or ""
    # Errors of the client by name, yet passing: a row that another writer removes while MERGE takes it; what another process has just made.
    return failures < _REPEATS and (code.endswith("EntityNotFound") or ("schema" in allowed and code.endswith(_THERE_ALREADY)))


def _server_said(name: str, error: Neo4jError) -> StoreError:
    code, said = error.code or "", _first_line(error.message or error)
    if _is_memory(error):  # while committing, where no query is to blame
        return TransactionMemoryFull(f"{name}: {said}")
    if "TransactionTimedOut" in code:
        return StoreError(f"{name} ran out of its time limit and was stopped; ask for less, or for one slot at a time")
    if code.endswith("AccessMode"):
        return QueryError(f"{name} writes, and only reading is allowed here: {said}")
    if ".Statement." in code:
        return QueryError(f"the database refuses {name}: {said}")
    if "DatabaseUnavailable" in code or "DatabaseNotFound" in code:
        return StoreUnreachable(f"the database cannot be used now: {said}; look at its log (`roicg db status`)")
    return StoreError(f"the database failed at {name} ({code}): {said}")


def _refused_certificate(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """What lies below ``error``, where the driver keeps it: as the cause of a cause, or in the group of all servers of a routing table."""
    todo: list[BaseException | None] = [error]
    while todo:
        one = todo.pop()
        if isinstance(one, ssl.SSLCertVerificationError):
            return one
        if one is not None:
            todo += [one.__cause__, *(one.exceptions if isinstance(one, BaseExceptionGroup) else ())]
    return None


def _first_line(error: object) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
