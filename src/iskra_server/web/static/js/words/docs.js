// Texts of the API page in both languages; summaries and descriptions come from the server, in English.

export const texts = {
  en: {
    title: "HTTP API",
    intro:
      "No route changes anything on the server. Numbers are exact decimals, with every digit that the meter sent. " +
      "Without a current reading there is no number but an error that says why, never 0 and never null.",
    machine: "The machine-readable description (OpenAPI 3.1):",
    english: "",
    find: "Find a route",
    none: "No route has these words.",
    types: "Types",
    run: "Try",
    runEvents: (/** @type {number} */ count) => `Try: ${count} events`,
    absent: "may be absent",
    unreachable: "The server cannot be reached.",
    version: (/** @type {string} */ version) => `version ${version}`,
  },
  de: {
    title: "HTTP-API",
    intro:
      "Keine Adresse ändert etwas auf dem Server. Zahlen sind exakte Dezimalzahlen mit allen Stellen, die der Zähler " +
      "gesendet hat. Ohne aktuellen Wert gibt es keine Zahl, sondern einen Fehler mit dem Grund, nie 0 und nie null.",
    machine: "Die maschinenlesbare Beschreibung (OpenAPI 3.1):",
    english: "Die einzelnen Adressen und Felder sind auf Englisch beschrieben.",
    find: "Adresse suchen",
    none: "Keine Adresse enthält diese Wörter.",
    types: "Typen",
    run: "Ausprobieren",
    runEvents: (/** @type {number} */ count) => `Ausprobieren: ${count} Ereignisse`,
    absent: "kann fehlen",
    unreachable: "Der Server ist nicht erreichbar.",
    version: (/** @type {string} */ version) => `Version ${version}`,
  },
};
