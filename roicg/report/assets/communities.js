// Communities of the chosen graph, never without their null.
function divisionTable(division, graph) {
  const whose = division.task === "(mixture)" ? "All tasks together" : division.task;
  const labels = new Map(graph.rois.map((roi) => [roi[0], roi[4]]));
  const verdict = division.above_null ? "Above its null." : "Not above its null: these groups are no finding.";
  const null_ = `${fixed(division.null_mean, 3)} ± ${fixed(division.null_sd, 3)}`;
  const words = `Modularity ${fixed(division.modularity, 3)}; under the nearer of two nulls (weights permuted within source site, target site and port; strengths of all ROIs kept) ${null_}; z = ${fixed(division.z, 1)}, p = ${digits(division.p, 2)}, resolution ${digits(division.gamma)}. `;
  const rows = division.communities.map((members, i) => ({ cells: [i + 1, members.length, members.map((name) => (labels.get(name) && labels.get(name) !== name ? `${name} (${labels.get(name)})` : name)).join(", ")], classes: { 2: "members" } }));
  return el("div", { class: "division" }, el("h3", {}, whose), el("p", { class: "verdict" }, words, el("strong", {}, verdict)),
    el("div", { class: "scroll" }, table([{ name: "#", num: true }, { name: "ROIs", num: true }, { name: "members" }], rows)));
}

function drawCommunities(graph) {
  const none = el("p", { class: "empty" }, "No communities were computed for this partition at this checkpoint.");
  show("divisions", graph.divisions.length ? graph.divisions.map((division) => divisionTable(division, graph)) : none);
  disclose(at("communities-cypher"), [["structure.communities", { slot: graph.slot }], ["structure.rois", { slot: graph.slot }]]);
}
