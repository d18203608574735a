from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from iskra_server.cost.contracts import Contract
from iskra_server.history.store.store import Store
from web.past import INFO, Past, counted
from web.serving import Site

OLD = Contract(begins=date(2025, 1, 1), energy_price=Decimal("0.3265"), feed_in=Decimal("0.0811"))
NEW = Contract(begins=date(2025, 6, 2), energy_price=Decimal("0.30"))


def past(store: Store, *contracts: Contract) -> Past:
    store.write(counted([1000, 1364]), [INFO])
    past = Past(store)
    past.site = Site(history=store, contracts=contracts)
    return past


def test_each_quarter_has_the_price_of_the_contract_of_its_day(store: Store) -> None:
    answer = past(store, OLD, NEW).ask("prices?from=2025-06-01&to=2025-06-02")
    assert answer["import_amount"] == [Decimal("0.3265")] * 96 + [Decimal("0.3")] * 96
    assert answer["export_amount"] == [Decimal("0.0811")] * 96 + [0] * 96
    assert (answer["currency"], answer["begin"]) == ("EUR", "2025-06-01T00:00:00+00:00")


def test_before_the_first_contract_no_price_is_known(store: Store) -> None:
    answer = past(store, NEW).ask("prices?from=2025-06-01&to=2025-06-02")
    assert answer["import_amount"] == [None] * 96 + [Decimal("0.3")] * 96


def test_the_cheapest_hours_begin_now_where_the_price_never_changes(store: Store) -> None:
    cheapest = past(store, OLD).ask("prices")["cheapest"]
    assert [(cheap["hours"], cheap["price_amount"]) for cheap in cheapest] == [
        (hours, Decimal("0.326500")) for hours in (1, 2, 3, 4)
    ]
    begin = datetime.fromisoformat(cheapest[0]["begin"])
    assert datetime.now(UTC) - timedelta(minutes=16) < begin <= datetime.now(UTC)


def test_without_a_contract_there_are_no_prices(store: Store) -> None:
    answer = past(store).ask("prices?from=2025-06-01")
    assert answer["import_amount"] == answer["export_amount"] == [None] * 96
    assert answer["cheapest"] == [] and "currency" not in answer
