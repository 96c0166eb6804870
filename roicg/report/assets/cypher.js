// Every figure can be asked again: the query of the catalogue with the parameters that gave it.
// One statement with the values in their places: of several, such as ":param" lines before the Cypher, Neo4j Browser shows no answer.
// Strings are written as by roicg.report.guide.literal.
const SHORT = { "\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r" };
const escaped = (sign) => SHORT[sign] ?? `\\u${sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
const literal = (value) => (typeof value === "string" ? `'${value.replace(/[\\'\x00-\x1f\x7f;&#]/g, escaped)}'` : String(value));

function cypherText(name, params) {
  const all = { ...data.queries[name].params, ...params };
  return `// ${data.queries[name].sentence} (${name})\n${data.queries[name].text.replace(/\$(\w+)/g, (_, key) => literal(all[key]))};`;
}

async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    const range = document.createRange();
    range.selectNodeContents(button.closest(".query").querySelector("pre"));
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    button.textContent = document.execCommand("copy") ? "Copied" : "Selected";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

function asked([name, params]) {
  const text = cypherText(name, params);
  const button = el("button", { type: "button", "aria-label": `Copy ${name}` }, "Copy");
  button.addEventListener("click", () => copy(text, button));
  return el("div", { class: "query" }, el("p", {}, el("strong", {}, name), button), el("pre", { tabindex: "0" }, text));
}

// The texts are made when they are first looked at, and stay open when the figure changes.
function disclose(place, queries) {
  const before = place.querySelector("details");
  const box = el("details", { class: "ask" }, el("summary", {}, "Cypher"));
  const open = () => { if (box.open && box.children.length === 1) box.append(...queries.map(asked)); };
  box.addEventListener("toggle", open);
  place.replaceChildren(box);
  if (before?.open) { box.open = true; open(); }
}
