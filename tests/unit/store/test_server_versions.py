"""A server that is too old or lacks GDS is refused with what was found, what is needed and how to get it."""

from typing import Any

import pytest
from neo4j.exceptions import ClientError, Neo4jError

from roicg.core.errors import QueryError, StoreError, StoreUnreachable
from roicg.server.address import Address
from roicg.store.neo4j.driver import Connection, Transaction, TransactionMemoryFull
from roicg.store.neo4j.schema import check_server


class Server:
    """Says which versions it has; ``gds=None`` has none."""

    address = Address("bolt://db.example:7687", "neo4j", "secret")

    def __init__(self, neo4j: str, gds: str | None) -> None:
        self.versions = {"house.server": neo4j, "house.gds": gds}

    def read(self, name: str) -> list[dict[str, Any]]:
        if self.versions[name] is None:
            raise QueryError("Unknown function 'gds.version'")
        return [{"version": self.versions[name]}]


@pytest.mark.parametrize(("neo4j", "gds"), [("5.26.25", "2.13.10"), ("2026.01.4", "2.26.0"), ("2026.10.2", "2026.10.0")])
def test_new_enough_servers_pass(neo4j: str, gds: str) -> None:
    assert check_server(Server(neo4j, gds)) == (neo4j, gds)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("neo4j", "gds", "says"),
    [
        ("5.25.1", "2.13.10", r"runs Neo4j 5.25.1, and roicg needs 5.26 or later; use `roicg db start`"),
        ("4.4.40", "2.13.10", r"needs 5.26"),
        ("dev", "2.13.10", r"runs Neo4j dev"),
        ("5.26.25", None, r"without Graph Data Science, and roicg needs 2.13 or later; use `roicg db start`"),
        ("5.26.25", "2.12.0", r"has Graph Data Science 2.12.0, and roicg needs 2.13"),
    ],
)
def test_others_are_refused(neo4j: str, gds: str | None, says: str) -> None:
    with pytest.raises(StoreError, match=says):
        check_server(Server(neo4j, gds))  # type: ignore[arg-type]


def neo4j_error(code: str) -> Neo4jError:
    return Neo4jError._basic_hydrate(neo4j_code=code, message="it says so\nat length")


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        ("Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration", StoreError, "ran out of its time limit"),
        ("Neo.ClientError.Statement.AccessMode", QueryError, "only reading is allowed here: it says so$"),
        ("Neo.ClientError.Statement.SyntaxError", QueryError, "the database refuses house.server: it says so$"),
        ("Neo.TransientError.General.DatabaseUnavailable", StoreUnreachable, "cannot be used now"),
        ("Neo.DatabaseError.General.UnknownError", StoreError, "the database failed at house.server"),
        ("Neo.ClientError.Security.Unauthorized", StoreUnreachable, "refuses user 'neo4j'"),
    ],
)
def test_what_the_server_says_becomes_one_sentence(code: str, kind: type[StoreError], says: str) -> None:
    with Connection(Server.address) as connection:
        with pytest.raises(kind, match=says) as caught, connection._plain_errors("house.server"):
            raise neo4j_error(code)
        assert type(caught.value) is kind
        assert "secret" not in str(caught.value)


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(StoreUnreachable, match="is no database address"):
        Connection(Address("ftp://db.example", "neo4j", "secret"))


class Full:
    """A transaction in which nothing has room."""

    def __init__(self, code: str) -> None:
        self.code = code

    def run(self, text: str, params: dict[str, Any]) -> None:
        raise neo4j_error(self.code)


def test_a_full_transaction_is_not_repeated_by_the_driver_but_told_to_the_loader() -> None:
    with pytest.raises(TransactionMemoryFull):
        Transaction(Full("Neo.TransientError.General.MemoryPoolOutOfMemoryError"), ("read",)).run("house.server")  # type: ignore[arg-type]
    with pytest.raises(ClientError):
        Transaction(Full("Neo.ClientError.Statement.SyntaxError"), ("read",)).run("house.server")  # type: ignore[arg-type]
    with pytest.raises(QueryError, match=r"is a write query; here only read queries may run"):
        Transaction(Full(""), ("read",)).run("publish.release", slot="s", run="r")  # type: ignore[arg-type]
