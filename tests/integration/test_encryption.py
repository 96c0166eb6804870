"""Encrypted connections to a server with a self-signed certificate: taken on trust, checked and refused, checked and known."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from roicg.core.errors import StoreError, StoreUnreachable
from roicg.server.address import Address
from roicg.server.home import ServerFiles
from roicg.store.neo4j.store import Neo4jStore
from tests.spare import CERTIFICATE, spare_server

pytestmark = pytest.mark.neo4j


@pytest.fixture(scope="module")
def encrypted(spare_home: Path) -> Address:
    """The spare server, which offers TLS beside plain Bolt."""
    return spare_server(spare_home)


def at(address: Address, scheme: str) -> Address:
    return Address(address.uri.replace("bolt://", f"{scheme}://"), address.user, address.password, address.database)


@pytest.mark.parametrize("scheme", ["bolt", "bolt+ssc", "neo4j+ssc"])
def test_a_self_signed_certificate_is_taken_where_the_uri_says_so(encrypted: Address, scheme: str) -> None:
    """Plain ``bolt`` is the control: what is asked of the connection is false there."""
    with Neo4jStore(at(encrypted, scheme)) as store:
        assert store.cypher("RETURN 1 AS one") == [{"one": 1}]
        assert store.connection._driver.encrypted == (scheme != "bolt")


@pytest.mark.parametrize("scheme", ["bolt+s", "neo4j+s"])
def test_a_certificate_that_nobody_vouches_for_is_refused_in_a_sentence(encrypted: Address, scheme: str) -> None:
    """Seen to fail before the driver's causes were looked through: it said that no database answers."""
    with (
        pytest.raises(StoreUnreachable, match=r"certificate of .* is refused \(self-signed certificate\)") as refused,
        Neo4jStore(at(encrypted, scheme)) as store,
    ):
        store.ids()
    assert f"{scheme}://" in str(refused.value)
    assert "SSL_CERT_FILE" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert encrypted.password not in str(refused.value)


ASK = "from roicg.store.connect import connect\nwith connect() as store:\n    print(store.cypher('RETURN 1 AS one'), store.connection._driver.encrypted)"


@pytest.mark.parametrize("scheme", ["bolt+s", "neo4j+s"])
def test_a_certificate_that_the_system_knows_is_checked_and_good(encrypted: Address, scheme: str) -> None:
    """As a user calls it, the address by the environment; seen to fail without SSL_CERT_FILE."""
    named = at(encrypted, scheme)
    environment = {**os.environ, "SSL_CERT_FILE": str(CERTIFICATE / "public.crt"), "ROICG_NEO4J_URI": named.uri, "ROICG_NEO4J_PASSWORD": named.password}
    done = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip() == "[{'one': 1}] True", done.stderr


def test_the_embedded_server_reads_no_file_of_this_machine_for_those_who_ask(encrypted: Address, spare_home: Path, tmp_path: Path) -> None:
    """Seen to fail before the setting was there: the password file of the server came back as a row."""
    (tmp_path / "secret.csv").write_text("secret\n")
    with Neo4jStore(encrypted) as store:
        for file in (tmp_path / "secret.csv", ServerFiles.of(spare_home).password):
            assert file.exists()
            with pytest.raises(StoreError, match="allow_csv_import_from_file_urls"):
                store.cypher("LOAD CSV FROM $url AS row RETURN row", url=file.as_uri())
