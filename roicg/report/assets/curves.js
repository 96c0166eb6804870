// φ(n) of every task of the chosen graph, under every way of choosing edges; bands for the strongest and the random edges only.
const SELECTIONS = [
  ["random", "control", "5 4", "random edges"],
  ["magnitude", "t6", "2 3", "greatest weight magnitude (no data)"],
  ["exact", "t2", null, "ranked by exact patching"],
  ["clean", "t4", "6 2", "ranked by EAP"],
  ["inputs", "t5", "6 2", "ranked by EAP-IG"],
  ["nodes", "minus", null, "all edges between the strongest ROIs"],
  ["connected", "t3", null, "grown so that no edge dangles"],
  ["weight", "plus", null, "the n strongest edges"],
];
const BANDED = ["weight", "random"];

function curvePoints(kind, curve) {
  return curve.points.map(([n, phi, low, high, complement]) => {
    const band = BANDED.includes(kind) ? { low, high } : { low: null, high: null };
    const without = complement === null ? "" : `; without them ${fixed(complement)}`;
    return { x: n, y: phi, ...band, open: !curve.solved, title: `${kind}, ${plural(n, "edge")}: φ = ${fixed(phi)}${low === null ? "" : ` [${fixed(low)}, ${fixed(high)}]`}${without}` };
  });
}

function selectionTable(curves) {
  const num = (name) => ({ name, num: true });
  const columns = [{ name: "edges by" }, num("area"), num("CPR"), num("CMD"), num(`n at φ ≥ ${data.faithful}`), num("φ without"), num("features"), num("weights")];
  const share = (value) => (value === null || value === undefined ? "–" : `${Math.round(100 * value)} %`);
  const rows = SELECTIONS.toReversed().filter(([kind]) => curves[kind]?.points.length).map(([kind]) => {
    const curve = curves[kind];
    const least = curve.points.find((point) => point[1] >= data.faithful);
    const [n, , , , complement, features, parameters] = least || [];
    return { cells: [kind, fixed(curve.area, 3), fixed(curve.cpr, 3), fixed(curve.cmd, 3), least ? `${n} (${share(n / curve.total)})` : "–", fixed(complement), share(features), share(parameters)] };
  });
  return table(columns, rows);
}

function curveFigure(task, curves, score) {
  const weight = curves.weight;
  const head = (words) => el("figcaption", {}, task, el("small", {}, words));
  if (!weight) return el("figure", {}, head("not measured for this partition"));
  if (weight.reason === "no_effect") return el("figure", {}, head("no effect"), el("p", { class: "empty" }, "Corrupting the prompts does not change the metric by more than 2 standard errors here, so φ has no meaning and no number."));
  if (weight.reason || !weight.points.length) return el("figure", {}, head(`not measured (${weight.reason || "no sizes"})`));
  const ys = Object.values(curves).flatMap((curve) => curve.points.flatMap((point) => point.slice(1, 4).filter((v) => v !== null)));
  const y = { label: "φ", low: Math.max(-1, Math.min(0, ...ys)), high: Math.min(2, Math.max(1.05, ...ys)) };
  const series = SELECTIONS.filter(([kind]) => curves[kind]?.points.length).map(([kind, color, dash]) => ({ color, dash, points: curvePoints(kind, curves[kind]) }));
  const area = curves.random?.area === null || !curves.random ? `area ${fixed(weight.area, 3)}` : `area ${fixed(weight.area, 3)}, random ${fixed(curves.random.area, 3)}`;
  const claim = weight.solved ? "" : `; not solved (accuracy ${fixed(score?.accuracy)}), no claim`;
  const chart = lineChart({ x: { low: weight.points[0][0], high: weight.total, label: `edges n, of ${weight.total}` }, y, series, marks: [{ y: data.faithful, label: `φ = ${data.faithful}` }], label: `Faithfulness of ${task}: ${area}` });
  const numbers = table([{ name: "n", num: true }, { name: "φ", num: true }, { name: "random", num: true }], weight.points.map(([n, phi, low, high]) => {
    const other = curves.random?.points.find((point) => point[0] === n);
    return { cells: [n, `${fixed(phi)} [${fixed(low)}, ${fixed(high)}]`, other ? `${fixed(other[1])} [${fixed(other[2])}, ${fixed(other[3])}]` : "–"] };
  }));
  return el("figure", {}, head(`${area}; ${weight.n} prompt pairs${claim}`), chart, el("div", { class: "scroll" }, selectionTable(curves)), el("details", { class: "ask" }, el("summary", {}, "Numbers"), numbers));
}

function drawCurves(model, checkpoint, graph) {
  const drawn = SELECTIONS.filter(([kind]) => model.tasks.some((task) => graph.curves[task]?.[kind]?.points.length));
  show("curves-legend", drawn.toReversed().map(([, color, dash, words]) => legendItem(color, dash, words)), legendItem("plus", null, "open: the task is not solved, no claim", true));
  show("curves", model.tasks.map((task) => curveFigure(task, graph.curves[task] || {}, checkpoint.scores[task])));
  disclose(at("curves-cypher"), model.tasks.map((task) => ["circuits.faithfulness", { slot: graph.slot, task }]));
}
