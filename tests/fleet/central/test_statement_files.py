"""A statement as a file: one that can be printed without anything else, and one for programs; in both languages."""

import csv
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from sqlalchemy import insert

from history.entries import METER
from iskra_server.base.language import Language
from iskra_server.base.legal_note import LEGAL_NOTE
from iskra_server.fleet.central.label_periods import Group
from iskra_server.fleet.central.statement import Statement, statement
from iskra_server.fleet.central.statement_csv import COLUMNS, write_csv
from iskra_server.fleet.central.statement_files import file_names, period_name
from iskra_server.fleet.central.statement_html import html
from iskra_server.fleet.central.statement_remarks import Remark, RemarkKind
from iskra_server.fleet.central.statement_texts import at, kwh, sentence
from iskra_server.history.model.periods import parse_period, parse_span
from iskra_server.history.model.records import Exact, Quality, QuarterReading
from iskra_server.history.store.schema import label
from iskra_server.history.store.store import Store
from samples import EXPORT, IMPORT

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 12, 10, tzinfo=UTC)
OCTOBER = int(datetime(2026, 10, 1, tzinfo=BERLIN).timestamp()) // 900
LANGUAGES: tuple[Language, ...] = ("en", "de")
# a tenant with a name that would be markup
NAME = "<b>Meyer & Söhne</b>"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Statement]:
    """Two days at the end of October, an hour of them missing; one reading is estimated."""
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('central')}/central.sqlite")
    end = OCTOBER + 31 * 96 + 4
    rows = []
    for place, quarter in enumerate(range(end - 192, end + 1)):
        if place not in range(40, 43):
            quality: Quality = "interpolated" if place == 100 else "measured"
            rows.append(QuarterReading("M 1", IMPORT, quarter, Exact(12_345_678 + 5 * place, -1), quality))
            rows.append(QuarterReading("M 1", EXPORT, quarter, Exact(place, 0), quality))
    store.write(rows, [replace(METER, meter_id="M 1")])
    with store.transaction() as connection:
        connection.execute(insert(label), [{"meter": 1, "kind": "tenant", "value": NAME, "from_quarter": end - 192}])
    yield statement(store, [Group("tenant", NAME)], parse_period("2026-10", NOW, BERLIN), NOW, tz=BERLIN)
    store.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_needs_no_other_file_and_runs_nothing(made: Statement, language: Language) -> None:
    page = html(made, language)
    assert page.startswith(f'<!doctype html>\n<html lang="{language}">')
    assert not re.search(r"<(script|link|img|iframe)|javascript:|https?:|url\(|\son\w+=", page)
    assert "@page { size: A4" in page
    assert "<b>" not in page
    assert "&lt;b&gt;Meyer &amp; Söhne&lt;/b&gt;" in page


def test_the_page_says_everything(made: Statement) -> None:
    english, german = html(made, "en"), html(made, "de")
    assert "1\u202f234.5678\u00a0kWh<small>2026-10-30 00:00, measured</small>" in english
    assert "1\u202f234,6638\u00a0kWh<small>01.11.2026 00:00, gemessen</small>" in german
    assert "0.0960\u00a0kWh" in english
    assert "only the sum is known: 0.0020\u00a0kWh in 4 quarter-hours" in english
    assert "Geschätzt: 2 von 192 Viertelstunden (1,0\u00a0%)." in german
    assert "not for legal billing where calibration law" in english
    assert "Mess- und Eichgesetz" in german


