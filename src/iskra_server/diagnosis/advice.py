"""THE table of faults: what is wrong, and what to do next, in English and German.

To add a fault, add a row. What stands in braces is filled in by whoever found it: port, group, percentage, seconds.
A row says what is, then what to do; `docs/faults.md` is written from it.
"""

from collections.abc import Mapping

from msgspec import Struct


class Words(Struct, frozen=True):
    """What is wrong, or that all is well, and what to do next, in one language."""

    sentence: str
    next_step: str

    def __str__(self) -> str:
        return f"{self.sentence} {self.next_step}".strip()


class Advice(Struct, frozen=True):
    """A fault by its name in the table, told in both languages."""

    fault: str
    en: Words
    de: Words


class Label(Struct, frozen=True):
    """The name of a check."""

    en: str
    de: str


def advise(fault: str, details: Mapping[str, object] | None = None) -> Advice:
    """The row of a fault, filled in."""
    en, en_step, de, de_step = (text.format_map(details or {}) for text in TABLE[fault])
    return Advice(fault, Words(en, en_step), Words(de, de_step))


def format_problem(fault: str, details: Mapping[str, object]) -> str:
    """A fault and its next step in English, for logs and command lines."""
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
        "Plug the head in; iskra-server ports lists what is there.",
        "Es gibt keinen seriellen Anschluss.",
        "Stecken Sie den Lesekopf ein; iskra-server ports zeigt, was da ist."),
    "no_port_in_container": (
        "This container has no serial port.",
        "Plug the head in and pass it to the container: --device /dev/ttyUSB0, or devices: in docker-compose.yml.",
        "In diesem Container gibt es keinen seriellen Anschluss.",
        "Stecken Sie den Lesekopf ein und reichen Sie ihn in den Container: --device /dev/ttyUSB0, oder devices: in docker-compose.yml."),
    "missing": (
        "{port} does not exist.",
        "Plug the head in; iskra-server ports lists what is there.",
        "{port} gibt es nicht.",
        "Stecken Sie den Lesekopf ein; iskra-server ports zeigt, was da ist."),
    "missing_in_container": (
        "{port} does not exist in this container.",
        "Plug the head in and pass it to the container: --device {port}, or devices: in docker-compose.yml.",
        "{port} gibt es in diesem Container nicht.",
        "Stecken Sie den Lesekopf ein und reichen Sie ihn in den Container: --device {port}, oder devices: in docker-compose.yml."),
    "nothing_behind": (
        "Nothing is connected to {port}.",
        "Plug the head in again.",
        "An {port} ist nichts angeschlossen.",
        "Stecken Sie den Lesekopf wieder ein."),
    "unplugged": (
        "{port} was unplugged.",
        "Plug it in again; reading continues by itself.",
        "{port} wurde abgezogen.",
        "Stecken Sie den Lesekopf wieder ein; danach wird von selbst weitergelesen."),
    "simulated_unplugged": (
        "The simulated infrared head is unplugged.",
        "It comes back by itself within seconds.",
        "Der simulierte Lesekopf ist abgezogen.",
        "Er ist nach wenigen Sekunden von selbst wieder da."),
    "capture_missing": (
        "{port} does not exist.",
        "Check the path of the capture.",
        "{port} gibt es nicht.",
        "Prüfen Sie den Pfad der Aufzeichnung."),
    # --- permission ---
    "permission_group": (
        "{port} may be opened by the group {group} only.",
        "Run sudo usermod -aG {group} {user} and log in again; in a container pass --device {port} --group-add {gid}.",
        "{port} darf nur die Gruppe {group} öffnen.",
        "Führen Sie sudo usermod -aG {group} {user} aus und melden Sie sich neu an; im Container: --device {port} --group-add {gid}."),
    "permission_owner": (
        "{port} may be opened by its owner {owner} alone.",
        "Run sudo chmod g+rw {port}; its group is {group}.",
        "{port} darf nur sein Besitzer {owner} öffnen.",
        "Führen Sie sudo chmod g+rw {port} aus; seine Gruppe ist {group}."),
    "permission_directory": (
        "{port} may not be opened.",
        "Check the permissions of its directory.",
        "{port} darf nicht geöffnet werden.",
        "Prüfen Sie die Rechte seines Verzeichnisses."),
    "capture_permission": (
        "{port} may not be read.",
        "Run sudo chmod a+r {port}.",
        "{port} darf nicht gelesen werden.",
        "Führen Sie sudo chmod a+r {port} aus."),
    # --- port ---
    "opening": (
        "{port} is not read yet.",
        "Wait a moment: it is being opened.",
        "{port} wird noch nicht gelesen.",
        "Warten Sie einen Moment: Der Anschluss wird gerade geöffnet."),
    "busy": (
        "{port} is in use by {program}.",
        "Stop that program, or let it use another port.",
        "{port} wird von {program} benutzt.",
        "Beenden Sie dieses Programm, oder geben Sie ihm einen anderen Anschluss."),
    "busy_unknown": (
        "{port} is in use by another program.",
        "Find it with sudo fuser -v {port} and stop it.",
        "{port} wird von einem anderen Programm benutzt.",
        "Finden Sie es mit sudo fuser -v {port} und beenden Sie es."),
    "named_twice": (
        "{port} is already read by this server, under another name.",
        "Name each head once; iskra-server ports lists them.",
        "{port} wird von diesem Server schon unter einem anderen Namen gelesen.",
        "Nennen Sie jeden Lesekopf nur einmal; iskra-server ports zeigt sie."),
    "all_taken": (
        "All serial ports belong to something else: {ports}.",
        "Plug the head in, or name its port.",
        "Alle seriellen Anschlüsse gehören zu etwas anderem: {ports}.",
        "Stecken Sie den Lesekopf ein, oder nennen Sie seinen Anschluss."),
    "unusable": (
        "{port} cannot be read as a serial port ({reason}).",
        "Choose another one with iskra-server ports.",
        "{port} lässt sich nicht als serieller Anschluss lesen ({reason}).",
        "Wählen Sie einen anderen mit iskra-server ports."),
    "unusable_file": (
        "{port} cannot be read as a serial port ({reason}).",
        "A capture is read with file:{port}.",
        "{port} lässt sich nicht als serieller Anschluss lesen ({reason}).",
        "Eine Aufzeichnung wird mit file:{port} gelesen."),
    "capture_unusable": (
        "{port} is not a capture file ({reason}).",
        "Name a file that iskra-server record has written.",
        "{port} ist keine Aufzeichnung ({reason}).",
        "Nennen Sie eine Datei, die iskra-server record geschrieben hat."),
    "ended": (
        "{port} was read to its end.",
        "Nothing more comes from it.",
        "{port} ist zu Ende gelesen.",
        "Mehr kommt daraus nicht."),
    "refused": (
        "Nothing listens at {port}.",
        "Check the port number, and that the serial server there is running.",
        "Unter {port} nimmt niemand Verbindungen an.",
        "Prüfen Sie die Portnummer, und ob der serielle Server dort läuft."),
    "unknown_name": (
        "The name in {port} is not known.",
        "Check the spelling, or use the IP address.",
        "Der Name in {port} ist nicht bekannt.",
        "Prüfen Sie die Schreibweise, oder nehmen Sie die IP-Adresse."),
    "no_answer": (
        "{port} does not answer.",
        "Check that the device is on and in the same network.",
        "{port} antwortet nicht.",
        "Prüfen Sie, ob das Gerät an und im selben Netz ist."),
    "unreachable": (
        "{port} cannot be reached ({reason}).",
        "Check the address.",
        "{port} ist nicht erreichbar ({reason}).",
        "Prüfen Sie die Adresse."),
    "needs_package": (
        "{port} needs one more package.",
        "Run pip install 'serialx[esphome]'.",
        "{port} braucht ein weiteres Paket.",
        "Führen Sie pip install 'serialx[esphome]' aus."),
    "needs_package_in_container": (
        "{port} needs a package that the container image does not have.",
        "Let ESPHome serve its UART as raw TCP (component stream_server) and write tcp://HOST:PORT; or run this server outside of the container, with pip install 'serialx[esphome]'.",
        "{port} braucht ein Paket, das im Container-Image fehlt.",
        "Lassen Sie ESPHome seine UART als rohes TCP anbieten (Komponente stream_server) und schreiben Sie tcp://HOST:PORT; oder betreiben Sie diesen Server außerhalb des Containers, mit pip install 'serialx[esphome]'."),
    "bad_address": (
        "{port} cannot be used ({reason}).",
        "Check the address and the settings there.",
        "{port} lässt sich nicht benutzen ({reason}).",
        "Prüfen Sie die Adresse und die Einstellungen dort."),
    "closed": (
        "{port} closed the connection.",
        "Check the device there; the connection is tried again.",
        "{port} hat die Verbindung beendet.",
        "Prüfen Sie das Gerät dort; die Verbindung wird wieder versucht."),
    "idle": (
        "Nothing came from {port} for {seconds} s.",
        "Check the device there and its head.",
        "Von {port} kam {seconds} s lang nichts.",
        "Prüfen Sie das Gerät dort und seinen Lesekopf."),
    # --- bytes ---
    "silence": (
        "Nothing arrives on {port}.",
        "Put the head on the meter's infrared window, cable down, and check that it is the right port (iskra-server ports) and that the meter has power.",
        "An {port} kommt nichts an.",
        "Setzen Sie den Lesekopf auf das Infrarotfenster des Zählers, Kabel nach unten, und prüfen Sie, ob es der richtige Anschluss ist (iskra-server ports) und der Zähler Strom hat."),
    "fell_silent": (
        "Nothing has arrived on {port} for {seconds} s; before that the meter was heard.",
        "Check whether the head has fallen off or turned, and whether the meter's display is on.",
        "An {port} kommt seit {seconds} s nichts mehr an; vorher war der Zähler zu hören.",
        "Sehen Sie nach, ob der Lesekopf abgefallen oder verdreht ist, und ob die Anzeige des Zählers an ist."),
    "not_heard": (
        "No meter is heard on {ports}.",
        "Put the head on the meter's infrared window, cable down, or name its port.",
        "An {ports} ist kein Zähler zu hören.",
        "Setzen Sie den Lesekopf auf das Infrarotfenster des Zählers, Kabel nach unten, oder nennen Sie seinen Anschluss."),
    # --- signal ---
    "flat": (
        "{percent} % of the bytes on {port} are {byte}: that is stray light, a stuck line, or a meter at 300 baud.",
        "Put the head on the meter and shade it from lamps; if it stays so, check the wiring and whether the meter speaks D0.",
        "{percent} % der Bytes an {port} sind {byte}: Das ist Streulicht, eine Leitung mit festem Pegel oder ein Zähler mit 300 Baud.",
        "Setzen Sie den Lesekopf auf den Zähler und schirmen Sie ihn von Lampen ab; bleibt es dabei, prüfen Sie die Verdrahtung, und ob der Zähler D0 spricht."),
    "gps": (
        "{port} seems to be a GPS receiver: it sends NMEA sentences.",
        "Choose the head's port with iskra-server ports.",
        "{port} scheint ein GPS-Empfänger zu sein: Er sendet NMEA-Sätze.",
        "Wählen Sie den Anschluss des Lesekopfs mit iskra-server ports."),
    "modem": (
        "{port} seems to be a modem: it answers as AT commands are answered.",
        "Choose the head's port with iskra-server ports.",
        "{port} scheint ein Modem zu sein: Es antwortet wie auf AT-Befehle.",
        "Wählen Sie den Anschluss des Lesekopfs mit iskra-server ports."),
    "text": (
        "{port} sends text that is not a meter's: {text}",
        "Choose the head's port with iskra-server ports.",
        "{port} sendet Text, der nicht von einem Zähler ist: {text}",
        "Wählen Sie den Anschluss des Lesekopfs mit iskra-server ports."),
    "inverted": (
        "The signal on {port} is inverted: light and dark are swapped.",
        "Switch the inversion on at the head or the serial server, or use a head with the right polarity.",
        "Das Signal an {port} ist invertiert: Hell und Dunkel sind vertauscht.",
        "Schalten Sie die Invertierung am Lesekopf oder am seriellen Server ein, oder nehmen Sie einen Lesekopf mit richtiger Polarität."),
    "speed": (
        "The meter on {port} sends at {speed} baud, but it is read at 9600.",
        "Write {port}?baud={speed} as its address; a serial server is set to {speed} baud at its own settings.",
        "Der Zähler an {port} sendet mit {speed} Baud, gelesen wird aber mit 9600.",
        "Schreiben Sie {port}?baud={speed} als Adresse; ein serieller Server wird in seinen eigenen Einstellungen auf {speed} Baud gestellt."),
    "framing": (
        "{percent} % of the bytes on {port} have no stop bit (framing errors of the adapter), and no telegram begins.",
        "Put the head straight on the infrared window, away from lamps; if it stays so, the meter sends at another speed: its manual says which, {port}?baud=SPEED sets it.",
        "{percent} % der Bytes an {port} haben kein Stoppbit (Rahmenfehler des Adapters), und kein Telegramm beginnt.",
        "Setzen Sie den Lesekopf gerade auf das Infrarotfenster, fern von Lampen; bleibt es dabei, sendet der Zähler mit anderer Geschwindigkeit: Seine Anleitung nennt sie, {port}?baud=ZAHL stellt sie ein."),
    "trickle": (
        "Only {rate} bytes a second arrive on {port}; a meter sends fifty and more.",
        "That is stray light: put the head straight on the infrared window, cable down, and shade it.",
        "An {port} kommen nur {rate} Bytes pro Sekunde an; ein Zähler sendet fünfzig und mehr.",
        "Das ist Streulicht: Setzen Sie den Lesekopf gerade auf das Infrarotfenster, Kabel nach unten, und schirmen Sie ihn ab."),
    "restless": (
        "{rate} bytes a second arrive on {port} without a pause, and no telegram begins; a meter pauses between its telegrams.",
        "Shade the head from lamps and from a second head; if it stays so, check the wiring, and whether this is the head's port.",
        "An {port} kommen ohne Pause {rate} Bytes pro Sekunde an, und kein Telegramm beginnt; ein Zähler macht zwischen den Telegrammen Pause.",
        "Schirmen Sie den Lesekopf von Lampen und einem zweiten Lesekopf ab; bleibt es dabei, prüfen Sie die Verdrahtung, und ob dies der Anschluss des Lesekopfs ist."),
    "noise": (
        "Bytes arrive on {port} ({bytes}), but no telegram begins.",
        "Put the head straight on the infrared window, cable down; if it stays so, the meter sends at another speed or is not an SML meter.",
        "An {port} kommen Bytes an ({bytes}), aber kein Telegramm beginnt.",
        "Setzen Sie den Lesekopf gerade auf das Infrarotfenster, Kabel nach unten; bleibt es dabei, sendet der Zähler mit anderer Geschwindigkeit oder ist kein SML-Zähler."),
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
        "What is on {port} speaks M-Bus, which this version does not read.",
        "Use a reader for M-Bus meters on this port.",
        "Was an {port} hängt, spricht M-Bus; das liest diese Version nicht.",
        "Nehmen Sie an diesem Anschluss ein Leseprogramm für M-Bus-Zähler."),
    # --- telegrams ---
    "telnet": (
        "Every byte FF on {port} arrives twice: the serial server is in telnet mode, so no telegram arrives intact.",
        "Set the serial server to raw, or write rfc2217:// instead of tcp:// in its address.",
        "Jedes Byte FF an {port} kommt doppelt an: Der serielle Server ist im Telnet-Modus, und kein Telegramm kommt unversehrt an.",
        "Stellen Sie den seriellen Server auf raw, oder schreiben Sie rfc2217:// statt tcp:// in seine Adresse."),
    "line_ends": (
        "Every byte 0A on {port} arrives as 0D 0A: line ends are being translated, so no telegram arrives intact.",
        "Set the serial server to raw, without any translation of line ends (CR, LF).",
        "Jedes Byte 0A an {port} kommt als 0D 0A an: Zeilenenden werden umgewandelt, und kein Telegramm kommt unversehrt an.",
        "Stellen Sie den seriellen Server auf raw, ohne Umwandlung von Zeilenenden (CR, LF)."),
    "characters": (
        "The bytes on {port} were converted to UTF-8 as if they were text, so no telegram arrives intact.",
        "Set the serial server to raw; a program of your own must pass on bytes, not text.",
        "Die Bytes an {port} wurden wie Text nach UTF-8 umgewandelt; so kommt kein Telegramm unversehrt an.",
        "Stellen Sie den seriellen Server auf raw; ein eigenes Programm muss Bytes weitergeben, keinen Text."),
    "seven_bits": (
        "The bytes on {port} have only seven bits, so no telegram arrives intact.",
        "Set the serial server to raw with 8 data bits, no parity, 1 stop bit (8N1).",
        "Die Bytes an {port} haben nur sieben Bits; so kommt kein Telegramm unversehrt an.",
        "Stellen Sie den seriellen Server auf raw mit 8 Datenbits ohne Parität und 1 Stoppbit (8N1)."),
    "first_telegram": (
        "A first telegram is arriving on {port}.",
        "Wait a moment: meters send every few seconds.",
        "An {port} kommt gerade ein erstes Telegramm an.",
        "Warten Sie einen Moment: Zähler senden alle paar Sekunden."),
    "never_whole": (
        "Telegrams begin on {port}, but none arrives intact.",
        "Move the head by a millimetre, cable down, and watch iskra-server align; then try another cable.",
        "An {port} beginnen Telegramme, aber keines kommt unversehrt an.",
        "Verschieben Sie den Lesekopf um einen Millimeter, Kabel nach unten, und beobachten Sie dabei iskra-server align; hilft das nicht, versuchen Sie ein anderes Kabel."),
    # --- checksums ---
    "checksums": (
        "Only {percent} % of the telegrams are valid.",
        "Move the head by a millimetre, cable down, until the share rises (iskra-server align); keep lamps and the light of a second head away, or try another cable.",
        "Nur {percent} % der Telegramme sind gültig.",
        "Verschieben Sie den Lesekopf um einen Millimeter, Kabel nach unten, bis der Anteil steigt (iskra-server align); halten Sie Lampen und das Licht eines zweiten Lesekopfs fern, oder versuchen Sie ein anderes Kabel."),
    "cut": (
        "Only {percent} % of the telegrams are valid; most of the others are cut off.",
        "Bytes get lost on the way: try another cable, plug the head in without a hub, and check the serial server.",
        "Nur {percent} % der Telegramme sind gültig; die meisten anderen sind abgeschnitten.",
        "Unterwegs gehen Bytes verloren: Versuchen Sie ein anderes Kabel, stecken Sie den Lesekopf ohne Hub ein, und prüfen Sie den seriellen Server."),
    "overrun": (
        "Only {percent} % of the telegrams are valid: the adapter or this computer lost bytes {count} times within five minutes.",
        "Plug the head in without a hub, give the computer less to do, or take another adapter; the head itself sits well.",
        "Nur {percent} % der Telegramme sind gültig: Der Adapter oder dieser Rechner hat binnen fünf Minuten {count}-mal Bytes verloren.",
        "Stecken Sie den Lesekopf ohne Hub ein, geben Sie dem Rechner weniger zu tun, oder nehmen Sie einen anderen Adapter; der Lesekopf selbst sitzt gut."),
    # --- values ---
    "no_values": (
        "Telegrams arrive, but none with a reading yet.",
        "Wait for the next telegrams.",
        "Telegramme kommen an, aber noch keines mit einem Zählerstand.",
        "Warten Sie auf die nächsten Telegramme."),
    "held_back": (
        "The meter's counter jumped; its readings are held back until they have agreed for five minutes.",
        "Wait five minutes; if it stays so, check that only one meter is in front of the head.",
        "Der Zählerstand ist gesprungen; Werte werden zurückgehalten, bis sie fünf Minuten lang zusammenpassen.",
        "Warten Sie fünf Minuten; bleibt es dabei, prüfen Sie, ob nur ein Zähler vor dem Lesekopf ist."),
    # --- unlocked ---
    "locked": (
        "The meter sends whole kWh and no power because it is locked.",
        "Enter the PIN from your grid operator at the meter and switch InF on; iskra-server unlock shows how.",
        "Der Zähler sendet nur ganze kWh und keine Leistung, weil er gesperrt ist.",
        "Geben Sie die PIN Ihres Netzbetreibers am Zähler ein und schalten Sie InF ein; iskra-server unlock zeigt, wie."),
    "relocked": (
        "The meter was unlocked and has locked itself at {time}: since then it sends whole kWh and no power.",
        "Enter the PIN again and switch InF on, which keeps it unlocked; iskra-server unlock shows how.",
        "Der Zähler war freigeschaltet und hat sich um {time} gesperrt: Seitdem sendet er nur ganze kWh und keine Leistung.",
        "Geben Sie die PIN noch einmal ein und schalten Sie InF ein, damit er frei bleibt; iskra-server unlock zeigt, wie."),
    "inf_off": (
        "The power value disappeared {seconds} s after the PIN was entered: InF is off.",
        "Enter the PIN again, step on to InF and hold the light on it for five seconds until it reads on; iskra-server unlock shows how.",
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
        "If the counter was reset, wait: readings that agree for five minutes are taken as the new truth. Otherwise check that only one meter is in front of the head.",
        "Werte werden zurückgehalten: {register} ging von {before} auf {value} zurück.",
        "Wurde der Zähler zurückgesetzt, warten Sie: Werte, die fünf Minuten lang zusammenpassen, gelten als neuer Stand. Sonst prüfen Sie, ob nur ein Zähler vor dem Lesekopf ist."),
    "jumped": (
        "Readings are held back: {register} jumped from {before} to {value} within {seconds} s.",
        "If the connection can carry that much, raise meters.max_power_w; otherwise check that only one meter is in front of the head.",
        "Werte werden zurückgehalten: {register} sprang innerhalb von {seconds} s von {before} auf {value}.",
        "Kann der Anschluss so viel liefern, erhöhen Sie meters.max_power_w; sonst prüfen Sie, ob nur ein Zähler vor dem Lesekopf ist."),
    # --- worth knowing while values arrive ---
    "two_meters": (
        "Two meters are heard alternately on {port}: {meter} and {other}.",
        "Shade the head from the other meter, and give each meter a head of its own.",
        "An {port} sind abwechselnd zwei Zähler zu hören: {meter} und {other}.",
        "Schirmen Sie den Lesekopf vom anderen Zähler ab, und geben Sie jedem Zähler einen eigenen Lesekopf."),
    "other_meter": (
        "Meter {meter} is now read where {other} was.",
        "If it has replaced it, join their histories: iskra-server meters replace '{other}' '{meter}'.",
        "Zähler {meter} wird jetzt dort gelesen, wo {other} war.",
        "Hat er ihn ersetzt, verbinden Sie ihre Historien: iskra-server meters replace '{other}' '{meter}'."),
    "changing_ids": (
        "On {port} the server id changes with almost every telegram; such telegrams are ignored.",
        "Look at what sends there: a gateway must pass on the ids of its meters unchanged.",
        "An {port} ändert sich die Server-ID mit fast jedem Telegramm; solche Telegramme werden ignoriert.",
        "Prüfen Sie, was dort sendet: Ein Gateway muss die IDs seiner Zähler unverändert weitergeben."),
    "two_heads": (
        "Meter {meter} is read by two heads: {port} and {other}.",
        "Take one of them off, or put it on the meter that it is meant for.",
        "Zähler {meter} wird von zwei Leseköpfen gelesen: {port} und {other}.",
        "Nehmen Sie einen davon ab, oder setzen Sie ihn auf den Zähler, für den er gedacht ist."),
    "clock_behind": (
        "The clock of this computer is not set: it says {time}.",
        "Let it set its clock over the network (timedatectl set-ntp true); values are right, and history waits until then.",
        "Die Uhr dieses Rechners ist nicht gestellt: Sie zeigt {time}.",
        "Lassen Sie ihn seine Uhr über das Netz stellen (timedatectl set-ntp true); die Werte stimmen, die Historie wartet bis dahin."),
    "clock_stepped": (
        "The clock of this computer was set, by more than a minute, to {time}.",
        "If that is right, there is nothing to do: history waits two minutes, and goes on if the clock stays so.",
        "Die Uhr dieses Rechners wurde um mehr als eine Minute gestellt, auf {time}.",
        "Ist das richtig, ist nichts zu tun: Die Historie wartet zwei Minuten und geht weiter, wenn die Uhr so bleibt."),
    "set_aside": (
        "History has set aside {count} rows whose time cannot be true: a clock was wrong.",
        "See them with iskra-server history check; iskra-server history restore puts them back, clear deletes them.",
        "Die Historie hat {count} Zeilen beiseitegelegt, deren Zeit nicht stimmen kann: Eine Uhr ging falsch.",
        "Sehen Sie sie sich mit iskra-server history check an; iskra-server history restore stellt sie zurück, clear löscht sie."),
    "phases": (
        "The meter sees no voltage on {phases}.",
        "If the house is wired with three phases, have an electrician check the fuses; with fewer phases this is right.",
        "Der Zähler sieht keine Spannung auf {phases}.",
        "Ist das Haus dreiphasig angeschlossen, lassen Sie die Sicherungen von einer Elektrofachkraft prüfen; bei weniger Phasen ist das richtig."),
    "import_only": (
        "The meter counts only energy from the grid: it sends no 2.8.0.",
        "With a solar system ask your grid operator for a two-way meter; without one this is right.",
        "Der Zähler zählt nur den Bezug: Er sendet kein 2.8.0.",
        "Mit einer Solaranlage fragen Sie Ihren Netzbetreiber nach einem Zweirichtungszähler; ohne ist das richtig."),
    "simulated": (
        "These values are simulated; no real meter is being read.",
        "Give the address of the head to read a meter.",
        "Diese Werte sind simuliert; es wird kein echter Zähler gelesen.",
        "Geben Sie die Adresse des Lesekopfs an, um einen Zähler zu lesen."),
    "well": ("The meter is being read.", "", "Der Zähler wird gelesen.", ""),
}
# fmt: on
