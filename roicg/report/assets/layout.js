// Where nodes stand.
// 1. Columns: sites in stream order, as the catalogue lists them (tok, a0, m0, …, logits).
// 2. Nodes: those with an edge that is shown; tok and logits always.
// 3. Order in a column: four sweeps of the mean place of the neighbours, each counted by its strength (fewer crossings).
const BOX = { width: 112, height: 40, gap: 14, column: 178, margin: 14, top: 40, roomy: 470 };

function onAPath(edges, rois) {
  const reach = (kind, tail, head) => {
    const seen = new Set(rois.flatMap((roi, i) => (roi[2] === kind ? [i] : [])));
    for (let before = -1; before !== seen.size; ) {
      before = seen.size;
      for (const edge of edges) if (seen.has(edge[tail])) seen.add(edge[head]);
    }
    return seen;
  };
  const below = reach("tok", 0, 1);
  const above = reach("logits", 1, 0);
  return edges.map((edge) => below.has(edge[0]) && above.has(edge[1]));
}

function columnsOf(rois, edges) {
  const used = new Set(edges.flatMap((edge) => [edge[0], edge[1]]));
  const sites = [...new Set(rois.map((roi) => roi[1]))];
  const nodes = sites.map((site) => rois.flatMap((roi, i) => (roi[1] === site && (used.has(i) || roi[2] === "tok" || roi[2] === "logits") ? [i] : [])));
  const kept = sites.map((site, i) => ({ site, nodes: nodes[i] }));
  return sites.length > 10 ? kept.filter((column) => column.nodes.length) : kept;
}

function place(columns) {
  const tallest = Math.max(1, ...columns.map((column) => column.nodes.length));
  const pitch = Math.max(BOX.height + BOX.gap, Math.min(2.4 * BOX.height, BOX.roomy / tallest));
  const height = BOX.top + Math.max(3, tallest) * pitch + BOX.margin;
  const spots = new Map();
  columns.forEach((column, x) => {
    const start = BOX.top + (height - BOX.top - BOX.margin - column.nodes.length * pitch) / 2;
    column.nodes.forEach((node, y) => spots.set(node, { x: BOX.margin + x * BOX.column, y: start + y * pitch + pitch / 2, column: x }));
  });
  return { spots, height, width: 2 * BOX.margin + (columns.length - 1) * BOX.column + BOX.width };
}

function arrange(rois, edges) {
  const columns = columnsOf(rois, edges);
  for (let sweep = 0; sweep < 4; sweep += 1) {
    const { spots } = place(columns);
    const pull = (node) => {
      let sum = 0, weight = 0;
      for (const [u, v, , w] of edges) {
        const other = u === node ? v : v === node ? u : null;
        const spot = other === null ? null : spots.get(other);
        if (spot) { sum += Math.abs(w) * spot.y; weight += Math.abs(w); }
      }
      return weight ? sum / weight : spots.get(node).y;
    };
    for (const column of columns) {
      const pulls = new Map(column.nodes.map((node) => [node, pull(node)]));
      column.nodes.sort((a, b) => pulls.get(a) - pulls.get(b) || a - b);
    }
  }
  return { columns, ...place(columns) };
}
