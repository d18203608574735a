// Elements in one line: make("p.soft", { id: "note" }, "text", child). Null children are left out.

const SVG = "http://www.w3.org/2000/svg";

/** @param {string} what a tag and its classes @param {...(Node|string|object|null)} content attributes and children */
export function make(what, ...content) {
  const [tag, ...classes] = what.split(".");
  return filled(document.createElement(tag), classes, content);
}

/** As `make`, of SVG. */
export function draw(what, ...content) {
  const [tag, ...classes] = what.split(".");
  return filled(document.createElementNS(SVG, tag), classes, content);
}

function filled(node, classes, content) {
  if (classes.length) node.setAttribute("class", classes.join(" "));
  for (const each of content.flat()) {
    if (each == null || each === false) continue;
    if (typeof each === "object" && !(each instanceof Node)) give(node, each);
    else node.append(each);
  }
  return node;
}

function give(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node[name] = value;
    else if (value === true) node.setAttribute(name, "");
    else if (value != null && value !== false) node.setAttribute(name, value);
  }
}

/** Touches the page only where the text is another one. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function mark(node, name, value) {
  if (value == null || value === "") delete node.dataset[name];
  else if (node.dataset[name] !== value) node.dataset[name] = value;
}

let styled = null;
/** Brings in the style sheets that the first view does not need. */
export function styles() {
  const loaded = (name) => new Promise((resolve) => {
    const href = new URL(`../css/${name}.css`, import.meta.url).href;
    document.head.append(make("link", { rel: "stylesheet", href, onload: resolve, onerror: resolve }));
  });
  styled ??= Promise.all(["history", "setup"].map(loaded));
  return styled;
}

/** When what is there now has been painted. */
export const painted = () => new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve)); });

/** A name and what it is, as a row of a list of pairs. */
export const pair = (name, ...value) => make("div", make("dt", name), make("dd", ...value));
