"""The table of faults: what is wrong and what to do next, in English and German.

To add a fault, add a row: a sentence that says what is wrong, then the next step. Details in braces (port, group,
percentage, seconds) come from the place that finds the fault. `docs/faults.md` is generated from this table.
"""

from collections.abc import Mapping

from msgspec import Struct


class Words(Struct, frozen=True):
    """A fault, or that there is none, and the next step, in one language."""

    sentence: str
    next_step: str

    def __str__(self) -> str:
        return f"{self.sentence} {self.next_step}".strip()


class Advice(Struct, frozen=True):
    """A fault by its key in the table, in both languages."""

    fault: str
    en: Words
    de: Words


class Label(Struct, frozen=True):
    """The name of a check."""

    en: str
    de: str


def advise(fault: str, details: Mapping[str, object] | None = None) -> Advice:
    """The row of a fault with its details."""
    en, en_step, de, de_step = (text.format_map(details or {}) for text in TABLE[fault])
    return Advice(fault, Words(en, en_step), Words(de, de_step))


def format_problem(fault: str, details: Mapping[str, object]) -> str:
    """A fault and its next step in English, for logs and the command line."""
    return str(advise(fault, details).en)


# the checks, in order
LABELS = {
    "device": Label("Device", "Gerät"),
    "permission": Label("Permission", "Berechtigung"),
    "port": Label("Port", "Anschluss"),
    "data": Label("Data", "Daten"),
    "signal": Label("Signal", "Signal"),
    "protocol": Label("Protocol", "Protokoll"),
    "telegrams": Label("Telegrams", "Telegramme"),
    "checksums": Label("Checksums", "Prüfsummen"),
    "values": Label("Values", "Werte"),
    "unlocked": Label("Unlocked", "Freigeschaltet"),
    "fresh": Label("Recent", "Aktuell"),
    "plausible": Label("Plausible", "Plausibel"),
}

