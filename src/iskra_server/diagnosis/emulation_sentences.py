"""Sentences about emulated devices: why nothing follows them, or what must not be followed.

fault: sentence, next step, Satz, nächster Schritt
"""

# fmt: off
SENTENCES: dict[str, tuple[str, str, str, str]] = {
    "nothing_asks": (
        "Nothing has asked for {minutes} minutes.",
        "Choose this device in the app of the battery. Battery and server must be in the same network; broadcast is blocked by some access points and in guest networks.",
        "Seit {minutes} Minuten hat niemand gefragt.",
        "Wählen Sie dieses Gerät in der App des Speichers aus. Speicher und Server müssen im selben Netz sein; manche Access Points und Gastnetze blockieren Broadcasts."),
    "modbus_alone": (
        "Sigenstor looks for the Shelly by mDNS and HTTP before it asks by Modbus, and outputs.shelly_pro_3em is off.",
        "Set outputs.shelly_pro_3em.enabled = true as well; a program that is given this address and port does not need it.",
        "Sigenstor sucht den Shelly per mDNS und HTTP, bevor es per Modbus fragt, und outputs.shelly_pro_3em ist aus.",
        "Setzen Sie auch outputs.shelly_pro_3em.enabled = true; ein Programm, dem Adresse und Port angegeben werden, braucht es nicht."),
    "shows_no_meter": (
        "Nothing is shown, because the meter that is to be shown is not read; others are.",
        "Set outputs.emulation.meter to the number or name of a meter that is read, or leave it out.",
        "Es wird nichts gezeigt, weil der Zähler, der gezeigt werden soll, nicht gelesen wird; andere werden gelesen.",
        "Setzen Sie outputs.emulation.meter auf Nummer oder Namen eines Zählers, der gelesen wird, oder lassen Sie es weg."),
    "shows_no_power": (
        "Nothing is shown, because meter {meter} sends no power.",
        "If the meter is locked, enter its PIN: iskra-server unlock shows how. A meter that has no register for power cannot be followed.",
        "Es wird nichts gezeigt, weil Zähler {meter} keine Leistung sendet.",
        "Ist der Zähler gesperrt, geben Sie seine PIN ein: iskra-server unlock zeigt, wie. Einem Zähler ohne Register für die Leistung kann kein Speicher folgen."),
    "shows_production": (
        "Meter {meter} measures a solar plant: a battery would follow its production, not the grid.",
        "Set outputs.emulation.meter to the meter at the grid, or leave it out.",
        "Zähler {meter} misst eine Solaranlage: Ein Speicher würde ihrer Erzeugung folgen, nicht dem Netz.",
        "Setzen Sie outputs.emulation.meter auf den Zähler am Netz, oder lassen Sie es weg."),
    "shows_seldom": (
        "Meter {meter} sends about every {seconds} s, but a reading is shown for {limit} s only: between two telegrams nothing is shown.",
        "Set outputs.emulation.stale_after_s to {value}.",
        "Zähler {meter} sendet etwa alle {seconds} s, ein Wert wird aber nur {limit} s lang gezeigt: Dazwischen wird nichts gezeigt.",
        "Setzen Sie outputs.emulation.stale_after_s auf {value}."),
    "shows_import_only": (
        "Meter {meter} counts import only: a battery does not see that the house exports, and discharges into the grid.",
        "Let it keep a small import of 20 to 50 W: outputs.emulation.target_w = 30.",
        "Zähler {meter} zählt nur den Bezug: Ein Speicher sieht nicht, dass das Haus einspeist, und entlädt sich ins Netz.",
        "Lassen Sie einen kleinen Bezug von 20 bis 50 W stehen: outputs.emulation.target_w = 30."),
    "shows_simulated": (
        "A simulated meter is shown: a battery would follow invented numbers.",
        "Configure the address of a real meter, or choose one with outputs.emulation.meter.",
        "Ein simulierter Zähler wird gezeigt: Ein Speicher würde erfundenen Zahlen folgen.",
        "Geben Sie die Adresse eines echten Zählers an oder wählen Sie einen mit outputs.emulation.meter."),
}
# fmt: on
