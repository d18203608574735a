// Sends the access token once; the server answers with a cookie that scripts cannot read.

import { language, words } from "./language.js";

/** @type {Record<string, unknown>} */
const texts = words;
const wrong = /** @type {HTMLElement} */ (document.getElementById("wrong"));
const input = /** @type {HTMLInputElement} */ (document.getElementById("token"));

document.getElementById("login")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  wrong.hidden = true;
  const token = input.value.trim();
  // other characters are not allowed in a header
  const isPlain = /^[\x21-\x7e]+$/.test(token);
  const headers = { authorization: `Bearer ${token}` };
  const answer = isPlain ? await fetch("login", { headers }).catch(() => null) : null;
  if (answer?.ok) location.reload();
  else wrong.hidden = false;
});

document.documentElement.lang = language;
for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-word]"))) {
  element.textContent = String(texts[element.dataset.word ?? ""]);
}
