import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./browser.js";

const { words: english } = await load("words/en.js");
const { words: german } = await load("words/de.js");

/** Every text and function of a dictionary by its path: "setup.head.how.0". */
function entries(value, path = "") {
  if (typeof value !== "object") return [[path, value]];
  return Object.entries(value).flatMap(([name, inner]) => entries(inner, path ? `${path}.${name}` : name));
}

/** The dictionaries that only some views load, beside the one of all. */
const OTHERS = ["contract", "comparison", "setup", "registers", "normal", "fleet"];

/** @param {"En" | "De"} language */
async function others(language) {
  const modules = await Promise.all(OTHERS.map((name) => load(`words/${name}${language}.js`)));
  return OTHERS.flatMap((name, at) => Object.values(modules[at]).flatMap((dictionary) => entries(dictionary, name)));
}

const dictionaries = {
  english: [...entries(english), ...await others("En")],
  german: [...entries(german), ...await others("De")],
};

test("both languages have the same keys, of the same kind", () => {
  const kinds = (list) => list.map(([path, value]) => [path, typeof value === "function" ? value.length : "text"]);
  assert.ok(dictionaries.english.length > 150);
  assert.deepEqual(kinds(dictionaries.german), kinds(dictionaries.english));
});

for (const [name, list] of Object.entries(dictionaries)) {
  test(`no text is empty or has spaces at its ends, in ${name}`, () => {
    // a step without a light has none
    const texts = list.filter(([path, value]) =>
      typeof value === "string" && !/^setup\.unlock\.steps\.\d+\.2$/.test(path));
    assert.deepEqual(texts.filter(([, text]) => text === "" || text !== text.trim()), []);
  });

  test(`sentences contain all their values, in ${name}`, () => {
    for (const [path, sentence] of list.filter(([, value]) => typeof value === "function")) {
      const values = Array.from({ length: sentence.length }, (_, at) => `«${at}»`);
      const text = sentence(...values);
      for (const value of values) assert.ok(text.includes(value), `${path}: ${text}`);
      assert.doesNotMatch(text, /undefined|null|NaN/);
    }
  });
}

test("a counter restart without a known last value leaves that value out", () => {
  for (const { restartedAt } of [english, german]) {
    assert.doesNotMatch(restartedAt("12:00", undefined, "0 kWh"), /undefined/);
  }
});
