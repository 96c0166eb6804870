"""By its name a writer is known to be dead, or not."""

import os
import subprocess
import sys

import pytest

from roicg.store.neo4j import writer
from roicg.store.neo4j.writer import is_known_dead, writing

pytestmark = pytest.mark.skipif(os.name != "posix", reason="process numbers are asked by POSIX signals")
NAME = "from roicg.store.neo4j.writer import writing\nwith writing() as run:\n    print(run, flush=True)\n    input()"


def test_a_writer_lives_until_its_publication_ends() -> None:
    with writing() as run:
        assert not is_known_dead(run)
        with writing() as other:
            assert other != run
        assert is_known_dead(other)
        assert not is_known_dead(run)
    assert is_known_dead(run)


def test_another_process_of_this_machine_is_dead_when_it_has_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", NAME], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        run = other.stdout.readline().strip()
        assert not is_known_dead(run)
        other.communicate("\n", timeout=30)
    assert is_known_dead(run)


@pytest.mark.parametrize("run", ["elsewhere:1:x", "nonsense", "", "1:2"])
def test_what_cannot_be_known_counts_as_alive(run: str) -> None:
    assert not is_known_dead(run)


def test_a_container_that_shares_the_host_name_is_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Process 1 of one container says nothing of process 1 of another. Seen to fail with the host name alone."""
    with writing() as run:
        monkeypatch.setattr(writer.os, "readlink", lambda path: "pid:[42]")
        monkeypatch.setattr(writer.os, "kill", lambda pid, number: (_ for _ in ()).throw(ProcessLookupError))
        monkeypatch.setattr(writer, "_alive", set())
        assert not is_known_dead(run)
