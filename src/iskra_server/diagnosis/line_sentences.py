"""Sentences about what arrives on a line: nothing, noise, another signal, another protocol.

fault: sentence, next step, Satz, nächster Schritt
"""

# fmt: off
SENTENCES: dict[str, tuple[str, str, str, str]] = {
    # --- data ---
    "silence": (
        "Nothing arrives on {port}.",
        "Put the head on the meter's infrared window, cable down, or plug the cable into the meter's customer interface (P1). Check that this is the right port (iskra-server ports) and that the meter has power. If the meter waits for a request (MT171, MT174, ME162), write {port}?protocol=d0 as its address.",
        "An {port} kommen keine Daten an.",
        "Setzen Sie den Lesekopf mit dem Kabel nach unten auf das Infrarotfenster des Zählers oder stecken Sie das Kabel in seine Kundenschnittstelle (P1). Prüfen Sie, ob es der richtige Anschluss ist (iskra-server ports) und ob der Zähler Strom hat. Wartet der Zähler auf eine Anfrage (MT171, MT174, ME162), tragen Sie als Adresse {port}?protocol=d0 ein."),
    "silence_searching": (
        "Nothing has arrived on {port} so far; the server is now trying {line}.",
        "Put the head on the meter's infrared window, cable down, or plug the cable into the meter's customer interface (P1). The server tries all speeds by itself, and after a minute of silence it asks the meter for a readout.",
        "An {port} sind noch keine Daten angekommen; der Server versucht es gerade mit {line}.",
        "Setzen Sie den Lesekopf mit dem Kabel nach unten auf das Infrarotfenster des Zählers oder stecken Sie das Kabel in seine Kundenschnittstelle (P1). Der Server probiert selbst alle Geschwindigkeiten und fragt den Zähler nach einer Minute Stille einmal ab."),
    "silence_asking": (
        "Nothing has arrived on {port}, so the server now asks whether a meter waits for a request.",
        "Wait a few seconds.",
        "An {port} sind keine Daten angekommen; der Server prüft jetzt, ob dort ein Zähler auf eine Anfrage wartet.",
        "Warten Sie ein paar Sekunden."),
    "silence_asked": (
        "Nothing arrives on {port}, and no meter answers a request.",
        "Put the head on the meter's infrared window, cable down, or plug the cable into the meter's customer interface (P1). Check that this is the right port (iskra-server ports), that the meter has power, and whether its interface must be switched on; the server asks again from time to time.",
        "An {port} kommen keine Daten an, und kein Zähler antwortet auf eine Anfrage.",
        "Setzen Sie den Lesekopf mit dem Kabel nach unten auf das Infrarotfenster des Zählers oder stecken Sie das Kabel in seine Kundenschnittstelle (P1). Prüfen Sie, ob es der richtige Anschluss ist (iskra-server ports), ob der Zähler Strom hat und ob seine Schnittstelle eingeschaltet werden muss; der Server fragt von Zeit zu Zeit erneut an."),
    "silence_asked_fixed": (
        "Nothing arrives on {port}, and no meter answers a request at the speed of its address ({line}).",
        "A head on the infrared window asks at 300 baud: leave out ?baud=. On RS-485 check the wiring, the speed in the meter's manual and ?address= (the serial number); also check that the meter has power.",
        "An {port} kommen keine Daten an, und kein Zähler antwortet auf eine Anfrage mit der Geschwindigkeit der Adresse ({line}).",
        "Ein Lesekopf auf dem Infrarotfenster fragt mit 300 Baud an: Lassen Sie ?baud= weg. Prüfen Sie bei RS-485 die Verdrahtung, die Geschwindigkeit in der Anleitung des Zählers und ?address= (die Zählernummer); prüfen Sie auch, ob der Zähler Strom hat."),
    "no_usb_head": (
        "No USB head found: the only serial port is {port}, a part of this computer, and nothing arrives there.",
        "Plug the head's USB plug into this computer; it is found within seconds. If a head is wired to {port} itself, put it on the meter's infrared window.",
        "Kein USB-Lesekopf gefunden: Der einzige serielle Anschluss ist {port}, ein Teil dieses Computers, und dort kommen keine Daten an.",
        "Stecken Sie den USB-Stecker des Lesekopfs in diesen Computer; er wird nach wenigen Sekunden gefunden. Ist ein Lesekopf direkt mit {port} verdrahtet, setzen Sie ihn auf das Infrarotfenster des Zählers."),
    "silence_listening": (
        "Nothing arrives on {port}, and its address says listen_only=1: the server asks no meter there.",
        "Some meters wait for a request (MT171, MT174, ME162): for these leave out listen_only. Otherwise put the head on the meter's infrared window, cable down, or plug the cable into the meter's customer interface (P1), and check that the meter has power.",
        "An {port} kommen keine Daten an, und in der Adresse steht listen_only=1: Der Server fragt dort keinen Zähler an.",
        "Manche Zähler warten auf eine Anfrage (MT171, MT174, ME162): Lassen Sie listen_only bei diesen weg. Setzen Sie sonst den Lesekopf mit dem Kabel nach unten auf das Infrarotfenster des Zählers oder stecken Sie das Kabel in seine Kundenschnittstelle (P1), und prüfen Sie, ob der Zähler Strom hat."),
    "silence_not_asked": (
        "Nothing arrives on {port}. The server does not ask there, because bytes have arrived unasked before.",
        "Put the head on the meter's infrared window, cable down, or plug the cable into the meter's customer interface (P1). If the meter there now waits for a request (MT171, MT174, ME162), write {port}?protocol=d0 as its address.",
        "An {port} kommen keine Daten an. Der Server fragt dort nicht an, weil früher unaufgefordert Daten ankamen.",
        "Setzen Sie den Lesekopf mit dem Kabel nach unten auf das Infrarotfenster des Zählers oder stecken Sie das Kabel in seine Kundenschnittstelle (P1). Wartet der Zähler dort jetzt auf eine Anfrage (MT171, MT174, ME162), tragen Sie als Adresse {port}?protocol=d0 ein."),
    "echo": (
        "Only the server's own request comes back on {port}; no meter answers.",
        "The head receives its own light: put it straight on the infrared window, cable down, and check that the meter has power. The server asks again from time to time.",
        "An {port} kommt nur die Anfrage des Servers selbst zurück; kein Zähler antwortet.",
        "Der Lesekopf empfängt sein eigenes Licht: Setzen Sie ihn mit dem Kabel nach unten gerade auf das Infrarotfenster und prüfen Sie, ob der Zähler Strom hat. Der Server fragt von Zeit zu Zeit erneut an."),
    "fell_silent": (
        "Nothing has arrived on {port} for {seconds} s; data arrived before.",
        "Check whether the head has fallen off or turned, and whether the meter's display is on.",
        "An {port} kommen seit {seconds} s keine Daten mehr an.",
        "Sehen Sie nach, ob der Lesekopf abgefallen oder verdreht ist und ob die Anzeige des Zählers an ist."),
    "fell_silent_cable": (
        "Nothing has arrived on {port} for {seconds} s; data arrived before.",
        "Check whether the cable is still plugged in at the meter, or the head has fallen off, and whether the meter's display is on.",
        "An {port} kommen seit {seconds} s keine Daten mehr an.",
        "Sehen Sie nach, ob das Kabel noch im Zähler steckt oder der Lesekopf abgefallen ist und ob die Anzeige des Zählers an ist."),
    "no_meter_found": (
        "No telegrams arrive on {ports}.",
        "Put the head on the meter's infrared window, cable down, or plug the cable into the meter's customer interface (P1). The server goes on looking; if it does not find the port, configure it.",
        "An {ports} kommen keine Telegramme an.",
        "Setzen Sie den Lesekopf mit dem Kabel nach unten auf das Infrarotfenster des Zählers oder stecken Sie das Kabel in seine Kundenschnittstelle (P1). Der Server sucht weiter; findet er den Anschluss nicht, geben Sie ihn an."),
    # --- signal ---
    "flat": (
        "{percent} % of the bytes on {port} are {byte}: that is stray light, a line with a fixed level, or a P1 cable without an inverter.",
        "Put the head on the meter and shade it from lamps; use a P1 cable with an inverter. If that does not help, check the wiring.",
        "{percent} % der Bytes an {port} sind {byte}: Das ist Streulicht, eine Leitung mit festem Pegel oder ein P1-Kabel ohne Inverter.",
        "Setzen Sie den Lesekopf auf den Zähler und schirmen Sie ihn gegen Lampenlicht ab; verwenden Sie ein P1-Kabel mit Inverter. Hilft das nicht, prüfen Sie die Verdrahtung."),
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
        "The signal on {port} is inverted: high and low are swapped.",
        "Use a P1 cable with an inverter, or a head with the right polarity; some heads and serial servers can invert the signal themselves.",
        "Das Signal an {port} ist invertiert: High und Low sind vertauscht.",
        "Verwenden Sie ein P1-Kabel mit Inverter oder einen Lesekopf mit richtiger Polarität; manche Leseköpfe und serielle Server können das Signal selbst invertieren."),
    "speed": (
        "The meter on {port} sends at {speed} baud, but it is read at another speed.",
        "Write {port}?baud={speed} as its address, or leave out ?baud=: then the server finds the speed of a serial port by itself. Set a serial server to {speed} baud in its own settings.",
        "Der Zähler an {port} sendet mit {speed} Baud, wird aber mit anderer Geschwindigkeit gelesen.",
        "Schreiben Sie {port}?baud={speed} als Adresse oder lassen Sie ?baud= weg: Dann findet der Server die Geschwindigkeit eines seriellen Anschlusses selbst. Einen seriellen Server stellen Sie in seinen eigenen Einstellungen auf {speed} Baud."),
    "speed_searching": (
        "The meter on {port} seems to send at {speed} baud; the server is now trying {line}.",
        "Wait a minute: the server tries one speed after another.",
        "Der Zähler an {port} scheint mit {speed} Baud zu senden; der Server versucht es gerade mit {line}.",
        "Warten Sie eine Minute: Der Server probiert eine Geschwindigkeit nach der anderen."),
    "framing": (
        "{percent} % of the bytes on {port} have no stop bit (framing errors of the adapter), and no telegram begins.",
        "Put the head straight on the infrared window, away from lamps; use a P1 cable with an inverter. If that does not help, the speed is wrong: leave out ?baud=, and the server finds it; set a serial server to the speed in the meter's manual.",
        "{percent} % der Bytes an {port} haben kein Stoppbit (Rahmenfehler des Adapters), und kein Telegramm beginnt.",
        "Setzen Sie den Lesekopf gerade auf das Infrarotfenster, ohne Lampen in der Nähe; verwenden Sie ein P1-Kabel mit Inverter. Hilft das nicht, stimmt die Geschwindigkeit nicht: Lassen Sie ?baud= weg, dann findet der Server sie; einen seriellen Server stellen Sie auf die Geschwindigkeit ein, die in der Anleitung des Zählers steht."),
    "trickle": (
        "Only {rate} bytes a second arrive on {port}; a meter sends far more.",
        "This is stray light: put the head straight on the infrared window, cable down, and shade it.",
        "An {port} kommen nur {rate} Bytes pro Sekunde an; ein Zähler sendet weit mehr.",
        "Das ist Streulicht: Setzen Sie den Lesekopf mit dem Kabel nach unten gerade auf das Infrarotfenster und schirmen Sie ihn ab."),
    "no_pause": (
        "{rate} bytes a second arrive on {port} without a pause, and no telegram begins; a meter pauses between its telegrams.",
        "Shade the head from lamps and from other heads; if that does not help, check the wiring, and whether this is the head's port.",
        "An {port} kommen ohne Pause {rate} Bytes pro Sekunde an, und kein Telegramm beginnt; ein Zähler macht zwischen den Telegrammen Pause.",
        "Schirmen Sie den Lesekopf gegen Lampenlicht und das Licht anderer Leseköpfe ab; hilft das nicht, prüfen Sie die Verdrahtung und ob dies der Anschluss des Lesekopfs ist."),
    "noise": (
        "Bytes arrive on {port} ({bytes}), but no telegram begins.",
        "Put the head straight on the infrared window, cable down; use a P1 cable with an inverter. If that does not help, the speed is wrong (leave out ?baud=, and the server finds it; check the settings of a serial server), or the meter speaks a protocol that is not read.",
        "An {port} kommen Bytes an ({bytes}), aber kein Telegramm beginnt.",
        "Setzen Sie den Lesekopf mit dem Kabel nach unten gerade auf das Infrarotfenster; verwenden Sie ein P1-Kabel mit Inverter. Hilft das nicht, stimmt die Geschwindigkeit nicht (lassen Sie ?baud= weg, dann findet der Server sie; prüfen Sie die Einstellungen eines seriellen Servers), oder der Zähler spricht ein Protokoll, das nicht gelesen wird."),
    "noise_searching": (
        "Bytes arrive on {port} ({bytes}), but no telegram begins so far; the server is now trying {line}.",
        "Wait a minute: the server tries one speed after another. If that does not help, put the head straight on the infrared window, cable down, and use a P1 cable with an inverter. The server does not ask where bytes arrive: if the meter waits for a request (MT171, MT174, ME162), write {port}?protocol=d0 as its address.",
        "An {port} kommen Bytes an ({bytes}), aber noch beginnt kein Telegramm; der Server versucht es gerade mit {line}.",
        "Warten Sie eine Minute: Der Server probiert eine Geschwindigkeit nach der anderen. Hilft das nicht, setzen Sie den Lesekopf mit dem Kabel nach unten gerade auf das Infrarotfenster und verwenden Sie ein P1-Kabel mit Inverter. Wo Bytes ankommen, fragt der Server nicht an: Wartet der Zähler auf eine Anfrage (MT171, MT174, ME162), tragen Sie als Adresse {port}?protocol=d0 ein."),
    # --- protocol ---
    "mbus": (
        "The device on {port} speaks M-Bus, but not the DLMS of an electricity meter.",
        "Connect the customer interface of the electricity meter; other M-Bus meters are not read.",
        "Das Gerät an {port} spricht M-Bus, aber nicht das DLMS eines Stromzählers.",
        "Schließen Sie die Kundenschnittstelle des Stromzählers an; andere M-Bus-Zähler werden nicht gelesen."),
    "amis": (
        "The meter on {port} is a Siemens AMIS, whose own M-Bus protocol is not read.",
        "Use a reader for AMIS meters, or ask your grid operator when the meter will be replaced.",
        "Der Zähler an {port} ist ein Siemens AMIS, dessen eigenes M-Bus-Protokoll nicht gelesen wird.",
        "Nehmen Sie ein Leseprogramm für AMIS-Zähler oder fragen Sie Ihren Netzbetreiber, wann der Zähler getauscht wird."),
}
# fmt: on
