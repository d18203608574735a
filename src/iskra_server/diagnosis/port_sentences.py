"""Sentences about the device, its permission and its port.

fault: sentence, next step, Satz, nächster Schritt
"""

# fmt: off
SENTENCES: dict[str, tuple[str, str, str, str]] = {
    # --- device ---
    "no_port": (
        "There is no serial port.",
        "Plug in the head or cable; iskra-server ports lists all ports.",
        "Es gibt keinen seriellen Anschluss.",
        "Stecken Sie Lesekopf oder Kabel ein; iskra-server ports zeigt alle Anschlüsse."),
    "no_port_in_container": (
        "This container has no serial port.",
        "Plug in the head or cable: with our docker-compose.yml it is found within seconds. A container of docker run also needs --device /dev/ttyUSB0.",
        "In diesem Container gibt es keinen seriellen Anschluss.",
        "Stecken Sie Lesekopf oder Kabel ein: Mit unserer docker-compose.yml wird beides nach wenigen Sekunden gefunden. Ein Container von docker run braucht außerdem --device /dev/ttyUSB0."),
    "no_port_in_app": (
        "The machine that runs Home Assistant has no serial port.",
        "Plug the head or cable into one of its USB ports; it is found automatically within seconds.",
        "Das Gerät, auf dem Home Assistant läuft, hat keinen seriellen Anschluss.",
        "Stecken Sie Lesekopf oder Kabel in einen seiner USB-Anschlüsse; beides wird nach wenigen Sekunden automatisch gefunden."),
    "missing": (
        "{port} does not exist.",
        "Plug in the head or cable; iskra-server ports lists all ports.",
        "{port} gibt es nicht.",
        "Stecken Sie Lesekopf oder Kabel ein; iskra-server ports zeigt alle Anschlüsse."),
    "missing_in_container": (
        "{port} does not exist in this container.",
        "Plug in the head or cable, or correct its name: docker compose exec iskra-server iskra-server ports lists all ports. A container of docker run also needs --device {port}.",
        "{port} gibt es in diesem Container nicht.",
        "Stecken Sie Lesekopf oder Kabel ein, oder korrigieren Sie den Namen: docker compose exec iskra-server iskra-server ports zeigt alle Anschlüsse. Ein Container von docker run braucht außerdem --device {port}."),
    "missing_in_app": (
        "{port} does not exist on the machine that runs Home Assistant.",
        "Plug in the head or cable, or choose another name: Settings, System, Hardware, All hardware lists them.",
        "{port} gibt es auf dem Gerät nicht, auf dem Home Assistant läuft.",
        "Stecken Sie Lesekopf oder Kabel ein, oder tragen Sie einen anderen Namen ein: Einstellungen, System, Hardware, Gesamte Hardware zeigt alle."),
    "nothing_behind": (
        "Nothing is connected to {port}.",
        "Plug the head or cable in again.",
        "An {port} ist nichts angeschlossen.",
        "Stecken Sie Lesekopf oder Kabel wieder ein."),
    "unplugged": (
        "{port} was unplugged.",
        "Plug it in again; reading continues automatically.",
        "{port} wurde abgezogen.",
        "Stecken Sie Lesekopf oder Kabel wieder ein; danach wird automatisch weiter ausgelesen."),
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
        "Run sudo usermod -aG {group} {user} and log in again.",
        "Nur die Gruppe {group} darf {port} öffnen.",
        "Führen Sie sudo usermod -aG {group} {user} aus und melden Sie sich neu an."),
    "permission_group_in_container": (
        "Only the group {group} may open {port}.",
        "Write {gid} below group_add: in docker-compose.yml, then docker compose up -d; docker run takes it as --group-add {gid}.",
        "Nur die Gruppe {group} darf {port} öffnen.",
        "Tragen Sie {gid} unter group_add: in docker-compose.yml ein, dann docker compose up -d; bei docker run heißt es --group-add {gid}."),
    "permission_group_in_service": (
        "Only the group {group} may open {port}.",
        "Give it to the service: sudo systemctl edit iskra-server, the lines [Service] and SupplementaryGroups={group}, then sudo systemctl restart iskra-server.",
        "Nur die Gruppe {group} darf {port} öffnen.",
        "Geben Sie sie dem Dienst: sudo systemctl edit iskra-server, die Zeilen [Service] und SupplementaryGroups={group}, dann sudo systemctl restart iskra-server."),
    "permission_root": (
        "Only root may open {port}.",
        "Run sudo chgrp dialout {port} && sudo chmod g+rw {port}. A udev rule makes it last: SUBSYSTEM==\"tty\", KERNEL==\"ttyUSB*|ttyACM*|ttyAMA*\", GROUP=\"dialout\", MODE=\"0660\".",
        "Nur root darf {port} öffnen.",
        "Führen Sie sudo chgrp dialout {port} && sudo chmod g+rw {port} aus. Dauerhaft macht das eine udev-Regel: SUBSYSTEM==\"tty\", KERNEL==\"ttyUSB*|ttyACM*|ttyAMA*\", GROUP=\"dialout\", MODE=\"0660\"."),
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
    "read_by_server": (
        "{port} is already read by another server on this machine: {program}.",
        "Open the page of that server. To read the port here, stop that one first: sudo systemctl stop iskra-server, if it is the service.",
        "{port} wird auf diesem Rechner bereits von einem anderen Server ausgelesen: {program}.",
        "Öffnen Sie die Seite dieses Servers. Soll der Anschluss hier ausgelesen werden, beenden Sie zuerst den anderen: sudo systemctl stop iskra-server, wenn er als Dienst läuft."),
    "named_twice": (
        "This server already reads {port} under another name.",
        "Configure each head once; iskra-server ports lists them.",
        "Dieser Server liest {port} bereits unter einem anderen Namen.",
        "Tragen Sie jeden Lesekopf nur einmal ein; iskra-server ports zeigt sie."),
    "all_taken": (
        "All serial ports are in use or belong to other devices: {ports}.",
        "If the head is one of them, stop the program that has it open, or configure its port; otherwise plug it in.",
        "Alle seriellen Anschlüsse sind belegt oder gehören zu anderen Geräten: {ports}.",
        "Ist der Lesekopf dabei, beenden Sie das Programm, das ihn verwendet, oder geben Sie seinen Anschluss an; andernfalls stecken Sie ihn ein."),
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
        "Check the address and its port number, and that the device is running.",
        "{port} nimmt keine Verbindungen an.",
        "Prüfen Sie die Adresse und ihre Portnummer und ob das Gerät läuft."),
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
        "Run {command}, then restart this server.",
        "{port} benötigt ein zusätzliches Paket.",
        "Führen Sie {command} aus und starten Sie diesen Server neu."),
    "needs_other_installation": (
        "{port} needs a package that this installation lacks, and that cannot be added to a container image or to the Debian package.",
        "Serve the UART of ESPHome as raw TCP (component stream_server) and write tcp://HOST:PORT, or install this server with pipx install 'iskra-electricity-server[esphome]'.",
        "{port} benötigt ein Paket, das dieser Installation fehlt; einem Container-Image und dem Debian-Paket lässt es sich nicht hinzufügen.",
        "Geben Sie die UART in ESPHome als TCP-Rohdaten frei (Komponente stream_server) und schreiben Sie tcp://HOST:PORT, oder installieren Sie diesen Server mit pipx install 'iskra-electricity-server[esphome]'."),
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
    "http_no_page": (
        "There is nothing at {port} (404).",
        "Check the path in the address; a Tibber bridge serves /data.json?node_id=1, which is asked for where the address has no path.",
        "Unter {port} gibt es nichts (404).",
        "Prüfen Sie den Pfad in der Adresse. Eine Tibber-Bridge liefert /data.json?node_id=1; das wird abgefragt, wenn die Adresse keinen Pfad hat."),
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
}
# fmt: on
