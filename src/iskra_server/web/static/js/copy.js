// Copies the text of an element.

import { setText } from "./dom.js";
import { words } from "./language.js";

/**
 * Browsers offer the clipboard with https and on localhost only; otherwise the text is selected, to copy by key.
 * @param {HTMLElement} node
 * @param {HTMLElement} note says what was done
 */
export async function copy(node, note) {
  const texts = words.copying;
  getSelection()?.selectAllChildren(node);
  // undefined without https, which the types do not know
  const clipboard = /** @type {Clipboard | undefined} */ (navigator.clipboard);
  const isDone = await clipboard?.writeText(node.textContent ?? "").then(() => true, () => false);
  setText(note, (isDone ?? document.execCommand("copy")) ? texts.copied : texts.selected);
}
