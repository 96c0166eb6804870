// φ(n) of every task of the chosen graph, beside random edges.
const SELECTIONS = [["random", "control", "5 4", "random edges"], ["weight", "plus", null, "the n strongest edges"]];

function curvePoints(curve) {
  return curve.points.map(([n, phi, low, high]) => ({ x: n, y: phi, low, high, open: !curve.solved, title: `${plural(n, "edge")}: φ = ${fixed(phi)}${low === null ? "" : ` [${fixed(low)}, ${fixed(high)}]`}` }));
}

function curveFigure(task, curves, score) {
  const weight = curves.weight;
  const head = (words) => el("figcaption", {}, task, el("small", {}, words));
  if (!weight) return el("figure", {}, head("not measured for this partition"));
  if (weight.reason === "no_effect") return el("figure", {}, head("no effect"), el("p", { class: "empty" }, "Corrupting the prompts does not change the metric by more than 2 standard errors here, so φ has no meaning and no number."));
  if (weight.reason || !weight.points.length) return el("figure", {}, head(`not measured (${weight.reason || "no sizes"})`));
  const ys = Object.values(curves).flatMap((curve) => curve.points.flatMap((point) => point.slice(1).filter((v) => v !== null)));
  const y = { label: "φ", low: Math.max(-1, Math.min(0, ...ys)), high: Math.min(2, Math.max(1.05, ...ys)) };
  const series = SELECTIONS.filter(([kind]) => curves[kind]?.points.length).map(([kind, color, dash]) => ({ color, dash, points: curvePoints(curves[kind]) }));
  const area = curves.random?.area === null || !curves.random ? `area ${fixed(weight.area, 3)}` : `area ${fixed(weight.area, 3)}, random ${fixed(curves.random.area, 3)}`;
  const claim = weight.solved ? "" : `; not solved (accuracy ${fixed(score?.accuracy)}), no claim`;
  const chart = lineChart({ x: { low: weight.points[0][0], high: weight.total, label: `edges n, of ${weight.total}` }, y, series, marks: [{ y: data.faithful, label: `φ = ${data.faithful}` }], label: `Faithfulness of ${task}: ${area}` });
  const numbers = table([{ name: "n", num: true }, { name: "φ", num: true }, { name: "random", num: true }], weight.points.map(([n, phi, low, high]) => {
    const other = curves.random?.points.find((point) => point[0] === n);
    return { cells: [n, `${fixed(phi)} [${fixed(low)}, ${fixed(high)}]`, other ? `${fixed(other[1])} [${fixed(other[2])}, ${fixed(other[3])}]` : "–"] };
  }));
  return el("figure", {}, head(`${area}; ${weight.n} prompt pairs${claim}`), chart, el("details", { class: "ask" }, el("summary", {}, "Numbers"), numbers));
}

function drawCurves(model, checkpoint, graph) {
  show("curves-legend", SELECTIONS.toReversed().map(([, color, dash, words]) => legendItem(color, dash, words)), legendItem("plus", null, "open: the task is not solved, no claim", true));
  show("curves", model.tasks.map((task) => curveFigure(task, graph.curves[task] || {}, checkpoint.scores[task])));
  disclose(at("curves-cypher"), model.tasks.map((task) => ["circuits.faithfulness", { slot: graph.slot, task }]));
}
