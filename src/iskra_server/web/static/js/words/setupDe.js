// The texts of set-up and of About in German. setupEn.js has the same keys.

/** @type {typeof import("./setupEn.js").setupWords} */
export const setupWords = {
  states: { passed: "in Ordnung", failed: "fehlgeschlagen", unknown: "unbekannt" },
  port: "Anschluss",
  protocol: "Protokoll",
  line: "Serielle Verbindung",
  lineText: (baud, format) => `${baud} Baud, ${format}`,
  unknownList: "Elemente der unbekannten Liste",
  validSinceStart: "Gültige Telegramme seit dem Start des Servers",
  telegrams: "Telegramme",
  damaged: "Beschädigt",
  unreadable: "Empfangen, aber nicht lesbar",
  faultKinds: {
    checksum: "Prüfsumme falsch",
    message_checksum: "Prüfsumme einer Nachricht falsch",
    cut: "abgeschnitten",
    escape: "falsche Escape-Sequenz",
    structure: "falscher Aufbau",
    oversize: "zu lang",
    noise: "Störung",
    encrypted: "verschlüsselt, kein Schlüssel",
    wrong_key: "falscher Schlüssel",
    not_authentic: "nicht authentisch",
    replayed: "wiederholt",
    layout: "unbekannte Liste",
  },
  quarantined: "Als unplausibel zurückgehalten",
  lastReading: "Letzter Wert",
  outputs: "Ausgaben",
  virtualMeters: "Virtuelle Zähler",
  names: { mqtt: "MQTT", influx: "Zeitreihen-Datenbank", uplink: "Zentrale", notify: "Benachrichtigungen" },
  counts: { delivered: "zugestellt", waiting: "wartend", refused: "abgelehnt", dropped: "verloren" },
  confirmed: (time) => `zuletzt bestätigt ${time}`,
  asked: {
    title: "Wer abfragt",
    count: (answers, requests) => `${answers} von ${requests} Anfragen beantwortet`,
    none: "noch nicht abgefragt",
    every: "Abstand",
    answered: "Antworten",
    age: "Alter",
    max: (age, highest) => `${age}, max. ${highest}`,
    how:
      "Clients der letzten Stunde: der übliche Abstand zweier Anfragen, beantwortete von allen Anfragen, und wie alt " +
      "das Telegramm zuletzt und höchstens war. Schwingt ein Speicher um 0, sehen Sie hier zuerst nach.",
  },
  head: {
    now: "Gültige Telegramme der letzten 10 Sekunden",
    minutes: "Letzte 3 Minuten",
    day: "Letzte 24 Stunden",
    dayCaption: "In Schritten von fünf Minuten seit dem Start des Servers. Lücken: nichts empfangen.",
    nothing: "Es kommen keine Telegramme an.",
    good: "Der Lesekopf sitzt gut.",
    weak: "Verschieben Sie den Lesekopf um einen Millimeter.",
    goodByCable: "Die Übertragung ist gut.",
    weakByCable:
      "Verwenden Sie ein kürzeres oder geschirmtes Kabel und stecken Sie den Adapter ohne Hub ein. Einen Lesekopf " +
      "verschieben Sie um einen Millimeter.",
    counts: (valid, damaged) => `${valid} gültig, ${damaged} beschädigt`,
    soundOn: "Ton einschalten",
    soundOff: "Ton ausschalten",
    howTitle: "So richten Sie ihn aus",
    how: [
      "Setzen Sie den Lesekopf auf das Infrarotfenster des Zählers; sein Magnet hält ihn. Das Kabel zeigt nach " +
        "unten.",
      "Warten Sie 10 Sekunden: Ein Zähler sendet alle ein bis vier Sekunden.",
      "Verschieben Sie den Lesekopf um einen Millimeter oder drehen Sie ihn etwas, und warten Sie wieder. Mit Ton " +
        "müssen Sie nicht hinsehen: Je höher der Ton, desto besser.",
      "Lassen Sie ihn dort, wo die Zahl am höchsten bleibt. Halten Sie Sonne und Lampen vom Fenster fern.",
    ],
  },
  unlock: {
    what:
      "Bis seine PIN eingegeben ist, sendet ein Zähler nur ganze kWh und keine Leistung: Die Rahmen hinter dem " +
      "Komma bleiben leer. Das ist kein Fehler, sondern schützt die Daten der Vormieter.",
    isLocked: "Dieser Zähler ist gesperrt.",
    isUnlocked: "Dieser Zähler ist freigeschaltet.",
    stepsTitle: "Mit einer Taschenlampe am optischen Sensor",
    steps: [
      [
        "Die PIN besorgen.",
        "Die vier Ziffern gibt Ihnen der Messstellen- oder Netzbetreiber, meist per Brief oder auf seiner Website.",
        "",
      ],
      ["Die Anzeige wecken.", "Zweimal kurz leuchten; weiter kurz leuchten, bis „PIN“ erscheint.", "short"],
      [
        "Jede Ziffer eingeben.",
        "Jedes kurze Leuchten erhöht die Ziffer um eins. Nach drei Sekunden Pause folgt die nächste Ziffer.",
        "short",
      ],
      ["Weiter bis InF.", "Kurzes Leuchten blättert durch das Menü, bis „InF OFF“ erscheint.", "short"],
      ["InF einschalten.", "Mindestens fünf Sekunden leuchten, bis „on“ erscheint.", "long"],
      [
        "Die PIN ausschalten, falls der Zähler das anbietet.",
        "„PIN OFF“, ebenfalls durch langes Leuchten, hält den Zähler auch nach einem Stromausfall freigeschaltet.",
        "long",
      ],
    ],
    tipsTitle: "Gut zu wissen",
    tips: [
      "Manche Modelle sperren sich nach zwei Minuten wieder, wenn nur die PIN eingegeben wurde. InF verhindert das.",
      "Nicht raten: Manche Zähler sperren die Eingabe nach falschen PINs.",
      "Diese Seite zeigt die Leistung, sobald der Zähler sie sendet.",
    ],
  },
  hass: {
    what:
      "Home Assistant kann diesen Server ohne App und ohne Integration abfragen: Fügen Sie diese Zeilen ein, " +
      "starten Sie Home Assistant neu und wählen Sie die Summe im Energie-Dashboard.",
    whatInApp:
      "Am einfachsten geht es mit MQTT, siehe unten. Ist die Integration ISKRA Electricity Server installiert, " +
      "bietet Home Assistant sie unter Einstellungen, Geräte & Dienste an. Nur wenn Sie YAML vorziehen, brauchen " +
      "Sie diese Zeilen.",
    steps: [
      "Kopieren Sie die Zeilen unten in configuration.yaml.",
      "Prüfen Sie die Konfiguration in den Entwicklerwerkzeugen, dann starten Sie Home Assistant neu.",
      "Einstellungen, Dashboards, Energie: „Stromzähler“ als Netzbezug hinzufügen.",
    ],
    address: "Adresse",
    mqtt: "Alle Zähler erscheinen als Entitäten, sobald Home Assistant denselben MQTT-Broker benutzt.",
    noMqtt:
      "Ohne YAML: Wenn Home Assistant einen MQTT-Broker benutzt, setzen Sie dies für den Server, und alle Zähler " +
      "erscheinen als Entitäten.",
    noMqttInApp:
      "Installieren und starten Sie die App Mosquitto broker und fügen Sie die Integration MQTT hinzu, die Home " +
      "Assistant dann anbietet: Alle Zähler erscheinen als Entitäten.",
    local:
      "Sie haben diese Seite auf dem Server selbst geöffnet. Geben Sie die Adresse ein, unter der Home Assistant " +
      "ihn erreicht.",
  },
  about: {
    what:
      "Dieses Programm liest einen Stromzähler und zeigt genau, was der Zähler sendet. Werte werden nie erfunden: " +
      "Ohne aktuellen Wert wird keine Zahl angezeigt.",
    version: "Version",
    licence: "Lizenz",
    charts: "Diagramme",
    spotPrices: "Börsenstrompreise",
    privacyTitle: "Datenschutz",
    privacy:
      "Keine Cloud, kein Konto, keine Telemetrie, kein Tracking. Diese Seite verbindet sich nur mit Ihrem eigenen " +
      "Server; der Browser ist angewiesen, alles andere zu blockieren. Nur wenn ein Vertrag Börsenstrompreise " +
      "braucht, ruft der Server sie einmal am Tag ab: nach Zone und Tag, ohne jede Angabe über Ihren Haushalt.",
    choices: "Sprache und Farben",
    language: "Sprache",
    theme: "Farben",
    themes: { auto: "Wie das System", light: "Hell", dark: "Dunkel" },
    on: "Ein",
    off: "Aus",
    stored: "Nur in diesem Browser gespeichert.",
    keysTitle: "Tastenkürzel",
    keys: [
      ["n h c s w", "Jetzt, Verlauf, Kosten, Einrichten, Wandanzeige"],
      ["← →", "voriger und nächster Zeitraum; im Diagramm voriger und nächster Wert"],
      ["t", "aktueller Zeitraum"],
      ["Enter", "Tag, Monat oder Jahr des ausgewählten Balkens öffnen"],
      ["Esc", "Auswahl aufheben"],
    ],
  },
};
