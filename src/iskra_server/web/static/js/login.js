// Asks for the token and shows it once; from then on a cookie that this script cannot read stands for it.

import { language, words } from "./language.js";

const form = document.getElementById("login");
const wrong = document.getElementById("wrong");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  wrong.hidden = true;
  const token = document.getElementById("token").value.trim();
  // what is no token would be no header either
  const isPlain = /^[\x21-\x7e]+$/.test(token);
  const answer = isPlain && (await fetch("login", { headers: { authorization: `Bearer ${token}` } }).catch(() => null));
  if (answer?.ok) location.reload();
  else wrong.hidden = false;
});

document.documentElement.lang = language;
for (const element of document.querySelectorAll("[data-word]")) element.textContent = words[element.dataset.word];
