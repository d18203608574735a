from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from iskra_server.base.language import Language
from iskra_server.outputs.notify import localized

AT = datetime(2026, 3, 1, 8, 5, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("language", "energy", "small", "power", "cost", "owed", "francs", "more", "less"),
    [
        ("en", "1,234.6 kWh", "9.99 kWh", "12,346 W", "€27.10", "−€3.20", "CHF 27.10", "+5.1 %", "−7.5 %"),
        ("de", "1.234,6 kWh", "9,99 kWh", "12.346 W", "27,10 €", "−3,20 €", "27,10 CHF", "+5,1 %", "−7,5 %"),
    ],
)
def test_numbers_are_written_as_in_their_language(  # noqa: PLR0917
    language: Language,
    energy: str,
    small: str,
    power: str,
    cost: str,
    owed: str,
    francs: str,
    more: str,
    less: str,
) -> None:
    assert localized.kwh(Decimal("1234567.8"), language) == energy
    assert localized.kwh(Decimal("9994.9"), language) == small
    assert localized.watts(Decimal("12345.5"), language) == power
    assert localized.money(Decimal("27.095"), "EUR", language) == cost
    assert localized.money(Decimal("-3.2"), "EUR", language) == owed
    assert localized.money(Decimal("27.1"), "CHF", language) == francs
    assert localized.change(Decimal("105.1"), Decimal(100), language) == more
    assert localized.change(Decimal("92.5"), Decimal(100), language) == less
    assert localized.change(Decimal(1), Decimal(0), language) == ""


@pytest.mark.parametrize(
    ("language", "day", "week", "two_months", "month", "moment", "clock"),
    [
        ("en", "1 Mar", "16–22 Nov", "30 Nov – 6 Dec", "March 2026", "Sun 1 Mar, 08:05", "08:05"),
        ("de", "1. März", "16.–22. Nov.", "30. Nov. – 6. Dez.", "März 2026", "So 1. März, 08:05 Uhr", "08:05 Uhr"),
    ],
)
def test_dates_are_written_as_in_their_language(  # noqa: PLR0917
    language: Language, day: str, week: str, two_months: str, month: str, moment: str, clock: str
) -> None:
    assert localized.day(AT, language) == day
    assert localized.days(date(2026, 11, 16), date(2026, 11, 23), language) == week
    assert localized.days(date(2026, 11, 30), date(2026, 12, 7), language) == two_months
    assert localized.days(date(2026, 3, 1), date(2026, 3, 2), language) == day
    assert localized.month(date(2026, 3, 1), language) == month
    assert localized.moment(AT, language) == moment
    assert localized.since(AT, AT, language) == clock
    assert localized.since(AT, AT.replace(day=2), language) == moment


@pytest.mark.parametrize(
    ("seconds", "en", "de"),
    [
        (1, "1 minute", "1 Minute"),
        (27 * 60, "27 minutes", "27 Minuten"),
        (3 * 3600, "3 h", "3 Std."),
        (3 * 3600 + 299, "3 h 5 min", "3 Std. 5 Min."),
    ],
)
def test_durations_are_written_as_in_their_language(seconds: float, en: str, de: str) -> None:
    assert (localized.duration(seconds, "en"), localized.duration(seconds, "de")) == (en, de)
