"""Every query file on the real server: it is planned without a warning, reads or writes as it says, returns the columns it says."""

import neo4j
import pytest

from roicg.server.address import Address
from roicg.store.connect import connect
from roicg.store.registry import Query, catalogue

pytestmark = pytest.mark.neo4j

EXAMPLES: dict[str, object] = {"STRING": "x", "INTEGER": 1, "FLOAT": 0.5, "BOOLEAN": True, "MAP": {}}
KINDS = {"read": {"r"}, "write": {"w", "rw"}, "schema": {"s"}}


def example(kind: str) -> object:
    """A value of a declared type."""
    return [example(kind[5:-1])] if kind.startswith("LIST<") else EXAMPLES[kind]


def plan(session: neo4j.Session, query: Query) -> list[str]:
    """What is wrong with ``query``: columns, mode, deprecations, an error."""
    try:
        result = session.run("EXPLAIN " + query.text, {field.name: example(field.type) for field in query.params})
        keys = list(result.keys())
        summary = result.consume()
    except neo4j.exceptions.Neo4jError as error:
        return [f"{query.name}: {error}"]
    wrong = [f"{query.name}: {said.status_description}" for said in summary.gql_status_objects if said.severity == neo4j.NotificationSeverity.WARNING]
    declared = [field.name for field in query.returns]
    if query.mode != "schema" and keys != declared:
        wrong.append(f"{query.name}: returns {keys}, declared {declared}")
    if summary.query_type not in KINDS[query.mode] and query.name != "house.server":  # dbms.components() counts as schema
        wrong.append(f"{query.name}: is of type {summary.query_type}, declared {query.mode}")
    return wrong


def test_every_query_is_planned_as_its_header_says(address: Address) -> None:
    with connect(address) as store:
        store.ensure_schema()  # hinted indexes must be there, whichever test is the first of the session
    with (
        neo4j.GraphDatabase.driver(
            address.uri,
            auth=(address.user, address.password),
            notifications_disabled_classifications=["UNRECOGNIZED", "PERFORMANCE", "SCHEMA"],
        ) as driver,
        driver.session(database=address.database) as session,
    ):
        assert len(catalogue()) > 30
        assert [wrong for query in catalogue().values() for wrong in plan(session, query)] == []
