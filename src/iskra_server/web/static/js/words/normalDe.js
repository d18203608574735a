// The texts of "Is that normal?" in German. normalEn.js has the same keys.

/** @type {typeof import("./normalEn.js").normalWords} */
export const normalWords = {
  title: "Ist das normal?",
  steps: "Ein- und ausgeschaltet",
  stepsNote: "Änderungen um mindestens 200 W in den letzten 15 Minuten; sie erscheinen hier innerhalb einer Minute.",
  stepAt: (time, after) => `um ${time}, danach ${after}`,
  noSteps: (time) => `Bis ${time} keine solche Änderung.`,
  noTelegrams: "Aus dieser Zeit sind keine Telegramme gespeichert, oder der Zähler sendet keine Leistung.",
  measure: "Ein Gerät messen",
  measureHint: 
    "Start drücken, das Gerät einschalten, am Ende Stopp drücken. Alles andere im Haus unverändert lassen.",
  needsPower: "Dazu muss der Zähler gerade eine Leistung senden.",
  start: "Start",
  stop: "Stopp",
  duration: "Seit",
  appliance: "Dieses Gerät",
  above: (level) => `Der Wert für das Gerät ist geschätzt: die Leistung über den ${level} vor dem Start.`,
  house: "Ganzes Haus, Bezug",
  exact: "Der Wert für das Haus ist genau: Er stammt vom Zählerstand.",
  coarse: "Der Wert für das Haus stammt vom Zählerstand, der nicht mehr Stellen hat.",
  missing: (seconds) => `${seconds} s lang kam kein Telegramm an; diese Zeit fehlt in der Schätzung.`,
  typical: (weekday) => `Ein typischer ${weekday}`,
  fewDays: "Erst wenn drei solche Tage gemessen sind, lässt sich sagen, was typisch ist.",
  legend: (days, weekday) => `Linie: heute. Band: mittlere Hälfte der letzten ${days} ${weekday}e.`,
  quarter: (clock, now, median, band) => `${clock} · heute ${now} · typisch ${median} (${band})`,
  highest: "Höchste Viertelstunde jedes Monats",
  highestNote: "Mittlere Leistung aus dem Netz über 15 Minuten; ein Leistungstarif rechnet danach ab.",
  columns: ["Monat", "Leistung", "Zeitpunkt"],
};
