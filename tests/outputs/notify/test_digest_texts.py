from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from msgspec import structs

from iskra_server.base.legal_note import LEGAL_NOTE
from iskra_server.history.model.highest_quarter import QuarterEnergy
from iskra_server.outputs.notify.digest_figures import DayPeriod, DigestFigures, MissingSpan, PeriodCost, PeriodEnergies
from iskra_server.outputs.notify.digest_texts import digest_text

BERLIN = ZoneInfo("Europe/Berlin")


def quarter(day: int, hour: int, minute: int = 0) -> int:
    return int(datetime(2026, 11, day, hour, minute, tzinfo=BERLIN).timestamp()) // 900


def energies(
    begin: date, end: date, import_wh: str | None, export_wh: str | None = None, *, is_whole: bool = True
) -> PeriodEnergies:
    imported, exported = (None if number is None else Decimal(number) for number in (import_wh, export_wh))
    return PeriodEnergies(DayPeriod(begin, end), imported, exported, is_whole)


WEEK = DigestFigures(
    energies=energies(date(2026, 11, 16), date(2026, 11, 23), "84210.4", "12000"),
    before=energies(date(2026, 11, 9), date(2026, 11, 16), "91000", "9600"),
    year_before=energies(date(2025, 11, 17), date(2025, 11, 24), "80100", is_whole=False),
    missing=(MissingSpan(quarter(17, 3, 15), quarter(18, 7), Decimal(12_400), is_inside=True),),
    highest=QuarterEnergy(quarter(17, 18, 15), Decimal("1302.5")),
    base_load_w=Decimal(131),
    base_load_before_w=Decimal(128),
    currency="EUR",
    cost=PeriodCost(Decimal("27.104")),
    cost_before=PeriodCost(Decimal("29.3")),
)
MONTH = DigestFigures(
    energies=energies(date(2026, 10, 1), date(2026, 11, 1), "310000"),
    before=energies(date(2026, 9, 1), date(2026, 10, 1), "300000"),
    year_before=energies(date(2025, 10, 1), date(2025, 11, 1), "320000"),
    missing=(),
    highest=None,
    base_load_w=None,
    base_load_before_w=None,
)


def test_a_week_in_english() -> None:
    text = digest_text("weekly", WEEK.energies.period, {"House": WEEK}, "en", BERLIN)
    assert text.title == "Week 16–22 Nov: 84.2 kWh from the grid"
    assert text.body.splitlines() == [
        "From grid: 84.2 kWh; week before 91.0 kWh (−7.5 %); 17–23 Nov 2025 80.1 kWh (not measured whole)",
        "To grid: 12.0 kWh; week before 9.60 kWh (+25.0 %)",
        "Cost: €27.10; week before €29.30",
        "Highest quarter-hour: 5,210 W on Tue 17 Nov, 18:15",
        "Base load at night: 131 W; week before 128 W",
        "Not measured: Tue 17 Nov, 03:15 – Wed 18 Nov, 07:00 (in all 12.4 kWh, included above)",
        LEGAL_NOTE["en"],
    ]


def test_a_week_in_german() -> None:
    text = digest_text("weekly", WEEK.energies.period, {"House": WEEK}, "de", BERLIN)
    assert text.title == "Woche 16.–22. Nov.: 84,2 kWh Bezug"
    assert text.body.splitlines() == [
        "Bezug: 84,2 kWh; Vorwoche 91,0 kWh (−7,5 %); 17.–23. Nov. 2025 80,1 kWh (nicht vollständig gemessen)",
        "Einspeisung: 12,0 kWh; Vorwoche 9,60 kWh (+25,0 %)",
        "Kosten: 27,10 €; Vorwoche 29,30 €",
        "Höchste Viertelstunde: 5.210 W am Di 17. Nov., 18:15 Uhr",
        "Grundlast nachts: 131 W; Vorwoche 128 W",
        "Nicht gemessen: Di 17. Nov., 03:15 Uhr – Mi 18. Nov., 07:00 Uhr (zusammen 12,4 kWh, oben mitgezählt)",
        LEGAL_NOTE["de"],
    ]


def test_months_of_different_lengths_are_compared_by_day() -> None:
    en = digest_text("monthly", MONTH.energies.period, {"House": MONTH}, "en", BERLIN)
    de = digest_text("monthly", MONTH.energies.period, {"House": MONTH}, "de", BERLIN)
    assert en.title == "October 2026: 310.0 kWh from the grid"
    assert en.body.splitlines() == [
        "From grid: 310.0 kWh; month before 300.0 kWh (+0.0 % per day); October 2025 320.0 kWh (−3.1 %)",
        LEGAL_NOTE["en"],
    ]
    assert de.title == "Oktober 2026: 310,0 kWh Bezug"
    assert de.body.splitlines() == [
        "Bezug: 310,0 kWh; Vormonat 300,0 kWh (+0,0 % je Tag); Oktober 2025 320,0 kWh (−3,1 %)",
        LEGAL_NOTE["de"],
    ]


def test_what_was_not_measured_whole_is_not_compared() -> None:
    part = energies(date(2026, 11, 16), date(2026, 11, 23), "40000", is_whole=False)
    spans = tuple(MissingSpan(quarter(day, 1), quarter(day, 2), None, is_inside=False) for day in range(16, 23))
    text = digest_text(
        "weekly", part.period, {"House": structs.replace(MONTH, energies=part, missing=spans)}, "en", BERLIN
    )
    lines = text.body.splitlines()
    assert lines[:2] == [
        "As far as it was measured:",
        "From grid: 40.0 kWh; week before 300.0 kWh; 1–31 Oct 2025 320.0 kWh",
    ]
    assert lines[2] == "Not measured: Mon 16 Nov, 01:00 – Mon 16 Nov, 02:00"
    assert (len(lines), lines[-2]) == (9, "Not measured: and 2 more")


def test_a_cost_that_is_estimated_or_lacks_energy_says_so() -> None:
    figures = structs.replace(
        WEEK, cost=PeriodCost(Decimal("27.1"), Decimal(3200), is_estimated=True), cost_before=None
    )
    en, de = (digest_text("weekly", WEEK.energies.period, {"House": figures}, lang, BERLIN) for lang in ("en", "de"))
    assert "Cost: ≈ €27.10 (without 3.20 kWh of unknown price)" in en.body.splitlines()
    assert "Kosten: ≈ 27,10 € (ohne 3,20 kWh, deren Preis nicht bekannt ist)" in de.body.splitlines()


def test_several_meters_have_a_part_each() -> None:
    text = digest_text("monthly", MONTH.energies.period, {"House": MONTH, "Heat pump": MONTH}, "de", BERLIN)
    assert text.title == "Oktober 2026: 2 Zähler"
    assert [part.splitlines()[0] for part in text.body.split("\n\n")] == [
        "House",
        "Heat pump",
        LEGAL_NOTE["de"],
    ]
