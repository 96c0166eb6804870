"""What the benches measure, kept as JSON beside this file and printed as tables with the goal of each figure beside it.

A figure is a number with its goal (or without one: a control, or what is only printed). ``make bench`` writes them,
``make docs`` puts the tables into README between their marks, and a test holds README to the files.
"""

import json
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

CHOICES, FIGURES = "seeds 0–2", "seeds 3–5"
"""What choices of method were made on, and what figures are given on; README shows the latter."""
FOLDER = Path(__file__).parent / "figures"
README = Path(__file__).parents[2] / "README.md"


@dataclass(frozen=True)
class Figure:
    """One row: ``goal`` is an upper bound with ``at_most``, else a lower one; None where nothing was promised."""

    name: str
    value: float
    goal: float | None = None
    at_most: bool = True
    note: str = ""

    @property
    def met(self) -> bool | None:
        if self.goal is None:
            return None
        return self.value <= self.goal if self.at_most else self.value >= self.goal

    def cells(self) -> list[str]:
        goal = "" if self.goal is None else f"{'≤' if self.at_most else '≥'} {self.goal:g}"
        return [self.name, f"{self.value:.3g}", goal, {None: "", True: "yes", False: "**missed**"}[self.met], self.note]


def keep(table: str, figures: Iterable[Figure], command: str) -> None:
    """Write ``table`` whole (its figures come from one run) and print it."""
    rows = [asdict(figure) for figure in figures]
    FOLDER.mkdir(exist_ok=True)
    about = {"command": command, "date": date.today().isoformat(), "machine": f"{platform.machine()}, Python {platform.python_version()}, one thread"}
    (FOLDER / f"{table}.json").write_text(json.dumps({**about, "figures": rows}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"\n\n{table}\n\n{markdown(table)}\n")


def markdown(table: str, *, all_seeds: bool = True) -> str:
    """The table; without ``all_seeds`` as README shows it, that is without the seeds that choices were made on."""
    kept = json.loads((FOLDER / f"{table}.json").read_text(encoding="utf-8"))
    figures = [Figure(**row) for row in kept["figures"]]
    if not all_seeds:
        figures = [replace(figure, name=figure.name.replace(f", {FIGURES}", "")) for figure in figures if CHOICES not in figure.name]
    lines = ["| measure | measured | goal | met | beside it |", "|---|---|---|---|---|"]
    lines += [f"| {' | '.join(figure.cells())} |" for figure in figures]
    return "\n".join([*lines, "", f"`{kept['command']}`, {kept['date']}, {kept['machine']}."])


def fill(text: str) -> str:
    """``text`` with each table between its marks ``<!-- figures:NAME -->`` and ``<!-- end -->`` made anew."""
    for path in sorted(FOLDER.glob("*.json")):
        start, end = f"<!-- figures:{path.stem} -->", "<!-- end -->"
        if start in text:
            before, rest = text.split(start, 1)
            text = f"{before}{start}\n{markdown(path.stem, all_seeds=False)}\n{end}{rest.split(end, 1)[1]}"
    return text


if __name__ == "__main__":
    README.write_text(fill(README.read_text(encoding="utf-8")), encoding="utf-8")
