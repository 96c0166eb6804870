// A line chart: x logarithmic (numbers) or in equal steps (names); lines with bands, open dots where nothing is claimed.
const CHART = { width: 370, height: 250, left: 48, right: 14, top: 24, bottom: 44 };

function niceTicks(low, high, count = 5) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough) || rough;
  const ticks = [];
  for (let t = Math.ceil(low / step - 1e-9) * step; t <= high + step * 1e-9; t += step) ticks.push(Math.abs(t) < step * 1e-9 ? 0 : t);
  return ticks;
}

function logTicks(low, high) {
  const ticks = [];
  for (let power = 10 ** Math.floor(Math.log10(low)); power <= high; power *= 10) {
    for (const m of high / low > 300 ? [1] : high / low > 40 ? [1, 3] : [1, 2, 5]) if (m * power >= low * 0.999 && m * power <= high * 1.001) ticks.push(m * power);
  }
  return ticks;
}

function scaleX(spec) {
  const inner = CHART.width - CHART.left - CHART.right;
  if (spec.names) {
    const pad = spec.names.length > 1 ? 0.04 * inner : inner / 2;
    const step = spec.names.length > 1 ? (inner - 2 * pad) / (spec.names.length - 1) : 0;
    const every = Math.ceil(spec.names.length / 8);
    return { of: (i) => CHART.left + pad + i * step, ticks: spec.names.map((name, i) => [i, clip(name, 9)]).filter(([i]) => i % every === 0) };
  }
  const [low, high] = [Math.max(1, spec.low), Math.max(spec.high, spec.low + 1)];
  return { of: (n) => CHART.left + (inner * Math.log(n / low)) / Math.log(high / low), ticks: logTicks(low, high).map((n) => [n, String(n)]) };
}

function seriesMarks(series, x, y) {
  const color = `var(--${series.color})`;
  const points = series.points.filter((point) => point.y !== null && point.y !== undefined);
  const banded = points.filter((point) => point.low !== null && point.low !== undefined);
  const marks = [];
  if (banded.length > 1) {
    const ring = [...banded.map((p) => [x(p.x), y(p.high)]), ...banded.toReversed().map((p) => [x(p.x), y(p.low)])];
    marks.push(draw("path", { d: "M" + ring.map((at) => at.map((v) => v.toFixed(1)).join(" ")).join("L") + "Z", class: "band", fill: color }));
  }
  if (points.length > 1) marks.push(draw("path", { d: "M" + points.map((p) => `${x(p.x).toFixed(1)} ${y(p.y).toFixed(1)}`).join("L"), class: "line", stroke: color, "stroke-dasharray": series.dash || null }));
  for (const p of points) marks.push(draw("circle", { cx: x(p.x).toFixed(1), cy: y(p.y).toFixed(1), r: 3.6, fill: p.open ? "var(--card)" : color, stroke: color, "stroke-width": 1.6 }, draw("title", {}, p.title)));
  return marks;
}

function lineChart(spec) {
  const bottom = CHART.height - CHART.bottom;
  const clampY = (value) => Math.min(Math.max(value, spec.y.low), spec.y.high);
  const y = (value) => bottom - ((clampY(value) - spec.y.low) / (spec.y.high - spec.y.low)) * (bottom - CHART.top);
  const x = scaleX(spec.x);
  const parts = niceTicks(spec.y.low, spec.y.high).map((tick) => [
    draw("path", { d: `M${CHART.left} ${y(tick).toFixed(1)}H${CHART.width - CHART.right}`, class: "rule" }),
    draw("text", { x: CHART.left - 7, y: (y(tick) + 4).toFixed(1), "text-anchor": "end", "font-size": 12, class: "soft" }, spec.y.format ? spec.y.format(tick) : digits(tick)),
  ]);
  parts.push(draw("path", { d: `M${CHART.left} ${CHART.top}V${bottom}H${CHART.width - CHART.right}`, class: "axis" }));
  parts.push(x.ticks.map(([value, name]) => draw("text", { x: x.of(value).toFixed(1), y: bottom + 17, "text-anchor": "middle", "font-size": 12, class: "soft" }, name)));
  parts.push(draw("text", { x: (CHART.left + CHART.width - CHART.right) / 2, y: CHART.height - 6, "text-anchor": "middle", "font-size": 12.5, class: "soft" }, spec.x.label));
  parts.push(draw("text", { x: 8, y: 14, "font-size": 12.5, class: "soft" }, spec.y.label));
  for (const mark of spec.marks || []) {
    parts.push(draw("path", { d: `M${CHART.left} ${y(mark.y).toFixed(1)}H${CHART.width - CHART.right}`, class: "mark" }));
    parts.push(draw("text", { x: CHART.left + 6, y: (y(mark.y) - 4).toFixed(1), "font-size": 11.5, class: "soft" }, mark.label));
  }
  parts.push(spec.series.map((series) => seriesMarks(series, x.of, y)));
  return draw("svg", { viewBox: `0 0 ${CHART.width} ${CHART.height}`, role: "img", "aria-label": spec.label }, parts.flat(3));
}

function legendItem(color, dash, words, open = false) {
  const line = draw("path", { d: "M0 6H26", class: "line", stroke: `var(--${color})`, "stroke-dasharray": dash || null });
  const dot = draw("circle", { cx: 13, cy: 6, r: 3.6, fill: open ? "var(--card)" : `var(--${color})`, stroke: `var(--${color})`, "stroke-width": 1.6 });
  return el("span", {}, draw("svg", { viewBox: "0 0 26 12", "aria-hidden": "true" }, open ? null : line, dot), words);
}
