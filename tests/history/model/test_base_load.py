from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from iskra_server.history.model.base_load import base_load, night_quarters, nightly_minima

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = date(2026, 11, 23)


def nights(*watts: int, first: date = NIGHT) -> Iterator[tuple[int, Decimal]]:
    """Nights that draw twice as much but for an hour from 02:00 on, which draws `watts`."""
    for place, power in enumerate(watts):
        quarters = night_quarters(first + timedelta(days=place), BERLIN)
        for index, quarter in enumerate(quarters):
            yield quarter, Decimal(power if 8 <= index < 12 else 2 * power) / 4


def test_a_night_has_the_power_of_its_quietest_hour() -> None:
    assert nightly_minima(nights(131, 90), BERLIN) == {NIGHT: 131, NIGHT + timedelta(days=1): 90}


def test_the_base_load_is_the_median_of_at_least_three_nights() -> None:
    assert base_load(nights(131, 90, 800), BERLIN) == 131
    assert base_load(nights(131, 90), BERLIN) is None


def test_an_hour_with_a_gap_does_not_count() -> None:
    quarters = dict(nights(131))
    missing = sorted(quarters)[9]
    del quarters[missing]
    # the two quarters after the gap, and two after the quiet hour
    assert nightly_minima(quarters.items(), BERLIN) == {NIGHT: Decimal("196.5")}


def test_the_hours_after_five_do_not_count() -> None:
    quarters = dict(nights(131))
    after = max(quarters) + 1
    quarters |= {after + place: Decimal(1) for place in range(-1, 40)}
    assert nightly_minima(quarters.items(), BERLIN) == {NIGHT: 131}


@pytest.mark.parametrize(("day", "length"), [(date(2026, 3, 29), 16), (NIGHT, 20), (date(2025, 10, 26), 24)])
def test_a_night_has_the_length_of_the_clock(day: date, length: int) -> None:
    assert len(night_quarters(day, BERLIN)) == length
    assert len(nightly_minima(nights(100, first=day), BERLIN)) == 1


def test_a_counter_of_whole_kwh_says_nothing() -> None:
    assert base_load(((quarter, Decimal(1000)) for quarter, _ in nights(1, 1, 1)), BERLIN) is None


def test_a_night_without_energy_draws_nothing() -> None:
    assert base_load(nights(0, 0, 0), BERLIN) == 0
