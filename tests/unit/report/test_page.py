"""The report's file: everything inside, nothing fetched, nothing parsed that came from a label."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from roicg.core.errors import RoicgError
from roicg.core.tables import Table
from roicg.report import page
from roicg.report.data import EdgeShown, RoiShown
from roicg.report.payload import to_script
from tests.reported import HOSTILE, graph, model, report


class Reader(HTMLParser):
    """Every start tag with its attributes, and the text of each script."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script":
            self.scripts[-1] += data


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


def test_the_file_asks_nothing_of_the_network() -> None:
    text = page.render(report())
    assert not re.search(r"https?://|//[a-z]+\.[a-z]|@import|url\(", text)
    tags = read(text).tags
    assert not {tag for tag, _ in tags} & {"link", "img", "iframe", "object", "embed", "base", "audio", "video", "source"}
    assert not [(tag, attrs) for tag, attrs in tags if {"src", "srcset", "action", "style"} & set(attrs)]
    assert all(attrs["href"].startswith("#") for tag, attrs in tags if tag == "a")
    policy = next(attrs["content"] for tag, attrs in tags if attrs.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy


def test_hostile_names_stay_text() -> None:
    shown = graph(edges={HOSTILE: graph().edges["add"]}, curves=(), books=())
    table, told = Table("t", "title", ("a",), (("x",),), "note"), Table(HOSTILE, HOSTILE, (HOSTILE,), ((HOSTILE,),), HOSTILE)
    text = page.render(replace(report(model(shown, name=HOSTILE, tasks=(HOSTILE,)), study=HOSTILE), tables=((HOSTILE, told),)))
    plain, hostile = read(page.render(replace(report(), tables=(("f", table),)))), read(text)
    assert [tag for tag, _ in hostile.tags if tag in ("script", "img")] == ["script", "script"]
    assert {name for _, attrs in hostile.tags for name in attrs} == {name for _, attrs in plain.tags for name in attrs}
    assert "<script>alert" not in text
    assert "onerror=alert(2)>" not in text
    data = json.loads(hostile.scripts[0])
    assert data["study"] == data["models"][0]["name"] == data["models"][0]["tasks"][0] == HOSTILE
    assert data["models"][0]["checkpoints"][0]["graphs"]["own"]["rois"][1][4] == HOSTILE


def test_the_script_builds_elements_and_parses_none() -> None:
    script = read(page.render(report())).scripts[1]
    assert len(script) > 10_000
    for forbidden in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
        "DOMParser",
        "fetch(",
        "XMLHttpRequest",
        "import(",
    ):
        assert forbidden not in script


def test_json_in_a_script_cannot_end_it() -> None:
    value = {"</script>": ["<!--", "&lt;", "\u2028\u2029", "é"]}
    text = to_script(value)
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == value
    with pytest.raises(ValueError):
        to_script(float("nan"))


def test_every_figure_carries_its_query() -> None:
    data = json.loads(read(page.render(report())).scripts[0])
    assert "MATCH" in data["queries"]["circuits.circuit"]["text"]
    assert data["queries"]["compare.emergence"]["params"] == {"slot": None, "faithfulness": 0.9, "split": "eval", "communities_of": "(mixture)"}
    script = read(page.render(report())).scripts[1]
    for name in re.findall(r'"((?:circuits|compare|structure|tasks)\.[a-z_]+)"', script):
        assert name in data["queries"]


def test_a_large_study_stays_small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As many edges as a report ever holds: 60,000, with long numbers, over 200 circuits of 300."""
    rois = (graph().rois[0], *(RoiShown(f"m11.r{i}", "m11", "mlp", 300, "300 neurons, most active on task", False, True, 9.0) for i in range(300)))
    edges = tuple(EdgeShown(i + 1, "tok", f"m11.r{i}", "in", -0.123456789e-5, 0.123456789e-7) for i in range(300))
    tasks = tuple(f"task{i}" for i in range(10))
    shown = graph(rois=rois, edges=dict.fromkeys(tasks, edges), divisions=())
    data = report(*(model(shown, name=f"m{i}", tasks=tasks) for i in range(20)))
    monkeypatch.setattr("roicg.report.collect.collect", lambda study, store: data)
    out = page.build_report("hand", None, tmp_path / "deep" / "report.html")  # type: ignore[arg-type]
    assert 1_000_000 < out.stat().st_size < page.LARGEST
    monkeypatch.setattr(page, "LARGEST", 100_000)
    with pytest.raises(RoicgError, match=r"'hand' would have [\d,]+ bytes, more than 100,000; split"):
        page.build_report("hand", None, tmp_path / "other.html")  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]


def test_a_report_is_old_or_new_never_half(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("roicg.report.collect.collect", lambda study, store: report())
    out = tmp_path / "r.html"
    out.write_text("old")
    monkeypatch.setattr(Path, "replace", lambda self, target: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(RoicgError, match=r"cannot write the report .*: No space left on device; name another file"):
        page.build_report("hand", None, out)  # type: ignore[arg-type]
    assert (out.read_text(), [path.name for path in tmp_path.iterdir()]) == ("old", ["r.html"])


def test_importing_the_report_is_light() -> None:
    code = "import sys, roicg.report; print([m for m in ('torch', 'numpy', 'neo4j', 'pydantic', 'pandas', 'matplotlib') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
