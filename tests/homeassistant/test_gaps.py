"""The arithmetic of the missing hours; test_missing_hours.py has it in the real Home Assistant."""

from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise
from random import Random

import pytest

from iskra_server.homeassistant import gaps
from iskra_server.homeassistant.gaps import (
    HOUR_S,
    QUARTER_S,
    Counter,
    CounterState,
    Disagreement,
    EnergyRow,
    FilledGap,
    PowerRange,
    earlier,
    power_gaps,
)

BEGIN = 1_795_600_800  # 2026-11-25 10:00 UTC
KWH = Decimal("0.1")


def counter(quarters: Iterable[Decimal | str | None], unit: str = "kWh", total: Iterable[str | None] = ()) -> Counter:
    """Readings from BEGIN on, a quarter-hour apart."""
    totals = [*total]
    readings = {
        BEGIN + place * QUARTER_S: CounterState(
            Decimal(shown), Decimal(totals[place] or 0) if totals else Decimal(shown)
        )
        for place, shown in enumerate(quarters)
        if shown is not None
    }
    return Counter(readings, unit)


def steady(hours: int, start: str = "100.0", quarter: Decimal = KWH) -> Counter:
    """A counter that counts `quarter` every quarter-hour."""
    return counter(Decimal(start) + place * quarter for place in range(hours * 4 + 1))


def row(hour: int, state: str, summed: str) -> EnergyRow:
    """The hour that begins so many hours after BEGIN."""
    return EnergyRow(BEGIN + hour * HOUR_S, Decimal(state), Decimal(summed))


def filled(rows: list[EnergyRow], readings: Counter) -> list[FilledGap]:
    found, refused = gaps.gaps(rows, readings)
    assert refused == []
    return found


def refusal(rows: list[EnergyRow], readings: Counter) -> Disagreement:
    found, (refused,) = gaps.gaps(rows, readings)
    assert found == []
    return refused


def test_each_missing_hour_gets_its_own_energy() -> None:
    before, after = row(0, "100.4", "7.0"), row(4, "102", "8.6")
    (gap,) = filled([before, after], steady(5))
    assert gap == FilledGap(
        before, after, (row(1, "100.8", "7.4"), row(2, "101.2", "7.8"), row(3, "101.6", "8.2")), (), Decimal(0)
    )


def test_hours_that_are_right_are_never_touched() -> None:
    # the last state of an hour is that of the last telegram before its end
    rows = [row(0, "100.3999", "7"), row(1, "100.75", "7.3501"), row(2, "101.2", "7.8001"), row(3, "101.55", "8.1501")]
    assert filled(rows, steady(4)) == []


def test_the_hour_in_which_the_gap_begins_is_completed() -> None:
    # Home Assistant went down in the middle of the first hour: what it has of it is late
    rows = [row(0, "100.4", "7"), row(1, "100.6", "7.2"), row(3, "101.6", "8.2")]
    (gap,) = filled(rows, steady(4))
    assert gap.rows == (row(1, "100.8", "7.4"), row(2, "101.2", "7.8"))
    # a state of the last quarter-hour is right, but the energy of the rest of its hour belongs to it
    rows = [row(0, "100.35", "7"), row(2, "101.2", "7.85")]
    (gap,) = filled(rows, steady(3))
    assert gap.rows == (row(0, "100.4", "7.05"), row(1, "100.8", "7.45"))


def test_rows_that_stand_still_are_corrected() -> None:
    rows = [row(0, "100.4", "7"), row(1, "100.4", "7"), row(2, "100.4", "7"), row(3, "101.6", "8.2")]
    (gap,) = filled(rows, steady(4))
    assert gap.rows == (row(1, "100.8", "7.4"), row(2, "101.2", "7.8"))


def test_a_meter_that_stood_still_is_right() -> None:
    rows = [row(hour, "100.0", "7") for hour in range(4)]
    assert filled(rows, steady(4, quarter=Decimal(0))) == []


def test_a_second_run_finds_nothing() -> None:
    rows = [row(0, "100.35", "7"), row(1, "100.4", "7.05"), row(4, "102", "8.65"), row(7, "103.2", "9.85")]
    found = filled(rows, steady(8))
    assert len(found) == 2
    assert filled(merged(rows, found), steady(8)) == []


def merged(rows: list[EnergyRow], found: list[FilledGap]) -> list[EnergyRow]:
    """What Home Assistant holds afterwards."""
    by_start = {each.start_s: each for each in (*rows, *(each for gap in found for each in gap.rows))}
    return [by_start[start_s] for start_s in sorted(by_start)]


