import socket
from collections.abc import Iterator

import pytest

from roicg.core.errors import ServerError
from roicg.server.configuration import LOOPBACK, Memory, Ports, free_ports, machine_memory, memory_for, neo4j_conf, port_is_free, remembered_ports

GIB = 2**30


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_is_seen(taken: int) -> None:
    assert not port_is_free(taken)


def test_chosen_ports_are_two_free_ones_below_the_outgoing_range() -> None:
    ports = free_ports()
    assert ports.bolt != ports.http
    assert all(20000 <= port < 30000 and port_is_free(port) for port in (ports.bolt, ports.http))


def test_remembered_ports_are_taken_again_when_free_and_only_then(taken: int) -> None:
    last = free_ports()
    assert free_ports(last) == last
    moved = free_ports(Ports(bolt=taken, http=last.http))
    assert moved.bolt != taken
    assert moved.http == last.http


def test_one_number_for_both_becomes_two() -> None:
    last = free_ports()
    assert len({*vars_of(free_ports(Ports(last.bolt, last.bolt)))}) == 2


def vars_of(ports: Ports) -> tuple[int, int]:
    return ports.bolt, ports.http


def test_no_free_port_ends_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roicg.server.configuration.port_is_free", lambda port: False)
    with pytest.raises(ServerError, match="no free port"):
        free_ports()


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"bolt": "x", "http": 1}', '{"bolt": 80, "http": 20001}', '{"bolt": 20000, "http": 70000}'])
def test_an_unusable_note_of_ports_is_no_note(text: str, tmp_path) -> None:
    (tmp_path / "ports.json").write_text(text)
    assert remembered_ports(tmp_path / "ports.json") is None


@pytest.mark.parametrize(
    ("total", "memory"), [(1 * GIB, Memory(384, 64)), (4 * GIB, Memory(512, 256)), (16 * GIB, Memory(2048, 1024)), (512 * GIB, Memory(4096, 1024))]
)
def test_memory_follows_the_machine_within_bounds(total: int, memory: Memory) -> None:
    assert memory_for(total) == memory


def test_the_server_never_takes_more_than_the_machine() -> None:
    memory = memory_for(machine_memory())
    assert (memory.heap + memory.page_cache) * 2**20 < machine_memory()


def test_the_configuration_is_closed_to_others() -> None:
    lines = dict(line.split("=", 1) for line in neo4j_conf(Ports(20001, 20002), Memory(512, 64)).splitlines() if not line.startswith("#"))
    assert lines["dbms.security.auth_enabled"] == "true"
    assert lines["dbms.usage_report.enabled"] == "false"
    assert lines["server.https.enabled"] == "false"
    assert lines["db.tx_log.preallocate"] == "false"
    assert {value.split(":")[0] for name, value in lines.items() if name.endswith("_address")} == {LOOPBACK}
    assert lines["server.bolt.listen_address"] == lines["server.bolt.advertised_address"] == f"{LOOPBACK}:20001"
    assert lines["server.http.listen_address"] == lines["server.http.advertised_address"] == f"{LOOPBACK}:20002"