# fmt: off
# fault: sentence, next step, Satz, nächster Schritt
TABLE: dict[str, tuple[str, str, str, str]] = {
    # --- device ---
    "no_port": (
        "There is no serial port.",
        "Plug in the head; iskra-server ports lists all ports.",
        "Es gibt keinen seriellen Anschluss.",
        "Stecken Sie den Lesekopf ein; iskra-server ports zeigt alle Anschlüsse."),
    "no_port_in_container": (
        "This container has no serial port.",
        "Plug in the head and pass it to the container: --device /dev/ttyUSB0, or devices: in docker-compose.yml.",
        "In diesem Container gibt es keinen seriellen Anschluss.",
        "Stecken Sie den Lesekopf ein und geben Sie ihn an den Container weiter: --device /dev/ttyUSB0 oder devices: in docker-compose.yml."),
    "missing": (
        "{port} does not exist.",
        "Plug in the head; iskra-server ports lists all ports.",
        "{port} gibt es nicht.",
        "Stecken Sie den Lesekopf ein; iskra-server ports zeigt alle Anschlüsse."),
    "missing_in_container": (
        "{port} does not exist in this container.",
        "Plug in the head and pass it to the container: --device {port}, or devices: in docker-compose.yml.",
        "{port} gibt es in diesem Container nicht.",
        "Stecken Sie den Lesekopf ein und geben Sie ihn an den Container weiter: --device {port} oder devices: in docker-compose.yml."),
    "nothing_behind": (
        "Nothing is connected to {port}.",
        "Plug the head in again.",
        "An {port} ist nichts angeschlossen.",
        "Stecken Sie den Lesekopf wieder ein."),
    "unplugged": (
        "{port} was unplugged.",
        "Plug it in again; reading continues automatically.",
        "{port} wurde abgezogen.",
        "Stecken Sie den Lesekopf wieder ein; er wird dann automatisch weiter ausgelesen."),
    "simulated_unplugged": (
        "The simulated infrared head is unplugged.",
        "It is plugged in again within seconds.",
        "Der simulierte Lesekopf ist abgezogen.",
        "Er wird nach wenigen Sekunden wieder eingesteckt."),
    "capture_missing": (
        "{port} does not exist.",
        "Check the path of the capture.",
        "{port} gibt es nicht.",
        "Prüfen Sie den Pfad der Aufzeichnung."),
    # --- permission ---
    "permission_group": (
        "Only the group {group} may open {port}.",
        "Run sudo usermod -aG {group} {user} and log in again; in a container pass --device {port} --group-add {gid}.",
        "Nur die Gruppe {group} darf {port} öffnen.",
        "Führen Sie sudo usermod -aG {group} {user} aus und melden Sie sich neu an; im Container: --device {port} --group-add {gid}."),
    "permission_owner": (
        "Only its owner {owner} may open {port}.",
        "Run sudo chmod g+rw {port}; its group is {group}.",
        "Nur der Besitzer {owner} darf {port} öffnen.",
        "Führen Sie sudo chmod g+rw {port} aus; die Gruppe ist {group}."),
    "permission_directory": (
        "This user may not open {port}.",
        "Check the permissions of its directory.",
        "Dieser Benutzer darf {port} nicht öffnen.",
        "Prüfen Sie die Rechte des Verzeichnisses."),
    "capture_permission": (
        "This user may not read {port}.",
        "Run sudo chmod a+r {port}.",
        "Dieser Benutzer darf {port} nicht lesen.",
        "Führen Sie sudo chmod a+r {port} aus."),
    # --- port ---
    "opening": (
        "{port} is not read yet.",
        "Wait a moment: it is being opened.",
        "{port} wird noch nicht gelesen.",
        "Warten Sie einen Moment: Der Anschluss wird gerade geöffnet."),
    "busy": (
        "{port} is in use by {program}.",
        "Stop that program, or configure another port for it.",
        "{port} wird von {program} verwendet.",
        "Beenden Sie dieses Programm oder weisen Sie ihm einen anderen Anschluss zu."),
    "busy_unknown": (
        "{port} is in use by another program.",
        "Find it with sudo fuser -v {port} and stop it.",
        "{port} wird von einem anderen Programm verwendet.",
        "Ermitteln Sie es mit sudo fuser -v {port} und beenden Sie es."),
    "named_twice": (
        "This server already reads {port} under another name.",
        "Configure each head once; iskra-server ports lists them.",
        "Dieser Server liest {port} bereits unter einem anderen Namen.",
        "Tragen Sie jeden Lesekopf nur einmal ein; iskra-server ports zeigt sie."),
    "all_taken": (
        "All serial ports are in use or belong to other devices: {ports}.",
        "Plug in the head, or configure its port.",
        "Alle seriellen Anschlüsse sind belegt oder gehören zu anderen Geräten: {ports}.",
        "Stecken Sie den Lesekopf ein oder geben Sie seinen Anschluss an."),
    "unusable": (
        "{port} cannot be read as a serial port ({reason}).",
        "Choose another port; iskra-server ports lists them.",
        "{port} lässt sich nicht als serieller Anschluss lesen ({reason}).",
        "Wählen Sie einen anderen Anschluss; iskra-server ports zeigt sie."),
    "unusable_file": (
        "{port} cannot be read as a serial port ({reason}).",
        "To replay a capture, write file:{port}.",
        "{port} lässt sich nicht als serieller Anschluss lesen ({reason}).",
        "Um eine Aufzeichnung abzuspielen, schreiben Sie file:{port}."),
    "capture_unusable": (
        "{port} is not a capture file ({reason}).",
        "Choose a file that iskra-server record wrote.",
        "{port} ist keine Aufzeichnung ({reason}).",
        "Geben Sie eine Datei an, die iskra-server record geschrieben hat."),
    "ended": (
        "The capture {port} has ended.",
        "It has no more telegrams.",
        "Die Aufzeichnung {port} ist zu Ende.",
        "Sie enthält keine weiteren Telegramme."),
    "refused": (
        "Nothing listens at {port}.",
        "Check the port number, and that the serial server is running.",
        "{port} nimmt keine Verbindungen an.",
        "Prüfen Sie die Portnummer und ob der serielle Server läuft."),
    "unknown_name": (
        "The host name in {port} is unknown.",
        "Check the spelling, or use the IP address.",
        "Der Hostname in {port} ist unbekannt.",
        "Prüfen Sie die Schreibweise oder verwenden Sie die IP-Adresse."),
    "no_answer": (
        "{port} does not answer.",
        "Check that the device is switched on and in the same network.",
        "{port} antwortet nicht.",
        "Prüfen Sie, ob das Gerät eingeschaltet und im selben Netz ist."),
    "unreachable": (
        "{port} cannot be reached ({reason}).",
        "Check the address.",
        "{port} ist nicht erreichbar ({reason}).",
        "Prüfen Sie die Adresse."),
    "needs_package": (
        "{port} needs an additional package.",
        "Run pip install 'serialx[esphome]'.",
        "{port} benötigt ein zusätzliches Paket.",
        "Führen Sie pip install 'serialx[esphome]' aus."),
    "needs_package_in_container": (
        "{port} needs a package that the container image does not have.",
        "Serve the UART of ESPHome as raw TCP (component stream_server) and write tcp://HOST:PORT, or run this server outside the container with pip install 'serialx[esphome]'.",
        "{port} benötigt ein Paket, das im Container-Image fehlt.",
        "Geben Sie die UART in ESPHome als TCP-Rohdaten frei (Komponente stream_server) und schreiben Sie tcp://HOST:PORT, oder betreiben Sie diesen Server außerhalb des Containers mit pip install 'serialx[esphome]'."),
    "bad_address": (
        "{port} cannot be used ({reason}).",
        "Check the address and the settings of the device.",
        "{port} lässt sich nicht verwenden ({reason}).",
        "Prüfen Sie die Adresse und die Einstellungen des Geräts."),
    "closed": (
        "{port} closed the connection.",
        "Check the device; the server connects again automatically.",
        "{port} hat die Verbindung beendet.",
        "Prüfen Sie das Gerät; die Verbindung wird automatisch wieder aufgebaut."),
    "idle": (
        "No data came from {port} for {seconds} s.",
        "Check the device and its head.",
        "Von {port} kamen {seconds} s lang keine Daten.",
        "Prüfen Sie das Gerät und seinen Lesekopf."),
    "http_password": (
        "{port} refuses the user or the password ({status}).",
        "The user of a Tibber bridge is admin, the password is printed on its plug (nine characters with a hyphen).",
        "{port} lehnt Benutzer oder Passwort ab ({status}).",
        "Der Benutzer einer Tibber Bridge ist admin, das Passwort steht auf ihrem Stecker (neun Zeichen mit Bindestrich)."),
    "http_no_node": (
        "{port} has no data of this head (404).",
        "Check the head's batteries, and its number on the bridge's page Nodes (node_id in the address).",
        "{port} hat keine Daten dieses Lesekopfs (404).",
        "Prüfen Sie die Batterien des Lesekopfs und seine Nummer auf der Seite Nodes der Bridge (node_id in der Adresse)."),
    "http_not_a_bridge": (
        "{port} does not answer with telegrams ({reason}).",
        "Check the address: it must lead to the telegrams themselves, such as /data.json?node_id=1, not to a web page.",
        "{port} antwortet nicht mit Telegrammen ({reason}).",
        "Prüfen Sie die Adresse: Sie muss zu den Telegrammen selbst führen, etwa /data.json?node_id=1, nicht zu einer Webseite."),
    "http_empty": (
        "{port} has not received a telegram yet: its answer is empty.",
        "Check the head's batteries, and that it sits on the meter's infrared window.",
        "{port} hat noch kein Telegramm empfangen: Die Antwort ist leer.",
        "Prüfen Sie die Batterien des Lesekopfs und ob er auf dem Infrarotfenster des Zählers sitzt."),
    "http_failure": (
        "{port} reports an error of its own ({status}).",
        "Unplug the bridge for ten seconds.",
        "{port} meldet einen eigenen Fehler ({status}).",
        "Ziehen Sie die Bridge für zehn Sekunden aus der Steckdose."),
    "http_repeated": (
        "{port} has served the same old telegram for {seconds} s or more.",
        "Check the head's batteries, that it sits on the meter's infrared window, and its distance to the bridge.",
        "{port} liefert seit mindestens {seconds} s dasselbe alte Telegramm.",
        "Prüfen Sie die Batterien des Lesekopfs, seinen Sitz auf dem Infrarotfenster des Zählers und die Entfernung zur Bridge."),
    "only_values": (
        "{port} delivers JSON without telegrams.",
        "Choose an address where the device passes on the meter's telegrams unchanged; a Tibber head must not count light pulses.",
        "{port} liefert JSON ohne Telegramme.",
        "Wählen Sie eine Adresse, unter der das Gerät die Telegramme des Zählers unverändert weitergibt; ein Tibber-Lesekopf darf keine Lichtimpulse zählen."),
    "mqtt_password": (
        "The broker of {port} refuses the user or the password.",
        "Correct them in the address: mqtt://USER:PASSWORD@BROKER/TOPIC.",
        "Der Broker von {port} lehnt Benutzer oder Passwort ab.",
        "Korrigieren Sie beides in der Adresse: mqtt://BENUTZER:PASSWORT@BROKER/TOPIC."),
    "mqtt_denied": (
        "The broker of {port} does not let this user read {topic}.",
        "Allow it in the broker's access rules (ACL).",
        "Der Broker von {port} lässt diesen Benutzer {topic} nicht lesen.",
        "Erlauben Sie es in den Zugriffsregeln (ACL) des Brokers."),
    "mqtt_unavailable": (
        "There is no connection to the broker of {port} ({reason}).",
        "Check that the broker is running, and its address.",
        "Es gibt keine Verbindung zum Broker von {port} ({reason}).",
        "Prüfen Sie, ob der Broker läuft, und seine Adresse."),
    "mqtt_silent": (
        "The broker of {port} has delivered nothing on {topic} for {seconds} s; what it has retained is old and does not count.",
        "Check that the head is on, and the spelling of the topic: mosquitto_sub -v -t '#' shows all of them.",
        "Der Broker von {port} hat zu {topic} {seconds} s lang nichts geliefert; was er aufbewahrt (retained), ist alt und zählt nicht.",
        "Prüfen Sie, ob der Lesekopf eingeschaltet ist, und die Schreibweise des Topics: mosquitto_sub -v -t '#' zeigt alle."),
    # --- data ---
    "silence": (
        "Nothing arrives on {port}.",
        "Put the head on the meter's infrared window, cable down. Check that this is the right port (iskra-server ports) and that the meter has power.",
        "An {port} kommen keine Daten an.",
        "Setzen Sie den Lesekopf mit dem Kabel nach unten auf das Infrarotfenster des Zählers. Prüfen Sie, ob es der richtige Anschluss ist (iskra-server ports) und ob der Zähler Strom hat."),
    "fell_silent": (
        "Nothing has arrived on {port} for {seconds} s; data arrived before.",
        "Check whether the head has fallen off or turned, and whether the meter's display is on.",
        "An {port} kommen seit {seconds} s keine Daten mehr an.",
        "Sehen Sie nach, ob der Lesekopf abgefallen oder verdreht ist und ob die Anzeige des Zählers an ist."),
    "no_meter_found": (
        "No telegrams arrive on {ports}.",
        "Put the head on the meter's infrared window, cable down, or configure its port.",
        "An {ports} kommen keine Telegramme an.",
        "Setzen Sie den Lesekopf mit dem Kabel nach unten auf das Infrarotfenster des Zählers oder geben Sie seinen Anschluss an."),
    # --- signal ---
    "flat": (
        "{percent} % of the bytes on {port} are {byte}: that is stray light, a stuck line, or a meter at 300 baud.",
        "Put the head on the meter and shade it from lamps; if that does not help, check the wiring and whether the meter uses D0.",
        "{percent} % der Bytes an {port} sind {byte}: Das ist Streulicht, eine Leitung mit festem Pegel oder ein Zähler mit 300 Baud.",
        "Setzen Sie den Lesekopf auf den Zähler und schirmen Sie ihn gegen Lampen ab; hilft das nicht, prüfen Sie die Verdrahtung und ob der Zähler D0 verwendet."),
    "gps": (
        "{port} seems to be a GPS receiver: it sends NMEA sentences.",
        "Choose the head's port with iskra-server ports.",
        "{port} scheint ein GPS-Empfänger zu sein: Er sendet NMEA-Sätze.",
        "Wählen Sie den Anschluss des Lesekopfs mit iskra-server ports."),
    "modem": (
        "{port} seems to be a modem: it sends answers to AT commands.",
        "Choose the head's port with iskra-server ports.",
        "{port} scheint ein Modem zu sein: Es sendet Antworten auf AT-Befehle.",
        "Wählen Sie den Anschluss des Lesekopfs mit iskra-server ports."),
    "text": (
        "{port} sends text, but not that of a meter: {text}",
        "Choose the head's port with iskra-server ports.",
        "{port} sendet Text, der nicht von einem Zähler stammt: {text}",
        "Wählen Sie den Anschluss des Lesekopfs mit iskra-server ports."),
    "inverted": (
        "The signal on {port} is inverted: light and dark are swapped.",
        "Turn on inversion at the head or the serial server, or use a head with the right polarity.",
        "Das Signal an {port} ist invertiert: Hell und Dunkel sind vertauscht.",
        "Aktivieren Sie die Invertierung am Lesekopf oder am seriellen Server, oder verwenden Sie einen Lesekopf mit richtiger Polarität."),
    "speed": (
        "The meter on {port} sends at {speed} baud, but it is read at 9600.",
        "Write {port}?baud={speed} as its address; set a serial server to {speed} baud in its own settings.",
        "Der Zähler an {port} sendet mit {speed} Baud, wird aber mit 9600 Baud gelesen.",
        "Schreiben Sie {port}?baud={speed} als Adresse; einen seriellen Server stellen Sie in seinen eigenen Einstellungen auf {speed} Baud."),
    "framing": (
        "{percent} % of the bytes on {port} have no stop bit (framing errors of the adapter), and no telegram begins.",
        "Put the head straight on the infrared window, away from lamps; if that does not help, the meter sends at another speed: look it up in its manual and write {port}?baud=SPEED.",
        "{percent} % der Bytes an {port} haben kein Stoppbit (Rahmenfehler des Adapters), und kein Telegramm beginnt.",
        "Setzen Sie den Lesekopf gerade auf das Infrarotfenster, fern von Lampen; hilft das nicht, sendet der Zähler mit anderer Geschwindigkeit: Sie steht in seiner Anleitung; schreiben Sie {port}?baud=ZAHL."),
    "trickle": (
        "Only {rate} bytes a second arrive on {port}; a meter sends fifty or more.",
        "This is stray light: put the head straight on the infrared window, cable down, and shade it.",
        "An {port} kommen nur {rate} Bytes pro Sekunde an; ein Zähler sendet fünfzig oder mehr.",
        "Das ist Streulicht: Setzen Sie den Lesekopf mit dem Kabel nach unten gerade auf das Infrarotfenster und schirmen Sie ihn ab."),
    "no_pause": (
        "{rate} bytes a second arrive on {port} without a pause, and no telegram begins; a meter pauses between its telegrams.",
        "Shade the head from lamps and from a second head; if that does not help, check the wiring, and whether this is the head's port.",
        "An {port} kommen ohne Pause {rate} Bytes pro Sekunde an, und kein Telegramm beginnt; ein Zähler macht zwischen den Telegrammen Pause.",
        "Schirmen Sie den Lesekopf gegen Lampen und einen zweiten Lesekopf ab; hilft das nicht, prüfen Sie die Verdrahtung und ob dies der Anschluss des Lesekopfs ist."),
    "noise": (
        "Bytes arrive on {port} ({bytes}), but no telegram begins.",
        "Put the head straight on the infrared window, cable down; if that does not help, the meter sends at another speed or is not an SML meter.",
        "An {port} kommen Bytes an ({bytes}), aber kein Telegramm beginnt.",
        "Setzen Sie den Lesekopf mit dem Kabel nach unten gerade auf das Infrarotfenster; hilft das nicht, sendet der Zähler mit anderer Geschwindigkeit oder ist kein SML-Zähler."),
    # --- protocol ---
    "p1": (
        "The meter on {port} speaks P1 (DSMR), which this version does not read.",
        "Use a reader for P1 meters on this port.",
        "Der Zähler an {port} spricht P1 (DSMR); das liest diese Version nicht.",
        "Nehmen Sie an diesem Anschluss ein Leseprogramm für P1-Zähler."),
    "d0": (
        "The meter on {port} speaks D0 (IEC 62056-21), which this version does not read.",
        "Use a reader for D0 meters on this port.",
        "Der Zähler an {port} spricht D0 (IEC 62056-21); das liest diese Version nicht.",
        "Nehmen Sie an diesem Anschluss ein Leseprogramm für D0-Zähler."),
    "dlms": (
        "The meter on {port} speaks DLMS, which this version does not read.",
        "Use a reader for DLMS meters on this port; its key comes from the grid operator.",
        "Der Zähler an {port} spricht DLMS; das liest diese Version nicht.",
        "Nehmen Sie an diesem Anschluss ein Leseprogramm für DLMS-Zähler; den Schlüssel hat der Netzbetreiber."),
    "mbus": (
        "The device on {port} speaks M-Bus, which this version does not read.",
        "Use a reader for M-Bus meters on this port.",
        "Was an {port} hängt, spricht M-Bus; das liest diese Version nicht.",
        "Nehmen Sie an diesem Anschluss ein Leseprogramm für M-Bus-Zähler."),
    # --- telegrams ---
    "telnet": (
        "Every byte FF on {port} arrives twice: the serial server is in telnet mode, so no telegram is valid.",
        "Set the serial server to raw, or write rfc2217:// instead of tcp:// in its address.",
        "Jedes Byte FF an {port} kommt doppelt an: Der serielle Server ist im Telnet-Modus; deshalb ist kein Telegramm gültig.",
        "Stellen Sie den seriellen Server auf raw oder schreiben Sie rfc2217:// statt tcp:// in seine Adresse."),
    "line_ends": (
        "Every byte 0A on {port} arrives as 0D 0A: line ends are being translated, so no telegram is valid.",
        "Set the serial server to raw, without any translation of line ends (CR, LF).",
        "Jedes Byte 0A an {port} kommt als 0D 0A an: Zeilenenden werden umgewandelt; deshalb ist kein Telegramm gültig.",
        "Stellen Sie den seriellen Server auf raw, ohne Umwandlung von Zeilenenden (CR, LF)."),
    "characters": (
        "The bytes on {port} were converted to UTF-8 as if they were text, so no telegram is valid.",
        "Set the serial server to raw; a program of your own must pass on bytes, not text.",
        "Die Bytes an {port} wurden wie Text nach UTF-8 umgewandelt; deshalb ist kein Telegramm gültig.",
        "Stellen Sie den seriellen Server auf raw; ein eigenes Programm muss Bytes weitergeben, keinen Text."),
    "seven_bits": (
        "The bytes on {port} have only seven bits, so no telegram is valid.",
        "Set the serial server to raw with 8 data bits, no parity, 1 stop bit (8N1).",
        "Die Bytes an {port} haben nur sieben Bits; deshalb ist kein Telegramm gültig.",
        "Stellen Sie den seriellen Server auf raw mit 8 Datenbits ohne Parität und 1 Stoppbit (8N1)."),
    "first_telegram": (
        "The first telegram is arriving on {port}.",
        "Wait a moment: meters send every few seconds.",
        "An {port} kommt gerade das erste Telegramm an.",
        "Warten Sie einen Moment: Zähler senden alle paar Sekunden."),
    "no_valid_telegram": (
        "Telegrams begin on {port}, but none is valid.",
        "Move the head millimetre by millimetre, cable down, and watch iskra-server align; if that does not help, try another cable.",
        "An {port} beginnen Telegramme, aber keines ist gültig.",
        "Verschieben Sie den Lesekopf millimeterweise (Kabel nach unten) und beobachten Sie dabei iskra-server align; hilft das nicht, probieren Sie ein anderes Kabel."),
    # --- checksums ---
    "checksums": (
        "Only {percent} % of the telegrams are valid.",
        "Move the head millimetre by millimetre, cable down, until the share rises (iskra-server align); keep lamps and the light of a second head away, or try another cable.",
        "Nur {percent} % der Telegramme sind gültig.",
        "Verschieben Sie den Lesekopf millimeterweise (Kabel nach unten), bis der Anteil steigt (iskra-server align); halten Sie Lampen und das Licht eines zweiten Lesekopfs fern oder probieren Sie ein anderes Kabel."),
    "cut": (
        "Only {percent} % of the telegrams are valid; most of the others are cut off.",
        "Bytes get lost on the way: try another cable, plug in the head without a hub, and check the serial server.",
        "Nur {percent} % der Telegramme sind gültig; die meisten anderen sind abgeschnitten.",
        "Unterwegs gehen Bytes verloren: Probieren Sie ein anderes Kabel, stecken Sie den Lesekopf ohne Hub ein und prüfen Sie den seriellen Server."),
    "overrun": (
        "Only {percent} % of the telegrams are valid: the adapter or this computer lost bytes {count} times within five minutes.",
        "Plug in the head without a hub, reduce the load of the computer, or use another adapter; the position of the head is fine.",
        "Nur {percent} % der Telegramme sind gültig: Der Adapter oder dieser Rechner hat in fünf Minuten {count}-mal Bytes verloren.",
        "Stecken Sie den Lesekopf ohne Hub ein, entlasten Sie den Rechner oder verwenden Sie einen anderen Adapter; der Lesekopf sitzt gut."),
    # --- values ---
    "no_values": (
        "Telegrams arrive, but none with a reading yet.",
        "Wait for the next telegrams.",
        "Telegramme kommen an, aber noch keines mit einem Zählerstand.",
        "Warten Sie auf die nächsten Telegramme."),
    "held_back": (
        "The meter reading jumped; readings are held back as implausible until they are consistent for five minutes.",
        "Wait five minutes; if that does not help, check that only one meter is in front of the head.",
        "Der Zählerstand ist gesprungen; Werte werden als unplausibel zurückgehalten, bis sie fünf Minuten lang zueinander passen.",
        "Warten Sie fünf Minuten; hilft das nicht, prüfen Sie, ob nur ein Zähler vor dem Lesekopf ist."),
    # --- unlocked ---
    "locked": (
        "The meter sends whole kWh and no power because it is locked.",
        "Enter the PIN from your grid operator at the meter and turn on InF; iskra-server unlock shows how.",
        "Der Zähler sendet nur ganze kWh und keine Leistung, weil er gesperrt ist.",
        "Geben Sie die PIN Ihres Netzbetreibers am Zähler ein und schalten Sie InF ein; iskra-server unlock zeigt, wie."),
    "relocked": (
        "The meter was unlocked and locked itself again at {time}: since then it sends whole kWh and no power.",
        "Enter the PIN again and turn on InF, which keeps the meter unlocked; iskra-server unlock shows how.",
        "Der Zähler war freigeschaltet und hat sich um {time} wieder gesperrt: Seitdem sendet er nur ganze kWh und keine Leistung.",
        "Geben Sie die PIN noch einmal ein und schalten Sie InF ein, damit er freigeschaltet bleibt; iskra-server unlock zeigt, wie."),
    "inf_off": (
        "The power value disappeared {seconds} s after the PIN was entered: InF is off.",
        "Enter the PIN again, go on to InF and shine the light for five seconds until it shows on; iskra-server unlock shows how.",
        "Die Leistung ist {seconds} s nach Eingabe der PIN verschwunden: InF ist aus.",
        "Geben Sie die PIN noch einmal ein, gehen Sie weiter zu InF und leuchten Sie fünf Sekunden, bis „on“ erscheint; iskra-server unlock zeigt, wie."),
    # --- fresh ---
    "stale": (
        "The last reading is {seconds} s old.",
        "Check that the head still sits on the meter.",
        "Der letzte Wert ist {seconds} s alt.",
        "Prüfen Sie, ob der Lesekopf noch auf dem Zähler sitzt."),
    "rare": (
        "The meter sends every {seconds} s, but a reading is stale after {limit} s.",
        "Set meters.stale_after_s to twice the time between two telegrams, or more.",
        "Der Zähler sendet alle {seconds} s, aber ein Wert gilt nach {limit} s als veraltet.",
        "Setzen Sie meters.stale_after_s auf mindestens das Doppelte der Zeit zwischen zwei Telegrammen."),
    # --- plausible ---
    "went_back": (
        "Readings are held back: {register} went back from {before} to {value}.",
        "If the counter was reset, wait: readings that are consistent for five minutes are accepted. Otherwise check that only one meter is in front of the head.",
        "Werte werden zurückgehalten: {register} ging von {before} auf {value} zurück.",
        "Wurde der Zähler zurückgesetzt, warten Sie: Werte, die fünf Minuten lang zueinander passen, werden übernommen. Prüfen Sie sonst, ob nur ein Zähler vor dem Lesekopf ist."),
    "jumped": (
        "Readings are held back: {register} jumped from {before} to {value} within {seconds} s.",
        "If the house connection can carry that much power, raise meters.max_power_w; otherwise check that only one meter is in front of the head.",
        "Werte werden zurückgehalten: {register} sprang innerhalb von {seconds} s von {before} auf {value}.",
        "Kann der Hausanschluss so viel Leistung liefern, erhöhen Sie meters.max_power_w; prüfen Sie sonst, ob nur ein Zähler vor dem Lesekopf ist."),
    # --- notices: worth knowing while values arrive ---
    "two_meters": (
        "Telegrams of two meters arrive alternately on {port}: {meter} and {other}.",
        "Shade the head from the other meter, and use a separate head for each meter.",
        "An {port} kommen abwechselnd Telegramme von zwei Zählern an: {meter} und {other}.",
        "Schirmen Sie den Lesekopf gegen den anderen Zähler ab und verwenden Sie für jeden Zähler einen eigenen Lesekopf."),
    "other_meter": (
        "Meter {meter} is now read instead of {other}.",
        "If the meter was replaced, join both histories: iskra-server meters replace '{other}' '{meter}'.",
        "Statt Zähler {other} wird jetzt {meter} gelesen.",
        "Wurde der Zähler getauscht, verbinden Sie beide Historien: iskra-server meters replace '{other}' '{meter}'."),
    "changing_ids": (
        "On {port} the server id changes with almost every telegram; such telegrams are ignored.",
        "Check what sends on this port: a gateway must pass on the ids of its meters unchanged.",
        "An {port} ändert sich die Server-ID mit fast jedem Telegramm; solche Telegramme werden ignoriert.",
        "Prüfen Sie, was dort sendet: Ein Gateway muss die IDs seiner Zähler unverändert weitergeben."),
    "two_heads": (
        "Meter {meter} is read by two heads: {port} and {other}.",
        "Remove one of them, or put it on the right meter.",
        "Zähler {meter} wird von zwei Leseköpfen gelesen: {port} und {other}.",
        "Nehmen Sie einen davon ab oder setzen Sie ihn auf den richtigen Zähler."),
    "clock_behind": (
        "The clock of this computer is not set: it shows {time}.",
        "Let it set its clock over the network (timedatectl set-ntp true). Readings are right; history waits until the clock is set, which may take a day.",
        "Die Uhr dieses Rechners ist nicht gestellt: Sie zeigt {time}.",
        "Lassen Sie die Uhr über das Netz stellen (timedatectl set-ntp true). Die Werte stimmen; die Historie wartet, bis die Uhr gestellt ist, und das kann einen Tag dauern."),
    "clock_stepped": (
        "The clock of this computer was set, by more than a minute, to {time}.",
        "If that is right, there is nothing to do: history waits two minutes and continues if the clock keeps this time.",
        "Die Uhr dieses Rechners wurde um mehr als eine Minute gestellt, auf {time}.",
        "Ist das richtig, müssen Sie nichts tun: Die Historie wartet zwei Minuten und läuft weiter, wenn die Uhr so bleibt."),
    "set_aside": (
        "History has set aside {count} rows whose time cannot be right: a clock was wrong.",
        "iskra-server history check lists them, iskra-server history restore puts them back, iskra-server history clear deletes them.",
        "Die Historie hat {count} Zeilen beiseitegelegt, deren Zeit nicht stimmen kann: Eine Uhr ging falsch.",
        "iskra-server history check zeigt sie, iskra-server history restore stellt sie wieder her, iskra-server history clear löscht sie."),
    "phases": (
        "The meter has no voltage on {phases}.",
        "If the house has three phases, have an electrician check the fuses; with fewer phases this is normal.",
        "Der Zähler hat keine Spannung auf {phases}.",
        "Ist das Haus dreiphasig angeschlossen, lassen Sie die Sicherungen von einer Elektrofachkraft prüfen; bei weniger Phasen ist das normal."),
    "import_only": (
        "The meter counts only energy from the grid: it sends no 2.8.0.",
        "If you have a solar system, ask your grid operator for a two-way meter; otherwise this is normal.",
        "Der Zähler zählt nur den Bezug: Er sendet kein 2.8.0.",
        "Wenn Sie eine Solaranlage haben, fragen Sie Ihren Netzbetreiber nach einem Zweirichtungszähler; sonst ist das normal."),
    "simulated": (
        "These values are simulated; no real meter is being read.",
        "To read a meter, configure the address of its head.",
        "Diese Werte sind simuliert; es wird kein echter Zähler gelesen.",
        "Um einen Zähler zu lesen, geben Sie die Adresse des Lesekopfs an."),
    "well": ("The meter is being read.", "", "Der Zähler wird gelesen.", ""),
}
# fmt: on
