// Picks a place of a chart by pointer, finger or key and shows its text. For keyboards and screen readers the chart is
// a slider over its places. A double click, a second tap or Enter opens the picked place.

/**
 * @typedef {{over: HTMLElement, count: () => number, at: (x: number) => number,
 *   span: (index: number) => [number, number], label: string, text: (index: number) => string,
 *   caption?: HTMLElement, legend?: string | Node[], onOpen?: (index: number) => void, opens?: string,
 *   signal: AbortSignal}} Options
 *   `caption` shows the text of the picked place, else the legend; `opens` says what `onOpen` does
 */

/**
 * The place after a key; undefined if the key does nothing.
 * @param {string} key
 * @param {number | null} picked
 * @param {number} count
 */
export function placeAfterKey(key, picked, count) {
  const page = Math.max(1, Math.round(count / 8));
  const from = picked ?? -1;
  switch (key) {
    case "ArrowRight": case "ArrowUp": return from + 1;
    case "ArrowLeft": return picked === null ? count - 1 : from - 1;
    case "ArrowDown": return from - 1;
    case "PageDown": return from + page;
    case "PageUp": return from - page;
    case "Home": return 0;
    case "End": return count - 1;
    default: return undefined;
  }
}

/**
 * Opens the picked place by a double click, or by a tap on the place that is picked already: not every browser makes a
 * double click of two taps.
 * @param {HTMLElement} over
 * @param {() => number | null} picked
 * @param {(index: number) => void} onOpen
 * @param {AbortSignal} signal
 */
export function openByPointer(over, picked, onOpen, signal) {
  /** @type {number | null} */
  let before = null;
  const open = () => { const index = picked(); if (index !== null) onOpen(index); };
  over.addEventListener("pointerdown", () => { before = picked(); }, { signal });
  over.addEventListener("click", (event) => {
    const isTouch = event instanceof PointerEvent && event.pointerType === "touch";
    if (isTouch && before !== null && before === picked()) open();
  }, { signal });
  over.addEventListener("dblclick", open, { signal });
}

const hint = (/** @type {string} */ text) =>
  Object.assign(document.createElement("span"), { className: "hint", textContent: text });

/** @param {HTMLElement} box around the chart @param {Options} options */
export function picker(box, { over, count, at, span, label, text, caption, legend = "", onOpen, opens, signal }) {
  /** @type {number | null} */
  let picked = null;
  const shade = document.createElement("div");
  shade.className = "pick";
  shade.hidden = true;
  over.append(shade);
  box.tabIndex = 0;
  box.setAttribute("role", "slider");
  box.setAttribute("aria-label", label);
  if (opens) box.setAttribute("aria-description", opens);

  function pick(/** @type {number | null} */ index) {
    const last = count() - 1;
    picked = index === null || last < 0 ? null : Math.min(Math.max(index, 0), last);
    shade.hidden = picked === null;
    box.setAttribute("aria-valuemin", "0");
    box.setAttribute("aria-valuemax", String(Math.max(last, 0)));
    box.setAttribute("aria-valuenow", String(picked ?? 0));
    box.setAttribute("aria-valuetext", picked === null ? label : text(picked));
    if (picked !== null) {
      const [left, width] = span(picked);
      shade.style.left = `${left}px`;
      shade.style.width = `${Math.max(width, 1)}px`;
    }
    caption?.replaceChildren(...(picked === null ? [legend, opens ? hint(opens) : ""].flat() : [text(picked)]));
  }

  const pickUnder = (/** @type {PointerEvent} */ event) => pick(at(event.clientX - over.getBoundingClientRect().left));
  if (onOpen) openByPointer(over, () => picked, onOpen, signal);
  over.addEventListener("pointermove", pickUnder, { signal });
  over.addEventListener("pointerdown", pickUnder, { signal });
  over.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") pick(null); }, { signal });
  box.addEventListener("keydown", (event) => {
    const next = placeAfterKey(event.key, picked, count());
    if (next !== undefined) { event.preventDefault(); event.stopPropagation(); pick(next); }
    if (event.key === "Escape") pick(null);
    if (event.key === "Enter" && onOpen && picked !== null) onOpen(picked);
  }, { signal });
  box.addEventListener("blur", () => pick(null), { signal });
  // what is known of a place has changed
  box.addEventListener("change", () => pick(picked), { signal });
  pick(null);
}
