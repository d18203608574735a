from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from iskra_server.cost.contracts import Contract
from iskra_server.cost.tariffs import SpotShare, Tariff, Terms
from iskra_server.history.model.spot_price import Price
from iskra_server.history.store.spot_prices import store_prices
from iskra_server.history.store.store import Store
from iskra_server.web.api.compare_contracts import MAX_CONTRACTS, MAX_DAYS
from iskra_server.web.api.comparison_answer import REFUSE_PERCENT, WARN_PERCENT
from samples import EXPORT
from web.past import INFO, Past, Q, counted
from web.serving import Site

GREEN = Contract(
    begins=date(2025, 1, 1),
    name="Green",
    energy_price=Decimal("0.30"),
    base_fee=Decimal("12"),
    feed_in=Decimal("0.08"),
)
OLD = Contract(begins=date(2020, 1, 1), name="Old", energy_price=Decimal("0.25"))
CHEAP = Contract(begins=date(1970, 1, 1), name="Cheap", energy_price=Decimal("0.20"))
SPOT = Contract(
    begins=date(1970, 1, 1), name="Spot", terms=Terms(energy=Tariff(Decimal("0.10"), spot=SpotShare("DE-LU")))
)
DAY = "compare-contracts?from=2025-06-02&tz=UTC"


def past(store: Store, contracts: tuple[Contract, ...] = (GREEN,), offers: tuple[Contract, ...] = ()) -> Past:
    past = Past(store)
    past.site = Site(history=store, contracts=contracts, offers=offers)
    return past


def write_prices(store: Store, prices: Mapping[int, int]) -> None:
    """In 0.01 EUR/MWh."""
    store_prices(store, "DE-LU", "test", Q * 900, {quarter: Price(raw * 10_000) for quarter, raw in prices.items()})


def by_name(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {contract["name"]: contract for contract in answer["contracts"]}


def test_contracts_and_offers_differ_from_the_contract_of_today(store: Store) -> None:
    store.write([*counted([0, 1000, 3000]), *counted([0, 1000, 1000], obis=EXPORT)], [INFO])
    answer = past(store, (OLD, GREEN), (CHEAP,)).ask(DAY)
    assert [(each["name"], each["source"], each["is_own"]) for each in answer["contracts"]] == [
        ("Green", "contract", True),
        ("Old", "contract", False),
        ("Cheap", "offer", False),
    ]
    assert (answer["begin"], answer["end"]) == ("2025-06-02T10:00:00+00:00", "2025-06-02T10:30:00+00:00")
    green, _, cheap = answer["contracts"]
    # half an hour of 30 days at 12 EUR
    assert green["base_amount"] == Decimal("0.008333")
    assert green["total_amount"] == Decimal("0.09") - Decimal("0.008") + Decimal("0.008333")
    assert (green["difference_amount"], green["difference_percent"], green["begins"]) == (0, 0, "2025-01-01")
    assert cheap["total_amount"] == Decimal("0.06") and "begins" not in cheap
    assert cheap["difference_amount"] == cheap["total_amount"] - green["total_amount"]
    assert cheap["difference_percent"] == Decimal("-33.6")
    assert (cheap["mean_amount"], cheap["even_amount"]) == (Decimal("0.2"), Decimal("0.2"))
    assert {"shift_amount", "negative", "cheapest_month"}.isdisjoint(cheap)
    assert (answer["verdict"], answer["has_year"], answer["estimated_percent"]) == ("ok", False, 0)
    assert [month["import_wh"] for month in answer["months"]] == [300]


def test_a_spot_price_that_is_unknown_is_never_counted_as_nothing(store: Store) -> None:
    store.write(counted([0, 1000, 3000]), [INFO])
    write_prices(store, {Q: -50_00})
    answer = past(store, (GREEN,), (SPOT,)).ask(DAY)
    spot = by_name(answer)["Spot"]
    assert (spot["import_amount"], spot["unpriced_import_wh"]) == (Decimal("0.005"), 200)
    assert spot["negative"] == {"quarters": 1, "import_wh": 100, "export_wh": 0}
    # the own contract's cost of the same 100 Wh, and its base fee
    assert spot["difference_amount"] == Decimal("0.005") - Decimal("0.03") - Decimal("0.008333")
    assert [(zone["zone"], zone["begin"]) for zone in answer["zones"]] == [("DE-LU", "2025-06-02T10:00:00+00:00")]


@pytest.mark.parametrize(
    ("missing", "verdict"),
    [
        (WARN_PERCENT, "ok"),
        (WARN_PERCENT + 1, "estimated"),
        (REFUSE_PERCENT, "estimated"),
        (REFUSE_PERCENT + 1, "refused"),
    ],
)
def test_estimated_energy_warns_and_too_much_of_it_refuses_a_difference(
    store: Store, missing: int, verdict: str
) -> None:
    counts: list[int | None] = list(range(0, 1010, 10))
    counts[50 : 50 + missing - 1] = [None] * (missing - 1)
    store.write(counted(counts, first=Q - 40), [INFO])
    answer = past(store, (GREEN,), (CHEAP,)).ask("compare-contracts?from=2025-06-01&to=2025-06-03")
    assert (answer["verdict"], answer["estimated_percent"]) == (verdict, missing)
    assert all(("difference_amount" in each) == (verdict != "refused") for each in answer["contracts"])
    assert answer["contracts"][1]["total_amount"] == Decimal("0.02")
    assert answer["contracts"][1]["estimated_amount"] == Decimal("0.0002") * missing


def test_a_dynamic_contract_is_compared_by_the_numbers_of_the_query(store: Store) -> None:
    store.write([*counted([0, 1000]), *counted([0, 1000], obis=EXPORT)], [INFO])
    write_prices(store, {Q: 100_00})
    site = past(store)
    assert [each["name"] for each in site.ask(DAY)["contracts"]] == ["Green"]
    numbers = "zone=DE-LU&markup=0.01&grid_fee=0.05&tax=0.02&kwkg=0&offshore=0&special=0&concession=0"
    answer = site.ask(f"{DAY}&{numbers}&vat_percent=19&base_fee=0")
    dynamic = by_name(answer)["Dynamic"]
    assert dynamic["import_amount"] == (Decimal("0.10") + Decimal("0.08")) * Decimal("1.19") / 10
    # as today
    assert dynamic["export_amount"] == Decimal("0.008")
    assert (answer["dynamic"]["markup"], answer["dynamic"]["vat_percent"]) == (Decimal("0.01"), 19)
    assert by_name(past(store, ()).ask(f"{DAY}&zone=DE-LU")).keys() == {"Dynamic"}


def test_without_a_contract_or_a_reading_nothing_is_compared(store: Store) -> None:
    store.write(counted([0, 1000]), [INFO])
    assert past(store, ()).ask(DAY)["contracts"] == []
    empty = past(store).ask("compare-contracts?from=2024")
    assert (empty["contracts"], empty["months"], empty["days"], empty["currency"]) == ([], [], 0, "EUR")


def test_contracts_are_chosen_by_name(store: Store) -> None:
    store.write(counted([0, 1000]), [INFO])
    site = past(store, (OLD, GREEN), (CHEAP, SPOT))
    assert by_name(site.ask(f"{DAY}&contracts=Cheap, Old")).keys() == {"Green", "Old", "Cheap"}
    assert "'Blue' is no contract" in site.refusal(f"{DAY}&contracts=Blue")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("from=2000&to=2025", f"longer than {MAX_DAYS} days"),
        ("zone=DE", "allowed are AT"),
        ("zone=DE-LU&markup=-1", "a number from 0"),
        ("zone=DE-LU&vat_percent=1e3", "a number from 0"),
        ("markup=1001", "a number from 0"),
        ("battery=5", "not a parameter"),
    ],
)
def test_what_is_too_much_or_wrong_is_refused(store: Store, query: str, sentence: str) -> None:
    store.write(counted([0, 1000]), [INFO])
    assert sentence in past(store).refusal(f"compare-contracts?{query}")


