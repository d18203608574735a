from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from iskra_server.cost.bill import Bill
from iskra_server.cost.contracts import Contract
from iskra_server.cost.tariffs import SpotShare, Tariff, Terms
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.history.store.store import Store
from samples import EXPORT
from web.past import INFO, Q, counted

NOW = datetime(2025, 6, 10, tzinfo=UTC)
ZONE = ZoneInfo("UTC")
OLD = Contract(begins=date(2025, 1, 1), energy_price=Decimal("0.40"), feed_in=Decimal("0.08"))
SPOT = Contract(begins=date(2025, 1, 1), terms=Terms(energy=Tariff(spot=SpotShare("DE-LU"))))
# Q is 10:00 of the day before
NEW = Contract(begins=date(2025, 6, 3), energy_price=Decimal("0.30"), base_fee=Decimal("30"))
MIDNIGHT = Q + 56


def bill(store: Store, *contracts: Contract) -> Bill:
    meters = store.meters()
    return Bill(RecordedMeter(store, meters[0], meters), contracts, NOW, ZONE)


def test_each_bucket_has_the_price_of_its_day(store: Store) -> None:
    store.write(counted([1000, 2000, 3000], first=MIDNIGHT - 1), [INFO])
    amounts = [
        amount and amount.imported for amount in bill(store, OLD, NEW).buckets((MIDNIGHT - 1, MIDNIGHT, MIDNIGHT + 1))
    ]
    assert amounts == [Decimal("0.04"), Decimal("0.03")]


def test_a_price_may_change_inside_a_bucket(store: Store) -> None:
    store.write(counted([1000, 2000, 3000], first=MIDNIGHT - 1), [INFO])
    (amount,) = bill(store, OLD, NEW).buckets((MIDNIGHT - 1, MIDNIGHT + 1))
    assert amount and amount.imported == Decimal("0.07")


def test_exported_energy_is_paid_for(store: Store) -> None:
    store.write([*counted([0, 0]), *counted([0, 5000], obis=EXPORT)], [INFO])
    assert bill(store, OLD).total(Q, Q + 1).total == Decimal("-0.04")


def test_the_total_includes_gaps_and_buckets_do_not(store: Store) -> None:
    store.write(counted([1000, None, 3000]), [INFO])
    meter_bill = bill(store, OLD)
    assert meter_bill.buckets((Q, Q + 1, Q + 2)) == [None, None]
    assert meter_bill.total(Q, Q + 2).imported == Decimal("0.08")


def test_without_a_contract_there_is_no_amount(store: Store) -> None:
    store.write(counted([1000, 2000]), [INFO])
    meter_bill = bill(store, NEW)
    assert meter_bill.buckets((Q, Q + 1)) == [None]
    assert meter_bill.total(Q, Q + 1).total == 0


def test_fees_count_from_the_first_reading_until_now(store: Store) -> None:
    store.write(counted([1000, 2000], first=MIDNIGHT), [INFO])
    # June has 30 days: one a day, from the 3rd to the 10th
    assert bill(store, NEW).total(Q, Q + 96 * 100).base == 7


def test_the_current_contract_has_a_forecast(store: Store) -> None:
    store.write(counted(range(0, 96 * 8 * 100, 100), first=MIDNIGHT - 96 * 1), [INFO])
    year = bill(store, OLD).year()
    assert year is not None and year.forecast.basis == "mean"
    assert year.end - year.begin == 365 * 96
    assert year.forecast.import_wh == 365 * 96 * 10
    assert bill(store).year() is None


def test_prices_are_read_as_far_as_there_are_readings(store: Store) -> None:
    store.write(counted([1000, 2000, 3000]), [INFO])
    asked = []

    def spot(_zone: str, begin: int, end: int) -> dict[int, int]:
        asked.append((begin, end))
        return dict.fromkeys(range(begin, end), 100_000_000)

    meters = store.meters()
    meter_bill = Bill(RecordedMeter(store, meters[0], meters), [SPOT], NOW, ZONE, spot)
    thousand_years = 0, Q + 1, 1000 * 366 * 96
    amounts = meter_bill.buckets(thousand_years)
    assert [amount and amount.imported for amount in amounts] == [Decimal("0.01"), Decimal("0.01")]
    assert meter_bill.total(thousand_years[0], thousand_years[-1]).imported == Decimal("0.02")
    assert asked == [(Q, Q + 2)] * 2


def test_a_reading_alone_is_no_measurement_however_prices_change(store: Store) -> None:
    # one reading in each bucket, as of a meter that is heard once a day
    store.write(counted([1000, None, 3000, None, 5000]), [INFO])
    edges = (Q - 1, Q + 1, Q + 3, Q + 5)
    for contract in OLD, SPOT:
        assert bill(store, contract).buckets(edges) == [None, None, None]
