from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from iskra_server.cost.contracts import Contract
from iskra_server.cost.outlook import Outlook
from iskra_server.cost.tariffs import SpotShare, Tariff, Terms
from iskra_server.history.model.periods import local_midnight
from iskra_server.history.model.records import quarter_of
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.history.store.store import Store
from web.past import counted, info

UTC_ZONE = ZoneInfo("UTC")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
# 0.1 Wh a quarter: 9.6 kWh and 2.88 a day
STEP = 1000
CONTRACT = Contract(begins=date(2026, 1, 1), energy_price=Decimal("0.30"), base_fee=Decimal(30))


def quarter(day: date) -> int:
    return quarter_of(local_midnight(day, UTC_ZONE).timestamp())


def outlook(store: Store, begin: date, *contracts: Contract, now: datetime = NOON) -> Outlook:
    """A counter that runs evenly from a day on."""
    first = quarter(begin)
    length = quarter_of(now.timestamp()) - first + 1
    store.write(counted((STEP * place for place in range(length)), first=first), [info(first=first)])
    meters = store.meters()
    return Outlook(RecordedMeter(store, meters[0], meters), contracts, now, UTC_ZONE)


def test_the_month_is_measured_so_far_and_then_like_its_weekdays(store: Store) -> None:
    month = outlook(store, date(2026, 8, 1), CONTRACT).month()
    assert month and (month.begin, month.end) == (quarter(date(2026, 11, 1)), quarter(date(2026, 12, 1)))
    assert month.so_far == Decimal("20.5") * (Decimal("2.88") + 1)
    # 30 days of energy, and the base fee of the month
    assert round(month.total, 6) == 30 * Decimal("2.88") + 30
    assert month.band and round(month.band.low, 6) == round(month.band.high, 6) == round(month.total, 6)


def test_days_before_the_first_reading_count_as_estimated(store: Store) -> None:
    """From 2026-11-05 noon on: two of every weekday are known on the 21st."""
    month = outlook(store, date(2026, 11, 5), CONTRACT).month()
    assert month is not None
    assert round(month.total - month.so_far, 6) == Decimal("9.5") * (Decimal("2.88") + 1) + 4 * Decimal("2.88")
    assert month.band is None


def test_two_weeks_of_history_are_needed(store: Store) -> None:
    assert outlook(store, date(2026, 11, 10), CONTRACT).month() is None


def test_nothing_is_forecast_while_a_price_is_unknown(store: Store) -> None:
    spot = Contract(begins=date(2026, 11, 10), terms=Terms(energy=Tariff(spot=SpotShare("DE-LU"))))
    found = outlook(store, date(2026, 8, 1), CONTRACT, spot)
    assert found.month() is None and found.year() is None


def test_nothing_is_forecast_without_a_contract_or_a_reading(store: Store) -> None:
    assert outlook(store, date(2026, 8, 1)).month() is None
    later = Contract(begins=date(2027, 1, 1), energy_price=Decimal(1))
    assert outlook(store, date(2026, 8, 1), later).year() is None


def test_a_server_that_was_off_estimates_from_its_last_reading_on(store: Store) -> None:
    before = outlook(store, date(2026, 8, 1), CONTRACT).month()
    meters = store.meters()
    later = Outlook(RecordedMeter(store, meters[0], meters), [CONTRACT], NOON + timedelta(days=3), UTC_ZONE).month()
    assert before and later and (round(later.total, 6), later.so_far) == (round(before.total, 6), before.so_far)


def test_the_past_is_priced_as_today(store: Store) -> None:
    cheap = Contract(begins=date(2026, 1, 1), energy_price=Decimal("0.10"))
    dear = Contract(begins=date(2026, 11, 1), energy_price=Decimal("0.30"), base_fee=Decimal(30))
    month = outlook(store, date(2026, 8, 1), cheap, dear).month()
    assert month and round(month.total, 6) == 30 * Decimal("2.88") + 30


def test_the_year_is_that_of_the_bill_with_a_band(store: Store) -> None:
    year = outlook(store, date(2026, 6, 1), CONTRACT).year()
    assert year and year.basis == "mean"
    assert (year.begin, year.end) == (quarter(date(2026, 1, 1)), quarter(date(2027, 1, 1)))
    assert abs(year.total - (365 * Decimal("2.88") + 360)) < 1
    assert year.band and abs(year.band.high - year.total) < 1 and year.band.windows >= 8
