"""Numbers, dates and times as people of a language write them: 1,234.5 kWh on 17 Nov; 1.234,5 kWh am 17. Nov."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from iskra_server.base.language import Language

_POINTS = str.maketrans(",.", ".,")
_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}
_MONTHS: dict[Language, Sequence[str]] = {
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    "de": (
        *("Januar", "Februar", "März", "April", "Mai", "Juni"),
        *("Juli", "August", "September", "Oktober", "November", "Dezember"),
    ),
}
_SHORT_MONTHS: dict[Language, Sequence[str]] = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "de": ("Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."),
}
_WEEKDAYS: dict[Language, Sequence[str]] = {
    "en": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    "de": ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"],
}
_HOUR_MINUTES = 60


def number(value: Decimal, places: int, language: Language) -> str:
    """Rounded half up, with a true minus sign: −1,234.5."""
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    text = f"{abs(rounded):,}"
    sign = "−" if rounded < 0 else ""
    return sign + (text.translate(_POINTS) if language == "de" else text)


def kwh(energy_wh: Decimal, language: Language) -> str:
    """With one decimal place; below 10 kWh with two."""
    energy = energy_wh.scaleb(-3)
    return f"{number(energy, 2 if abs(energy) < 10 else 1, language)} kWh"


def watts(power_w: Decimal, language: Language) -> str:
    return f"{number(power_w, 0, language)} W"


def money(amount: Decimal, currency: str, language: Language) -> str:
    """€27.10, −€3.20, CHF 27.10; 27,10 €."""
    symbol = _SYMBOLS.get(currency, currency)
    if language == "de":
        return f"{number(amount, 2, language)} {symbol}"
    sign = "−" if amount < 0 else ""
    return f"{sign}{symbol}{' ' if len(symbol) > 1 else ''}{number(abs(amount), 2, language)}"


def change(now: Decimal, before: Decimal, language: Language) -> str:
    """By how many percent it changed: "+5.1 %", "−7,5 %"; "" where there is nothing to compare with."""
    if before <= 0:
        return ""
    percent = number((now - before) * 100 / before, 1, language)
    return f"{'' if percent.startswith('−') else '+'}{percent} %"


def day(moment: date, language: Language) -> str:
    """17 Nov; 17. Nov."""
    month = _SHORT_MONTHS[language][moment.month - 1]
    return f"{moment.day}. {month}" if language == "de" else f"{moment.day} {month}"


def days(begin: date, end: date, language: Language) -> str:
    """From a day until before another: 16–22 Nov, 30 Nov – 6 Dec; 16.–22. Nov., 30. Nov. – 6. Dez."""
    last = end - timedelta(days=1)
    if begin == last:
        return day(begin, language)
    if (begin.year, begin.month) == (last.year, last.month):
        return f"{begin.day}{'.' if language == 'de' else ''}–{day(last, language)}"
    return f"{day(begin, language)} – {day(last, language)}"


def month(begin: date, language: Language) -> str:
    return f"{_MONTHS[language][begin.month - 1]} {begin.year}"


def clock(moment: datetime, language: Language) -> str:
    """18:05; 18:05 Uhr."""
    return f"{moment:%H:%M}{' Uhr' if language == 'de' else ''}"


def moment(local: datetime, language: Language) -> str:
    """Tue 17 Nov, 18:05; Di 17. Nov., 18:05 Uhr."""
    return f"{_WEEKDAYS[language][local.weekday()]} {day(local, language)}, {clock(local, language)}"


def since(local: datetime, now: datetime, language: Language) -> str:
    """The clock alone on the day of `now`, else with its day."""
    return clock(local, language) if local.date() == now.date() else moment(local, language)


def duration(seconds: float, language: Language) -> str:
    """27 minutes, 3 h 5 min; 27 Minuten, 3 Std. 5 Min."""
    minutes = max(1, round(seconds / 60))
    hours, rest = divmod(minutes, _HOUR_MINUTES)
    if hours:
        units = (" Std.", " Min.") if language == "de" else (" h", " min")
        return f"{hours}{units[0]}" + (f" {rest}{units[1]}" if rest else "")
    words = ("Minute", "Minuten") if language == "de" else ("minute", "minutes")
    return f"{minutes} {words[minutes > 1]}"
