// One task's circuit: the drawing, and the table of its edges beside it.
const PORT_AT = { q: -11, k: 0, v: 11, in: 0 };
const NOUN = { tok: "token", attention: "head", mlp: "neuron", logits: "metric" };
const WIDEST = 11;

function curveOf(from, to, port) {
  const [x0, y0] = [from.x + BOX.width, from.y];
  const [x1, y1] = [to.x, to.y + (PORT_AT[port] ?? 0)];
  const span = to.column - from.column;
  const bend = Math.max(46, (x1 - x0) * 0.42);
  const lift = span > 1 ? (y0 + y1 < 2 * arrangeMiddle ? -1 : 1) * Math.min(26 * (span - 1), 96) : 0;
  return `M${x0} ${y0.toFixed(1)}C${x0 + bend} ${(y0 + lift).toFixed(1)} ${x1 - bend} ${(y1 + lift).toFixed(1)} ${x1} ${y1.toFixed(1)}`;
}
let arrangeMiddle = 0;

const edgeWords = (edge, rois) => `${rois[edge[0]][0]} → ${rois[edge[1]][0]}, port ${edge[2]}: ${signed(edge[3])} ± ${error(edge[4])}, rank ${edge[5]}`;

function drawEdges(edges, kept, rois, spots, strongest) {
  const order = edges.map((edge, i) => i).reverse();
  return order.map((i) => {
    const [u, v, port, weight] = edges[i];
    const width = 0.8 + (WIDEST - 0.8) * (strongest ? Math.abs(weight) / strongest : 0);
    const kind = `edge ${weight < 0 ? "minus" : "plus"}${kept[i] ? "" : " off"}`;
    return draw("path", { d: curveOf(spots.get(u), spots.get(v), port), class: kind, "stroke-width": width.toFixed(2), "data-edge": i }, draw("title", {}, edgeWords(edges[i], rois)));
  });
}

const clip = (text, length) => ([...text].length > length ? [...text].slice(0, length - 1).join("") + "…" : text);

function drawNode(i, roi, spot, choose) {
  const [name, , kind, size, label] = roi;
  const about = kind === "tok" || kind === "logits" ? NOUN[kind] : plural(size, NOUN[kind] ?? "feature");
  const node = draw("g", { class: "node", tabindex: "0", role: "button", "data-node": i, "aria-label": `${name}, ${label}` },
    draw("title", {}, label === name ? `${name} (${about})` : `${name}: ${label}`),
    draw("rect", { x: spot.x, y: spot.y - BOX.height / 2, width: BOX.width, height: BOX.height, rx: 7 }),
    draw("text", { x: spot.x + BOX.width / 2, y: spot.y - 3, "text-anchor": "middle", "font-size": 14.5, "font-weight": 600 }, clip(name, 13)),
    draw("text", { x: spot.x + BOX.width / 2, y: spot.y + 13, "text-anchor": "middle", "font-size": 12, class: "soft" }, clip(about, 17)));
  if (kind === "attention") {
    for (const port of ["q", "k", "v"]) node.append(draw("text", { x: spot.x + 5, y: spot.y + PORT_AT[port] + 3.5, "font-size": 9.5, class: "soft" }, port));
  }
  node.addEventListener("click", () => choose(i));
  node.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(i); }
  });
  return node;
}

function emphasise(edges, wanted) {
  const chosen = document.querySelector(`#drawing [data-node="${wanted}"]`) ? wanted : null;
  const near = new Set(chosen === null ? [] : edges.filter((e) => e[0] === chosen || e[1] === chosen).flatMap((e) => [e[0], e[1]]));
  for (const path of document.querySelectorAll("#drawing .edge")) {
    const [u, v] = edges[Number(path.dataset.edge)];
    path.classList.toggle("dim", chosen !== null && u !== chosen && v !== chosen);
  }
  for (const node of document.querySelectorAll("#drawing .node")) {
    const i = Number(node.dataset.node);
    node.classList.toggle("chosen", i === chosen);
    node.classList.toggle("dim", chosen !== null && i !== chosen && !near.has(i));
    node.setAttribute("aria-pressed", String(i === chosen));
  }
  for (const row of document.querySelectorAll("#table tbody tr")) {
    const [u, v] = edges[Number(row.dataset.edge)];
    row.classList.toggle("lit", chosen !== null && (u === chosen || v === chosen));
  }
}

