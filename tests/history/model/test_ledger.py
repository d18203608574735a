from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from iskra_server.history.model.ledger import Ledger, LedgerRecord
from iskra_server.history.model.records import (
    INT64_MAX,
    EpochStart,
    Exact,
    LastCounter,
    PowerQuarter,
    Quality,
    QuarterReading,
)
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register, Sample
from iskra_server.meter.units import Unit
from samples import EXPORT, IMPORT, METER_ID, START, energy, power, sample

# START is the beginning of a quarter
QUARTER = int(START.timestamp()) // 900
START_S = int(START.timestamp())


def at(at_s: float, *registers: Register, epoch: int = 0, clock_s: float = 0.0) -> Sample:
    """A sample `at_s` after START on the monotonic clock; the wall clock shows `clock_s` more."""
    arrived = sample(*registers, at_s=at_s)
    return replace(arrived, received_at=arrived.received_at + timedelta(seconds=clock_s), epoch=epoch)


def closed(*samples: Sample, ledger: Ledger | None = None) -> list[LedgerRecord]:
    ledger = ledger or Ledger()
    return [record for arrived in samples for record in ledger.observe(arrived)]


def quarter_reading(
    quarter: int, raw: int, scaler: int = -1, *, quality: Quality = "measured", obis: Obis = IMPORT, epoch: int = 0
) -> QuarterReading:
    return QuarterReading(METER_ID, obis, QUARTER + quarter, Exact(raw, scaler), quality, epoch)


@pytest.mark.parametrize(
    ("before_s", "after_s", "expected"),
    [
        (899.5, 900.5, quarter_reading(1, 1050)),
        (899, 902, quarter_reading(1, 1033)),
        (890, 900.000001, quarter_reading(1, 1099)),
        (870, 930, quarter_reading(1, 1050)),
        (870, 931, quarter_reading(1, 1049, quality="interpolated")),
        (600, 1500, quarter_reading(1, 1033, quality="interpolated")),
        (0.001, 900.001, quarter_reading(1, 1099, quality="interpolated")),
    ],
)
def test_a_reading_is_interpolated_between_the_telegrams_around_its_quarter(
    before_s: float, after_s: float, expected: QuarterReading
) -> None:
    assert closed(at(before_s, energy(1000)), at(after_s, energy(1100)))[-1:] == [expected]


def test_a_longer_gap_gives_no_reading() -> None:
    assert closed(at(600, energy(1000)), at(1560.001, energy(1100))) == []


def test_counters_that_come_every_15_minutes_have_a_reading_for_each_quarter() -> None:
    arrivals = [at(k * 900.4 - 12, energy(1000 + 100 * k)) for k in range(40)]
    quarters = [record.quarter - QUARTER for record in closed(*arrivals) if isinstance(record, QuarterReading)]
    assert quarters == list(range(40))


def test_a_gap_of_more_than_15_minutes_may_have_the_beginnings_of_two_quarters() -> None:
    assert closed(at(890, energy(1000)), at(1840, energy(1950))) == [
        quarter_reading(1, 1010, quality="interpolated"),
        quarter_reading(2, 1910, quality="interpolated"),
    ]


def test_counters_that_come_ten_seconds_after_each_hour_have_a_reading_for_it() -> None:
    hourly = closed(at(10, energy(1000)), at(3610, energy(1360)), at(7210, energy(1720)))
    assert hourly == [
        quarter_reading(4, 1359, quality="interpolated"),
        quarter_reading(8, 1719, quality="interpolated"),
    ]
    # after a pause of half an hour nobody knows
    assert closed(at(10, energy(1000)), at(1890, energy(1360))) == []


def test_a_telegram_exactly_at_a_quarter_is_its_reading() -> None:
    records = closed(at(0, energy(1000)), at(900, energy(1100)), at(1, energy(1100)), at(9000, energy(1200)))
    assert records == [quarter_reading(0, 1000), quarter_reading(1, 1100), quarter_reading(10, 1200)]


def test_of_two_telegrams_at_one_quarter_the_first_counts() -> None:
    assert closed(at(0, energy(1000)), at(0, energy(1001)), at(1, energy(1002))) == [quarter_reading(0, 1000)]


def test_every_energy_counter_has_a_reading_and_no_other_register_has() -> None:
    reactive = Register(Obis.parse("3.8.0"), 5, 0, Unit(32))
    demand = Register(Obis.parse("1.4.0"), 5, 0, Unit(30))
    registers = (energy(1000), energy(7, 3, EXPORT), power(5), reactive, demand, Register(Obis.parse("1.8.1"), b""))
    records = closed(at(899, *registers), at(901, *registers))
    assert records == [
        quarter_reading(1, 1000),
        quarter_reading(1, 7, 3, obis=EXPORT),
        PowerQuarter(METER_ID, QUARTER, 5000, 5000, 5000, 1),
    ]


