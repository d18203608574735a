// The German sentence of the search results: Sphinx has it empty, and a form of the plural that is no number.

/* global Documentation */

Documentation.addTranslations({
  messages: {
    "Search finished, found one page matching the search query.": [
      "Eine Seite gefunden.", "${resultCount} Seiten gefunden.",
    ],
  },
  plural_expr: "n === 1 ? 0 : 1",
});
