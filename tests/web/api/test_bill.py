from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from iskra_server.cost.contracts import Contract
from iskra_server.history.store.store import Store
from iskra_server.web.api.bill import Bill
from iskra_server.web.api.recorded import RecordedMeter
from samples import EXPORT
from web.past import INFO, Q, counted

NOW = datetime(2025, 6, 10, tzinfo=UTC)
ZONE = ZoneInfo("UTC")
OLD = Contract(begins=date(2025, 1, 1), energy_price=Decimal("0.40"), feed_in=Decimal("0.08"))
# Q is 10:00 of the day before
NEW = Contract(begins=date(2025, 6, 3), energy_price=Decimal("0.30"), base_fee=Decimal("30"))
MIDNIGHT = Q + 56


def bill(store: Store, *contracts: Contract) -> Bill:
    known = store.meters()
    return Bill(RecordedMeter(store, known[0], known), contracts, NOW, ZONE)


def test_each_bucket_has_the_price_of_its_day(store: Store) -> None:
    store.write(counted([1000, 2000, 3000], first=MIDNIGHT - 1), [INFO])
    found = [each and each.imported for each in bill(store, OLD, NEW).buckets((MIDNIGHT - 1, MIDNIGHT, MIDNIGHT + 1))]
    assert found == [Decimal("0.04"), Decimal("0.03")]


def test_a_price_may_change_inside_a_bucket(store: Store) -> None:
    store.write(counted([1000, 2000, 3000], first=MIDNIGHT - 1), [INFO])
    (found,) = bill(store, OLD, NEW).buckets((MIDNIGHT - 1, MIDNIGHT + 1))
    assert found and found.imported == Decimal("0.07")


def test_what_was_fed_in_is_paid_for(store: Store) -> None:
    store.write([*counted([0, 0]), *counted([0, 5000], obis=EXPORT)], [INFO])
    assert bill(store, OLD).total(Q, Q + 1).total == Decimal("-0.04")


def test_the_total_has_what_its_gaps_hold_and_the_buckets_have_not(store: Store) -> None:
    store.write(counted([1000, None, 3000]), [INFO])
    own = bill(store, OLD)
    assert own.buckets((Q, Q + 1, Q + 2)) == [None, None]
    assert own.total(Q, Q + 2).imported == Decimal("0.08")


def test_without_a_contract_nothing_has_a_price(store: Store) -> None:
    store.write(counted([1000, 2000]), [INFO])
    own = bill(store, NEW)
    assert own.buckets((Q, Q + 1)) == [None]
    assert own.total(Q, Q + 1).total == 0


def test_fees_count_while_history_does_and_until_now(store: Store) -> None:
    store.write(counted([1000, 2000], first=MIDNIGHT), [INFO])
    # June has 30 days: one a day, from the 3rd to the 10th
    assert bill(store, NEW).total(Q, Q + 96 * 100).base == 7


def test_a_year_is_forecast_for_the_contract_of_today(store: Store) -> None:
    store.write(counted(range(0, 96 * 8 * 100, 100), first=MIDNIGHT - 96 * 1), [INFO])
    year = bill(store, OLD).year()
    assert year is not None and year.forecast.basis == "mean"
    assert year.end - year.begin == 365 * 96
    assert year.forecast.import_wh == 365 * 96 * 10
    assert bill(store).year() is None
