// The texts of the configuration generator in English. de.js has the same keys.

export const words = {
  groups: {
    install: "Installation", meter: (/** @type {number} */ number) => `Meter ${number}`, homeAssistant: "Home " +
      "Assistant",
    mqtt: "MQTT", database: "Database", contract: "Electricity contract", notify: "Notifications",
  },
  fields: {
    install: ["How do you install it?", "Docker runs anywhere; the app is for Home Assistant OS."],
    hostPort: ["Port of the page", "The page is at this port of the computer. 18080 is rarely taken."],
    timeZone: ["Time zone", "Days, months and prices begin at midnight there, such as Europe/Berlin."],
    language: ["Language", "Of the page and of messages, until another one is chosen on the page."],
    token: ["Access token", "What people and programs must send to see values. Empty: everybody in your network may " +
      "look. At least 16 characters."],
    head: ["What reads the meter?", "The head or cable at the meter, and how it reaches the server."],
    port: ["Serial port", "The stable name of the port, from: ls -l /dev/serial/by-id/"],
    host: ["Host name or IP address", "Of the head or bridge in your network."],
    brokerHost: ["Host name or IP address of the broker", "Where the head publishes its telegrams."],
    tcpPort: ["Port", "ESPHome's stream_server: 6638. Tasmota's TCP bridge: as in TCPStart, such as 8232."],
    brokerPort: ["Port of the broker", "Empty: 1883."],
    bridgePassword: ["Password of the bridge", "Printed on its plug, nine characters with a hyphen."],
    node: ["Number of the head", "1 is the first head at the bridge; its page “Nodes” shows the number."],
    topic: ["Topic", "With the telegrams of this meter, such as tele/NAME/RESULT."],
    user: ["User", "Of the broker. Empty: no login."],
    password: ["Password", "Of this user."],
    name: ["Name of the meter", "As the page shows it. Empty: its number."],
    key: ["Encryption key", "Only for a meter that encrypts (Austria, Switzerland, Luxembourg …): 32 hex digits from " +
      "the grid operator. Not the PIN."],
    authKey: ["Authentication key", "Only if the grid operator gives one as well: 32 hex digits."],
    homeAssistant: ["How does Home Assistant get the values?", "Take one way for a meter: two would count twice."],
    hasMqtt: ["Publish values by MQTT", "For Home Assistant, evcc, openHAB, ioBroker, Node-RED …"],
    isBrokerBeside: ["Start a broker beside the server", "Mosquitto, at port 1883 of this computer. Without it: a " +
      "broker that you have."],
    brokerPassword: ["Password of the broker", "For the user iskra, whom Home Assistant may use, too."],
    mqttHost: ["Host name or IP address of the broker", "Such as 192.168.1.10 or homeassistant.local."],
    mqttPort: ["Port", "1883, or 8883 with TLS."],
    isMqttEncrypted: ["Encrypt (TLS)", "If the broker has a certificate that your computer trusts."],
    mqttUser: ["User", "Empty: no login."],
    mqttPassword: ["Password", "Of this user."],
    database: ["Write to a database", "Beside the history that the server keeps itself, for Grafana and the like."],
    influxUrl: ["Address", "Such as http://192.168.1.20:8086."],
    influxDatabase: ["Database", "It must exist."],
    influxUser: ["User", "Empty: no login."],
    influxPassword: ["Password", "Of this user."],
    influxOrg: ["Organisation", "That the bucket belongs to."],
    influxBucket: ["Bucket", "For InfluxDB 3 the name of the database."],
    influxToken: ["Token", "With permission to write."],
    hasContract: ["Enter my contract", "Then the page shows what each day, month and year costs."],
    channel: ["Send messages by", "When the meter falls silent, something is wrong, and a digest of each week and " +
      "month."],
    notifyUrl: ["Address", "ntfy: https://ntfy.sh/TOPIC with a topic that nobody guesses. Webhook: any http address. " +
      "Gotify: that of the server."],
    mailUrl: ["Mail server", "smtps://HOST (TLS) or smtp://HOST (STARTTLS)."],
    notifyToken: ["Token", "ntfy: only for a protected topic. Gotify: token of the application."],
    notifyUser: ["User at the mail server", "Often your mail address. Empty: no login."],
    notifyPassword: ["Password", "Of this user; often an app password."],
    notifySender: ["Sender", "Empty: the user, if that is a mail address."],
    notifyRecipients: ["Recipients", "Mail addresses, separated by commas."],
    loadAboveW: ["Message above this power", "In W from the grid, for 15 minutes. Empty: never."],
  },
  options: {
    install: { docker: "Docker Compose", debian: "Debian package or system service", app: "app of Home Assistant OS" },
    language: { auto: "that of the browser", en: "English", de: "German" },
    head: {
      auto: "USB head or P1 cable, found by itself", port: "USB head or cable at a named port",
      uart: "TTL head at the pins of a Raspberry Pi", tcp: "Wi-Fi head or another computer, by TCP",
      tibber: "Tibber Pulse, by its bridge", mqtt: "Wi-Fi head that publishes by MQTT",
      simulator: "no meter yet: a simulated one",
    },
    homeAssistant: {
      none: "not at all", integration: "integration (no broker needed)", mqtt: "MQTT", rest: "RESTful sensor (YAML)",
    },
    database: {
      none: "none", influx1: "InfluxDB 1", influx2: "InfluxDB 2", influx3: "InfluxDB 3",
      victoriametrics: "VictoriaMetrics", questdb: "QuestDB",
    },
    channel: { none: "nothing", ntfy: "ntfy", webhook: "webhook", gotify: "Gotify", email: "e-mail" },
  },
  addMeter: "Add a meter",
  removeMeter: "Remove this meter",
  makeToken: "Make a token",
  result: "Your files",
  ready: "No mistake found.",
  open: (/** @type {number} */ count) => (count === 1 ? "One field is not right " +
    "yet:" : `${count} fields are not right yet:`),
  nothing: "Nothing has to be configured: the defaults do.",
  optionsName: "Options of the app",
  copy: "Copy",
  copied: "copied",
  selected: "selected, copy with Ctrl+C",
  download: "Download",
  next: "What to do with them",
  problems: {
    missing: () => "This is still missing.",
    number: () => "Write a number, such as 32.65.",
    whole: () => "Write a whole number.",
    range: (/** @type {string} */ detail) => `Write a number in this range: ${detail}.`,
    host: () => "Write a host name or an IP address, without http:// and without a port.",
    port: () => "Write the path of a port: it begins with /dev/ and has no blanks.",
    zone: () => "No such time zone. Write one such as Europe/Berlin.",
    token: () => "A token has at least 16 characters.",
    ascii: () => "Use letters, digits and signs without blanks and umlauts.",
    key: () => "A key has 32 hex digits (0 to 9, A to F).",
    topic: () => "Write one topic, without blanks, + and #.",
    secondAuto: () => "Only one head can be found by itself. Give this meter a named port.",
    sameHead: (/** @type {string} */ detail) => `Meter ${detail} has the same head.`,
    needsMqtt: () => "Home Assistant is to get values by MQTT: switch MQTT on and name the broker.",
    brokerPassword: () => "Use at least 8 letters, digits, points or dashes.",
    httpUrl: () => "Write an address that begins with http:// or https://.",
    ntfyTopic: () => "Write the address of one topic, such as https://ntfy.sh/TOPIC.",
    mailUrl: () => "Write the mail server as smtps://HOST or smtp://HOST.",
    mail: () => "Write a mail address, such as name@example.org.",
    time: () => "Write a time in steps of 15 minutes, such as 17:00.",
    wholeDay: () => "Begin and end are the same. A whole day is 00:00 to 24:00.",
    days: () => "Write days such as mon-fri or sat,sun.",
    months: () => "Write months such as 1-3,10-12.",
  },
  /** Sentences, each with the command to type, if any. */
  steps: {
    dockerSave: ["Save the files in a folder of their own, under these names, and start the server there:",
      "docker compose up -d"],
    dockerOpen: (/** @type {string} */ port) => [`Open port ${port} of the computer in a browser:`,
      `http://localhost:${port}/`],
    dockerCheck: ["After a change, check the file and restart:",
      "docker compose exec iskra-server iskra-server config check\ndocker compose restart"],
    debianNothing: ["Install the package and start it: nothing has to be configured.", "sudo systemctl enable --now " +
      "iskra-server"],
    debianSave: ["Put the file where the service reads it, check it, and restart:",
      "sudo cp iskra-server.toml /etc/iskra-server/\niskra-server config check --config " +
      "/etc/iskra-server/iskra-server.toml\nsudo systemctl restart iskra-server"],
    debianOpen: ["Open port 8080 of the computer in a browser:", "http://localhost:8080/"],
    appOptions: ["In Home Assistant: Settings, Apps, ISKRA Electricity Server, tab Configuration, the menu with the " +
      "three dots, “Edit in YAML”. Replace the lines there by these, save, and restart the app.", ""],
    appFile: ["Put iskra-server.toml into the app's folder below addon_configs (with the app “File editor” or " +
      "“Samba share”), and restart the app.", ""],
    integration: ["In Home Assistant: install the integration; the server is then under Settings, Devices & " +
      "services, " +
      "Discovered. If it is not: Add integration, and enter its address.", ""],
    appIntegration: ["Install the integration; Home Assistant then offers the app under Discovered, with address " +
      "and token.", ""],
    mqtt: ["In Home Assistant: add the integration MQTT with the same broker. The meters appear by themselves.", ""],
    brokerBeside: ["In Home Assistant: add the integration MQTT with this computer as the broker, port 1883, user " +
      "iskra and the password above. The meters appear by themselves.", ""],
    appMqtt: ["Install the app “Mosquitto broker” and accept the integration MQTT that Home Assistant offers. The " +
      "meters appear by themselves.", ""],
    rest: ["Print the lines for configuration.yaml, with the address under which Home Assistant reaches the server:"],
  },
};
