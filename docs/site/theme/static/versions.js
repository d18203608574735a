// Replaces the version in the side bar by a choice of all versions, if versions.json can be read.

const shown = /** @type {HTMLElement | null} */ (document.querySelector(".site-version"));

/** @typedef {{version: string, path: string}} Version a version and its folder, beside that of this one */

/** @param {HTMLElement} label */
async function showVersions(label) {
  const { versions: address = "", version: own, page: ownPage = "" } = label.dataset;
  const file = new URL(address, location.href);
  // a browser reads no file for a local page
  if (file.protocol === "file:") return;
  const answer = await fetch(file);
  if (!answer.ok) return;
  /** @type {Version[]} */
  const versions = await answer.json();
  if (!versions.some(({ version }) => version === own)) return;
  const select = document.createElement("select");
  for (const { version, path } of versions) {
    const option = new Option(version, path, false, version === own);
    select.append(option);
  }
  select.addEventListener("change", async () => {
    const folder = new URL(select.value, file);
    const page = new URL(ownPage, folder);
    // an older version may not have this page
    const exists = await fetch(page, { method: "HEAD" }).then(({ ok }) => ok, () => false);
    location.href = (exists ? page : folder).href;
  });
  label.replaceWith(select);
}

if (shown) showVersions(shown).catch(() => { /* the version stays as it is written */ });