def test_meters_are_kept_apart() -> None:
    other = replace(at(899.5, energy(5)), reading=replace(at(0, energy(5)).reading, meter_id="other"))
    assert closed(at(899, energy(1000)), other, at(901, energy(1002))) == [quarter_reading(1, 1001)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (Exact(1234, 3), Exact(12349001, -1), Exact(12344500, -1)),
        (Exact(12345678, -1), Exact(1236, 3), Exact(12352839, -1)),
        (Exact(7, 3), Exact(8, 3), Exact(7, 3)),
        (Exact(-9, 0), Exact(-4, 0), Exact(-7, 0)),
    ],
)
def test_a_meter_may_change_its_scaler_between_two_quarters(before: Exact, after: Exact, expected: Exact) -> None:
    records = closed(at(899, energy(before.raw, before.scaler)), at(901, energy(after.raw, after.scaler)))
    assert records == [QuarterReading(METER_ID, IMPORT, QUARTER + 1, expected, "measured", 0)]


def test_a_meter_that_locks_does_not_step_back() -> None:
    records = closed(at(899, energy(12345678, -1)), at(901, energy(1234, 3)), at(1799, energy(1234, 3)))
    assert records == [quarter_reading(1, 12345678)]


def test_a_coarse_value_a_whole_step_below_is_a_counter_that_went_back() -> None:
    records = closed(at(1, energy(12340000, -1)), at(2, energy(1233, 3)))
    assert records == [EpochStart(METER_ID, IMPORT, 1, START_S + 2, Exact(12340000, -1), Exact(1233, 3))]


def test_a_new_register_has_its_first_reading_at_the_next_quarter() -> None:
    records = closed(at(899, energy(1)), at(901, energy(1), energy(7, 3, EXPORT)), at(1799, energy(2)))
    assert records == [quarter_reading(1, 1)]


def test_an_epoch_starts_with_both_values_and_without_interpolation() -> None:
    records = closed(
        at(899, energy(1000)), at(901, energy(50), epoch=1), at(1799, energy(60)), at(1801, energy(62), epoch=1)
    )
    assert records == [
        EpochStart(METER_ID, IMPORT, 1, START_S + 901, Exact(1000, -1), Exact(50, -1)),
        quarter_reading(2, 61, epoch=1),
    ]


def test_every_counter_of_the_meter_starts_its_own_epoch() -> None:
    records = closed(at(1, energy(1000)), at(2, energy(0), epoch=2), at(3, energy(0), energy(9, 3, EXPORT), epoch=2))
    assert records == [
        EpochStart(METER_ID, IMPORT, 2, START_S + 2, Exact(1000, -1), Exact(0, -1)),
        EpochStart(METER_ID, EXPORT, 2, START_S + 3, None, Exact(9, 3)),
    ]


def test_a_counter_that_went_back_without_the_guard_starts_an_epoch_too() -> None:
    records = closed(at(1, energy(1000)), at(2, energy(999)), at(3, energy(0), epoch=1))
    assert [record.epoch for record in records if isinstance(record, EpochStart)] == [1, 2]


def test_a_clock_that_went_back_gives_no_reading_until_it_has_passed_the_last() -> None:
    ledger = Ledger()
    assert closed(at(899, energy(100)), at(901, energy(102)), ledger=ledger) == [quarter_reading(1, 101)]
    behind = [at(second, energy(102 + second), clock_s=-3600) for second in range(902, 4502, 2)]
    assert closed(*behind, ledger=ledger) == []
    on_time = [at(second, energy(102 + second), clock_s=-3600) for second in range(4502, 5500, 2)]
    assert closed(*on_time, ledger=ledger) == [quarter_reading(2, 5502)]


@pytest.mark.parametrize("clock_s", [-40.0, 30.0, 600.0, 3600.0])
def test_no_reading_is_interpolated_where_the_clock_was_set(clock_s: float) -> None:
    records = closed(at(850, energy(100)), at(899 if clock_s > 0 else 945, energy(102), clock_s=clock_s))
    assert records == []


def test_small_corrections_of_the_clock_do_no_harm() -> None:
    assert closed(at(899, energy(100)), at(900.5, energy(102), clock_s=0.5)) == [quarter_reading(1, 101)]


@pytest.mark.parametrize(
    ("pause_s", "expected"),
    [
        (50, [quarter_reading(1, 1050, quality="measured")]),
        (900, [quarter_reading(1, 1003, quality="interpolated")]),
        (1500, []),
    ],
)
def test_a_restart_goes_on_from_the_last_value(pause_s: int, expected: list[QuarterReading]) -> None:
    ledger = Ledger.resume([LastCounter(METER_ID, IMPORT, Exact(1000, -1), START_S + 875, 0)])
    # the monotonic clock began anew
    arrived = at(875 + pause_s, energy(1100 if pause_s < 60 else 1126))
    assert closed(replace(arrived, monotonic_s=3.0), ledger=ledger) == expected


def test_a_restart_repeats_no_reading_that_history_has() -> None:
    ledger = Ledger.resume([LastCounter(METER_ID, IMPORT, Exact(1000, -1), START_S + 900, 0)])
    assert closed(at(899, energy(1000)), at(900, energy(1000)), at(1800, energy(1100)), ledger=ledger) == [
        quarter_reading(2, 1100)
    ]


