// The value under pointer, finger or key: one place of a chart is picked, and what it says is told.
// For keyboards and screen readers the chart is a slider over its places.

/**
 * @param {HTMLElement} box around the chart
 * @param {{over: HTMLElement, count: () => number, at: (x: number) => number, span: (index: number) => [number, number],
 *   label: string, text: (index: number) => string, onPick: (index: number | null) => void,
 *   onOpen?: (index: number) => void, signal: AbortSignal}} options
 */
export function picker(box, { over, count, at, span, label, text, onPick, onOpen, signal }) {
  let picked = null;
  const shade = document.createElement("div");
  shade.className = "pick";
  shade.hidden = true;
  over.append(shade);
  box.tabIndex = 0;
  box.setAttribute("role", "slider");
  box.setAttribute("aria-label", label);

  function pick(index) {
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
    onPick(picked);
  }

  const under = (event) => pick(at(event.clientX - over.getBoundingClientRect().left));
  over.addEventListener("pointermove", under, { signal });
  over.addEventListener("pointerdown", under, { signal });
  over.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") pick(null); }, { signal });
  if (onOpen) over.addEventListener("dblclick", () => picked !== null && onOpen(picked), { signal });
  box.addEventListener("keydown", (event) => {
    const big = Math.max(1, Math.round(count() / 8));
    const from = picked ?? -1;
    const to = { ArrowRight: from + 1, ArrowLeft: picked === null ? count() - 1 : from - 1, ArrowUp: from + 1, ArrowDown: from - 1, PageDown: from + big, PageUp: from - big, Home: 0, End: count() - 1 }[event.key];
    if (to !== undefined) { event.preventDefault(); event.stopPropagation(); pick(to); }
    if (event.key === "Escape") pick(null);
    if (event.key === "Enter" && onOpen && picked !== null) onOpen(picked);
  }, { signal });
  box.addEventListener("blur", () => pick(null), { signal });
  pick(null);
  return { pick };
}
