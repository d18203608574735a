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

const dictionaries = { english: entries(english), german: entries(german) };

test("both languages have the same words, of the same kind", () => {
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

  test(`sentences say all that they are given, in ${name}`, () => {
    for (const [path, sentence] of list.filter(([, value]) => typeof value === "function")) {
      if (path === "legend") continue;
      const given = Array.from({ length: sentence.length }, (_, at) => `«${at}»`);
      const text = sentence(...given);
      for (const part of given) assert.ok(text.includes(part), `${path}: ${text}`);
      assert.doesNotMatch(text, /undefined|null|NaN/);
    }
  });
}

test("a legend speaks of both directions only where there are two", () => {
  for (const { legend } of [english, german]) assert.ok(legend(true).length > legend(false).length);
});

test("a restarted counter is told without what it showed before, where that is not known", () => {
  for (const { epochAt } of [english, german]) assert.doesNotMatch(epochAt("12:00", undefined, "0 kWh"), /undefined/);
});