@pytest.mark.parametrize("seed", range(200))
def test_every_bar_is_what_the_meter_counted_wherever_home_assistant_was_away(seed: int) -> None:
    random = Random(seed)
    hours, unit = random.randint(3, 80), random.choice(["Wh", "kWh"])
    scale = random.choice([1, -1, -4]) if unit == "Wh" else random.choice([0, -1, -4, -7])
    shown = [Decimal(random.randint(0, 10**9)).scaleb(scale)]
    for _ in range(hours * 4):
        shown.append(shown[-1] + Decimal(random.randint(0, 4000)).scaleb(scale))
    base = shown[0] - random.randint(0, 5000)
    # each hour was seen to its end, in part, not at all (flat or without a row)
    rows, last = [], shown[4]
    for hour in range(hours):
        seen = random.choice(["whole", "whole", "part", "flat", "none"]) if 0 < hour < hours - 1 else "whole"
        if seen == "whole":
            last = shown[hour * 4 + 4]
        elif seen == "part":
            last = shown[hour * 4 + random.randint(0, 3)]
        if seen != "none":
            # Home Assistant adds floats
            rows.append(EnergyRow(BEGIN + hour * HOUR_S, Decimal(repr(float(last))), Decimal(repr(float(last - base)))))
    readings = counter(shown, unit)
    held = merged(rows, filled(rows, readings))
    assert held[-1] == rows[-1]
    assert filled(held, readings) == []
    for first, second in pairwise(held):
        # one that was late by less than a quarter-hour, and no gap behind it, is left as it is
        late = max(abs(each.state - shown[(each.end_s - BEGIN) // QUARTER_S]) for each in (first, second))
        measured = shown[(second.end_s - BEGIN) // QUARTER_S] - shown[(first.end_s - BEGIN) // QUARTER_S]
        assert abs(second.sum - first.sum - measured) <= late + Decimal("1e-6")
        assert second.sum >= first.sum - Decimal("1e-6")
    states = [each for each in held if readings.readings[each.end_s].shown == each.state]
    for first, second in pairwise(states):
        assert abs(second.sum - first.sum - (second.state - first.state)) < Decimal("1e-4")


def test_nothing_before_the_first_and_behind_the_last_right_hour_is_touched() -> None:
    rows = [row(1, "100.4", "7"), row(2, "101.2", "7.8"), row(3, "101.2", "7.8")]
    assert filled(rows, steady(8)) == []


def test_hours_that_the_meter_was_not_read_keep_no_row() -> None:
    readings = counter([*("100",) * 4, "100.4", *(None,) * 7, "101.2", *(None,) * 3, "101.6", *("101.6",) * 3, "102"])
    (gap,) = filled([row(0, "100.4", "7"), row(4, "102", "8.6")], readings)
    assert gap.rows == (row(2, "101.2", "7.8"), row(3, "101.6", "8.2"))
    assert gap.unread == (BEGIN + HOUR_S,)
    assert filled(merged([gap.before, gap.after], [gap]), readings) == []


def test_an_hour_that_nobody_knows_does_not_fall_back() -> None:
    # 12:00 was not read; Home Assistant stood still from 11:00 on
    readings = counter([*("100",) * 4, "100.4", *("100.4",) * 3, "100.8", *(None,) * 7, "101.6"])
    rows = [row(0, "100.4", "7"), row(1, "100.4", "7"), row(2, "100.4", "7"), row(3, "101.6", "8.2")]
    (gap,) = filled(rows, readings)
    assert gap.rows == (row(1, "100.8", "7.4"), row(2, "100.8", "7.4"))
    assert filled(merged(rows, [gap]), readings) == []


def test_another_meter_is_refused() -> None:
    refused = refusal([row(0, "500", "7"), row(4, "501", "8")], steady(5))
    assert refused.sentence("kWh") == (
        "The hour from 2026-11-25 10:00 UTC ends with 500 kWh in Home Assistant, but the meter showed 100.4 kWh."
    )


def test_a_gap_with_a_wrong_hour_in_it_is_refused() -> None:
    rows = [row(0, "100.4", "7"), row(1, "0", "7"), row(3, "101.6", "108.6")]
    assert refusal(rows, steady(4)) == Disagreement(BEGIN + HOUR_S, "state", Decimal(0), Decimal("100.8"))


def test_a_sum_that_counted_another_amount_is_refused() -> None:
    # the sensor fell to 0 and came back: Home Assistant counted the whole meter
    refused = refusal([row(0, "100.4", "7"), row(3, "101.6", "108.6")], steady(4))
    assert refused == Disagreement(BEGIN + 3 * HOUR_S, "counted", Decimal("101.6"), Decimal("1.2"))
    assert refused.sentence("kWh") == (
        "Up to the hour from 2026-11-25 13:00 UTC, Home Assistant has counted 101.6 kWh in the gap, "
        "but the meter 1.2 kWh."
    )


def test_the_other_gaps_are_filled_all_the_same() -> None:
    rows = [row(0, "100.4", "7"), row(2, "101.2", "99"), row(4, "102", "99.8")]
    found, refused = gaps.gaps(rows, steady(5))
    assert ([gap.rows for gap in found], len(refused)) == ([(row(3, "101.6", "99.4"),)], 1)


def test_a_meter_that_was_replaced_in_the_gap() -> None:
    # the old one ended with 101.0 at 11:30, the new one began with 5.0 then
    shown = [*("100", "100.1", "100.2", "100.3", "100.4", "100.6"), *("5.0", "5.2", "5.4", *("5.5",) * 3, "5.8")]
    total = ["100", "100.1", "100.2", "100.3", "100.4", "100.6", "101", "101.2", "101.4", *("101.5",) * 3, "101.8"]
    readings = counter(shown, total=total)
    # Home Assistant starts again at 0: it counts all that the new meter shows, and misses the end of the old one
    rows = [row(0, "100.4", "7"), row(2, "5.8", "12.8")]
    (gap,) = filled(rows, readings)
    assert gap.rows == (row(1, "5.4", "8.0"),)
    # truly 1.4, Home Assistant has counted 5.8
    assert gap.correction == Decimal("-4.4")
    assert gaps.otherwise(gap.correction, "kWh") == "4.4 kWh more than the meter"
    corrected = EnergyRow(gap.after.start_s, gap.after.state, gap.after.sum + gap.correction)
    assert filled(merged([*rows[:1], corrected], [gap]), readings) == []


def test_rows_that_stand_still_over_a_replaced_meter_are_corrected() -> None:
    """As Home Assistant writes them when it was away itself: with the last state of the old meter."""
    shown = ["100.0", *[f"100.{place}" for place in range(1, 7)], *[f"5.{place}" for place in range(10)]]
    total = [f"{100 + place / 10:.1f}" for place in range(17)]
    rows = [row(0, "100.4", "7"), row(1, "100.4", "7"), row(2, "100.4", "7"), row(3, "5.9", "12.9")]
    found, refused = gaps.gaps(rows, counter(shown, total=total))
    assert refused == []
    (gap,) = found
    assert [(each.state, each.sum) for each in gap.rows] == [
        (Decimal("5.1"), Decimal("7.4")),
        (Decimal("5.5"), Decimal("7.8")),
    ]
    assert gap.correction == Decimal("-4.7")


def test_in_wh_as_in_kwh() -> None:
    readings = counter([Decimal(100_000 + place * 100) for place in range(21)], "Wh")
    (gap,) = filled([row(0, "100400.0", "7000.0"), row(2, "101200.0", "7800.0")], readings)
    assert gap.rows == (row(1, "100800", "7400"),)


def test_noise_of_floats_is_no_difference() -> None:
    rows = [row(0, "100.4", "7.000000000000001"), row(1, "100.8", "7.400000000000002"), row(2, "101.2", "7.8")]
    assert filled(rows, steady(3)) == []


def test_earlier_years_end_where_the_sensor_began_to_count() -> None:
    # it began inside 13:00 at 101.3, and ended the hour with 101.6
    rows = earlier(row(3, "101.6", "0.3"), steady(5))
    assert rows[0] == row(-1, "100", "0")
    assert rows[-1] == row(3, "101.3", "1.3")
    assert [each.sum for each in rows[:-1]] == [Decimal(place) * 4 * KWH for place in range(4)]
    # together: all that the meter counted until then
    assert rows[-1].sum + Decimal("0.3") == Decimal("101.6") - Decimal("100")


def test_earlier_years_of_a_sensor_that_counts_from_elsewhere_end_before_it() -> None:
    assert earlier(row(3, "101.6", "9000"), steady(5))[-1] == row(2, "101.2", "1.2")
    assert earlier(row(3, "101.6", "0"), counter([])) == []


def quarter(place: int, low: int, mean: int, high: int) -> PowerRange:
    return PowerRange(BEGIN + place * QUARTER_S, Decimal(low), Decimal(mean), Decimal(high))


def hour(place: int, low: int, mean: int, high: int) -> PowerRange:
    return PowerRange(BEGIN + place * HOUR_S, Decimal(low), Decimal(mean), Decimal(high))


def test_missing_power_and_power_that_stands_still_is_that_of_the_quarters() -> None:
    quarters = {BEGIN + place * QUARTER_S: quarter(place, 100 - place, 200 + place, 300 + place) for place in range(20)}
    rows = [hour(0, 50, 100, 150), hour(2, 70, 70, 70), hour(4, 50, 100, 150)]
    found = power_gaps(rows, quarters)
    assert found == [
        PowerRange(BEGIN + 1 * HOUR_S, Decimal(93), Decimal("205.5"), Decimal(307)),
        PowerRange(BEGIN + 2 * HOUR_S, Decimal(89), Decimal("209.5"), Decimal(311)),
        PowerRange(BEGIN + 3 * HOUR_S, Decimal(85), Decimal("213.5"), Decimal(315)),
    ]
    assert power_gaps(sorted([*rows[:1], *found, rows[-1]], key=lambda each: each.start_s), quarters) == []


def test_an_hour_of_which_a_quarter_is_missing_gets_no_power() -> None:
    quarters = {BEGIN + place * QUARTER_S: quarter(place, 1, 2, 3) for place in range(20) if place != 6}
    assert power_gaps([hour(0, 1, 2, 3), hour(2, 1, 2, 3)], quarters) == []
    assert power_gaps([], quarters) == []
