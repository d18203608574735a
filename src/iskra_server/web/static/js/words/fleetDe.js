// The texts of the views of a central server in German. fleetEn.js has the same keys.

/** @type {typeof import("./fleetEn.js").fleetWords} */
export const fleetWords = {
  meters: "Zähler",
  readers: "Lesegeräte",
  kinds: { building: "Gebäude", tenant: "Mieter", tariff: "Tarife" },
  group: {
    building: (name) => `Gebäude ${name}`,
    tenant: (name) => `Mieter ${name}`,
    tariff: (name) => `Tarif ${name}`,
  },
  find: "Zähler nach Nummer suchen",
  example: "Teil der Nummer",
  findGroup: { building: "Gebäude suchen", tenant: "Mieter suchen", tariff: "Tarif suchen" },
  exampleGroup: "Teil des Namens",
  lastHeard: "Letzter Kontakt",
  groups: "Gruppen",
  reader: "Lesegerät",
  silentSince: (time) => `kein Kontakt seit ${time}`,
  silentCount: (count) => `${count} ohne Kontakt`,
  replacedBy: (meter) => `ersetzt durch ${meter}`,
  count: (count) => `${count} Zähler`,
  metersNow: "Zähler jetzt",
  partOf: (count, all) => `${count} von ${all} Zählern vollständig`,
  more: "Mehr",
  none: "Nichts gefunden.",
  incomplete: "Unvollständig",
  nobody: "kein Zähler in der Gruppe",
  missing: (count, all) => `${count} von ${all} Viertelstunden ${count === "1" ? "fehlt" : "fehlen"}`,
  estimated: (count) => `${count} ${count === "1" ? "Viertelstunde" : "Viertelstunden"} geschätzt`,
  missingTimes: "Es fehlen:",
  allMissing: "alle",
  moreTimes: (count) => `${count} weitere`,
  whatCounts: "Die Summe enthält die Energie zwischen den bekannten Zählerständen, auch über Lücken hinweg; nichts "
    + "wird aufgefüllt. Welchem Zähler was fehlt, steht in der Aufstellung.",
  gaps: "Lücken",
  inNoBar: (energy) =>
    `${energy} davon stehen in keinem Balken: Für diese Zeit ist nur die Summe über mehrere Balken bekannt.`,
  since: (day) => `seit ${day}`,
  until: (day) => `bis ${day}`,
  version: (version) => `Version ${version}`,
  ahead: (seconds) => `Uhr geht ${seconds} s vor`,
  behind: (seconds) => `Uhr geht ${seconds} s nach`,
  waiting: (count) => `${count} ${count === "1" ? "Viertelstunde" : "Viertelstunden"} noch nicht übertragen`,
  refused: (count) => `${count} ${count === "1" ? "Viertelstunde" : "Viertelstunden"} abgewiesen`,
  conflicts: (count) =>
    (count === "1" ? "1 Wert weicht vom gespeicherten ab." : `${count} Werte weichen von den gespeicherten ab.`),
  conflictsMeaning: "Für einen Zähler und eine Viertelstunde, die schon gespeichert sind, kam ein anderer Wert: von "
    + "einem zweiten Lesegerät oder von einem mit falscher Uhr. In allen Summen gilt der gespeicherte Wert. Beide "
    + "zeigt „iskra-server fleet conflicts“ in der Zentrale.",
  moreProblems: (count) => (count === 1 ? "1 weiteres Problem" : `${count} weitere Probleme`),
  files: {
    title: "Dateien",
    statement: "Eine Aufstellung enthält für jeden Zähler und Monat die Zählerstände zu Beginn und am Ende, die "
      + "Energie und alles, was fehlt.",
    tooLarge: (count) => `Hier gibt es Aufstellungen für höchstens ${count} Zähler; größere erstellt `
      + "„iskra-server fleet statement“ in der Zentrale.",
    print: "Aufstellung zum Drucken",
    csv: "Aufstellung als CSV",
    all: "Aufstellungen aller Mieter, zum Drucken und als CSV (ZIP)",
    quarters: "Viertelstundenwerte als CSV",
    legal: "Nicht eichrechtskonform: über die Schnittstelle des Zählers ausgelesen, nicht für Abrechnungen, für die "
      + "das Eichrecht geeichte Messwerte verlangt.",
  },
};
