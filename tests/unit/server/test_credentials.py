import hashlib
import os
import stat
from pathlib import Path

import pytest

from roicg.core.errors import ServerError
from roicg.server.credentials import auth_line, ensure_credentials, read_password, write_private
from roicg.server.home import ServerFiles


@pytest.fixture
def files(tmp_path: Path) -> ServerFiles:
    files = ServerFiles.of(tmp_path)
    files.data.mkdir(parents=True)
    return files


def test_the_line_is_1024_salted_hashes_whatever_the_characters() -> None:
    salt, password = bytes(range(32)), "pass wörd ✓"
    value = salt + password.encode()
    for _ in range(1024):
        value = hashlib.sha256(value).digest()
    assert auth_line(password, salt) == f"neo4j:SHA-256,{value.hex()},{salt.hex()},1024:\n"


def test_first_call_writes_both_files_for_the_owner_only_and_the_second_keeps_them(files: ServerFiles) -> None:
    before = os.umask(0)
    try:
        password = ensure_credentials(files)
    finally:
        os.umask(before)
    assert len(password) >= 24
    assert [stat.S_IMODE(path.stat().st_mode) for path in (files.password, files.auth)] == [0o600, 0o600]
    assert ensure_credentials(files) == password
    assert password not in files.auth.read_text()
    salt = bytes.fromhex(files.auth.read_text().split(",")[2])
    assert files.auth.read_text() == auth_line(password, salt)


def test_two_homes_have_two_passwords(files: ServerFiles, tmp_path: Path) -> None:
    other = ServerFiles.of(tmp_path / "other")
    other.data.mkdir(parents=True)
    assert ensure_credentials(files) != ensure_credentials(other)


def test_a_database_without_its_password_file_is_refused(files: ServerFiles) -> None:
    (files.data / "databases" / "system").mkdir(parents=True)
    with pytest.raises(ServerError, match="is gone; put it back"):
        ensure_credentials(files)


def test_an_existing_database_is_not_told_another_password(files: ServerFiles) -> None:
    password = ensure_credentials(files)
    files.auth.unlink()
    (files.data / "databases" / "system").mkdir(parents=True)
    assert ensure_credentials(files) == password
    assert not files.auth.exists()


def test_an_empty_password_file_is_refused(files: ServerFiles) -> None:
    write_private(files.password, "\n")
    with pytest.raises(ServerError, match="is empty"):
        read_password(files)


def test_a_write_that_fails_leaves_the_old_file_and_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "note"
    write_private(path, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_private(path, "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["note"]
