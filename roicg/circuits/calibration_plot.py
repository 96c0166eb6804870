"""Calibrations as one SVG file: predicted against measured change, a panel per method and task; nothing is fetched, no script."""

import html
from collections.abc import Sequence

import numpy as np

from roicg.circuits.calibration import Calibration

PANEL, MARGIN, HEAD = 210, 46, 30
STYLE = "text{font:11px sans-serif;fill:#222}.dim{fill:#777}.axis{fill:none;stroke:#bbb}.same{stroke:#999;stroke-dasharray:4 3}.bar{stroke:#2a6f97;opacity:.35}"


def calibration_svg(calibrations: Sequence[Calibration], title: str) -> str:
    """SVG text: rows are methods, columns tasks; a dot per set (darker = more ROIs), a bar of ± 2 standard errors, the dashed line is a perfect prediction."""
    tasks, methods = (list(dict.fromkeys(getattr(one, name) for one in calibrations)) for name in ("task", "method"))
    width, height = MARGIN + len(tasks) * (PANEL + MARGIN), 2 * HEAD + len(methods) * (PANEL + MARGIN) + HEAD
    parts = [f'<text x="{MARGIN}" y="18" style="font-weight:bold">{html.escape(title)}</text>']
    parts.append(f'<text class="dim" x="{MARGIN}" y="34">across: predicted change of the metric (split edges); up: measured (split eval); dashed: equal</text>')
    for one in calibrations:
        x, y = MARGIN + tasks.index(one.task) * (PANEL + MARGIN), 2 * HEAD + methods.index(one.method) * (PANEL + MARGIN)
        parts.append(f'<g transform="translate({x} {y})">{_panel(one, _range([c for c in calibrations if c.task == one.task]))}</g>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">'
        f'<title>{html.escape(title)}</title><style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def _range(calibrations: Sequence[Calibration]) -> tuple[float, float]:
    """The changes a task's panels show: all that were measured, with room of half their span for predictions; others are drawn at the edge."""
    measured = [effect.change for one in calibrations for effect in one.measured]
    low, high = min(0.0, *measured), max(0.0, *measured)
    room = 0.5 * (high - low) or 1.0
    return low - room, high + 0.2 * room


def _panel(one: Calibration, span: tuple[float, float]) -> str:
    low, high = span

    def at(value: float) -> float:
        return float(np.clip((value - low) / (high - low), 0.0, 1.0)) * PANEL

    score = f"{_number('R²', one.r2)} · {_number('sign', one.sign)} of {one.n_clear}"
    parts = [
        f'<text x="0" y="-4">{html.escape(f"{one.task}: {one.method}")} <tspan class="dim">{score}</tspan></text>',
        f'<rect class="axis" width="{PANEL}" height="{PANEL}"/><line class="same" x1="0" y1="{PANEL}" x2="{PANEL}" y2="0"/>',
    ]
    for tick in (low, 0.0, *([high] if at(high) - at(0.0) > 30 else [])):
        parts.append(f'<text class="dim" x="{at(tick):.1f}" y="{PANEL + 13}" text-anchor="middle">{tick:.3g}</text>')
        parts.append(f'<text class="dim" x="-4" y="{PANEL - at(tick) + 4:.1f}" text-anchor="end">{tick:.3g}</text>')
    most = max(part.size for part in one.sets)
    for what, predicted, effect in zip(one.sets, one.predicted, one.measured, strict=True):
        x, up, down = at(predicted), PANEL - at(effect.change + 2 * effect.se), PANEL - at(effect.change - 2 * effect.se)
        label = html.escape(f"{', '.join(what.rois)}: predicted {predicted:.3g}, measured {effect.change:.3g} ± {effect.se:.2g}")
        parts.append(f'<line class="bar" x1="{x:.1f}" y1="{up:.1f}" x2="{x:.1f}" y2="{down:.1f}"/>')
        parts.append(
            f'<circle cx="{x:.1f}" cy="{PANEL - at(effect.change):.1f}" r="3" fill="#01497c" fill-opacity="{0.25 + 0.7 * what.size / most:.2f}"><title>{label}</title></circle>'
        )
    return "".join(parts)


def _number(name: str, value: float | None) -> str:
    return f"{name} –" if value is None else f"{name} {value:.2f}"