def test_months_without_any_reading_are_one_row_of_the_page_and_each_a_row_of_the_table(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/central.sqlite")
    rows = [QuarterReading("M 1", IMPORT, OCTOBER + place, Exact(place, 0), "measured") for place in (0, 1)]
    store.write(rows, [replace(METER, meter_id="M 1")])
    with store.transaction() as connection:
        connection.execute(insert(label), [{"meter": 1, "kind": "tenant", "value": NAME, "from_quarter": 0}])
    year = statement(store, [Group("tenant", NAME)], parse_period("2026", NOW, BERLIN), NOW, tz=BERLIN)
    store.close()
    page = html(year, "de")
    # 243 days less the hour of spring; 30 and 9 days and an hour
    for name, missing in (
        ("Januar – August 2026", "23\u202f324"),
        ("November – Dezember 2026", "3\u202f748"),
    ):
        assert f"<tr><td>{name}</td><td>–</td><td>–</td><td>–</td><td>{missing}</td><td>–</td></tr>" in page
    assert all(f"<tr><td>{name} 2026</td>" in page for name in ("September", "Oktober"))
    text = StringIO()
    write_csv(year, text, "de")
    assert sum(row["kind"] == "month" for row in csv.DictReader(StringIO(text.getvalue()))) == 12


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_is_exact_and_has_the_remarks(made: Statement, language: Language) -> None:
    text = StringIO()
    write_csv(made, text, language)
    rows = list(csv.DictReader(StringIO(text.getvalue())))
    assert tuple(rows[0]) == COLUMNS
    month = next(row for row in rows if row["kind"] == "month" and row["register"] == str(IMPORT))
    assert month == {
        "group": f"tenant:{NAME}",
        "meter": "M 1",
        "register": str(IMPORT),
        "kind": "month",
        "begin": "2026-10-30T00:00:00+01:00",
        "end": "2026-11-01T00:00:00+01:00",
        "first_time": "2026-10-30T00:00:00+01:00",
        "first_wh": "1234567.8",
        "first_quality": "measured",
        "last_time": "2026-11-01T00:00:00+01:00",
        "last_wh": "1234663.8",
        "last_quality": "measured",
        "energy_wh": "96.0",
        "quarters": "192",
        "missing": "4",
        "estimated": "2",
        "text": "",
        "note": LEGAL_NOTE[language],
    }
    totals = [row for row in rows if row["kind"] == "total" and not row["meter"]]
    assert [(row["register"], row["energy_wh"]) for row in totals] == [(str(IMPORT), "96.0"), (str(EXPORT), "192")]
    assert {row["note"] for row in rows} == {LEGAL_NOTE[language]}
    assert sum(row["kind"] == "remark" for row in rows) == 4


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", get_args(RemarkKind))
def test_every_remark_has_a_sentence(kind: RemarkKind, language: Language) -> None:
    energies = Decimal("1234567.8"), None
    remark = Remark(
        kind,
        begin_s=0,
        end_s=900,
        energies_wh=energies,
        count=-70,
        of=100,
        names=(str(EXPORT), str(IMPORT), str(IMPORT)),
    )
    assert re.fullmatch(r"[A-ZÄÖÜ].*[.O]", sentence(remark, BERLIN, language))
    # nothing that is absent breaks it
    assert sentence(Remark(kind), BERLIN, language)


def test_numbers_and_times_are_written_in_full() -> None:
    assert kwh(Decimal("-1234567.80"), "de") == "−1\u202f234,56780\u00a0kWh"
    assert kwh(Decimal(5).scaleb(3), "en") == "5\u00a0kWh"
    assert kwh(None, "en") == "–"
    # 2026-10-25: the hour from 2 to 3 comes twice
    assert [at(OCTOBER * 900 + 24 * 86400 + hour * 3600, BERLIN, "de") for hour in (1, 2, 3, 4)] == [
        "25.10.2026 01:00",
        "25.10.2026 02:00 (+0200)",
        "25.10.2026 02:00 (+0100)",
        "25.10.2026 03:00",
    ]


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        ("2026", None, "2026"),
        ("2026", "2027", "2026_2027"),
        ("last_month", None, "2026-11"),
        ("2026-01", "2026-06", "2026-01_2026-06"),
        ("2025-07", "2026-06", "2025-07_2026-06"),
        ("2026-10-25", None, "2026-10-25"),
        ("2026-10-19", "2026-10-25", "2026-10-19_2026-10-25"),
        ("2026-10-24T22:30:00Z", "2026-10-25T03:00:00Z", "2026-10-25"),
    ],
)
def test_a_file_is_named_by_its_period(first: str, last: str | None, name: str) -> None:
    assert period_name(parse_span(first, last, NOW, BERLIN), BERLIN) == name


def test_no_two_tenants_have_one_file() -> None:
    names = ("A/B", "a b", "A B", "x" * 90, "x" * 91)
    period = parse_period("2026", NOW, BERLIN)
    assert list(file_names([Group("tenant", name) for name in names], period, BERLIN).values()) == [
        "tenant-A_B-2026",
        "tenant-a_b-2026-2",
        "tenant-A_B-2026-3",
        f"tenant-{'x' * 60}-2026",
        f"tenant-{'x' * 60}-2026-2",
    ]
