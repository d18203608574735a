"""The text of a digest, in English and German: one line for each number, left out where there is none."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

from iskra_server.base.language import Language
from iskra_server.base.legal_note import LEGAL_NOTE
from iskra_server.history.model.periods import quarter_time
from iskra_server.outputs.notify import localized
from iskra_server.outputs.notify.digest_figures import (
    DayPeriod,
    DigestFigures,
    Kind,
    MissingSpan,
    PeriodCost,
    PeriodEnergies,
)
from iskra_server.outputs.notify.messages import Text

# a text is read on a telephone
MAX_MISSING = 5
_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "import": "From grid",
        "export": "To grid",
        "cost": "Cost",
        "unpriced": "without {} of unknown price",
        "highest": "Highest quarter-hour",
        "at": "on",
        "base": "Base load at night",
        "missing": "Not measured",
        "inside": "included above",
        "outside": "not included above",
        "sum": "in all",
        "more": "and {} more",
        "weekly": "week before",
        "monthly": "month before",
        "partial": "not measured whole",
        "since": "As far as it was measured",
        "per_day": " per day",
        "week": "Week {}",
        "meters": "{} meters",
    },
    "de": {
        "import": "Bezug",
        "export": "Einspeisung",
        "cost": "Kosten",
        "unpriced": "ohne {}, deren Preis nicht bekannt ist",
        "highest": "Höchste Viertelstunde",
        "at": "am",
        "base": "Grundlast nachts",
        "missing": "Nicht gemessen",
        "inside": "oben mitgezählt",
        "outside": "oben nicht mitgezählt",
        "sum": "zusammen",
        "more": "und {} weitere",
        "weekly": "Vorwoche",
        "monthly": "Vormonat",
        "partial": "nicht vollständig gemessen",
        "since": "Soweit gemessen",
        "per_day": " je Tag",
        "week": "Woche {}",
        "meters": "{} Zähler",
    },
}


def digest_text(
    kind: Kind, period: DayPeriod, meters: Mapping[str, DigestFigures], language: Language, tz: ZoneInfo
) -> Text:
    """`meters` by name; with one, its energy is in the title."""
    words = _WORDS[language]
    name = _name(kind, period, language)
    legal = LEGAL_NOTE[language]
    if len(meters) == 1:
        figures = next(iter(meters.values()))
        energy = localized.kwh(figures.energies.import_wh or Decimal(0), language)
        de, en = f"{name}: {energy} Bezug", f"{name}: {energy} from the grid"
        return Text(de if language == "de" else en, "\n".join((*_lines(kind, figures, language, tz), legal)))
    sections = ("\n".join((meter, *_lines(kind, figures, language, tz))) for meter, figures in meters.items())
    return Text(f"{name}: {words['meters'].format(len(meters))}", "\n\n".join((*sections, legal)))


def _name(kind: Kind, period: DayPeriod, language: Language) -> str:
    if kind == "monthly":
        return localized.month(period.begin, language)
    return _WORDS[language]["week"].format(localized.days(period.begin, period.end, language))


def _lines(kind: Kind, figures: DigestFigures, language: Language, tz: ZoneInfo) -> Iterator[str]:
    words = _WORDS[language]
    if not figures.energies.is_whole:
        yield f"{words['since']}:"
    yield f"{words['import']}: {'; '.join(_energies(kind, figures, language, is_export=False))}"
    if figures.energies.export_wh is not None:
        yield f"{words['export']}: {'; '.join(_energies(kind, figures, language, is_export=True))}"
    if figures.cost is not None:
        costs = [_cost(figures.cost, figures.currency, language)]
        if figures.cost_before is not None:
            costs.append(f"{words[kind]} {_cost(figures.cost_before, figures.currency, language)}")
        yield f"{words['cost']}: {'; '.join(costs)}"
    if highest := figures.highest:
        at = localized.moment(quarter_time(highest.quarter, tz), language)
        yield f"{words['highest']}: {localized.watts(highest.power_w, language)} {words['at']} {at}"
    if figures.base_load_w is not None:
        loads = [localized.watts(figures.base_load_w, language)]
        if figures.base_load_before_w is not None:
            loads.append(f"{words[kind]} {localized.watts(figures.base_load_before_w, language)}")
        yield f"{words['base']}: {'; '.join(loads)}"
    yield from _missing(figures.missing, language, tz)


def _cost(cost: PeriodCost, currency: str, language: Language) -> str:
    """€27.10; ≈ €27.10 (without 3.20 kWh of unknown price)."""
    about = "≈ " if cost.is_estimated else ""
    unpriced = _WORDS[language]["unpriced"].format(localized.kwh(cost.unpriced_wh, language))
    return f"{about}{localized.money(cost.amount, currency, language)}{f' ({unpriced})' if cost.unpriced_wh else ''}"


def _energies(kind: Kind, figures: DigestFigures, language: Language, *, is_export: bool) -> Iterator[str]:
    """The energy of the period, then the others with how much it has changed."""
    now = figures.energies
    energy_wh = now.export_wh if is_export else now.import_wh
    if energy_wh is None:
        return
    yield localized.kwh(energy_wh, language)
    year = figures.year_before.period
    last_year = (
        localized.month(year.begin, language)
        if kind == "monthly"
        else f"{localized.days(year.begin, year.end, language)} {year.begin.year}"
    )
    for label, other in ((_WORDS[language][kind], figures.before), (last_year, figures.year_before)):
        other_wh = other.export_wh if is_export else other.import_wh
        if other_wh is not None:
            yield f"{label} {_compared(now, energy_wh, other, other_wh, language)}"


def _compared(
    now: PeriodEnergies, energy_wh: Decimal, other: PeriodEnergies, other_wh: Decimal, language: Language
) -> str:
    words = _WORDS[language]
    if not other.is_whole:
        return f"{localized.kwh(other_wh, language)} ({words['partial']})"
    change = ""
    if now.is_whole:
        # months have 28 to 31 days
        per_day = words["per_day"] if now.period.days != other.period.days else ""
        percent = localized.change(energy_wh / now.period.days, other_wh / other.period.days, language)
        change = f" ({percent}{per_day})" if percent else ""
    return f"{localized.kwh(other_wh, language)}{change}"


def _missing(missing: Sequence[MissingSpan], language: Language, tz: ZoneInfo) -> Iterator[str]:
    words = _WORDS[language]
    for span in missing[:MAX_MISSING]:
        begin, end = (localized.moment(quarter_time(quarter, tz), language) for quarter in (span.begin, span.end))
        text = f"{words['missing']}: {begin} – {end}"
        if span.energy_wh is not None:
            where = words["inside" if span.is_inside else "outside"]
            text += f" ({words['sum']} {localized.kwh(span.energy_wh, language)}, {where})"
        yield text
    if len(missing) > MAX_MISSING:
        yield f"{words['missing']}: {words['more'].format(len(missing) - MAX_MISSING)}"
