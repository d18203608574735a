"""From the stand-in into a real history."""

from collections.abc import Iterator
from datetime import date
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pricing
from iskra_server.history.model.spot_price import FIRST_QUARTERLY, Price, eur_mwh, quarters_of_days
from iskra_server.history.store.spot_prices import Stored, spot_prices, spot_raws, store_prices
from iskra_server.history.store.store import Store
from iskra_server.prices.collecting import Collected, collect, is_complete, months
from iskra_server.prices.price_sources import price_sources
from pricing import DAY as ONE
from pricing import StandIn, stand_in

ZONE, DAY, AT_S = "DE-LU", date(2026, 11, 22), 1_795_000_000
QUARTERS = quarters_of_days(DAY, DAY + ONE)


@pytest.fixture
def source() -> Iterator[StandIn]:
    with stand_in() as source:
        source.prices = pricing.priced(DAY - ONE, DAY + 2 * ONE)
        yield source


@pytest.fixture
def history(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/iskra.sqlite")
    yield store
    store.close()


def ask(history: Store, source: StandIn, quarters: range = QUARTERS, *, ask_all: bool = True) -> Collected:
    return collect(history, price_sources(source.addresses), ZONE, quarters, lambda: AT_S, ask_all=ask_all)


def test_the_first_source_is_enough(history: Store, source: StandIn) -> None:
    assert ask(history, source) == Collected(Stored(new=96), frozenset(), (), True)
    assert source.asked() == ["energy-charts"]
    prices = spot_prices(history, ZONE, QUARTERS.start, QUARTERS.stop)
    assert {quarter: eur_mwh(price.raw) for quarter, price in prices.items()} == pricing.priced(DAY)


def test_what_is_there_is_not_asked_for_again(history: Store, source: StandIn) -> None:
    ask(history, source)
    assert ask(history, source).stored == Stored()
    assert len(source.requests) == 1


def test_the_next_source_is_asked_where_one_fails(history: Store, source: StandIn) -> None:
    source.fault, source.only = "500", "energy-charts"
    collected = ask(history, source, ask_all=False)
    assert (collected.stored, collected.problems) == (Stored(new=96), ("energy-charts: it answers 500",))
    assert source.asked()[:2] == ["energy-charts", "smard"] and "awattar-de" not in source.asked()


def test_half_a_day_is_completed_by_the_next_source_and_its_own_prices_stay(history: Store, source: StandIn) -> None:
    half = dict(list(pricing.priced(DAY).items())[:48])
    source.prices = half
    collected = ask(history, source, ask_all=False)
    assert (collected.stored, len(collected.missing)) == (Stored(new=48), 48)
    assert ask(history, source).missing == frozenset(QUARTERS[48:])
    source.prices = pricing.priced(DAY)
    # the rest alone is asked for
    assert ask(history, source).stored == Stored(new=48)
    assert f"start={QUARTERS[48] * 900}" in source.requests[-1]


def test_the_hours_of_awattar_stand_in_until_there_are_quarters(history: Store, source: StandIn) -> None:
    source.fault, source.only = "500", "energy-charts"
    source.prices = pricing.priced(DAY)
    addresses = source.addresses
    hourly = [found for found in price_sources(addresses) if found.name != "smard"]
    collected = collect(history, hourly, ZONE, QUARTERS, lambda: AT_S)
    assert (collected.stored.new, len(collected.missing)) == (96, 96)
    assert is_complete(history, ZONE, DAY, DAY + ONE, stand_ins=True)
    assert not is_complete(history, ZONE, DAY, DAY + ONE, stand_ins=False)
    source.fault = ""
    assert ask(history, source).stored.replaced == 96
    assert is_complete(history, ZONE, DAY, DAY + ONE, stand_ins=False)


def test_nobody_answers(history: Store, source: StandIn) -> None:
    source.fault = "500"
    collected = ask(history, source)
    assert not collected.has_answer
    assert collected.reason == "energy-charts: it answers 500; smard: it answers 500; awattar: it answers 500"
    source.fault, source.prices = "", {}
    assert ask(history, source).reason == "no source has them"


def test_nothing_is_asked_or_stored_while_the_clock_is_not_trusted(history: Store, source: StandIn) -> None:
    sources = price_sources(source.addresses)
    assert collect(history, sources, ZONE, QUARTERS, lambda: None).stored == Stored()
    assert source.requests == []
    # it was set while the answer was on its way
    moments = iter((AT_S, None))
    assert collect(history, sources, ZONE, QUARTERS, lambda: next(moments)).stored == Stored()
    assert len(source.requests) == 1 and spot_raws(history, ZONE, QUARTERS.start, QUARTERS.stop) == {}


def test_the_change_from_hours_to_quarters(history: Store, source: StandIn) -> None:
    days = date(2025, 9, 30), date(2025, 10, 2)
    quarters = quarters_of_days(*days)
    source.prices = {
        quarter: price
        for quarter, price in pricing.priced(*days).items()
        if quarter >= FIRST_QUARTERLY or quarter % 4 == 0
    }
    assert ask(history, source, quarters).stored == Stored(new=192)
    prices = spot_prices(history, ZONE, quarters.start, quarters.stop)
    assert all(prices[quarter] == prices[quarter - quarter % 4] for quarter in range(quarters.start, FIRST_QUARTERLY))
    assert len({prices[quarter].raw for quarter in range(FIRST_QUARTERLY, quarters.stop)}) == 96


def test_a_period_is_asked_for_by_months() -> None:
    parts = list(months(date(2025, 11, 20), date(2026, 2, 3)))
    assert [(f"{first}", f"{end}") for first, end in parts] == [
        ("2025-11-20", "2025-12-01"),
        ("2025-12-01", "2026-01-01"),
        ("2026-01-01", "2026-02-01"),
        ("2026-02-01", "2026-02-03"),
    ]
    assert list(months(DAY, DAY)) == []


@settings(max_examples=40)
@given(
    st.lists(
        st.dictionaries(
            st.integers(QUARTERS.start, QUARTERS.start + 7),
            st.builds(Price, st.integers(-9, 9), st.sampled_from((15, 60))),
        ),
        max_size=5,
    )
)
def test_prices_only_become_more_and_better(shared: Store, answers: list[dict[int, Price]]) -> None:
    """Whatever comes in whatever order: the first of the shortest length is in force."""
    zone = f"example {next(EXAMPLES)}"
    wanted: dict[int, Price] = {}
    for answer in answers:
        store_prices(shared, zone, "file", AT_S, answer)
        for quarter, price in answer.items():
            if quarter not in wanted or price.minutes < wanted[quarter].minutes:
                wanted[quarter] = price
        assert spot_prices(shared, zone, QUARTERS.start, QUARTERS.stop) == wanted


EXAMPLES = count()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('prices')}/iskra.sqlite")
    yield store
    store.close()
