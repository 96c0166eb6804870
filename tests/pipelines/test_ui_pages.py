"""`roicg ui` says where Dagster, Neo4j Browser and its guide are, and opens all three."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from pipelines import ui


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    seen: list[str] = []
    monkeypatch.setenv("ROICG_HOME", str(tmp_path))
    monkeypatch.setattr("roicg.server.embedded.status", lambda home: SimpleNamespace(browser_uri="http://127.0.0.1:7/browser/", password_file="pw"))
    monkeypatch.setattr(ui, "open_pages", lambda *pages: seen.extend(pages))
    return seen


@pytest.mark.parametrize("guide", [True, False])
def test_both_pages_and_the_guide(opened: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, guide: bool) -> None:
    page = tmp_path / "guide.html"
    monkeypatch.setattr(ui, "write_guide", lambda browser: page if guide else None)
    ui._say_where(3000, "embedded")
    assert opened[0] == "http://127.0.0.1:3000"
    assert opened[-1] == "http://127.0.0.1:7/browser/"
    assert (page.as_uri() in opened) is guide
    assert "http://127.0.0.1:7/browser/" in capsys.readouterr().out.replace("\n", "")


def test_another_server_has_pages_of_its_own(opened: list[str]) -> None:
    ui._say_where(3000, "environment")
    assert opened == ["http://127.0.0.1:3000"]
