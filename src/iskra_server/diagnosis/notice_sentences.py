"""Sentences that are worth knowing while values arrive.

fault: sentence, next step, Satz, nächster Schritt
"""

# fmt: off
SENTENCES: dict[str, tuple[str, str, str, str]] = {
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
        "Meter {meter} is read on two ports: {port} and {other}.",
        "Remove one of the heads or cables, or connect it to the right meter.",
        "Zähler {meter} wird an zwei Anschlüssen gelesen: {port} und {other}.",
        "Nehmen Sie einen der Leseköpfe oder Kabel ab oder verbinden Sie ihn mit dem richtigen Zähler."),
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
    "prices_missing": (
        "Spot prices of {zone} are missing from {time} on: no source could be reached, or none has them.",
        "Check the internet connection of this computer; the log says what each source answered. They are asked again automatically; iskra-server prices fetch asks now.",
        "Ab {time} fehlen die Börsenstrompreise für {zone}: Keine Quelle war erreichbar, oder keine hat sie.",
        "Prüfen Sie die Internetverbindung dieses Rechners; was jede Quelle geantwortet hat, steht im Log. Es wird von selbst erneut versucht; sofort geht es mit iskra-server prices fetch."),
    "slow_readout": (
        "A readout of this meter takes about {seconds} s at 300 baud.",
        "The values are that old when they arrive. If the meter can send faster, put the head straight on the window: higher speeds work only if answers arrive undamaged.",
        "Eine Auslesung dieses Zählers dauert mit 300 Baud etwa {seconds} s.",
        "So alt sind die Werte, wenn sie ankommen. Kann der Zähler schneller senden, setzen Sie den Lesekopf gerade auf das Fenster: Höhere Geschwindigkeiten gelingen nur, wenn die Antworten fehlerfrei ankommen."),
    "unprotected": (
        "The telegrams of this meter have no checksum, or a weak one.",
        "Meter readings are shown only as far as a second telegram confirms them; a damaged power may be shown. A short cable avoids damage.",
        "Die Telegramme dieses Zählers haben keine oder nur eine schwache Prüfsumme.",
        "Zählerstände werden erst angezeigt, wenn ein zweites Telegramm sie bestätigt; eine verfälschte Leistung kann trotzdem angezeigt werden. Ein kurzes Kabel beugt vor."),
    "unproved": (
        "Without meters.auth_key nothing proves that the telegrams come from meter {meter}.",
        "If your grid operator gave you an authentication key (GAK), set it as meters.auth_key; otherwise there is nothing to do.",
        "Ohne meters.auth_key ist nicht bewiesen, dass die Telegramme von Zähler {meter} stammen.",
        "Hat Ihnen der Netzbetreiber einen Authentifizierungsschlüssel (GAK) gegeben, tragen Sie ihn als meters.auth_key ein; sonst ist nichts zu tun."),
    "no_tag": (
        "The telegrams of meter {meter} have no authentication tag, so there is nothing that meters.auth_key could check.",
        "Some grid operators hand out an authentication key and encrypt without a tag; there is nothing to do.",
        "Die Telegramme von Zähler {meter} enthalten keinen Echtheitsnachweis (Tag); meters.auth_key hat daher nichts zu prüfen.",
        "Manche Netzbetreiber geben einen Authentifizierungsschlüssel heraus und verschlüsseln ohne Tag; es ist nichts zu tun."),
    "whole_kwh": (
        "This meter counts in whole kWh.",
        "It is not locked: that is its resolution, as with an MT171, and no PIN changes it.",
        "Dieser Zähler zählt in ganzen kWh.",
        "Er ist nicht gesperrt: Das ist seine Auflösung, wie beim MT171; eine PIN ändert daran nichts."),
    "no_power": (
        "This meter sends no power, only meter readings.",
        "Some meters have no register for it, such as the ME162; the energy of each 15 minutes is shown all the same.",
        "Dieser Zähler sendet keine Leistung, nur Zählerstände.",
        "Manche Zähler haben dafür kein Register, etwa der ME162; die Energie jeder Viertelstunde wird trotzdem angezeigt."),
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
    "no_production": (
        "The meter of the solar plant sends no 2.8.0, which would count what the plant produces.",
        "If it is wired the other way round and counts it in 1.8.0, set meters.production_counter to import.",
        "Der Zähler der Solaranlage sendet kein 2.8.0; dort würde gezählt, was die Anlage erzeugt.",
        "Ist er andersherum angeschlossen und zählt die Erzeugung in 1.8.0, setzen Sie meters.production_counter auf import."),
    "short_capture": (
        "The capture {port} is too short to say how well the head receives (telegrams: {count}).",
        "Record for a minute: iskra-server record -o capture.bin --seconds 60.",
        "Die Aufzeichnung {port} ist zu kurz, um den Empfang zu beurteilen (Telegramme: {count}).",
        "Zeichnen Sie eine Minute lang auf: iskra-server record -o capture.bin --seconds 60."),
    "simulated": (
        "These values are simulated; no real meter is being read.",
        "To read a meter, configure the address of its head or cable.",
        "Diese Werte sind simuliert; es wird kein echter Zähler gelesen.",
        "Um einen Zähler zu lesen, geben Sie die Adresse des Lesekopfs oder Kabels an."),
    "well": ("The meter is being read.", "", "Der Zähler wird gelesen.", ""),
}
# fmt: on
