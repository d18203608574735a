// The texts of the comparison of contracts in German. comparisonEn.js has the same keys.

export const comparisonWords = {
  period: "Zeitraum",
  from: "erster Tag",
  to: "letzter Tag",
  lastYear: "letzte 12 Monate",
  tenYears: "letzte zehn Jahre",
  ownPeriod: "eigener Zeitraum",
  compare: "Vergleichen",
  own: "Ihr Vertrag",
  sources: { contract: "früherer oder späterer Vertrag", offer: "Angebot", dynamic: "Beispiel" },
  pricings: {
    fixed: "fester Preis",
    windows: "Preis nach Tageszeit",
    registers: "Tag- und Nachttarif",
    spot: "Börsenpreis",
  },
  dynamic: "Dynamischer Vertrag",
  since: (/** @type {string} */ day) => `Vertrag ab ${day}`,
  fees: "Grundpreise",
  estimatedPart: "geschätzt",
  unpricedPart: "ohne Preis",
  mean: "Ihr Durchschnittspreis",
  even: "bei gleichmäßigem Verbrauch",
  cheapestMonth: "günstigster Monat",
  dearestMonth: "teuerster Monat",
  negative: "negativer Börsenpreis",
  negativeText: (/** @type {string} */ count, /** @type {string} */ energy) =>
    `${count} × 15 Minuten, dabei ${energy} bezogen`,
  shift: (/** @type {string} */ amount) =>
    `Jeden Tag 1 kWh in die günstigste Viertelstunde des Tages zu verschieben, hätte ${amount} gespart.`,
  more: (/** @type {string} */ amount) => `${amount} mehr`,
  less: (/** @type {string} */ amount) => `${amount} weniger`,
  noDifference: "nicht vergleichbar",
  costsMore: (/** @type {string} */ name) => `teurer als ${name}`,
  costsLess: (/** @type {string} */ name) => `günstiger als ${name}`,
  cheaper: (/** @type {string} */ name, /** @type {string} */ amount, /** @type {string} */ own) =>
    `${name} hätte ${amount} weniger gekostet als ${own}.`,
  cheapest: (/** @type {string} */ own, /** @type {string} */ name, /** @type {string} */ amount) =>
    `${own} war am günstigsten. ${name} hätte ${amount} mehr gekostet.`,
  refused: (/** @type {string} */ percent) =>
    `Kein Vergleich möglich: ${percent} % der Energie wurden nicht viertelstündlich gemessen. Über 20 % wäre ` +
    "das Ergebnis geraten.",
  caution: (/** @type {string} */ percent) =>
    `${percent} % der Energie wurden nicht viertelstündlich gemessen. Die Unterschiede sind mit Vorsicht zu lesen.`,
  short: (/** @type {string} */ days) =>
    `Nur ${days} ${days === "1" ? "Tag" : "Tage"}, also kein ganzes Jahr. Börsenpreise sind im Sommer niedriger ` +
    "als im Winter: Das ist kein Jahresergebnis.",
  unpriced: (/** @type {string} */ names) =>
    `Für ${names} fehlen einige Börsenpreise. Energie ohne Preis steckt in keinem Betrag; der Unterschied ` +
    "lässt sie aus.",
  basis: (/** @type {string} */ period, /** @type {string} */ energy) =>
    `${period}: ${energy} viertelstündlich gemessen.`,
  estimated: (/** @type {string} */ energy, /** @type {string} */ percent) =>
    `In Lücken geschätzt: ${energy}, ${percent} %.`,
  byQuarters:
    "Die Beträge gelten, wenn nach Ihren eigenen Viertelstunden abgerechnet wird. Mit einer einfachen modernen " +
    "Messeinrichtung wird ein dynamischer Vertrag oft nach einem Standardlastprofil abgerechnet.",
  none: "Kein Vertrag und kein Angebot eingetragen",
  how:
    "Tragen Sie die Preise Ihres Vertrags als [[contracts]] und die eines Angebots als [[offers]] in " +
    "iskra-server.toml ein:",
  howDynamic: "Mit einem dynamischen Vertrag können Sie unten vergleichen, ohne etwas einzutragen.",
  notMeasured: "In diesem Zeitraum wurde nichts gemessen. Wählen Sie einen, in dem der Zähler gelesen wurde.",
  byMonth: "Nach Monaten",
  everyMonth: "Alle Monate",
  month: "Monat",
  shown: "Vertrag im Diagramm",
  total: "Kosten einschließlich Grundpreisen",
  tryDynamic: "Mit einem dynamischen Vertrag vergleichen",
  dynamicHow:
    "Jede Viertelstunde kostet ihren Börsenpreis und diese Bestandteile. Ersetzen Sie sie durch die Zahlen eines " +
    "Angebots und des Preisblatts Ihres Netzbetreibers. Die Umlagen sind die des Jahres 2026 in Deutschland.",
  stored: (/** @type {string} */ zone, /** @type {string} */ first, /** @type {string} */ last) =>
    `Börsenpreise für ${zone} sind vom ${first} bis zum ${last} gespeichert.`,
  fields: {
    zone: "Gebotszone",
    markup: "Aufschlag des Anbieters",
    grid_fee: "Netzentgelt",
    tax: "Stromsteuer",
    kwkg: "KWKG-Umlage",
    offshore: "Offshore-Netzumlage",
    special: "Aufschlag für besondere Netznutzung",
    concession: "Konzessionsabgabe",
    vat_percent: "Umsatzsteuer",
    base_fee: "Grundpreis, brutto",
  },
  centsNet: "ct/kWh netto",
  perMonth: "im Monat",
  compareDynamic: "Vergleichen",
  compareAgain: "Neu vergleichen",
  keep: "Als Angebot behalten",
  keepHow: "In iskra-server.toml eintragen und den Server neu starten:",
  noPrices: "Es sind noch keine Börsenpreise gespeichert. Rufen Sie sie auf dem Rechner des Servers ab:",
  noPricesNote: "Danach ruft der Server täglich neue Preise ab, sobald ein Vertrag oder ein Angebot sie braucht.",
};
