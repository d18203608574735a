from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskra_server.history.model.moment import Moment, moment_of
from iskra_server.history.model.power_ledger import PowerLedger, power_mw
from iskra_server.history.model.records import PowerQuarter
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register
from iskra_server.meter.units import WATT
from samples import METER_ID, START, energy, power, reading, sample

QUARTER = int(START.timestamp()) // 900


def watt(code: str, raw: int, scaler: int | None = 0) -> Register:
    return Register(Obis.parse(code), raw, scaler, WATT)


def quarters(*values: tuple[float, int | None], meter: PowerLedger | None = None) -> list[PowerQuarter]:
    """What is closed by watts at seconds after START; None: a telegram without power."""
    meter = meter or PowerLedger(METER_ID)
    closed: list[PowerQuarter] = []
    for at_s, value in values:
        arrived = sample(*([] if value is None else [power(value)]), at_s=at_s)
        closed += meter.observe(arrived.reading, moment_of(arrived))
    return closed


@pytest.mark.parametrize(
    ("registers", "expected"),
    [
        ([watt("16.7.0", -40)], -40_000),
        ([watt("15.7.0", 40), watt("16.7.0", -40)], -40_000),
        # a record has the signed power wherever it is known: nothing is made up from others here
        ([watt("15.7.0", 40), watt("1.7.0", 7), watt("2.7.0", 9)], None),
        ([watt("16.7.0", 12345, -1)], 1_234_500),
        ([watt("16.7.0", 12345, -4)], 1_234),
        ([watt("16.7.0", 2, 3)], 2_000_000),
        ([watt("16.7.0", 2, None)], 2_000),
        ([energy(123)], None),
        ([watt("16.7.0", 1, 127)], None),
        ([Register(Obis.parse("16.7.0"), b"", 0, WATT)], None),
    ],
)
def test_power_is_the_signed_power_of_the_record(registers: list[Register], expected: int | None) -> None:
    assert power_mw(registers) == expected


def test_a_quarter_closes_with_the_first_telegram_after_it() -> None:
    closed = quarters((0, 100), (10, 400), (20, 100), (899, 100), (900, 5000))
    # 100 W for 10 s, 400 W for 10 s, 100 W for 60 s and for the last second
    assert closed == [PowerQuarter(METER_ID, QUARTER, 100_000, 11_100_000 // 81, 400_000, 4)]


def test_a_quarter_that_begins_in_the_middle_is_kept_with_its_count() -> None:
    assert quarters((600, -300), (900, 0)) == [PowerQuarter(METER_ID, QUARTER, -300_000, -300_000, -300_000, 1)]


def test_a_telegram_without_power_ends_what_the_last_one_said() -> None:
    closed = quarters((0, 100), (10, None), (40, 400), (50, None), (900, None))
    assert closed == [PowerQuarter(METER_ID, QUARTER, 100_000, 250_000, 400_000, 2)]


def test_telegrams_that_arrive_together_all_count() -> None:
    closed = quarters((0, 100), (0, 300), (0, 200), (900, 0))
    assert (closed[0].min_mw, closed[0].max_mw, closed[0].count) == (100_000, 300_000, 3)


def test_a_silent_quarter_gives_nothing() -> None:
    assert [quarter.quarter for quarter in quarters((0, 1), (1800, 1), (2700, 1))] == [QUARTER, QUARTER + 2]


def test_what_is_open_can_be_closed_once() -> None:
    meter = PowerLedger(METER_ID)
    assert quarters((0, 100), (1, 300), meter=meter) == []
    assert [quarter.count for quarter in meter.close()] == [2]
    assert list(meter.close()) == []
    assert quarters((2, 100), (900, 0), meter=meter) == []


def test_a_clock_that_ran_ahead_for_a_while_leaves_no_trace() -> None:
    meter = PowerLedger(METER_ID)
    closed: list[PowerQuarter] = []
    for wall_s, monotonic_s, watts in ((0, 0, 100), (7200, 1, 900), (1000, 2, 300), (1800, 802, 0)):
        moment = Moment((int(START.timestamp()) + wall_s) * 1_000_000, monotonic_s)
        closed += meter.observe(reading(power(watts)), moment)
    assert [(quarter.quarter - QUARTER, quarter.max_mw) for quarter in closed] == [(0, 100_000), (1, 300_000)]


TIMES = st.lists(st.tuples(st.integers(-5000, 5000), st.integers(0, 2000), st.integers(-9000, 9000)), max_size=40)


@given(TIMES)
def test_quarters_come_once_and_in_order_whatever_the_clock_does(steps: list[tuple[int, int, int]]) -> None:
    closed: list[PowerQuarter] = []
    meter, wall_s, monotonic_s = PowerLedger(METER_ID), int(START.timestamp()), 0.0
    for wall_step, monotonic_step, watts in steps:
        wall_s, monotonic_s = wall_s + wall_step, monotonic_s + monotonic_step
        closed += meter.observe(reading(power(watts)), Moment(wall_s * 1_000_000, monotonic_s))
    closed += meter.close()
    numbers = [quarter.quarter for quarter in closed]
    assert numbers == sorted(set(numbers))
    assert all(quarter.min_mw <= quarter.mean_mw <= quarter.max_mw for quarter in closed)
    assert sum(quarter.count for quarter in closed) <= len(steps)


@given(st.lists(st.tuples(st.integers(1, 70), st.integers(-9000, 9000)), min_size=1, max_size=12))
def test_the_mean_is_weighted_by_time(steps: list[tuple[int, int]]) -> None:
    values, at_s = [], 0
    for step, watts in steps:
        values.append((at_s, watts))
        at_s += step
    (closed,) = quarters(*values, (900, 0))
    held = [
        (min(60, after - at), watts) for (at, watts), (after, _) in zip(values, [*values[1:], (900, 0)], strict=True)
    ]
    mean = Fraction(sum(seconds * watts * 1000 for seconds, watts in held), sum(seconds for seconds, _ in held))
    assert closed.mean_mw == mean.numerator // mean.denominator
