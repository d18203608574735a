"""The words of statements in English and German, and numbers and times in them: exact, nothing is rounded."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from iskra_server.base.exact_numbers import exact_number
from iskra_server.base.language import Language
from iskra_server.fleet.central.label_periods import Group
from iskra_server.fleet.central.statement_remarks import Remark, RemarkKind
from iskra_server.meter.obis import EXPORT, IMPORT, Obis
from iskra_server.meter.registers import describe

NONE = "–"
WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Energy statement",
        "group": "For",
        "period": "Period",
        "made": "Created",
        "zone": "Times are in {}",
        "sum": "Total",
        "meter": "Meter",
        "register": "Register",
        "month": "Month",
        "begin": "Reading at the beginning",
        "end": "Reading at the end",
        "energy": "Energy",
        "missing": "Missing",
        "estimated": "Estimated",
        "between": "around the beginning of a month without a reading",
        "total": "Total",
        "remarks": "To be noted",
        "counted": "Quarter-hours counted",
        "of": "{} of {}",
        "complete": "{} of {} complete",
        "no remarks": "Readings at both ends, no quarter-hour missing, nothing estimated.",
        "measured": "measured",
        "interpolated": "estimated",
        "page": "Page",
        "explain": "Missing: quarter-hours without an energy of their own; where readings before and after them "
        "are known, their energy is in the total as one sum. Estimated: quarter-hours beside a reading that was "
        "calculated from the values before and after it.",
        "legal": "The readings were taken over an interface of the meter, by a reading head or a cable. They are not "
        "for legal billing where calibration law (in Germany: Mess- und Eichgesetz) asks for values from a "
        "verified measuring chain, as it does for billing tenants and other third parties. What counts there is "
        "the reading shown by the meter itself.",
    },
    "de": {
        "title": "Energieaufstellung",
        "group": "Für",
        "period": "Zeitraum",
        "made": "Erstellt",
        "zone": "Zeiten gelten in {}",
        "sum": "Summe",
        "meter": "Zähler",
        "register": "Zählwerk",
        "month": "Monat",
        "begin": "Zählerstand zu Beginn",
        "end": "Zählerstand am Ende",
        "energy": "Energie",
        "missing": "Fehlend",
        "estimated": "Geschätzt",
        "between": "um einen Monatswechsel ohne Zählerstand",
        "total": "Summe",
        "remarks": "Zu beachten",
        "counted": "Gezählte Viertelstunden",
        "of": "{} von {}",
        "complete": "{} von {} vollständig",
        "no remarks": "Zählerstände zu Beginn und Ende bekannt, keine Viertelstunde fehlt, nichts ist geschätzt.",
        "measured": "gemessen",
        "interpolated": "geschätzt",
        "page": "Seite",
        "explain": "Fehlend: Viertelstunden ohne eigenen Energiewert. Sind die Zählerstände davor und danach "
        "bekannt, ist ihre Energie als eine Summe in der Gesamtsumme enthalten. Geschätzt: Viertelstunden neben "
        "einem Zählerstand, der aus den Werten davor und danach berechnet wurde.",
        "legal": "Die Zählerstände wurden über eine Schnittstelle des Zählers ausgelesen, mit einem Lesekopf oder "
        "einem Kabel. Wo das Eichrecht (Mess- und Eichgesetz, Mess- und Eichverordnung) geeichte Messwerte "
        "verlangt, etwa bei der Abrechnung gegenüber Mietern und anderen Dritten, dürfen sie nicht als Grundlage "
        "der Abrechnung dienen. Maßgeblich ist dort der am Zähler angezeigte Stand.",
    },
}
_REGISTERS: dict[Language, dict[Obis, str]] = {
    "en": {IMPORT: "from grid (1.8.0)", EXPORT: "to grid (2.8.0)"},
    "de": {IMPORT: "Bezug (1.8.0)", EXPORT: "Einspeisung (2.8.0)"},
}
_SENTENCES: dict[Language, dict[RemarkKind, str]] = {
    "en": {
        "open": "The period is not over: it ends on {end}.",
        "future": "The period has not begun yet.",
        "no_meter": "No meter belonged to this group in this period.",
        "no_register": "Nothing of this meter has been stored yet.",
        "other_registers": "This meter has no counter of all that comes from the grid or goes to it (1.8.0, 2.8.0): "
        "nothing of it is in this statement. What it counts: {registers}.",
        "no_reading": "From {begin} to {end} there is no reading: no energy is known.",
        "late_begin": "There is no reading from the beginning, {begin}, until {end}: the energy of this time is "
        "not counted.",
        "early_end": "There is no reading after {begin} until the end, {end}: the energy of this time is not counted.",
        "open_gap": "From {begin} to {end}, partly outside the time counted, only the sum is known. It is in no total.",
        "gap": "From {begin} to {end} only the sum is known: {energy} in {count} quarter-hours. It is in the total.",
        "more_gaps": "More gaps of which only the sum is known: {count}. They are in the total.",
        "estimated": "Estimated: {count} of {of} quarter-hours ({share}).",
        "replaced": "On {begin} meter {name} was replaced by {other}: last reading {energy}, first reading of "
        "the new meter {after}. What was used between these two is not counted.",
        "restarted": "On {begin} the counter restarted: last reading before {energy}, first after {after}. What "
        "was used between these two is not counted.",
        "conflict": "At {begin} ({register}) the reader {name} sent {energy}, but {after} was stored before "
        "(reader {other}). The stored value counts.",
        "not_stored": "At {begin} ({register}) the reader {name} sent {energy}. It was not stored, because the "
        "meter belongs to another reader, or because its counter would have gone back.",
        "more_conflicts": "More values that differ from the stored ones: {count}.",
        "refused": "Messages about this meter that the central server refused: {count}, the last on {end}. What "
        "they held may be missing here; the reader keeps it.",
        "refused_unread": "Messages of the reader {name} that the central server refused because they cannot be "
        "read: {count}, the last on {end}. They may be about this meter.",
        "silent": "The reader {name} has sent nothing of this meter since {begin}. Quarter-hours may still be "
        "waiting there.",
        "reader_problem": "The reader {name} reports a problem; `iskra-server fleet readers` says which.",
        "waiting": "The reader {name} reports quarter-hours that the central server has not stored: {count} wait, "
        "{of} were refused, the oldest from {begin}. They may be of this meter.",
        "clock": "The clock of the reader {name} is {ahead}: its readings were taken by so much {early}.",
        "set_aside": "Values with an impossible time that were set aside and are not counted: {count}.",
        "simulated": "SIMULATED: these are not the readings of a real meter.",
    },
    "de": {
        "open": "Der Zeitraum ist noch nicht zu Ende: Er endet am {end}.",
        "future": "Der Zeitraum hat noch nicht begonnen.",
        "no_meter": "Zu dieser Gruppe gehörte in diesem Zeitraum kein Zähler.",
        "no_register": "Von diesem Zähler ist noch nichts gespeichert.",
        "other_registers": "Dieser Zähler hat kein Zählwerk für den ganzen Bezug oder die ganze Einspeisung (1.8.0, "
        "2.8.0): Nichts von ihm steht in dieser Aufstellung. Er zählt: {registers}.",
        "no_reading": "Von {begin} bis {end} gibt es keinen Zählerstand: Die Energie ist nicht bekannt.",
        "late_begin": "Vom Beginn, {begin}, bis {end} gibt es keinen Zählerstand: Die Energie dieser Zeit ist "
        "nicht gezählt.",
        "early_end": "Nach {begin} gibt es bis zum Ende, {end}, keinen Zählerstand: Die Energie dieser Zeit ist "
        "nicht gezählt.",
        "open_gap": "Von {begin} bis {end}, zum Teil außerhalb der gezählten Zeit, ist nur ein Gesamtwert bekannt. Er "
        "ist in keiner Summe enthalten.",
        "gap": "Von {begin} bis {end} ist nur die Summe bekannt: {energy} in {count} Viertelstunden. Sie ist in "
        "der Summe enthalten.",
        "more_gaps": "Weitere Lücken, von denen nur die Summe bekannt ist: {count}. Sie sind in der Summe enthalten.",
        "estimated": "Geschätzt: {count} von {of} Viertelstunden ({share}).",
        "replaced": "Am {begin} wurde der Zähler {name} durch {other} ersetzt: letzter Stand {energy}, erster "
        "Stand des neuen Zählers {after}. Der Verbrauch dazwischen ist nicht gezählt.",
        "restarted": "Am {begin} begann der Zähler von vorn: letzter Stand davor {energy}, erster danach "
        "{after}. Der Verbrauch dazwischen ist nicht gezählt.",
        "conflict": "Für {begin} ({register}) hat das Lesegerät {name} {energy} gesendet, gespeichert war aber "
        "schon {after} (Lesegerät {other}). Es gilt der gespeicherte Wert.",
        "not_stored": "Für {begin} ({register}) hat das Lesegerät {name} {energy} gesendet. Der Wert wurde nicht "
        "gespeichert, weil der Zähler zu einem anderen Lesegerät gehört oder weil der Zählerstand sonst gesunken "
        "wäre.",
        "more_conflicts": "Weitere Werte, die von den gespeicherten abweichen: {count}.",
        "refused": "Von der Zentrale abgewiesene Nachrichten zu diesem Zähler: {count}, die letzte am {end}. Ihr "
        "Inhalt kann hier fehlen; das Lesegerät behält ihn.",
        "refused_unread": "Von der Zentrale abgewiesene, unlesbare Nachrichten des Lesegeräts {name}: {count}, "
        "die letzte am {end}. Sie können diesen Zähler betreffen.",
        "silent": "Das Lesegerät {name} hat seit {begin} nichts von diesem Zähler gesendet. Dort können noch "
        "Viertelstunden warten.",
        "reader_problem": "Das Lesegerät {name} meldet ein Problem; welches, sagt `iskra-server fleet readers`.",
        "waiting": "Das Lesegerät {name} meldet Viertelstunden, die die Zentrale nicht gespeichert hat: "
        "{count} warten, {of} wurden abgewiesen, die älteste vom {begin}. Sie können diesen Zähler betreffen.",
        "clock": "Die Uhr des Lesegeräts {name} geht {ahead}: Um so viel {early} wurden seine Zählerstände abgelesen.",
        "set_aside": "Werte mit unmöglicher Zeit, die beiseitegelegt wurden und nicht gezählt sind: {count}.",
        "simulated": "SIMULIERT: Dies sind keine Zählerstände eines echten Zählers.",
    },
}
_KINDS: dict[Language, dict[str, str]] = {
    "en": {"building": "Building", "tenant": "Tenant", "tariff": "Tariff"},
    "de": {"building": "Gebäude", "tenant": "Mieter", "tariff": "Tarif"},
}
_CLOCK: dict[Language, tuple[str, str, str, str]] = {
    "en": ("{} s ahead", "too early", "{} s behind", "too late"),
    "de": ("{} s vor", "zu früh", "{} s nach", "zu spät"),
}


def title(groups: Iterable[Group], language: Language) -> str:
    """Building 7, Tenant Meyer; a kind of group that is not usual by its own name."""
    return ", ".join(f"{_KINDS[language].get(group.kind, group.kind)} {group.value}" for group in groups)


def register(obis: Obis, language: Language) -> str:
    return _REGISTERS[language].get(obis, str(obis))


def kwh(energy_wh: Decimal | None, language: Language) -> str:
    """Every digit that the meter sent: 1 234.5678 kWh."""
    if energy_wh is None:
        return NONE
    return f"{exact_number(energy_wh.scaleb(-3), language)}\u00a0kWh"


def at(unix_s: int, tz: ZoneInfo, language: Language) -> str:
    """2026-11-17 18:05; 17.11.2026 18:05. In the hour that comes twice with its offset."""
    moment = datetime.fromtimestamp(unix_s, tz)
    text = f"{moment:%d.%m.%Y %H:%M}" if language == "de" else f"{moment:%Y-%m-%d %H:%M}"
    is_ambiguous = moment.replace(fold=0).utcoffset() != moment.replace(fold=1).utcoffset()
    return f"{text} ({moment:%z})" if is_ambiguous else text


def sentence(remark: Remark, tz: ZoneInfo, language: Language) -> str:
    """A remark in words."""
    energies, names = [*remark.energies_wh, None, None], [*remark.names, "", "", ""]
    ahead, early, behind, late = _CLOCK[language]
    return _SENTENCES[language][remark.kind].format(
        begin=NONE if remark.begin_s is None else at(remark.begin_s, tz, language),
        end=NONE if remark.end_s is None else at(remark.end_s, tz, language),
        energy=kwh(energies[0], language),
        after=kwh(energies[1], language),
        count=exact_number(remark.count, language),
        of=exact_number(remark.of, language),
        share=_percent(remark.count, remark.of, language),
        name=names[0] or NONE,
        other=names[1] or NONE,
        register=register(Obis.parse(names[2]), language) if names[2] else NONE,
        registers=_registers(remark, language),
        ahead=(ahead if remark.count > 0 else behind).format(abs(remark.count)),
        early=early if remark.count > 0 else late,
    )


def _registers(remark: Remark, language: Language) -> str:
    """Gas volume (0-1:24.2.1), ...; empty in a remark of another kind."""
    codes = map(Obis.parse, remark.names if remark.kind == "other_registers" else ())
    rows = ((code, describe(code)) for code in codes)
    return ", ".join(f"{getattr(row, language)} ({code.short})" if row else code.short for code, row in rows)


def _percent(count: int, of: int, language: Language) -> str:
    """With one place; what is not nothing does not look like it."""
    if not of:
        return NONE
    sign, share = ("", f"{100 * count / of:.1f}") if 1000 * count >= of else ("<", "0.1")
    return f"{sign}{exact_number(Decimal(share), language)}\u00a0%"
