// What is chosen, and drawing it again when the choice changes.
const state = { model: 0, partition: null, at: 0, task: null, edges: null, chosen: null };
const model = () => data.models[state.model];
const checkpoint = () => model().checkpoints[state.at];
const graph = () => checkpoint().graphs[state.partition];
const sizes = (most) => {
  const found = [];
  for (let n = 1; n < most; n = Math.max(n + 1, Math.round(n * 1.07))) found.push(n);
  return [...found, most];
};

function startingEdges() {
  const most = graph()?.circuits[state.task]?.length || 0;
  const reached = graph()?.curves[state.task]?.weight?.points.find((point) => point[1] >= data.faithful);
  return Math.min(most, reached && reached[0] <= 60 ? Math.max(reached[0], 8) : 24);
}

function chooseModel(index) {
  state.model = index;
  const mine = model();
  state.partition = mine.partitions.includes(state.partition) ? state.partition : mine.partitions[0];
  state.at = mine.checkpoints.length - 1;
  state.task = mine.tasks.includes(state.task) ? state.task : mine.tasks[0];
  state.edges = null;
  drawAll();
}

function drawOneCircuit() {
  const steps = sizes(graph().circuits[state.task]?.length || 0);
  const most = steps.at(-1);
  const n = Math.min(state.edges ?? startingEdges(), most);
  const place = Math.max(0, steps.findIndex((size) => size >= n));
  const slider = at("edges");
  slider.max = steps.length - 1;
  slider.value = place;
  slider.setAttribute("aria-valuetext", plural(steps[place], "edge"));
  at("edges-label").textContent = `${steps[place]} of ${graph().edges}${most < graph().edges ? ` (the ${most} strongest are in this file)` : ""}`;
  slider.oninput = () => { state.edges = steps[Number(slider.value)]; drawOneCircuit(); };
  const choose = (i) => { state.chosen = state.chosen === i ? null : i; emphasise(graph().circuits[state.task], state.chosen); };
  drawCircuit(graph(), state.task, steps[place], checkpoint().scores[state.task], state.chosen, choose);
  disclose(at("circuit-cypher"), [["circuits.circuit", { slot: graph().slot, task: state.task, edges: steps[place] }], ["structure.rois", { slot: graph().slot }]]);
}

function drawControls() {
  const mine = model();
  tabs("partition", mine.partitions, state.partition, (name) => { state.partition = name; state.chosen = null; drawAll(); });
  tabs("task", mine.tasks, state.task, (name) => { state.task = name; state.chosen = null; state.edges = null; drawOneCircuit(); });
  const slider = at("at");
  slider.max = mine.checkpoints.length - 1;
  slider.value = state.at;
  slider.disabled = mine.checkpoints.length === 1;
  slider.setAttribute("aria-valuetext", checkpoint().label);
  at("at-label").textContent = `${checkpoint().label} (${state.at + 1} of ${mine.checkpoints.length})`;
  slider.oninput = () => { state.at = Number(slider.value); state.chosen = null; drawAll(); };
}

function drawMissing() {
  const words = `Partition ${state.partition} is not published at checkpoint ${checkpoint().label}.`;
  for (const id of ["drawing", "curves", "divisions"]) show(id, el("p", { class: "empty" }, words));
  for (const id of ["table", "circuit-cypher", "curves-cypher", "communities-cypher"]) show(id);
  at("circuit-note").textContent = "";
  at("edges-label").textContent = "";
}

function drawAll() {
  const focused = document.activeElement?.name && document.activeElement.value ? [document.activeElement.name, document.activeElement.value] : null;
  drawControls();
  if (graph()) {
    drawOneCircuit();
    drawCurves(model(), checkpoint(), graph());
    drawCommunities(graph());
  } else drawMissing();
  drawEmergence(model(), state.partition);
  if (focused) [...document.querySelectorAll("input[type=radio]")].find((input) => input.name === focused[0] && input.value === focused[1])?.focus();
}

at("model").append(...data.models.map((entry, i) => el("option", { value: i }, entry.name)));
at("model").addEventListener("change", () => chooseModel(Number(at("model").value)));
at("controls").addEventListener("submit", (event) => event.preventDefault());
for (const place of document.querySelectorAll(".words .cypher")) disclose(place, JSON.parse(place.dataset.queries));
chooseModel(0);
