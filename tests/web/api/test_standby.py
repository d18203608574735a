from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from iskra_server.cost.contracts import Contract
from iskra_server.cost.tariffs import SpotShare, Tariff, Terms
from iskra_server.history.model.records import quarter_of
from iskra_server.history.model.spot_price import Price
from iskra_server.history.store.spot_prices import store_prices
from iskra_server.history.store.store import Store
from running import wait_over_midnight
from web.api.test_solar import plant
from web.past import Past, counted, info
from web.serving import Site, arrived, status

CONTRACT = Contract(begins=date(2025, 1, 1), energy_price=Decimal("0.3265"))


def midnight() -> datetime:
    """Today's."""
    wait_over_midnight()
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def past(store: Store, days: int, *contracts: Contract, steps: tuple[int, int] = (330, 300), step: int = 1) -> Past:
    """Nights of 132 W; since a week 120 W. A quarter of `step` Wh more is 4 W more."""
    first = quarter_of((midnight() - timedelta(days=days)).timestamp())
    total, values = 0, [0]
    for place in range(days * 96):
        total += step * (steps[0] if place < (days - 7) * 96 else steps[1])
        values.append(total)
    store.write(counted(values, first=first), [info(first=first)])
    past = Past(store)
    past.site = Site(history=store, contracts=contracts)
    return past


def test_the_base_load_is_that_of_the_last_seven_nights(store: Store) -> None:
    answer = past(store, 30, CONTRACT).ask("standby")
    # the night of today may not be over
    assert answer["nights"] in (6, 7) and answer["base_load_w"] == 120
    assert (answer["before_w"], len(answer["weeks"])) == (132, 13)
    assert [week.get("base_load_w") for week in answer["weeks"][-4:]] == [132, 132, 132, 120]
    assert answer["weeks"][0] == {"begin": answer["weeks"][0]["begin"], "nights": 0}


def test_it_costs_its_power_all_year(store: Store) -> None:
    answer = past(store, 30, CONTRACT).ask("standby")
    assert (answer["year_wh"], answer["price_amount"]) == (1_051_200, Decimal("0.3265"))
    assert (answer["year_amount"], answer["currency"]) == (Decimal("343.2168"), "EUR")


def test_it_costs_the_mean_of_the_known_spot_prices(store: Store) -> None:
    last = quarter_of(midnight().timestamp())
    prices = {last - place: Price(100_000_000 * (1 + place % 2), 15) for place in range(1, 97)}
    store_prices(store, "DE-LU", "test", last * 900, prices)
    terms = Terms(energy=Tariff(Decimal("0.02"), spot=SpotShare("DE-LU")))
    answer = past(store, 30, Contract(begins=date(2025, 1, 1), terms=terms)).ask("standby")
    assert (answer["price_amount"], answer["year_amount"]) == (Decimal("0.17"), Decimal("178.704"))


def test_without_a_contract_it_has_no_cost(store: Store) -> None:
    answer = past(store, 30).ask("standby")
    assert answer["base_load_w"] == 120 and not {"currency", "price_amount", "year_amount"} & answer.keys()


def test_two_nights_are_not_enough(store: Store) -> None:
    answer = past(store, 2, CONTRACT).ask("standby")
    assert not {"base_load_w", "before_w", "year_wh", "year_amount"} & answer.keys()


def test_a_counter_of_whole_kwh_has_none(store: Store) -> None:
    answer = past(store, 30, CONTRACT, steps=(1, 1), step=10_000).ask("standby")
    assert "base_load_w" not in answer


@pytest.mark.parametrize("is_read", [True, False])
def test_the_meter_of_a_solar_plant_has_neither_a_base_load_nor_the_contract_of_the_house(
    store: Store, is_read: bool
) -> None:
    site = past(store, 30, CONTRACT).site
    if is_read:
        site.hub.publish(arrived(), is_production=True)
    else:
        # since the start; its history knows where it was
        store.write([], [replace(info(), port="/dev/ttyUSB1")])
        site.statuses = [status(meter_id=None), plant(None)]
    answer = site.get("/api/v1/meters/1ISK0012345678/standby").json()
    assert answer["nights"] == 0 and not {"base_load_w", "year_wh", "currency"} & answer.keys()
    assert "contract" not in site.get("/api/v1/meters/1ISK0012345678/cost?from=yesterday").json()
