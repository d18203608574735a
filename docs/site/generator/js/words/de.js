// Die Texte des Konfigurationsgenerators auf Deutsch; dieselben Schlüssel wie en.js.

/** @type {typeof import("./en.js").words} */
export const words = {
  groups: {
    install: "Installation", meter: (/** @type {number} */ number) => `Zähler ${number}`, homeAssistant: "Home " +
      "Assistant",
    mqtt: "MQTT", database: "Datenbank", contract: "Stromvertrag", notify: "Benachrichtigungen",
  },
  fields: {
    install: ["Wie installieren Sie?", "Docker läuft überall; die App ist für Home Assistant OS."],
    hostPort: ["Port der Oberfläche", "Unter diesem Port des Rechners erreichen Sie die Oberfläche. 18080 ist " +
      "selten belegt."],
    timeZone: ["Zeitzone", "Tage, Monate und Preise beginnen dort um Mitternacht, etwa Europe/Berlin."],
    language: ["Sprache", "Der Oberfläche und der Nachrichten, bis auf der Oberfläche eine andere gewählt wird."],
    token: ["Zugriffstoken", "Das müssen Menschen und Programme angeben, um Werte zu sehen. Leer: Alle im Heimnetz " +
      "dürfen zusehen. Mindestens 16 Zeichen."],
    head: ["Womit wird der Zähler ausgelesen?", "Der Lesekopf oder das Kabel am Zähler, und wie die Daten zum " +
      "Server kommen."],
    port: ["Serielle Schnittstelle", "Der gleichbleibende Name der Schnittstelle, aus: ls -l /dev/serial/by-id/"],
    host: ["Hostname oder IP-Adresse", "Des Lesekopfs oder der Bridge in Ihrem Netz."],
    brokerHost: ["Hostname oder IP-Adresse des Brokers", "Dort veröffentlicht der Lesekopf seine Telegramme."],
    tcpPort: ["Port", "stream_server von ESPHome: 6638. TCP-Bridge von Tasmota: wie bei TCPStart, etwa 8232."],
    brokerPort: ["Port des Brokers", "Leer: 1883."],
    bridgePassword: ["Passwort der Bridge", "Auf ihrem Stecker aufgedruckt, neun Zeichen mit Bindestrich."],
    node: ["Nummer des Lesekopfs", "1 ist der erste Lesekopf der Bridge; ihre Seite „Nodes“ zeigt die Nummer."],
    topic: ["Topic", "Mit den Telegrammen dieses Zählers, etwa tele/NAME/RESULT."],
    user: ["Benutzer", "Des Brokers. Leer: ohne Anmeldung."],
    password: ["Passwort", "Dieses Benutzers."],
    name: ["Name des Zählers", "So heißt er auf der Oberfläche. Leer: seine Nummer."],
    key: ["Schlüssel", "Nur für einen Zähler, der verschlüsselt (Österreich, Schweiz, Luxemburg …): 32 " +
      "Hexadezimalziffern vom Netzbetreiber. Nicht die PIN."],
    authKey: ["Authentifizierungsschlüssel", "Nur falls der Netzbetreiber auch einen solchen nennt: 32 " +
      "Hexadezimalziffern."],
    homeAssistant: ["Wie bekommt Home Assistant die Werte?", "Nehmen Sie je Zähler nur einen Weg: Zwei würden " +
      "doppelt zählen."],
    hasMqtt: ["Werte über MQTT veröffentlichen", "Für Home Assistant, evcc, openHAB, ioBroker, Node-RED …"],
    isBrokerBeside: ["Einen Broker neben dem Server starten", "Mosquitto, am Port 1883 dieses Rechners. Sonst: ein " +
      "Broker, den Sie schon haben."],
    brokerPassword: ["Passwort des Brokers", "Für den Benutzer iskra, den auch Home Assistant verwenden darf."],
    mqttHost: ["Hostname oder IP-Adresse des Brokers", "Etwa 192.168.1.10 oder homeassistant.local."],
    mqttPort: ["Port", "1883, mit TLS 8883."],
    isMqttEncrypted: ["Verschlüsseln (TLS)", "Wenn der Broker ein Zertifikat hat, dem Ihr Rechner vertraut."],
    mqttUser: ["Benutzer", "Leer: ohne Anmeldung."],
    mqttPassword: ["Passwort", "Dieses Benutzers."],
    database: ["In eine Datenbank schreiben", "Zusätzlich zum Verlauf, den der Server selbst führt; für Grafana und " +
      "andere."],
    influxUrl: ["Adresse", "Etwa http://192.168.1.20:8086."],
    influxDatabase: ["Datenbank", "Sie muss schon angelegt sein."],
    influxUser: ["Benutzer", "Leer: ohne Anmeldung."],
    influxPassword: ["Passwort", "Dieses Benutzers."],
    influxOrg: ["Organisation", "Zu der das Bucket gehört."],
    influxBucket: ["Bucket", "Bei InfluxDB 3 der Name der Datenbank."],
    influxToken: ["Token", "Mit Schreibrecht."],
    hasContract: ["Vertrag eingeben", "Dann zeigt die Oberfläche, was jeder Tag, jeder Monat und jedes Jahr kostet."],
    channel: ["Nachrichten senden über", "Wenn der Zähler verstummt, wenn etwas nicht stimmt, und als " +
      "Zusammenfassung " +
      "jeder Woche und jedes Monats."],
    notifyUrl: ["Adresse", "ntfy: https://ntfy.sh/TOPIC mit einem Topic, das niemand errät. Webhook: eine beliebige " +
      "http-Adresse. Gotify: die des Servers."],
    mailUrl: ["Mailserver", "smtps://HOST (TLS) oder smtp://HOST (STARTTLS)."],
    notifyToken: ["Token", "ntfy: nur für ein geschütztes Topic. Gotify: das Token der Anwendung."],
    notifyUser: ["Benutzer am Mailserver", "Oft Ihre Mailadresse. Leer: ohne Anmeldung."],
    notifyPassword: ["Passwort", "Dieses Benutzers; oft ein App-Passwort."],
    notifySender: ["Absender", "Leer: der Benutzer, falls er eine Mailadresse ist."],
    notifyRecipients: ["Empfänger", "Mailadressen, durch Kommas getrennt."],
    loadAboveW: ["Nachricht ab dieser Leistung", "In W Bezug, 15 Minuten lang. Leer: nie."],
  },
  options: {
    install: { docker: "Docker Compose", debian: "Debian-Paket oder Systemdienst", app: "App in Home Assistant OS" },
    language: { auto: "die des Browsers", en: "Englisch", de: "Deutsch" },
    head: {
      auto: "USB-Lesekopf oder P1-Kabel, wird automatisch gefunden", port: "USB-Lesekopf oder Kabel an einer " +
        "benannten Schnittstelle",
      uart: "TTL-Lesekopf an den Pins eines Raspberry Pi", tcp: "WLAN-Lesekopf oder anderer Rechner, über TCP",
      tibber: "Tibber Pulse, über seine Bridge", mqtt: "WLAN-Lesekopf, der über MQTT veröffentlicht",
      simulator: "noch kein Zähler: ein simulierter",
    },
    homeAssistant: {
      none: "gar nicht", integration: "Integration (ohne Broker)", mqtt: "MQTT", rest: "RESTful-Sensor (YAML)",
    },
    database: {
      none: "keine", influx1: "InfluxDB 1", influx2: "InfluxDB 2", influx3: "InfluxDB 3",
      victoriametrics: "VictoriaMetrics", questdb: "QuestDB",
    },
    channel: { none: "nichts", ntfy: "ntfy", webhook: "Webhook", gotify: "Gotify", email: "E-Mail" },
  },
  addMeter: "Zähler hinzufügen",
  removeMeter: "Diesen Zähler entfernen",
  makeToken: "Token erzeugen",
  result: "Ihre Dateien",
  ready: "Kein Fehler gefunden.",
  open: (/** @type {number} */ count) => (count === 1 ? "Ein Feld stimmt noch " +
    "nicht:" : `${count} Felder stimmen noch nicht:`),
  nothing: "Es ist nichts einzustellen: Die Vorgaben genügen.",
  optionsName: "Optionen der App",
  copy: "Kopieren",
  copied: "kopiert",
  selected: "markiert, mit Strg+C kopieren",
  download: "Herunterladen",
  next: "Was damit zu tun ist",
  problems: {
    missing: () => "Diese Angabe fehlt noch.",
    number: () => "Schreiben Sie eine Zahl, etwa 32,65.",
    whole: () => "Schreiben Sie eine ganze Zahl.",
    range: (/** @type {string} */ detail) => `Schreiben Sie eine Zahl in diesem Bereich: ${detail}.`,
    host: () => "Schreiben Sie einen Hostnamen oder eine IP-Adresse, ohne http:// und ohne Port.",
    port: () => "Schreiben Sie den Pfad einer Schnittstelle: Er beginnt mit /dev/ und enthält keine Leerzeichen.",
    zone: () => "Diese Zeitzone gibt es nicht. Schreiben Sie eine wie Europe/Berlin.",
    token: () => "Ein Token hat mindestens 16 Zeichen.",
    ascii: () => "Verwenden Sie Buchstaben, Ziffern und Zeichen, aber keine Leerzeichen und Umlaute.",
    key: () => "Ein Schlüssel hat 32 Hexadezimalziffern (0 bis 9, A bis F).",
    topic: () => "Schreiben Sie ein einziges Topic, ohne Leerzeichen, + und #.",
    secondAuto: () => "Nur ein Lesekopf kann automatisch gefunden werden. Geben Sie für diesen Zähler eine " +
      "Schnittstelle an.",
    sameHead: (/** @type {string} */ detail) => `Zähler ${detail} hat denselben Lesekopf.`,
    needsMqtt: () => "Home Assistant soll die Werte über MQTT bekommen: Schalten Sie MQTT ein und nennen Sie den " +
      "Broker.",
    brokerPassword: () => "Verwenden Sie mindestens 8 Buchstaben, Ziffern, Punkte oder Striche.",
    httpUrl: () => "Schreiben Sie eine Adresse, die mit http:// oder https:// beginnt.",
    ntfyTopic: () => "Schreiben Sie die Adresse eines Topics, etwa https://ntfy.sh/TOPIC.",
    mailUrl: () => "Schreiben Sie den Mailserver als smtps://HOST oder smtp://HOST.",
    mail: () => "Schreiben Sie eine Mailadresse, etwa name@example.org.",
    time: () => "Schreiben Sie eine Uhrzeit in Schritten von 15 Minuten, etwa 17:00.",
    wholeDay: () => "Beginn und Ende sind gleich. Ein ganzer Tag ist 00:00 bis 24:00.",
    days: () => "Schreiben Sie Tage wie mon-fri oder sat,sun.",
    months: () => "Schreiben Sie Monate wie 1-3,10-12.",
  },
  steps: {
    dockerSave: ["Speichern Sie die Dateien unter diesen Namen in einem eigenen Ordner und starten Sie dort den " +
      "Server:",
      "docker compose up -d"],
    dockerOpen: (/** @type {string} */ port) => [`Öffnen Sie den Port ${port} des Rechners im Browser:`,
      `http://localhost:${port}/`],
    dockerCheck: ["Nach einer Änderung prüfen Sie die Datei und starten neu:",
      "docker compose exec iskra-server iskra-server config check\ndocker compose restart"],
    debianNothing: ["Installieren und starten Sie das Paket: Es ist nichts einzustellen.", "sudo systemctl enable " +
      "--now iskra-server"],
    debianSave: ["Legen Sie die Datei dort ab, wo der Dienst sie liest, prüfen Sie sie und starten Sie neu:",
      "sudo cp iskra-server.toml /etc/iskra-server/\niskra-server config check --config " +
      "/etc/iskra-server/iskra-server.toml\nsudo systemctl restart iskra-server"],
    debianOpen: ["Öffnen Sie den Port 8080 des Rechners im Browser:", "http://localhost:8080/"],
    appOptions: ["In Home Assistant: Einstellungen, Apps, ISKRA Electricity Server, Reiter „Konfiguration“, das " +
      "Menü mit " +
      "den drei Punkten, „In YAML bearbeiten“. Ersetzen Sie die Zeilen dort durch diese, speichern Sie und starten " +
      "Sie " +
      "die App neu.", ""],
    appFile: ["Legen Sie iskra-server.toml in den Ordner der App unter addon_configs (mit der App „File editor“ oder " +
      "„Samba share“) und starten Sie die App neu.", ""],
    integration: ["In Home Assistant: Installieren Sie die Integration; der Server steht dann unter Einstellungen, " +
      "Geräte " +
      "& Dienste, Entdeckt. Falls nicht: „Integration hinzufügen“ und seine Adresse eingeben.", ""],
    appIntegration: ["Installieren Sie die Integration; Home Assistant bietet die App dann unter „Entdeckt“ an, mit " +
      "Adresse und Token.", ""],
    mqtt: ["In Home Assistant: Fügen Sie die Integration MQTT mit demselben Broker hinzu. Die Zähler erscheinen von " +
      "selbst.", ""],
    brokerBeside: ["In Home Assistant: Fügen Sie die Integration MQTT hinzu, mit diesem Rechner als Broker, Port " +
      "1883, Benutzer iskra und dem Passwort von oben. Die Zähler erscheinen von selbst.", ""],
    appMqtt: ["Installieren Sie die App „Mosquitto broker“ und nehmen Sie die Integration MQTT an, die Home " +
      "Assistant " +
      "anbietet. Die Zähler erscheinen von selbst.", ""],
    rest: ["Geben Sie die Zeilen für configuration.yaml aus, mit der Adresse, unter der Home Assistant den Server " +
      "erreicht:"],
  },
};
