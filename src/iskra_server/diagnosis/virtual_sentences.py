"""Sentences about virtual meters: why one has no current power, and what is worth knowing.

fault: sentence, next step, Satz, nächster Schritt
"""

# fmt: off
SENTENCES: dict[str, tuple[str, str, str, str]] = {
    "part_unknown": (
        "No meter {meter} is being read.",
        "Check plus and minus in [[virtual]]: name, number or server id of a meter, as in [[meters]] or on its label.",
        "Es wird kein Zähler {meter} gelesen.",
        "Prüfen Sie plus und minus in [[virtual]]: Name, Nummer oder Server-ID eines Zählers, wie in [[meters]] oder auf dem Typenschild."),
    "part_twice": (
        "{name} and {other} are the same meter: {meter}.",
        "Name each meter once in [[virtual]]; with two heads, check which one reads which meter.",
        "{name} und {other} sind derselbe Zähler: {meter}.",
        "Nennen Sie jeden Zähler in [[virtual]] nur einmal; prüfen Sie bei zwei Leseköpfen, welcher welchen Zähler liest."),
    "part_stale": (
        "Meter {meter} has sent nothing for more than {seconds} s.",
        "The power is shown as soon as all meters send; if they send more rarely, raise stale_after_s in [[virtual]].",
        "Zähler {meter} hat seit mehr als {seconds} s nichts gesendet.",
        "Die Leistung erscheint, sobald alle Zähler senden; senden sie seltener, erhöhen Sie stale_after_s in [[virtual]]."),
    "part_no_power": (
        "Meter {meter} sends no power, so the virtual meter has none.",
        "If the meter is locked, unlock it; its energy is computed from the meter readings all the same.",
        "Zähler {meter} sendet keine Leistung; darum hat auch der virtuelle Zähler keine.",
        "Ist der Zähler gesperrt, schalten Sie ihn frei; die Energie wird trotzdem aus den Zählerständen berechnet."),
    "part_is_coarse": (
        "Meter {meter} sends whole kWh: the energy of 15 minutes or an hour is too coarse for a difference.",
        "If the meter is locked, unlock it with its PIN; over months the difference is right to a kWh.",
        "Zähler {meter} sendet nur ganze kWh: Für eine Differenz ist die Energie einer Viertelstunde oder Stunde zu grob.",
        "Ist der Zähler gesperrt, schalten Sie ihn mit der PIN frei; über Monate stimmt die Differenz auf eine kWh."),
    "name_taken": (
        "A meter that is being read has the name {name} of this virtual meter as its number.",
        "Give the virtual meter another name in [[virtual]].",
        "Ein Zähler, der gelesen wird, hat den Namen {name} dieses virtuellen Zählers als Nummer.",
        "Geben Sie dem virtuellen Zähler in [[virtual]] einen anderen Namen."),
    "virtual_well": ("The power of all its meters is current.", "", "Die Leistung aller seiner Zähler ist aktuell.", ""),
}
# fmt: on
