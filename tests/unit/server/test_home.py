import stat
from pathlib import Path

import pytest

from roicg.core.errors import ServerError
from roicg.server.home import ServerFiles, cache, home, home_path, private_folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_home_is_the_environments_and_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROICG_HOME", str(tmp_path / "a" / "b"))
    assert home() == tmp_path / "a" / "b"
    assert mode(home()) == 0o700


def test_home_defaults_to_dot_roicg_here_and_asking_creates_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROICG_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    assert home_path() == tmp_path / ".roicg"
    assert not home_path().exists()
    assert home() == home_path()


def test_a_folder_open_to_others_is_narrowed(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o755)
    assert mode(private_folder(folder)) == 0o700


def test_a_file_in_the_way_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ServerError, match=r"file/neo4j cannot be used .* set ROICG_HOME"):
        private_folder(tmp_path / "file" / "neo4j")


def test_a_folder_that_may_not_be_written_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(ServerError, match="cannot be written; set ROICG_HOME"):
        private_folder(tmp_path)


def test_cache_is_the_environments_else_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROICG_CACHE", "/somewhere")
    assert cache() == Path("/somewhere")
    monkeypatch.delenv("ROICG_CACHE")
    assert cache() == Path.home() / ".cache" / "roicg"


def test_a_link_to_a_home_has_the_same_server_files(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert ServerFiles.of(tmp_path / "link") == ServerFiles.of(tmp_path / "real")
