"""Answers in the documented form, written by hand, and what is refused."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pricing
from iskra_server.history.model.spot_price import FIRST_QUARTERLY, Price, Prices, eur_mwh, quarters_of_days
from iskra_server.prices.price_answers import (
    BadAnswer,
    awattar_prices,
    energy_charts_prices,
    evcc_prices,
    exported_prices,
    smard_prices,
    smard_weeks,
)

# 2026-11-22T00:00Z
AT_S = 1_795_305_600
QUARTER = AT_S // 900


def raws(prices: Prices) -> list[tuple[int, int, int]]:
    return [(quarter - QUARTER, price.raw, price.minutes) for quarter, price in sorted(prices.items())]


def test_energy_charts() -> None:
    answer = (
        b'{"license_info":"CC BY 4.0 (creativecommons.org/licenses/by/4.0) from Bundesnetzagentur | SMARD.de",'
        b'"unix_seconds":[1795305600,1795306500,1795307400],"price":[98.49,-103.01,null],"unit":"EUR / MWh",'
        b'"deprecated":false}'
    )
    assert raws(energy_charts_prices(answer)) == [(0, 98_490_000, 15), (1, -103_010_000, 15)]


def test_smard() -> None:
    assert smard_weeks(b'{"timestamps":[1795388400000,1794783600000]}') == [1_794_783_600_000, 1_795_388_400_000]
    answer = b'{"meta_data":{"version":1},"series":[[1795305600000,98.49],[1795306500000,null],[1795307400000,0]]}'
    assert raws(smard_prices(answer)) == [(0, 98_490_000, 15), (2, 0, 15)]


def test_an_hour_of_awattar_is_that_of_each_of_its_quarters_and_says_so() -> None:
    answer = (
        b'{"object":"list","data":[{"start_timestamp":1795305600000,"end_timestamp":1795309200000,'
        b'"marketprice":98.49,"unit":"Eur/MWh"}],"url":"/de/v1/marketdata"}'
    )
    assert raws(awattar_prices(answer)) == [(number, 98_490_000, 60) for number in range(4)]


@pytest.mark.parametrize(
    "answer",
    [
        b'[{"start":"2026-11-22T00:00:00Z","end":"2026-11-22T00:15:00Z","value":0.0985}]',
        b' {"rates":[{"start":"2026-11-22T01:00:00+01:00","end":"2026-11-22T01:15:00+01:00","value":0.0985}]}',
    ],
)
def test_the_form_of_evcc_in_euros_per_kwh(answer: bytes) -> None:
    assert raws(evcc_prices(answer)) == [(0, 98_500_000, 15)]
    assert raws(evcc_prices(answer, units_in_mwh=1)) == [(0, 98_500, 15)]


def test_hours_before_the_market_had_quarters_and_quarters_since() -> None:
    """2025-09-30 and 2025-10-01 in one answer."""
    hours = {quarter: Decimal(quarter % 7) for quarter in range(FIRST_QUARTERLY - 96, FIRST_QUARTERLY, 4)}
    own = {quarter: Decimal(quarter % 5) for quarter in range(FIRST_QUARTERLY, FIRST_QUARTERLY + 96)}
    found = energy_charts_prices(pricing.energy_charts(hours | own))
    assert sorted(found) == list(range(FIRST_QUARTERLY - 96, FIRST_QUARTERLY + 96))
    assert {price.minutes for quarter, price in found.items() if quarter < FIRST_QUARTERLY} == {60}
    assert {price.minutes for quarter, price in found.items() if quarter >= FIRST_QUARTERLY} == {15}
    assert found[FIRST_QUARTERLY - 1] == found[FIRST_QUARTERLY - 4]


def test_a_source_that_has_hours_only_since_then_says_so() -> None:
    found = energy_charts_prices(pricing.energy_charts(pricing.priced(date(2026, 11, 22)), step=4))
    assert len(found) == 96 and {price.minutes for price in found.values()} == {60}


@pytest.mark.parametrize(("day", "count"), [((2026, 3, 29), 92), ((2026, 10, 25), 100), ((2026, 11, 22), 96)])
def test_days_on_which_the_clocks_change(day: tuple[int, int, int], count: int) -> None:
    prices = pricing.priced(date(*day))
    for found in energy_charts_prices(pricing.energy_charts(prices)), evcc_prices(pricing.evcc(prices)):
        assert {quarter: eur_mwh(price.raw) for quarter, price in found.items()} == prices
        assert len(found) == count
    assert len(awattar_prices(pricing.awattar(prices))) == count


@settings(max_examples=20)
@given(st.lists(st.decimals(-500, 4000, places=2), min_size=96, max_size=96))
def test_no_price_goes_through_a_float(values: list[Decimal]) -> None:
    prices = dict(zip(quarters_of_days(date(2026, 11, 22), date(2026, 11, 23)), values, strict=True))
    for found in (
        energy_charts_prices(pricing.energy_charts(prices)),
        smard_prices(pricing.smard(prices)),
        evcc_prices(pricing.evcc(prices)),
    ):
        assert {quarter: eur_mwh(price.raw) for quarter, price in found.items()} == prices


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"", "it is not in the documented form"),
        (b"<html>", "it is not in the documented form"),
        (b"[" * 100_000, "it is not in the documented form"),
        (b'{"unix_seconds":[1795305600],"unit":"EUR / MWh"}', "Object missing required field `price`"),
        (b'{"unix_seconds":[1795305600],"price":[true],"unit":"EUR / MWh"}', "Expected `decimal | null`, got `bool`"),
        (b'{"unix_seconds":[1795305600],"price":[1,2],"unit":"EUR / MWh"}', "it has 1 times and 2 prices"),
        (b'{"unix_seconds":[1795305600],"price":[1],"unit":"GBP / MWh"}', "its prices are in 'GBP / MWh', not in EUR"),
        (b'{"unix_seconds":[1795305601],"price":[1],"unit":"EUR / MWh"}', "not for quarter-hours or hours"),
        (b'{"unix_seconds":[1795305600,1795305600],"price":[1,2],"unit":"EUR / MWh"}', "it has two prices for 2026-"),
        (b'{"unix_seconds":[99],"price":[1],"unit":"EUR / MWh"}', "a price begins at 99 and ends at 999 "),
        (b'{"unix_seconds":[99999999999999999999],"price":[1],"unit":"EUR / MWh"}', "a price begins at 9999"),
        (b'{"unix_seconds":[1795305600],"price":[1e9],"unit":"EUR / MWh"}', "1E+9 is no price in EUR/MWh"),
        (b'{"unix_seconds":[1795305600],"price":[1e999999999],"unit":"EUR / MWh"}', "is no price in EUR/MWh"),
    ],
)
def test_another_answer_is_refused_with_one_clause(answer: bytes, sentence: str) -> None:
    with pytest.raises(BadAnswer) as refused:
        energy_charts_prices(answer)
    assert sentence in str(refused.value) and "\n" not in str(refused.value) and len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b'[{"start":"2026-11-22T00:00:00","end":"2026-11-22T01:00:00","value":1}]', "has no offset such as Z"),
        (b'[{"start":"2026-11-22T00:00:00.5Z","end":"2026-11-22T01:00:00Z","value":1}]', "between two quarter-hours"),
        (b'[{"start":"2026-11-22T00:20:00Z","end":"2026-11-22T01:00:00Z","value":1}]', "not for quarter-hours or"),
        (b'[{"start":"2026-11-22T01:00:00Z","end":"2026-11-22T01:00:00Z","value":1}]', "a price begins at"),
        (b'[{"start":"2026-11-22T01:00:00Z","end":"2026-12-22T01:00:00Z","value":1}]', "not for quarter-hours or"),
    ],
)
def test_a_file_in_another_form_is_refused(answer: bytes, sentence: str) -> None:
    with pytest.raises(BadAnswer, match=sentence):
        evcc_prices(answer)


def test_equal_prices_twice_are_one() -> None:
    answer = b'{"series":[[1795305600000,98.49],[1795305600000,98.490]]}'
    assert smard_prices(answer) == {QUARTER: Price(98_490_000)}


def test_times_between_seconds_are_refused() -> None:
    with pytest.raises(BadAnswer, match="between two quarter-hours"):
        smard_prices(b'{"series":[[1795305600001,98.49]]}')


@pytest.mark.parametrize("minutes", [-1, 0, 10**17])
def test_an_exported_price_is_for_a_time_that_prices_are_for(minutes: int) -> None:
    line = f'{{"begin":"2026-01-01T00:00:00Z","end":"2026-01-01T00:15:00Z","eur_mwh":1,"minutes":{minutes}}}'
    with pytest.raises(BadAnswer, match="it is not in the documented form"):
        exported_prices(line.encode())
