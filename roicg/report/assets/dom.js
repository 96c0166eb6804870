// Elements are made, never parsed: labels from files reach the page as text and nothing else.
const data = JSON.parse(document.getElementById("data").textContent);
const SVG = document.querySelector("svg").namespaceURI;

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined) node.append(child);
  }
  return node;
}
const el = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const draw = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
const at = (id) => document.getElementById(id);
const show = (id, ...children) => at(id).replaceChildren(...children.flat().filter((child) => child !== null));

const digits = (value, n = 3) => (value === null || value === undefined ? "–" : Number(value).toPrecision(n).replace(/(\.\d*?)0+(e|$)/, "$1$2").replace(/\.(e|$)/, "$1").replace("-", "−"));
const signed = (value) => (value < 0 ? "−" : "+") + Math.abs(value).toPrecision(3);
const error = (value) => (value === null || value === undefined ? "–" : Number(value).toPrecision(2));
const fixed = (value, n = 2) => (value === null || value === undefined ? "–" : value.toFixed(n).replace("-", "−"));
const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

function tabs(id, names, chosen, choose) {
  const made = names.map((name) => {
    const input = el("input", { type: "radio", name: id, value: name });
    input.checked = name === chosen;
    input.addEventListener("change", () => choose(name));
    return el("label", {}, input, el("span", {}, name));
  });
  show(id, made);
}

function table(columns, rows) {
  const cell = (tag, column, content, extra = "") => el(tag, { class: `${column.num ? "num" : ""} ${extra}`.trim() || null, scope: tag === "th" ? "col" : null }, content);
  const head = el("thead", {}, el("tr", {}, columns.map((column) => cell("th", column, column.name))));
  const body = el("tbody", {}, rows.map((row) => el("tr", row.attributes || {}, columns.map((column, i) => cell("td", column, String(row.cells[i]), row.classes?.[i] || "")))));
  return el("table", {}, head, body);
}
