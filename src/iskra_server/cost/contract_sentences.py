"""What is wrong with contracts, offers and [prices], or probably not meant: English and German, as tables.

fault: sentence, Satz
"""

from iskra_server.base.language import Bilingual, in_both
from iskra_server.config.findings import ConfigError, Finding, warning

# fmt: off
_MISTAKES: dict[str, Bilingual] = {
    "currencies": (
        "contracts.currency must be the same in all contracts, not {names}.",
        "contracts.currency muss in allen Verträgen gleich sein, nicht {names}."),
    "begins_years": (
        "{key} is {begins}; it must lie in the years {years}.",
        "{key} ist {begins}; erlaubt sind die Jahre {years}."),
    "begin_together": (
        "Two contracts begin on {begins}; give each its own day in contracts.begins.",
        "Zwei Verträge beginnen am {begins}; geben Sie jedem mit contracts.begins seinen eigenen Tag."),
    "offer_name": (
        "{key} is missing; an offer is compared under its name.",
        "{key} fehlt; ein Angebot wird unter seinem Namen verglichen."),
    "offer_name_used": (
        "{key} is '{name}', which is used before; give it its own name.",
        "{key} ist '{name}'; dieser Name ist schon vergeben. Geben Sie dem Angebot einen eigenen."),
    "spot_currency": (
        "{path} needs spot prices, which are in {currency}; contracts.currency is {other}.",
        "{path} braucht Börsenpreise, und die gibt es in {currency}; contracts.currency ist {other}."),
    "instalment_day": (
        "{key} must be a day such as 2026-07-01, from the first day of the contract on, with an amount from 0 on.",
        "{key} muss ein Tag wie 2026-07-01 sein, frühestens der erste des Vertrags, mit einem Betrag ab 0."),
    "feed_in_twice": (
        "{path}.feed_in is set as a number and as a table; keep one.",
        "{path}.feed_in ist als Zahl und als Tabelle angegeben; behalten Sie eines davon."),
    "no_energy": (
        "{path} has a grid fee or levies, but no price of energy; add the table [{table}].",
        "{path} hat ein Netzentgelt oder Abgaben, aber keinen Arbeitspreis; ergänzen Sie die Tabelle [{table}]."),
    "gross_and_net": (
        "{path} has energy_price, a gross price, and {other}, which belongs to net prices; keep one of them.",
        "{path} hat energy_price, einen Bruttopreis, und {other}, was zu Nettopreisen gehört; behalten Sie eines davon."),
    "unpaid_zone": (
        "{path}.unpaid_when_negative needs {path}.zone, such as DE-LU.",
        "{path}.unpaid_when_negative braucht {path}.zone, etwa DE-LU."),
    "other_kind": (
        "{key} is for kind = {kind}; here kind is {own}. Change the kind, or remove it.",
        "{key} gehört zu kind = {kind}; hier ist kind {own}. Ändern Sie kind, oder entfernen Sie den Schlüssel."),
    "no_zone": (
        "{path}.zone is missing; a spot price needs its zone, such as DE-LU.",
        "{path}.zone fehlt; zu einem Börsenpreis gehört die Gebotszone, etwa DE-LU."),
    "no_registers": (
        '{path} is empty; name each register with its price, such as "1.8.1" = 0.21.',
        '{path} ist leer; nennen Sie jedes Register mit seinem Preis, etwa "1.8.1" = 0.21.'),
    "no_register": (
        "{key} is no tariff register of import, such as 1.8.1.",
        "{key} ist kein Tarifregister für den Bezug, wie 1.8.1 eines ist."),
    "same_registers": (
        "{path}.energy.prices and {path}.grid.prices must name the same registers.",
        "{path}.energy.prices und {path}.grid.prices müssen dieselben Register nennen."),
    "register_and_clock": (
        "{key} must be fixed or registers, as the other part goes by register.",
        "{key} muss fixed oder registers sein, denn der andere Teil richtet sich nach den Registern."),
    "no_windows": (
        "{path} is empty; kind = windows needs at least one window.",
        "{path} ist leer; kind = windows braucht mindestens ein Zeitfenster."),
    "many_windows": (
        "{path} has {count} windows; at most {most} are allowed.",
        "{path} hat {count} Zeitfenster; erlaubt sind höchstens {most}."),
    "overlap": (
        "The windows '{first}' and '{second}' in {path} overlap; change from, to, days or months of one of them.",
        "Die Zeitfenster '{first}' und '{second}' in {path} überschneiden sich; ändern Sie from, to, days oder months bei einem davon."),
    "no_length": (
        "{path} begins at {begin} and ends at {end}; write 00:00 and 24:00 for a whole day.",
        "{path} beginnt um {begin} und endet um {end}; für einen ganzen Tag schreiben Sie 00:00 und 24:00."),
    "prices_history": (
        "Spot prices of {zone} need history.enabled: they are stored there. Set it to true, or remove prices.zone and the contracts that need spot prices.",
        "Börsenpreise für {zone} brauchen history.enabled: Dort werden sie gespeichert. Setzen Sie es auf true, oder entfernen Sie prices.zone und die Verträge, die Börsenpreise brauchen."),
    "no_source": (
        "Spot prices need a source; remove one of the empty addresses from [prices].",
        "Börsenpreise brauchen eine Quelle; entfernen Sie eine der leeren Adressen aus [prices]."),
    "no_spot_zone": (
        "'{zone}' is not a zone whose spot prices a source has; known are {known}. Correct the zone: in prices.zone, in the contract or after --zone.",
        "'{zone}' ist keine Gebotszone, für die eine Quelle Börsenpreise hat; bekannt sind {known}. Korrigieren Sie die Gebotszone: in prices.zone, im Vertrag oder nach --zone."),
    "price_address": (
        "{key} is '{address}'; it must be an address such as https://example.org/prices.",
        "{key} ist '{address}'; es muss eine Adresse wie https://example.org/prices sein."),
    "must_be": (
        "{key} must be {expected}, not '{text}'.",
        "{key} muss {expected} sein, nicht '{text}'."),
}

