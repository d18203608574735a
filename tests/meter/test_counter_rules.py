import pytest

from iskra_server.meter.counter_rules import (
    MAX_COUNTERS,
    SeenCounter,
    counters_of,
    impossible_counters,
    is_counter,
    is_energy_counter,
    joined,
    violation,
)
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register
from iskra_server.meter.units import unit_named
from samples import IMPORT, energy, power, reading, sample


@pytest.mark.parametrize(
    ("code", "raw", "expected"),
    [
        ("1.8.0", 1, True),
        ("1.8.0", b"", False),
        ("16.8.0", 1, False),
        ("16.7.0", 1, False),
        ("1-1:1.8.9", 1, True),
        ("0-0:96.7.21", 1, True),
    ],
)
def test_counters_are_told_by_the_table_and_by_their_kind(code: str, raw: int | bytes, expected: bool) -> None:
    assert is_counter(Register(Obis.parse(code), raw)) is expected


def test_heat_is_no_energy_of_history() -> None:
    assert is_energy_counter(energy(5))
    assert not is_energy_counter(energy(5, obis=Obis.parse("0-1:24.2.1")))
    assert not is_energy_counter(energy(5, obis=Obis.parse("6-0:6.8.0")))


def test_of_too_many_counters_the_newest_stay() -> None:
    codes = [Obis(bytes((1, k // 256, 1, 8, k % 256, 255))) for k in range(MAX_COUNTERS + 2)]
    counters = {obis: SeenCounter(energy(1, obis=obis), sample(at_s=k)) for k, obis in enumerate(codes)}
    assert list(joined({}, counters)) == codes[2:]
    assert joined(dict(list(counters.items())[:5]), {codes[1]: counters[codes[9]]})[codes[1]] is counters[codes[9]]


def test_the_counters_of_a_sample_have_its_time_and_nothing_else_of_it() -> None:
    (counted,) = counters_of(sample(energy(7), power(5), at_s=3, seconds=70)).values()
    assert counted.register == energy(7)
    assert (counted.sample.monotonic_s, counted.sample.reading.registers) == (3, ())


def test_a_decrease_by_what_flows_in_some_seconds_may_be_tolerated() -> None:
    counters = counters_of(sample(energy(5000)))
    # 36 kW for 10 s are 100 Wh
    for raw, is_violation in ((4001, False), (3999, True)):
        found = violation(counters, sample(energy(raw)), 36_000, tolerated_s=10)
        assert (found is not None) is is_violation
    assert str(violation(counters, sample(energy(4999)), 36_000)) == "1-0:1.8.0 went back from 500.0 to 499.9"
    assert violation({IMPORT: counters[IMPORT]}, sample(power(-5)), 36_000) is None


def test_a_first_counter_is_no_more_than_the_connection_carries_in_50_years() -> None:
    # 69 kW for 50 years of 8,766 hours
    limit_wh = 69_000 * 50 * 8766
    gas = Register(Obis.parse("0-1:24.2.1"), limit_wh * 10, 0, unit_named("m³"))
    for first in (energy(limit_wh, 0), energy(10 * limit_wh), gas):
        assert impossible_counters(reading(first), 69_000) == {}
    (found,) = impossible_counters(reading(energy(limit_wh + 1, 0), power(5)), 69_000).values()
    assert found.is_beyond_rating and found.is_impossible
    assert str(found) == "1-0:1.8.0 is more than the connection can carry in 50 years: 30242700001"
    assert impossible_counters(reading(energy(limit_wh + 1, 0)), 70_000) == {}