function edgeTable(edges, kept, rois) {
  const columns = [{ name: "#", num: true }, { name: "source" }, { name: "target" }, { name: "port" }, { name: "weight ± se", num: true }];
  const rows = edges.map((edge, i) => ({
    attributes: { "data-edge": i, class: kept[i] ? null : "off", title: kept[i] ? null : "on no path from tok to logits" },
    cells: [edge[5], rois[edge[0]][0], rois[edge[1]][0], edge[2], `${signed(edge[3])} ± ${error(edge[4])}`],
    classes: { 4: edge[3] < 0 ? "minus" : "plus" },
  }));
  const made = table(columns, rows);
  const light = (event, on) => {
    const row = event.target.closest("tr[data-edge]");
    if (row) document.querySelector(`#drawing [data-edge="${row.dataset.edge}"]`)?.classList.toggle("lit", on);
  };
  made.addEventListener("mouseover", (event) => light(event, true));
  made.addEventListener("mouseout", (event) => light(event, false));
  return made;
}

function circuitLegend() {
  const line = (kind, width) => draw("svg", { viewBox: "0 0 26 12", "aria-hidden": "true" }, draw("path", { d: "M0 6H26", class: `edge ${kind}`, "stroke-width": width }));
  return [
    el("span", {}, line("plus", 5), "weight > 0: raises the metric"),
    el("span", {}, line("minus", 5), "weight < 0: lowers it"),
    el("span", {}, line("plus", 1.5), line("plus", 8), "width: strength |weight|"),
    el("span", {}, line("plus off", 2), "on no path from tok to logits: pruned"),
    el("span", {}, "Choose a node to see only its edges."),
  ];
}

function circuitNote(graph, task, n, kept, score) {
  const total = graph.edges;
  const curve = graph.curves[task]?.weight;
  const measured = curve?.points.filter((point) => point[0] <= n).at(-1);
  const parts = [`The ${plural(n, "strongest edge")} of ${total}, ${kept.filter(Boolean).length} of them on a path from tok to logits.`];
  if (curve?.reason === "no_effect") parts.push("No effect: corrupting the prompts does not change the metric by more than 2 standard errors.");
  else if (measured) parts.push(`Measured: φ = ${fixed(measured[1])} at ${plural(measured[0], "edge")}.`);
  if (!score) parts.push("The task was not scored here: no claim.");
  else if (!score.solved) parts.push(`The task is not solved here (accuracy ${fixed(score.accuracy)}): no claim.`);
  return parts.join(" ");
}

function drawCircuit(graph, task, n, score, chosen, choose) {
  const edges = (graph.circuits[task] || []).slice(0, n);
  if (!edges.length) {
    show("drawing", el("p", { class: "empty" }, `No edges of ${task} are published here.`), draw("svg", { width: 0, height: 0 }));
    show("table");
    at("circuit-note").textContent = "";
    return;
  }
  const kept = onAPath(edges, graph.rois);
  const { columns, spots, width, height } = arrange(graph.rois, edges);
  arrangeMiddle = (height + BOX.top - BOX.margin) / 2;
  const heads = columns.map((column, x) => draw("text", { x: BOX.margin + x * BOX.column + BOX.width / 2, y: 22, "text-anchor": "middle", "font-size": 13, class: "soft" }, column.site));
  const nodes = columns.flatMap((column) => column.nodes.map((i) => drawNode(i, graph.rois[i], spots.get(i), choose)));
  const picture = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": `Circuit of ${task}, ${plural(edges.length, "edge")}` },
    heads, drawEdges(edges, kept, graph.rois, spots, Math.abs(edges[0][3])), nodes);
  picture.style.maxWidth = `${Math.round(width * 1.15)}px`;
  picture.style.minWidth = `${Math.min(width, Math.round(width * 0.58))}px`;
  show("drawing", picture);
  show("table", edgeTable(edges, kept, graph.rois));
  show("circuit-legend", circuitLegend());
  at("circuit-note").textContent = circuitNote(graph, task, edges.length, kept, score);
  emphasise(edges, chosen);
}
