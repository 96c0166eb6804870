"""Does a server answer, with these credentials, and is GDS in it: the only file of this room that knows the neo4j driver."""

from dataclasses import dataclass

from roicg.core.errors import StoreError, StoreUnreachable


class CredentialsRefused(StoreUnreachable):
    """The server answers but does not accept user and password."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a server says of itself."""

    version: str
    edition: str
    gds_version: str


def check(uri: str, user: str, password: str, database: str = "neo4j", timeout_s: float = 10.0) -> Health:
    """Log in, ask for the versions of Neo4j and of GDS, log out.

    Raises CredentialsRefused, StoreUnreachable (nobody answers within ``timeout_s``), or StoreError (GDS is missing).
    """
    import neo4j
    from neo4j.exceptions import AuthError, ClientError, DriverError, Neo4jError

    try:
        with neo4j.GraphDatabase.driver(
            uri, auth=(user, password), connection_timeout=timeout_s, max_transaction_retry_time=0, connection_acquisition_timeout=timeout_s
        ) as driver:
            driver.verify_connectivity()
            rows = driver.execute_query("CALL dbms.components() YIELD name, versions, edition RETURN name, versions[0] AS version, edition", database_=database)
            kernel = next(row for row in rows.records if row["name"] == "Neo4j Kernel")
            try:
                gds = driver.execute_query("RETURN gds.version() AS version", database_=database).records[0]["version"]
            except ClientError as error:
                raise StoreError(f"the server at {uri} runs without the Graph Data Science library; install GDS there, or use `roicg db start`") from error
    except AuthError as error:
        raise CredentialsRefused(f"the server at {uri} refuses user {user!r} with the given password; set ROICG_NEO4J_USER and ROICG_NEO4J_PASSWORD") from error
    except (DriverError, Neo4jError, OSError, ValueError) as error:
        raise StoreUnreachable(
            f"no graph database answers at {uri} ({type(error).__name__}); start one with `roicg db start`, or set ROICG_NEO4J_URI"
        ) from error
    return Health(version=kernel["version"], edition=kernel["edition"], gds_version=gds)
