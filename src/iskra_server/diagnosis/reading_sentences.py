"""Sentences about readings: locked, old or implausible.

fault: sentence, next step, Satz, nächster Schritt
"""

# fmt: off
SENTENCES: dict[str, tuple[str, str, str, str]] = {
    # --- unlocked ---
    "locked": (
        "The meter sends whole kWh and no power because it is locked.",
        "Enter the PIN from your grid operator at the meter and turn on InF.",
        "Der Zähler sendet nur ganze kWh und keine Leistung, weil er gesperrt ist.",
        "Geben Sie die PIN Ihres Netzbetreibers am Zähler ein und schalten Sie InF ein."),
    "relocked": (
        "The meter was unlocked and locked itself again at {time}: since then it sends whole kWh and no power.",
        "Enter the PIN again and turn on InF, which keeps the meter unlocked.",
        "Der Zähler war freigeschaltet und hat sich um {time} wieder gesperrt: Seitdem sendet er nur ganze kWh und keine Leistung.",
        "Geben Sie die PIN noch einmal ein und schalten Sie InF ein, damit er freigeschaltet bleibt."),
    "inf_off": (
        "The power value disappeared {seconds} s after the PIN was entered: InF is off.",
        "Enter the PIN again, go on to InF and shine the light for five seconds until it shows on.",
        "Die Leistung ist {seconds} s nach Eingabe der PIN verschwunden: InF ist aus.",
        "Geben Sie die PIN noch einmal ein, gehen Sie weiter zu InF und leuchten Sie fünf Sekunden, bis „on“ erscheint."),
    # --- fresh ---
    "stale": (
        "The last reading is {seconds} s old.",
        "Check that the head still sits on the meter, or that the cable is still plugged in.",
        "Der letzte Wert ist {seconds} s alt.",
        "Prüfen Sie, ob der Lesekopf noch auf dem Zähler sitzt oder das Kabel noch steckt."),
    "rare": (
        "A telegram arrives every {seconds} s, but a reading is stale after {limit} s.",
        "Set meters.stale_after_s to twice the time between two telegrams, or more.",
        "Alle {seconds} s kommt ein Telegramm an, aber ein Wert gilt nach {limit} s als veraltet.",
        "Setzen Sie meters.stale_after_s auf mindestens das Doppelte der Zeit zwischen zwei Telegrammen."),
    # --- plausible ---
    "went_back": (
        "Readings are held back: {register} went back from {before} to {value}.",
        "If the counter was reset or meters.factor was changed, wait: readings that are consistent for five minutes are accepted. Otherwise check that only one meter is read here.",
        "Werte werden zurückgehalten: {register} ging von {before} auf {value} zurück.",
        "Wurde der Zähler zurückgesetzt oder meters.factor geändert, warten Sie: Werte, die fünf Minuten lang zueinander passen, werden übernommen. Prüfen Sie sonst, ob hier nur ein Zähler gelesen wird."),
    "jumped": (
        "Readings are held back: {register} jumped from {before} to {value} within {seconds} s.",
        "If meters.factor was changed, wait five minutes. If the house connection can carry that much power, raise meters.max_power_w; otherwise check that only one meter is read here.",
        "Werte werden zurückgehalten: {register} sprang innerhalb von {seconds} s von {before} auf {value}.",
        "Wurde meters.factor geändert, warten Sie fünf Minuten. Kann der Hausanschluss so viel Leistung liefern, erhöhen Sie meters.max_power_w; prüfen Sie sonst, ob hier nur ein Zähler gelesen wird."),
    "beyond_rating": (
        "{register} is held back: it shows {value}, more than the connection can carry in 50 years.",
        "If the house connection can carry that much power, raise meters.max_power_w; otherwise record what the meter sends (iskra-server record --mask) and report it.",
        "{register} wird zurückgehalten: {value} ist mehr, als der Hausanschluss in 50 Jahren liefern kann.",
        "Kann der Hausanschluss so viel Leistung liefern, erhöhen Sie meters.max_power_w; zeichnen Sie sonst auf, was der Zähler sendet (iskra-server record --mask), und melden Sie es."),
    "below_zero": (
        "{register} is held back: it shows {value}, but a counter is never below 0.",
        "Record what the meter sends (iskra-server record --mask) and report it.",
        "{register} wird zurückgehalten: {value} ist kleiner als 0; das kann kein Zählwerk zeigen.",
        "Zeichnen Sie auf, was der Zähler sendet (iskra-server record --mask), und melden Sie es."),
}
# fmt: on
