"""Which failures are tried again: what passes, within a bound; not what has no memory, nor what a person typed and may have been done."""

import errno
from collections.abc import Iterator
from typing import Any

import pytest
from neo4j.exceptions import DriverError, IncompleteCommit, Neo4jError, ServiceUnavailable

from roicg.core.errors import QueryError, StoreError, StoreUnreachable
from roicg.server.address import Address
from roicg.store.neo4j import driver
from roicg.store.neo4j.driver import Connection, TransactionMemoryFull


def said(code: str) -> Neo4jError:
    return Neo4jError._basic_hydrate(neo4j_code=f"Neo.{code}", message="it says so")


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    monkeypatch.setattr(driver, "_FIRST_PAUSE_S", 0.0001)
    with Connection(Address("bolt://db.example:7687", "neo4j", "secret")) as opened:
        yield opened


def failing(connection: Connection, monkeypatch: pytest.MonkeyPatch, *errors: Exception) -> list[str]:
    """Each try meets the next of ``errors``, then all is well."""
    tries: list[str] = []
    coming = list(errors)

    def once(name: str, work: Any, allowed: tuple[str, ...], *, alone: bool) -> str:
        tries.append(name)
        if coming:
            raise coming.pop(0)
        return "done"

    monkeypatch.setattr(connection, "_once", once)
    return tries


PASSING = [
    said("TransientError.Transaction.DeadlockDetected"),
    said("TransientError.General.DatabaseUnavailable"),
    said("ClientError.Statement.EntityNotFound"),
    ServiceUnavailable("gone for a moment"),
    IncompleteCommit("the answer got lost"),
    OSError(errno.ENOTCONN, "the connection broke between its handshake and its first word"),
]


def named(error: Exception) -> str:
    return getattr(error, "code", None) or type(error).__name__


@pytest.mark.parametrize("error", PASSING, ids=named)
def test_what_passes_is_tried_again(connection: Connection, monkeypatch: pytest.MonkeyPatch, error: DriverError | Neo4jError | OSError) -> None:
    """Seen to fail for the OSError, by a connection cut at random: a publication died of it."""
    tries = failing(connection, monkeypatch, error, error)
    assert connection.write("publish.release", slot="s", run="r") == "done"
    assert tries == ["publish.release"] * 3


LASTING: list[tuple[Exception, type[StoreError], str]] = [
    (said("TransientError.General.MemoryPoolOutOfMemoryError"), TransactionMemoryFull, "publish.release: it says so"),
    (said("ClientError.General.TransactionOutOfMemoryError"), TransactionMemoryFull, "publish.release: it says so"),
    (said("ClientError.Statement.SyntaxError"), QueryError, "the database refuses"),
    (said("ClientError.Schema.ConstraintValidationFailed"), StoreError, "failed at publish.release"),
    (said("ClientError.Schema.EquivalentSchemaRuleAlreadyExists"), StoreError, "failed at publish.release"),
]


@pytest.mark.parametrize(("error", "kind", "says"), LASTING, ids=[str(case[0].code) for case in LASTING])  # type: ignore[attr-defined]
def test_what_does_not_pass_is_said_at_once(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[StoreError], says: str
) -> None:
    """Seen to fail for memory met while committing: half a minute, and an error that no batch is halved for."""
    tries = failing(connection, monkeypatch, error)
    with pytest.raises(kind, match=says):
        connection.write("publish.release", slot="s", run="r")
    assert len(tries) == 1


def test_a_schema_query_may_find_its_constraint_made_by_another_process(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = failing(connection, monkeypatch, said("ClientError.Schema.EquivalentSchemaRuleAlreadyExists"))
    connection.define("schema.v013_roi_key")
    assert len(tries) == 2


def test_a_row_that_is_gone_for_good_is_said_after_three_tries(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = failing(connection, monkeypatch, *[said("ClientError.Statement.EntityNotFound")] * 9)
    with pytest.raises(StoreError):
        connection.read("house.slots")
    assert len(tries) == 3


def test_a_server_that_stays_away_is_given_up_when_the_time_is_over(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "RETRY_S", 0.01)
    tries = failing(connection, monkeypatch, *[ServiceUnavailable("gone")] * 10**4)
    with pytest.raises(StoreUnreachable, match="no database answers"):
        connection.read("house.slots")
    assert 1 < len(tries) < 10**4


def test_what_a_person_typed_is_not_written_twice_on_doubt(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = failing(connection, monkeypatch, IncompleteCommit("the answer got lost"))
    with pytest.raises(StoreUnreachable, match="may or may not have taken effect; look before you repeat it"):
        connection.free("CREATE (:Mine)", write=True)
    assert len(tries) == 1
    tries = failing(connection, monkeypatch, IncompleteCommit("the answer got lost"))
    assert connection.free("RETURN 1 AS one") == "done"
    assert len(tries) == 2


@pytest.mark.parametrize("error", [*PASSING, said("TransientError.Transaction.LockClientStopped")], ids=named)
def test_what_a_person_typed_in_transactions_of_its_own_is_written_once(connection: Connection, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Some of its transactions may be there before another fails; seen to fail for all but a lost commit."""
    tries = failing(connection, monkeypatch, error)
    with pytest.raises(StoreError):
        connection.free("UNWIND [1, 2] AS i CALL (i) { CREATE (:Mine {i: i}) } IN TRANSACTIONS OF 1 ROW", write=True)
    assert len(tries) == 1


def test_what_was_seen_published_is_forgotten_with_the_first_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "RETRY_S", 0.0)
    with Connection(Address("bolt://127.0.0.1:9", "neo4j", "secret")) as connection:
        connection.looks["study|model@"] = 0.0, [{"slots": 1}]
        for ask, kept in ((connection.read, True), (connection.write, False)):
            with pytest.raises(StoreUnreachable):
                ask("publish.turn" if ask == connection.write else "house.slots")
            assert bool(connection.looks) == kept
