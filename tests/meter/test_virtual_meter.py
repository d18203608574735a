from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskra_server.meter.reading import Reading, Register
from iskra_server.meter.signed_power import PHASES
from iskra_server.meter.units import WATT
from iskra_server.meter.virtual_meter import MeterPart, VirtualMeter, belong_together, is_virtual, virtual_reading
from samples import EXPORT, IMPORT, POWER, energy, power, reading

PUMP = VirtualMeter("Heat pump", (MeterPart("Z1", 1), MeterPart("Z2", -1)))
BOTH = VirtualMeter("Both", (MeterPart("Z1", 1), MeterPart("Z2", 1)))
watts = st.integers(-20_000, 20_000)


def value(content: Reading | None, obis: object) -> Decimal | None:
    register = next((one for one in content.registers if one.obis == obis), None) if content else None
    return register.value if register else None


@given(pump=st.integers(0, 9_000), household=watts)
def test_the_power_of_a_cascade_is_balanced(pump: int, household: int) -> None:
    shown = virtual_reading(PUMP, [reading(power(pump + household)), reading(power(household))])
    assert value(shown, POWER) == pump


def test_a_power_below_0_stays_below_0() -> None:
    assert value(virtual_reading(PUMP, [reading(power(100)), reading(power(103))]), POWER) == -3


def test_digits_of_the_finer_part_are_kept() -> None:
    fine = Register(POWER, 12345, -1, WATT)
    assert value(virtual_reading(PUMP, [reading(power(2000)), reading(fine)]), POWER) == Decimal("765.5")


def test_a_phase_needs_all_parts() -> None:
    phases = [Register(obis, 100 * number, 0, WATT) for number, obis in enumerate(PHASES, 1)]
    both = virtual_reading(PUMP, [reading(power(600), *phases), reading(power(100), *phases[:2])])
    assert [value(both, obis) for obis in PHASES] == [0, 0, None]


def test_counters_are_those_of_a_sum_alone() -> None:
    parts = [reading(power(1), energy(1000), energy(20, obis=EXPORT)), reading(power(2), energy(5, 0))]
    shown = virtual_reading(BOTH, parts)
    assert value(shown, IMPORT) == 105
    assert value(shown, EXPORT) is None
    assert value(virtual_reading(PUMP, parts), IMPORT) is None


def test_without_the_power_of_a_part_there_is_none() -> None:
    assert virtual_reading(PUMP, [reading(power(600)), reading(energy(1))]) is None


def test_the_reading_says_what_it_is() -> None:
    shown = virtual_reading(PUMP, [reading(power(600)), reading(power(1))])
    assert shown
    assert is_virtual(shown)
    assert not is_virtual(reading(power(1)))
    assert (shown.meter_id, shown.server_id) == ("Heat pump", b"Heat pump")
    assert {register.derived for register in shown.registers} == {"virtual meter"}


@pytest.mark.parametrize(
    ("ages_s", "interval_s", "expected"),
    [
        ([0.4, 0], 1, True),
        ([0.6, 0], 1, False),
        ([0.1, 0], None, False),
        # alone
        ([0], 1, True),
        # of three: before the longest pause, after it, within, and evenly spread
        ([0.2, 0.1, 0], 1, True),
        ([0.9, 0.8, 0], 1, False),
        ([0.9, 0.1, 0], 1, False),
        ([0.67, 0.34, 0], 1, True),
    ],
)
def test_values_belong_together_before_the_longest_pause(
    ages_s: list[float], interval_s: float | None, expected: bool
) -> None:
    assert belong_together(ages_s, interval_s) is expected


@given(st.lists(st.floats(0, 0.999), min_size=1, max_size=8), st.floats(0.95, 1.05))
def test_however_parts_are_spread_there_is_a_value_in_each_interval(starts_s: list[float], usual_s: float) -> None:
    shown = [belong_together([(now_s - start_s) % 1 for start_s in starts_s], usual_s) for now_s in starts_s]
    assert any(shown)