def test_a_restart_goes_on_from_the_newest_of_several_values() -> None:
    values = [(1000, 875), (900, 0), (800, -900)]
    ledger = Ledger.resume(LastCounter(METER_ID, IMPORT, Exact(raw, -1), START_S + at_s, 0) for raw, at_s in values)
    assert closed(at(925, energy(1100)), ledger=ledger) == [quarter_reading(1, 1050)]


def test_a_restart_knows_the_epoch() -> None:
    ledger = Ledger.resume([LastCounter(METER_ID, IMPORT, Exact(1000, -1), START_S + 100, 2)])
    records = closed(at(900, energy(1100)), at(901, energy(7)), ledger=ledger)
    assert records == [
        quarter_reading(1, 1100, epoch=2),
        EpochStart(METER_ID, IMPORT, 3, START_S + 901, Exact(1100, -1), Exact(7, -1)),
    ]


def test_power_that_is_still_open_is_handed_out_at_the_end() -> None:
    ledger = Ledger()
    assert closed(at(1, power(5)), at(2, power(7)), ledger=ledger) == []
    assert [(rest.quarter, rest.count) for rest in ledger.close_power()] == [(QUARTER, 2)]
    assert ledger.close_power() == []


def test_a_number_that_no_database_holds_is_left_out() -> None:
    assert closed(at(0, energy(INT64_MAX + 1)), at(1, energy(-INT64_MAX - 1))) == []
    # on the finer scale of the two
    assert closed(at(899, energy(0, -1)), at(901, energy(INT64_MAX, 3))) == []


STEPS = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 100), st.integers(-4000, 4000), st.just(900)),
        st.integers(0, 2000),
        st.integers(-1, 2000),
        st.sampled_from([-1, -1, -1, 3]),
        st.sampled_from([0, 0, 0, 0, 1]),
    ),
    max_size=60,
)


def walk(steps: list[tuple[int, int, int, int, int]]) -> list[Sample]:
    """Samples of a counter that mostly grows, under two clocks that need not agree."""
    wall_s, monotonic_s, tenth_wh, epoch, samples = 0.0, 0.0, 123456, 0, []
    for wall_step, monotonic_step, grown, scaler, renewed in steps:
        wall_s, monotonic_s, tenth_wh, epoch = (
            wall_s + wall_step,
            monotonic_s + monotonic_step,
            tenth_wh + grown,
            epoch + renewed,
        )
        register = energy(tenth_wh if scaler == -1 else tenth_wh // 10_000, scaler)
        samples.append(at(monotonic_s, register, power(grown), epoch=epoch, clock_s=wall_s - monotonic_s))
    return samples


@given(STEPS)
def test_no_reading_comes_twice_or_out_of_order_or_interpolated_over_an_epoch_start(
    steps: list[tuple[int, int, int, int, int]],
) -> None:
    samples = walk(steps)
    records = closed(*samples)
    quarter_readings = [record for record in records if isinstance(record, QuarterReading)]
    quarters = [record.quarter for record in quarter_readings]
    assert quarters == sorted(set(quarters))
    order = [(record.epoch, record.value.decimal) for record in quarter_readings]
    assert order == sorted(order)
    epochs = [record.epoch for record in records if isinstance(record, EpochStart)]
    assert epochs == sorted(set(epochs))
    assert {record.epoch for record in quarter_readings} <= {0, *epochs}


@given(STEPS, st.integers(0, 60))
def test_a_restart_at_any_time_gives_no_reading_twice(steps: list[tuple[int, int, int, int, int]], cut: int) -> None:
    samples = walk(steps)
    before = [record for record in closed(*samples[:cut]) if isinstance(record, QuarterReading)]
    last = [LastCounter(METER_ID, IMPORT, record.value, record.quarter * 900, record.epoch) for record in before[-1:]]
    after = [r for r in closed(*samples[cut:], ledger=Ledger.resume(last)) if isinstance(r, QuarterReading)]
    quarters = [record.quarter for record in before + after]
    assert quarters == sorted(set(quarters))


@given(
    st.integers(0, 10**9),
    st.integers(0, 10**6),
    st.tuples(st.sampled_from([-3, -1, 0, 3]), st.sampled_from([-3, -1, 0, 3])),
    st.integers(1, 450),
    st.integers(1, 450),
)
def test_interpolation_is_exact_and_rounded_down(
    first: int, grown: int, scalers: tuple[int, int], before_s: int, after_s: int
) -> None:
    scaler, other = scalers
    begin, finest = Exact(first, scaler), min(scaler, other)
    # at least as much, in the other scale
    end = Exact(-(-first * 10 ** (scaler + 3) // 10 ** (other + 3)) + grown, other)
    records = closed(at(900 - before_s, energy(first, scaler)), at(900 + after_s, energy(end.raw, other)))
    (found,) = [record for record in records if isinstance(record, QuarterReading)]
    true = Fraction(begin.decimal) + Fraction(end.decimal - begin.decimal) * before_s / (before_s + after_s)
    assert found.value == Exact(int(true / Fraction(10) ** finest), finest)
    assert begin.decimal <= found.value.decimal <= end.decimal
