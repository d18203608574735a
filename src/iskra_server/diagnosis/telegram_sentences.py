"""Sentences about telegrams: damaged ones, and those that cannot be read.

fault: sentence, next step, Satz, nächster Schritt
"""

# fmt: off
SENTENCES: dict[str, tuple[str, str, str, str]] = {
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
    "p1": (
        "P1 telegrams arrive on {port}, but none is valid.",
        "Bytes get lost or changed: use a shorter or shielded cable, and plug in its adapter without a hub.",
        "An {port} kommen P1-Telegramme an, aber keines ist gültig.",
        "Unterwegs gehen Bytes verloren oder werden verfälscht: Verwenden Sie ein kürzeres oder geschirmtes Kabel und stecken Sie den Adapter ohne Hub ein."),
    "d0": (
        "The text of a D0 meter arrives on {port}, but no readout is complete and valid.",
        "Move the head millimetre by millimetre, cable down. A long list takes several minutes at 300 baud: then wait.",
        "An {port} kommt der Text eines D0-Zählers an, aber keine Auslesung ist vollständig und gültig.",
        "Verschieben Sie den Lesekopf millimeterweise (Kabel nach unten). Eine lange Liste dauert mit 300 Baud mehrere Minuten: Warten Sie dann."),
    "first_readout": (
        "The first readout of the meter on {port} is arriving.",
        "Wait: a long list takes more than five minutes at 300 baud.",
        "Die erste Auslesung des Zählers an {port} kommt gerade an.",
        "Warten Sie: Mit 300 Baud dauert eine lange Liste über fünf Minuten."),
    "answers_damaged": (
        "The meter on {port} answers, but its readout arrives damaged ({line}).",
        "Move the head millimetre by millimetre, cable down. The server tries other pauses and lower speeds by itself, down to 300 baud.",
        "Der Zähler an {port} antwortet, aber seine Auslesung kommt beschädigt an ({line}).",
        "Verschieben Sie den Lesekopf millimeterweise (Kabel nach unten). Der Server probiert von selbst andere Pausen und niedrigere Geschwindigkeiten, bis hinunter zu 300 Baud."),
    "dlms": (
        "DLMS telegrams arrive on {port}, but none is valid.",
        "Check the cable, or the position of the head. A serial server must have the right format: 8E1 at 2400 baud with most meters, otherwise 8N1.",
        "An {port} kommen DLMS-Telegramme an, aber keines ist gültig.",
        "Prüfen Sie das Kabel oder den Sitz des Lesekopfs. Ein serieller Server braucht das richtige Format: bei 2400 Baud meist 8E1, sonst 8N1."),
    # --- checksums ---
    "checksums": (
        "Only {percent} % of the telegrams are valid.",
        "Move the head millimetre by millimetre, cable down, until the share rises (iskra-server align); keep lamps and the light of a second head away, or try another cable.",
        "Nur {percent} % der Telegramme sind gültig.",
        "Verschieben Sie den Lesekopf millimeterweise (Kabel nach unten), bis der Anteil steigt (iskra-server align); halten Sie Lampen und das Licht eines zweiten Lesekopfs fern oder probieren Sie ein anderes Kabel."),
    "checksums_cable": (
        "Only {percent} % of the telegrams are valid.",
        "Bytes get changed on the way: use a shorter or shielded cable, keep it away from mains cables, and plug in its adapter without a hub.",
        "Nur {percent} % der Telegramme sind gültig.",
        "Unterwegs werden Bytes verfälscht: Verwenden Sie ein kürzeres oder geschirmtes Kabel, verlegen Sie es nicht neben Stromleitungen und stecken Sie den Adapter ohne Hub ein."),
    "cut": (
        "Only {percent} % of the telegrams are valid; most of the others are cut off.",
        "Bytes get lost on the way: try another cable, plug in the head or adapter without a hub, and check the serial server.",
        "Nur {percent} % der Telegramme sind gültig; die meisten anderen sind abgeschnitten.",
        "Unterwegs gehen Bytes verloren: Probieren Sie ein anderes Kabel, stecken Sie den Lesekopf oder Adapter ohne Hub ein und prüfen Sie den seriellen Server."),
    "overrun": (
        "Only {percent} % of the telegrams are valid: the adapter or this computer lost bytes {count} times within five minutes.",
        "Plug in the head or adapter without a hub, reduce the load of the computer, or use another adapter; the position of a head is not the cause.",
        "Nur {percent} % der Telegramme sind gültig: Der Adapter oder dieser Rechner hat in fünf Minuten {count}-mal Bytes verloren.",
        "Stecken Sie den Lesekopf oder Adapter ohne Hub ein, entlasten Sie den Rechner oder verwenden Sie einen anderen Adapter; am Sitz eines Lesekopfs liegt es nicht."),
    # --- values ---
    "no_values": (
        "Telegrams arrive, but none with a reading yet.",
        "Wait for the next telegrams.",
        "Telegramme kommen an, aber noch keines mit einem Zählerstand.",
        "Warten Sie auf die nächsten Telegramme."),
    "held_back": (
        "The meter reading jumped; readings are held back as implausible until they are consistent for five minutes.",
        "Wait five minutes; if that does not help, check that only one meter is read here.",
        "Der Zählerstand ist gesprungen; Werte werden als unplausibel zurückgehalten, bis sie fünf Minuten lang zueinander passen.",
        "Warten Sie fünf Minuten; hilft das nicht, prüfen Sie, ob hier nur ein Zähler gelesen wird."),
    "encrypted": (
        "Meter {meter} sends encrypted telegrams, and no key is set.",
        "Ask your grid operator for the key and set it as meters.key. In Austria you find it in the operator's web portal (Wiener Netze, Netz NÖ, TINETZ, Salzburg Netz, VKW) or in a letter (KNG); in Switzerland you get it on request.",
        "Zähler {meter} sendet verschlüsselte Telegramme, und es ist kein Schlüssel eingetragen.",
        "Fragen Sie Ihren Netzbetreiber nach dem Schlüssel und tragen Sie ihn als meters.key ein. In Österreich steht er im Kundenportal des Netzbetreibers (Wiener Netze, Netz NÖ, TINETZ, Salzburg Netz, VKW) oder in einem Brief (KNG); in der Schweiz bekommen Sie ihn auf Anfrage."),
    "untitled": (
        "Meter {meter} sends encrypted telegrams without its system title, which is needed beside the key.",
        "Ask your grid operator for the system title (16 hex digits) and set it as meters.system_title.",
        "Zähler {meter} sendet verschlüsselte Telegramme ohne seinen System-Title, der neben dem Schlüssel nötig ist.",
        "Fragen Sie Ihren Netzbetreiber nach dem System-Title (16 Hexziffern) und tragen Sie ihn als meters.system_title ein."),
    "wrong_key": (
        "The key in meters.key does not decipher the telegrams of meter {meter}.",
        "Compare it with what your grid operator sent (encryption key, GUEK: 32 hex digits), and check that it belongs to this meter. After a meter was replaced, the key is another one.",
        "Der Schlüssel in meters.key passt nicht zu den Telegrammen von Zähler {meter}.",
        "Vergleichen Sie ihn mit der Angabe Ihres Netzbetreibers (Schlüssel GUEK: 32 Hexziffern) und prüfen Sie, ob er zu diesem Zähler gehört. Nach einem Zählertausch gilt ein anderer Schlüssel."),
    "not_authentic": (
        "The telegrams of meter {meter} do not match the key in meters.auth_key.",
        "Compare it with what your grid operator sent (authentication key, GAK). If it is right, somebody else sends on this line.",
        "Die Telegramme von Zähler {meter} passen nicht zum Schlüssel in meters.auth_key.",
        "Vergleichen Sie ihn mit der Angabe Ihres Netzbetreibers (Schlüssel GAK). Stimmt er, sendet jemand anderes auf dieser Leitung."),
    "untagged": (
        "Telegrams in the name of meter {meter} have no tag any more, so nothing proves that they come from it.",
        "Check what sends on this line. If the grid operator has changed how the meter sends, restart the server.",
        "Telegramme im Namen von Zähler {meter} enthalten keinen Echtheitsnachweis (Tag) mehr; ob sie von ihm stammen, ist unklar.",
        "Prüfen Sie, was auf dieser Leitung sendet. Hat der Netzbetreiber den Zähler umgestellt, starten Sie den Server neu."),
    "replayed": (
        "Telegrams of meter {meter} with an old frame counter are refused, because they may be a recording.",
        "If the meter was restarted or has a new key, wait: after three telegrams with rising frame counters it is read again. Otherwise check what sends on this line.",
        "Telegramme von Zähler {meter} mit einer alten laufenden Nummer werden abgewiesen: Es könnten Aufzeichnungen sein.",
        "Wurde der Zähler neu gestartet oder hat er einen neuen Schlüssel, warten Sie: Nach drei Telegrammen mit steigender Nummer wird er wieder gelesen. Prüfen Sie sonst, was auf dieser Leitung sendet."),
    "layout": (
        "Meter {meter} sends a list of {count} values that no description fits, so none of them is used.",
        "Send a support bundle with a bug report (iskra-server support-bundle), or describe the list in a file of your own and set it as meters.layouts; docs/meters.md shows how.",
        "Zähler {meter} sendet eine Liste mit {count} Werten, zu der keine Beschreibung passt; deshalb wird keiner davon verwendet.",
        "Melden Sie den Fehler und hängen Sie die Datei von iskra-server support-bundle an. Oder beschreiben Sie die Liste selbst und tragen Sie die Datei als meters.layouts ein; docs/meters.md zeigt, wie."),
}
# fmt: on