_DOUBTS: dict[str, Bilingual] = {
    "later_begin": (
        "{key} is {begins}, and no contract begins before: until then nothing has a cost.",
        "{key} ist {begins}, und kein Vertrag beginnt früher: Bis dahin hat nichts einen Preis."),
    "no_begin": (
        "{key} is missing: the contract counts from the first reading in history on. Add its first day.",
        "{key} fehlt: Der Vertrag zählt ab dem ersten Wert in der Historie. Ergänzen Sie seinen ersten Tag."),
    "unknown_meter": (
        "{key} is '{meter}', which this server does not read: the contract counts for no meter. Known are {known}.",
        "{key} ist '{meter}'; diesen Zähler liest dieser Server nicht: Der Vertrag gilt für keinen Zähler. Bekannt sind {known}."),
    "production_meter": (
        "{key} is '{meter}', whose role is production: electricity is bought through the meter at the grid. Keep it only if all that the plant produces is sold.",
        "{key} ist '{meter}', ein Zähler mit role = production: Strom gekauft wird über den Zähler am Netz. Behalten Sie den Eintrag nur, wenn alles verkauft wird, was die Anlage erzeugt."),
    "unknown_zone": (
        "{path} has the zone '{zone}', which no source has, only prices.file; Germany is DE-LU.",
        "{path} hat die Gebotszone '{zone}', die keine Quelle kennt, nur prices.file; für Deutschland ist es DE-LU."),
    "no_vat": (
        "{key} is 0: the prices of {path} count as gross. Set it if they are net.",
        "{key} ist 0: Die Preise von {path} zählen als brutto. Geben Sie ihn an, wenn es Nettopreise sind."),
    "old_levies": (
        "{key} has no table for {year}; the levies of {last} go on. Add the new ones.",
        "{key} hat keine Tabelle für {year}; es gelten weiter die Abgaben von {last}. Ergänzen Sie die neuen."),
    "cents": (
        "{key} is {price} {currency} for one kWh; if these are cents, write {other}.",
        "{key} ist {price} {currency} für eine kWh; sind das Cent, schreiben Sie {other}."),
    "decimals": (
        "{key} is {price} {currency} for one kWh; check the decimal places.",
        "{key} ist {price} {currency} für eine kWh; prüfen Sie die Kommastellen."),
    "percent": (
        "{key} is {percent} percent; if you mean {other} %, write {other}.",
        "{key} ist {percent} Prozent; meinen Sie {other} %, schreiben Sie {other}."),
    "no_price": (
        "{key} is missing: a kWh costs nothing. Add it, or the table [{section}.energy].",
        "{key} fehlt: Eine kWh kostet nichts. Ergänzen Sie den Preis oder die Tabelle [{section}.energy]."),
    "no_energy_price": (
        "{key} is missing: the energy costs nothing. Add the price of a kWh.",
        "{key} fehlt: Die Energie kostet nichts. Ergänzen Sie den Preis einer kWh."),
    "no_default": (
        "{key} is missing: a kWh outside of the windows costs nothing. Add its price.",
        "{key} fehlt: Eine kWh außerhalb der Zeitfenster kostet nichts. Ergänzen Sie ihren Preis."),
    "high_fee": (
        "{key} is {amount} {currency} per {per}; check the amount, and {key}_per: month or year.",
        "{key} ist {amount} {currency} je {per}; prüfen Sie den Betrag und {key}_per: month (Monat) oder year (Jahr)."),
    "high_instalment": (
        "{key} is {amount} {currency} per month; check whether that is the amount of a year.",
        "{key} ist {amount} {currency} im Monat; prüfen Sie, ob das der Betrag eines Jahres ist."),
    "no_credit": (
        "{key} is missing: module 1 is a credit per year, and module 3 needs it.",
        "{key} fehlt: Modul 1 ist eine jährliche Gutschrift, und Modul 3 setzt sie voraus."),
    "module_windows": (
        "{key} = 3 needs kind = windows with the windows HT and NT.",
        "{key} = 3 braucht kind = windows mit den Zeitfenstern HT und NT."),
    "module_steps": (
        "{key} = 3 has three steps: one price above the default (HT) and one below it (NT).",
        "{key} = 3 hat drei Stufen: einen Preis über dem Standardtarif (HT) und einen darunter (NT)."),
    "module_high": (
        "{key} = 3: HT is at most twice the default price (ST), {highest}.",
        "{key} = 3: HT ist höchstens das Doppelte des Standardtarifs (ST), {highest}."),
    "module_low": (
        "{key} = 3: NT is 10 to 40 % of the default price (ST), {lowest} to {highest}.",
        "{key} = 3: NT beträgt 10 bis 40 % des Standardtarifs (ST), {lowest} bis {highest}."),
    "module_hours": (
        "{key} = 3: HT applies for at least two hours on each day of its months.",
        "{key} = 3: HT gilt an jedem Tag seiner Monate mindestens zwei Stunden."),
    "module_quarters": (
        "{key} = 3: the windows apply in at least two quarters of the year, such as months 1-3,10-12.",
        "{key} = 3: Die Zeitfenster gelten in mindestens zwei Quartalen des Jahres, etwa in den Monaten 1-3,10-12."),
}
# fmt: on
PERS: dict[str, Bilingual] = {"month": ("month", "Monat"), "year": ("year", "Jahr")}


def mistake(fault: str, key: str = "", expected: str | Bilingual = "", **details: object) -> ConfigError:
    return ConfigError(in_both(_MISTAKES[fault], key=key, expected=expected, **details), key, expected)


def doubt(fault: str, key: str, **details: object) -> Finding:
    """A warning."""
    return warning(key, in_both(_DOUBTS[fault], key=key, **details))