def test_too_many_contracts_are_refused_before_the_work(store: Store) -> None:
    store.write(counted([0, 1000]), [INFO])
    offers = tuple(
        Contract(begins=date(1970, 1, 1), name=f"offer {number}", energy_price=Decimal("0.2"))
        for number in range(MAX_CONTRACTS)
    )
    assert "'contracts'" in past(store, (GREEN,), offers).refusal(DAY)
    assert len(past(store, (GREEN,), offers).ask(f"{DAY}&contracts=offer 3")["contracts"]) == 2


def test_the_cheapest_and_the_dearest_month(store: Store) -> None:
    store.write([*counted([0, 1000]), *counted([1000, 2000], first=Q + 96 * 40)], [INFO])
    write_prices(store, {quarter: 100_00 for quarter in range(Q, Q + 96 * 40)} | {Q + 96 * 40: 50_00})
    site = past(store, (GREEN,), (SPOT,))
    spot = by_name(site.ask("compare-contracts?from=2025-06&to=2025-07&tz=UTC"))["Spot"]
    assert spot["cheapest_month"] == {"begin": "2025-07-01T00:00:00+00:00", "mean_amount": Decimal("0.15")}
    assert spot["dearest_month"] == {"begin": "2025-06-02T10:00:00+00:00", "mean_amount": Decimal("0.2")}


def test_a_contract_in_another_currency_is_not_compared_with_spot_prices_in_euros(store: Store) -> None:
    store.write(counted([0, 1000]), [INFO])
    swiss = Contract(begins=date(2025, 1, 1), name="Swiss", energy_price=Decimal("0.30"), currency="CHF")
    answer = past(store, (swiss,)).ask(f"{DAY}&zone=CH")
    assert (answer["currency"], list(by_name(answer))) == ("CHF", ["Swiss"])
