// Accuracy, circuit size and modularity over the checkpoints of a model, on one partition.
const ABOVE = 5;
const DASHES = [null, "7 4", "2 3"];
const taskColor = (i) => [`t${i % 7}`, DASHES[Math.floor(i / 7) % DASHES.length]];

function byTask(model, rows, value, title) {
  return model.tasks.map((task, i) => {
    const [color, dash] = taskColor(i);
    const points = model.checkpoints.flatMap((checkpoint, x) => {
      const row = rows.find((r) => r.label === checkpoint.label && r.task === task);
      return row && value(row) !== null ? [{ x, y: value(row), open: !row.solved, title: `${task} at ${checkpoint.label}: ${title(row)}` }] : [];
    });
    return { color, dash, points };
  });
}

function emergenceFigure(title, words, spec) {
  const some = spec.series.some((series) => series.points.length);
  return el("figure", {}, el("figcaption", {}, title, el("small", {}, words)), some ? lineChart({ ...spec, label: title }) : el("p", { class: "empty" }, "Nothing was measured for this partition."));
}

function drawEmergence(model, partition) {
  const rows = model.emergence[partition] || [];
  const x = { names: model.checkpoints.map((checkpoint) => checkpoint.label), label: "checkpoint" };
  const least = (row) => (row.least_edges === null || !row.edges ? null : row.least_edges / row.edges);
  const modular = model.checkpoints.flatMap((checkpoint, i) => {
    const row = rows.find((r) => r.label === checkpoint.label && r.z !== null);
    const verdict = row?.above_null ? "above its null" : "not above its null";
    return row ? [{ x: i, y: row.z, open: !row.above_null, title: `${checkpoint.label}: z = ${fixed(row.z, 1)}, modularity ${fixed(row.modularity, 3)}, null ${fixed(row.null_mean, 3)}, p = ${digits(row.p, 2)}: ${verdict}` }] : [];
  });
  const zs = modular.map((point) => point.y);
  show("emergence-charts",
    emergenceFigure("Accuracy", "share of eval prompts answered right; solved from .9 on", { x, y: { label: "accuracy", low: 0, high: 1.03 }, series: byTask(model, rows, (row) => row.accuracy, (row) => `accuracy ${fixed(row.accuracy)}`), marks: [{ y: 0.9, label: "solved" }] }),
    emergenceFigure(`Least edges for φ ≥ ${data.faithful}`, "share of all edges; lower is sparser; missing where no measured circuit is enough", { x, y: { label: "n / all edges", low: 0, high: 1.03, format: (v) => `${Math.round(v * 100)} %` }, series: byTask(model, rows, least, (row) => `${row.least_edges} of ${row.edges} edges`) }),
    emergenceFigure("Modularity against its null", "z of the communities of all tasks together; above null from 5 on", { x, y: { label: "z", low: Math.min(0, ...zs) - 0.5, high: Math.max(ABOVE + 1, ...zs) * 1.05 }, series: [{ color: "control", points: modular }], marks: [{ y: ABOVE, label: "above null" }] }));
  const one = model.checkpoints.length === 1 ? "Only one checkpoint is published, so nothing can emerge; its figures are the single dots. " : "";
  at("emergence-note").textContent = `${one}Model ${model.name}, partition ${partition}. Checkpoints stand at equal distances, whatever the steps between them.`;
  show("emergence-legend", model.tasks.map((task, i) => legendItem(...taskColor(i), task)), legendItem("control", null, "modularity z"), legendItem("control", null, "open: not solved, or not above null", true));
  const graph = model.checkpoints.map((checkpoint) => checkpoint.graphs[partition]).find(Boolean);
  if (graph) disclose(at("emergence-cypher"), [["compare.emergence", { slot: graph.slot, faithfulness: data.faithful }], ["structure.modularity_by_checkpoint", { slot: graph.slot }]]);
}
