// Writes objects, lists and single values as YAML.

/** @param {unknown} value an object or a list, of these or single values @param {string} indent */
export function yaml(value, indent = "") {
  const lines = Array.isArray(value) ? value.map((item) => `${indent}- ${inner(item, `${indent}  `)}`)
    : Object.entries(/** @type {object} */ (value)).map(([name, item]) => entry(name, item, indent));
  return lines.join("");
}

/** @param {string} name @param {unknown} value @param {string} indent @returns {string} */
function entry(name, value, indent) {
  if (isEmpty(value)) return `${indent}${name}: ${Array.isArray(value) ? "[]" : "{}"}\n`;
  if (typeof value !== "object" || value === null) return `${indent}${name}: ${scalar(value)}\n`;
  return `${indent}${name}:\n${yaml(value, `${indent}  `)}`;
}

/** An item of a list, after the dash. @param {unknown} item @param {string} indent @returns {string} */
const inner = (item, indent) =>
  (typeof item === "object" && item !== null ? yaml(item, indent).trimStart() : `${scalar(item)}\n`);

/** @param {unknown} value */
const isEmpty = (value) => typeof value === "object" && value !== null && Object.keys(value).length === 0;

/** Plain where it cannot be mistaken, else in quotes: JSON is YAML. @param {unknown} value */
function scalar(value) {
  if (value === null) return "";
  if (typeof value !== "string") return String(value);
  const isWord = /^(?:true|false|yes|no|on|off|null|y|n|\.\w*)$/i.test(value);
  const isPlain = !isWord && /^[A-Za-z/.](?:[A-Za-z0-9 /._-]*[A-Za-z0-9/._-])?$/.test(value);
  return isPlain ? value : JSON.stringify(value);
}
