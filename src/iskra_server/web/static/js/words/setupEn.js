// The texts of set-up and of About in English. setupDe.js has the same keys.

export const setupWords = {
  states: { passed: "OK", failed: "failed", unknown: "unknown" },
  port: "Port",
  protocol: "Protocol",
  line: "Serial line",
  lineText: (/** @type {string} */ baud, /** @type {string} */ format) => `${baud} baud, ${format}`,
  unknownList: "Elements of the unknown list",
  validSinceStart: "Valid telegrams since the server started",
  telegrams: "Telegrams",
  damaged: "Damaged",
  unreadable: "Received, but not readable",
  faultKinds: {
    checksum: "checksum wrong",
    message_checksum: "checksum of a message wrong",
    cut: "cut off",
    escape: "wrong escape sequence",
    structure: "wrong structure",
    oversize: "too long",
    noise: "noise",
    encrypted: "encrypted, no key",
    wrong_key: "wrong key",
    not_authentic: "not authentic",
    replayed: "repeated",
    layout: "unknown list",
  },
  quarantined: "Held back as implausible",
  lastReading: "Last reading",
  outputs: "Outputs",
  virtualMeters: "Virtual meters",
  names: { mqtt: "MQTT", influx: "Time series database", uplink: "Central server", notify: "Notifications" },
  counts: { delivered: "delivered", waiting: "waiting", refused: "rejected", dropped: "lost" },
  confirmed: (/** @type {string} */ time) => `last confirmed ${time}`,
  asked: {
    title: "Who asks",
    count: (/** @type {string} */ answers, /** @type {string} */ requests) =>
      `${answers} of ${requests} requests answered`,
    none: "not asked yet",
    every: "Interval",
    answered: "Answers",
    age: "Age",
    max: (/** @type {string} */ age, /** @type {string} */ highest) => `${age}, max ${highest}`,
    how:
      "Clients of the last hour: the usual time between two requests, answers of requests, and how old the meter’s " +
      "telegram was at the last answer and at most. If a battery swings around 0, look here first.",
  },
  head: {
    now: "Valid telegrams in the last 10 seconds",
    minutes: "Last 3 minutes",
    day: "Last 24 hours",
    dayCaption: "5-minute steps since the server started. Gaps: nothing received.",
    nothing: "No telegrams arrive.",
    good: "The head is in a good position.",
    weak: "Move the head by a millimetre.",
    goodByCable: "The reception is good.",
    weakByCable:
      "Use a shorter or shielded cable, and plug in its adapter without a hub. Move a head by a millimetre.",
    counts: (/** @type {number} */ valid, /** @type {number} */ damaged) => `${valid} valid, ${damaged} damaged`,
    soundOn: "Turn sound on",
    soundOff: "Turn sound off",
    howTitle: "How to align it",
    how: [
      "Put the head on the meter’s infrared window; its magnet holds it. The cable points down.",
      "Wait 10 seconds: a meter sends every one to four seconds.",
      "Move the head by a millimetre, or turn it a little, and wait again. With sound on you do not have to look: " +
        "the higher the tone, the better.",
      "Leave it where the number stays highest. Keep sunlight and lamps off the window.",
    ],
  },
  unlock: {
    what:
      "Until its PIN is entered, a meter sends whole kWh and no power: the frames after the decimal point " +
      "stay empty. This is not a fault: it protects the data of previous tenants.",
    isLocked: "This meter is locked.",
    isUnlocked: "This meter is unlocked.",
    stepsTitle: "With a torch at the meter’s optical sensor",
    steps: [
      [
        "Get the PIN.",
        "Your meter or grid operator provides the four digits, usually by letter or on its website.",
        "",
      ],
      ["Wake the display.", "Flash briefly twice; flash on until it shows “PIN”.", "short"],
      [
        "Enter each digit.",
        "Each short flash raises the digit by one. After a pause of three seconds the next digit follows.",
        "short",
      ],
      ["Go to InF.", "Short flashes step through the menu until it shows “InF OFF”.", "short"],
      ["Switch InF on.", "Hold the light on the sensor for at least five seconds, until it reads “on”.", "long"],
      [
        "Switch the PIN off, if the meter offers it.",
        "“PIN OFF”, also with a long light, keeps the meter unlocked after a power cut.",
        "long",
      ],
    ],
    tipsTitle: "Good to know",
    tips: [
      "Some models lock again after two minutes if only the PIN was entered. Switching InF on prevents that.",
      "Do not guess: some meters block the PIN entry after wrong attempts.",
      "This page shows the power as soon as the meter sends it.",
    ],
  },
  hass: {
    what:
      "Home Assistant can read this server without an app or an integration: paste these lines, restart Home " +
      "Assistant, and choose the total in the Energy dashboard.",
    whatInApp:
      "MQTT is the easiest way, see below. If the integration ISKRA Electricity Server is installed, Home " +
      "Assistant offers it under Settings, Devices & services. You need these lines only if you prefer YAML.",
    steps: [
      "Copy the lines below into configuration.yaml.",
      "Check the configuration in Developer tools, then restart Home Assistant.",
      "Settings, Dashboards, Energy: add “Electricity meter” as grid consumption.",
    ],
    address: "Address",
    mqtt: "All meters appear as entities as soon as Home Assistant uses the same MQTT broker.",
    noMqtt:
      "Without YAML: if Home Assistant uses an MQTT broker, set this for the server, and all meters appear as " +
      "entities.",
    noMqttInApp:
      "Install and start the app Mosquitto broker, and add the integration MQTT that Home Assistant then offers: " +
      "all meters appear as entities.",
    local:
      "You opened this page on the server itself. Enter the address at which Home Assistant reaches it.",
  },
  about: {
    what:
      "This program reads an electricity meter and shows exactly what the meter sends. Readings are never " +
      "invented: without a current reading there is no number.",
    version: "Version",
    licence: "Licence",
    charts: "Charts",
    spotPrices: "Spot prices",
    privacyTitle: "Privacy",
    privacy:
      "No cloud, no account, no telemetry, no tracking. This page connects to your own server and nothing else; " +
      "the browser is told to block everything else. Only if a contract needs spot prices, the server asks for them " +
      "once a day: by zone and day, and without a word about your home.",
    choices: "Language and colours",
    language: "Language",
    theme: "Colours",
    themes: { auto: "Same as system", light: "Light", dark: "Dark" },
    on: "On",
    off: "Off",
    stored: "Stored only in this browser.",
    keysTitle: "Keyboard shortcuts",
    keys: [
      ["n h c s w", "Now, History, Cost, Set-up, Wall display"],
      ["← →", "previous and next period; in a chart, previous and next value"],
      ["t", "current period"],
      ["Enter", "open the day, month or year of the selected bar"],
      ["Esc", "clear selection"],
    ],
  },
};
