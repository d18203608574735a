from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from iskra_server.cost.bill import Bill
from iskra_server.cost.contracts import Contract
from iskra_server.cost.tariffs import Fee, Tariff, Terms
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.history.store.store import Store
from web.past import counted, info, quarter

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2027, 6, 1, tzinfo=UTC)
# 365 a year is 1 a day
CREDIT = Contract(
    begins=date(2024, 1, 1),
    terms=Terms(energy=Tariff(Decimal("0.1")), grid=Tariff(Decimal("0.10")), vat_percent=Decimal(20)),
    grid_credit=Decimal(365),
)
DAYS = [quarter(f"2026-01-{day:02}T00:00:00+01:00") for day in range(1, 12)]


def bill(store: Store, contract: Contract, kwh: list[int]) -> Bill:
    """The energy of each day of January."""
    totals = [sum(kwh[:day]) * 10_000 for day in range(len(kwh) + 1)]
    for day, total in zip(DAYS, totals, strict=False):
        store.write(counted([total], first=day), [info(first=DAYS[0])])
    meters = store.meters()
    return Bill(RecordedMeter(store, meters[0], meters), [contract], NOW, BERLIN)


def test_the_credit_counts_by_days(store: Store) -> None:
    amount = bill(store, CREDIT, [100] * 10).total(DAYS[0], DAYS[10])
    assert [amount.credit, amount.base] == [10, -10]
    assert amount.total == 1000 * Decimal("0.2") * Decimal("1.2") - 10


def test_it_is_never_more_than_the_grid_has_cost_since_the_year_began(store: Store) -> None:
    # 0.12 a kWh: two days that cost nothing, then more than the credit
    meter_bill = bill(store, CREDIT, [5, 0, 0, 100, 0, 0])
    buckets = [amount.credit if amount else None for amount in meter_bill.buckets(DAYS[:7])]
    assert buckets == [Fraction("0.6"), 0, 0, Fraction("3.4"), 1, 1]
    assert meter_bill.total(DAYS[0], DAYS[6]).credit == 6
    # a period that begins later counts what was not credited before
    assert meter_bill.total(DAYS[3], DAYS[6]).credit == Fraction("5.4")


def test_any_cut_of_a_period_adds_up(store: Store) -> None:
    meter_bill = bill(store, CREDIT, [5, 0, 0, 30, 0, 0, 1, 2, 3, 4])
    cuts = [DAYS[0], DAYS[2], DAYS[3], DAYS[7], DAYS[10]]
    credits = [meter_bill.total(*cut).credit for cut in pairwise(cuts)]
    assert sum(credits) == meter_bill.total(DAYS[0], DAYS[10]).credit == sum([5, 30, 1, 2, 3, 4]) * Fraction("0.12")


def test_the_base_price_of_the_grid_is_part_of_what_it_costs(store: Store) -> None:
    contract = Contract(
        begins=CREDIT.begins,
        terms=CREDIT.terms,
        grid_credit=CREDIT.grid_credit,
        further_fees=(Fee("grid", Decimal("182.5"), "year"),),
    )
    amount = bill(store, contract, [0] * 10).total(DAYS[0], DAYS[10])
    assert [amount.credit, amount.base] == [5, 0]
