"""`roicg ui` opens its pages only where somebody can see them, and goes on without a guide."""

import sys

import pytest

from roicg.cli import pages
from roicg.core.errors import StoreUnreachable


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []
    monkeypatch.setattr(pages.webbrowser, "open", lambda address: seen.append(address) or True)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return seen


def test_pages_are_opened_on_a_desktop_only(opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert not pages.open_pages("http://a")
    monkeypatch.setenv("DISPLAY", ":0")
    assert pages.open_pages("http://a", "file:///b")
    assert opened == ["http://a", "file:///b"]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False, raising=False)
    assert not pages.open_pages("http://a")
    assert len(opened) == 2


def test_without_a_database_the_guide_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path) -> None:
    def refuse(address: object = None) -> None:
        raise StoreUnreachable("nobody answers")

    monkeypatch.setenv("ROICG_HOME", str(tmp_path))
    monkeypatch.setattr("roicg.store.connect.connect", refuse)
    assert pages.write_guide("http://127.0.0.1:1/browser/") is None
    assert "no guide to Neo4j Browser: nobody answers" in capsys.readouterr().err
