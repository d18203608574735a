// The texts of solar power in German. solarEn.js has the same keys.

/** @type {typeof import("./solarEn.js").solarWords} */
export const solarWords = {
  now: "Solarstrom jetzt",
  solar: "Solar",
  house: "Haus",
  grid: "Netz",
  flow: (watts) => `Die Solaranlage erzeugt ${watts.production}: ${watts.toHouse} fließen ins Haus, ${watts.toGrid} `
    + `ins Netz. Das Haus verbraucht ${watts.house}, davon ${watts.fromGrid} aus dem Netz.`,
  noGrid: 'Kein Zähler am Netz ist eingerichtet: Ergänzen Sie ihn unter [[meters]], ohne role = "production".',
  noFlow: (names) => `Keine aktuelle Leistung von: ${names}`,
  differ: "Die Werte der Zähler passen gerade nicht zusammen: Sie stammen aus verschiedenen Sekunden, oder ein "
    + "Speicher speist ins Netz ein.",
  title: "Solarstrom",
  chart: "Erzeugung",
  production: "Erzeugung",
  used: "im Haus verbraucht",
  unused: "ins Netz eingespeist",
  consumption: "Verbrauch des Hauses",
  selfConsumption: "Eigenverbrauch",
  selfSufficiency: "Autarkie",
  ofProduction: (percent) => `${percent} % der Erzeugung`,
  today: "Heute",
  uncounted: (percent, names) =>
    `Diese Zahlen gelten für ${percent} % der Zeit. In der übrigen Zeit fehlen Zählerstände von: ${names}.`,
  since: (time) => `Alle Zähler werden seit ${time} aufgezeichnet.`,
  noExport: "Der Zähler am Netz zählt keine Einspeisung (2.8.0). Wie viel das Haus von der Erzeugung verbraucht hat, "
    + "ist deshalb nicht bekannt.",
  otherCounter: (name, own, other, value) =>
    `${name} hat im anderen Zählwerk (${other}) mehr gezählt als in dem, das als Erzeugung gilt (${own}). Ist der `
    + `Zähler andersherum angeschlossen, setzen Sie in seinem Abschnitt [[meters]] production_counter = "${value}".`,
  noCost: "Dieser Zähler misst die Solaranlage. Was Strom kostet, steht beim Zähler am Netz.",
  ofPlant: "Dieser Zähler misst die Solaranlage: Als Einspeisung erscheint, was die Anlage erzeugt.",
};
