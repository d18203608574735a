// Elements in one line: make("p.soft", { id: "note" }, "text", child). Null children are left out.

const SVG = "http://www.w3.org/2000/svg";

/**
 * @template {string} W
 * @param {W} what a tag and its classes
 * @param {...Content<ElementOf<W>>} content attributes and children
 */
export function make(what, ...content) {
  const [tag, ...classes] = what.split(".");
  // the tag of `what` decides about the type, which the browser's own types know of literal tags alone
  return /** @type {ElementOf<W>} */ (/** @type {unknown} */ (fill(document.createElement(tag), classes, content)));
}

/** As `make`, of SVG. @param {string} what @param {...Content<SVGElement>} content */
export function makeSvg(what, ...content) {
  const [tag, ...classes] = what.split(".");
  return fill(document.createElementNS(SVG, tag), classes, content);
}

/** @template {Element} E @param {E} node @param {string[]} classes @param {Content<any>[]} content */
function fill(node, classes, content) {
  if (classes.length) node.setAttribute("class", classes.join(" "));
  for (const part of content) {
    if (part == null || part === false) continue;
    if (Array.isArray(part)) fill(node, [], part);
    else if (typeof part === "string" || part instanceof Node) node.append(part);
    else setAttributes(node, part);
  }
  return node;
}

/** @param {Element} node @param {Attributes<any>} attributes */
function setAttributes(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value != null && value !== false) node.setAttribute(name, String(value));
  }
}

/** Changes the page only where the text is another one. @param {Node} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @param {HTMLElement} node @param {string} name @param {string | null | undefined} value */
export function setData(node, name, value) {
  if (!value) delete node.dataset[name];
  else if (node.dataset[name] !== value) node.dataset[name] = value;
}

/** @type {WeakMap<Node, string>} */
const shown = new WeakMap();

/** Whether a node has to be drawn again: its content is made of other values than the last time. */
export function isNew(/** @type {Node} */ node, /** @type {unknown} */ values) {
  const text = JSON.stringify(values);
  if (shown.get(node) === text) return false;
  shown.set(node, text);
  return true;
}

/** @type {Promise<unknown> | null} */
let styles = null;

/** Loads the style sheets that the first view does not need. */
export function loadStyles() {
  const loaded = (/** @type {string} */ name) => new Promise((resolve) => {
    const href = new URL(`../css/${name}.css`, import.meta.url).href;
    document.head.append(make("link", { rel: "stylesheet", href, onload: resolve, onerror: resolve }));
  });
  styles ??= Promise.all(["history", "setup"].map(loaded));
  return styles;
}

/** When what is there now has been painted. @returns {Promise<void>} */
export const painted = () => new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve)); });

/** A name and what it is, as a row of a list of pairs. @param {string} name @param {...Content<HTMLElement>} value */
export const pair = (name, ...value) => make("div", make("dt", name), make("dd", ...value));
