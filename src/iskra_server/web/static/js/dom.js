// Makes elements: make("p.soft", { id: "note" }, "text", child). Null and false children are left out.

const SVG = "http://www.w3.org/2000/svg";

/**
 * @template {string} W
 * @param {W} what tag and classes
 * @param {...Content<ElementOf<W>>} content attributes and children
 */
export function make(what, ...content) {
  const [tag, ...classes] = what.split(".");
  // TypeScript knows the element type of literal tags only
  return /** @type {ElementOf<W>} */ (/** @type {unknown} */ (fill(document.createElement(tag), classes, content)));
}

/** As `make`, for SVG. @param {string} what @param {...Content<SVGElement>} content */
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

/** Leaves the node alone if it has this text already. @param {Node} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @param {HTMLElement} node @param {string} name @param {string | null | undefined} value */
export function setData(node, name, value) {
  if (!value) delete node.dataset[name];
  else if (node.dataset[name] !== value) node.dataset[name] = value;
}

export const setTitle = (/** @type {string} */ text) => { document.title = `${text} · ISKRA Electricity`; };

/**
 * Replaces only what differs, at any depth: the rest keeps focus and selection, and a link that is being pressed is
 * clicked. What stays keeps its listeners too, so that these must not know what the content was made of.
 */
export function setContent(/** @type {HTMLElement} */ node, /** @type {Content<HTMLElement>[]} */ ...content) {
  const [old, next] = [[...node.childNodes], [...make("div", ...content).childNodes]];
  next.forEach((child, index) => {
    const before = old[index];
    if (!before) node.append(child);
    else if (before.isEqualNode(child)) return;
    else if (before instanceof HTMLElement && before.cloneNode().isEqualNode(child.cloneNode())) {
      setContent(before, ...child.childNodes);
    } else before.replaceWith(child);
  });
  for (const child of old.slice(next.length)) child.remove();
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

/** Resolves when the current content has been painted. @returns {Promise<void>} */
export const painted = () => new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve)); });

/** A row of a list of pairs (dl.pairs). @param {string} name @param {...Content<HTMLElement>} value */
export const pair = (name, ...value) => make("div", make("dt", name), make("dd", ...value));
