from pathlib import Path

import pytest

from roicg.core.errors import StoreUnreachable
from roicg.server.address import Address, database_address, environment_address


@pytest.fixture(autouse=True)
def _no_address_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URI", "USER", "PASSWORD"):
        monkeypatch.delenv(f"ROICG_NEO4J_{name}", raising=False)


@pytest.mark.parametrize("show", [repr, str, lambda address: f"{address}", lambda address: str([address])])
def test_no_text_of_an_address_shows_the_password(show) -> None:
    assert "s3cret-word" not in show(Address("bolt://h:1", "neo4j", "s3cret-word"))
    assert "bolt://h:1" in show(Address("bolt://h:1", "neo4j", "s3cret-word"))


def test_without_a_uri_the_environment_names_nothing() -> None:
    assert environment_address() is None


def test_the_environment_names_another_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROICG_NEO4J_URI", "neo4j+s://db.example:7687")
    monkeypatch.setenv("ROICG_NEO4J_PASSWORD", "long-enough")
    assert database_address() == Address("neo4j+s://db.example:7687", "neo4j", "long-enough", "neo4j", "environment")
    monkeypatch.setenv("ROICG_NEO4J_USER", "ana")
    assert database_address(start_if_needed=False).user == "ana"


@pytest.mark.parametrize(
    ("uri", "password", "message"),
    [
        ("bolt://h:1", "", "ROICG_NEO4J_PASSWORD is not set; set it, or unset ROICG_NEO4J_URI"),
        ("http://h:1", "long-enough", "must be bolt|"),
        ("h:7687", "long-enough", "must be bolt|"),
        ("bolt://", "long-enough", "must be bolt|"),
        ("bolt://ana:s3cret-word@h:1", "long-enough", "holds credentials"),
    ],
)
def test_an_incomplete_address_is_refused(uri: str, password: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROICG_NEO4J_URI", uri)
    monkeypatch.setenv("ROICG_NEO4J_PASSWORD", password)
    with pytest.raises(StoreUnreachable) as caught:
        environment_address()
    assert message in str(caught.value)
    assert "s3cret-word" not in str(caught.value)


def test_nothing_running_and_not_to_be_started_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROICG_HOME", str(tmp_path))
    with pytest.raises(StoreUnreachable, match=r"no database runs in .* `roicg db start`"):
        database_address(start_if_needed=False)
