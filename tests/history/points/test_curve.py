import pytest

from history.entries import QUARTER, power
from iskra_server.history.model.power_ledger import MAX_MW, power_mw
from iskra_server.history.model.records import PointBlock, PowerBlock
from iskra_server.history.points.curve import (
    Curve,
    CurvePoint,
    PowerValues,
    curve_of_blocks,
    curve_of_quarters,
    curve_of_telegrams,
    power_of_telegrams,
)
from iskra_server.history.points.points import Point, pack
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register
from iskra_server.meter.units import WATT
from samples import EXPORT, METER_ID, POWER

AT_S = QUARTER * 900
HOUR = (AT_S, AT_S + 3600)
ABSOLUTE, DRAWN, FED = (Obis.parse(code) for code in ("15.7.0", "1.7.0", "2.7.0"))


def block(*telegrams: tuple[Register, ...], first_s: int = AT_S) -> PointBlock:
    points = [Point((first_s + place) * 1000, registers) for place, registers in enumerate(telegrams)]
    return PointBlock(METER_ID, first_s, first_s + len(telegrams) - 1, len(telegrams), pack(points))


def watts(value: int, obis: Obis = POWER, scaler: int | None = 0) -> Register:
    return Register(obis, value, scaler, WATT)


@pytest.mark.parametrize(
    ("telegram", "expected"),
    [
        ((watts(-5), watts(7, ABSOLUTE)), -5000),
        ((watts(12345, scaler=-2),), 123450),
        ((watts(-12345, scaler=-4),), -1235),
        ((watts(3, scaler=2),), 300_000),
        ((watts(3, scaler=None),), 3000),
        ((watts(MAX_MW // 1000),), MAX_MW),
        # what no meter measures
        ((watts(MAX_MW // 1000 + 1),), None),
        ((watts(-5, scaler=17),), None),
    ],
)
def test_the_curve_and_the_ledger_have_one_rule_for_power(telegram: tuple[Register, ...], expected: int | None) -> None:
    curve = power_of_telegrams([block(telegram)], HOUR)
    assert [*curve.power_mw] == ([] if expected is None else [expected])
    assert power_mw(telegram) == expected


def test_telegrams_without_power_have_none() -> None:
    assert power_of_telegrams([block((watts(5, EXPORT), watts(7, ABSOLUTE)))], HOUR) == PowerValues([], [])


def test_a_scaler_that_changes_is_followed() -> None:
    found = power_of_telegrams([block((watts(5),), (watts(51, scaler=-1),), (watts(5),))], HOUR)
    assert found.power_mw == [5000, 5100, 5000]


def test_only_the_period_counts_and_time_is_put_in_order() -> None:
    blocks = [block((watts(3),), (watts(4),), first_s=AT_S + 8), block((watts(1),), (watts(2),), first_s=AT_S)]
    assert power_of_telegrams(blocks, (AT_S + 1, AT_S + 9)).power_mw == [2000, 3000]


def test_damage_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="damaged"):
        power_of_telegrams([PointBlock(METER_ID, AT_S, AT_S, 1, b"\1x")], HOUR)


def every(seconds: int, *, count: int, first_s: int = AT_S) -> PowerValues:
    return PowerValues([(first_s + seconds * n) * 1000 for n in range(count)], list(range(count)))


@pytest.mark.parametrize(
    ("at_most", "resolution_s", "points"), [(60, 60, 60), (7, 515, 7), (5000, 1, 3600), (1, 3600, 1)]
)
def test_telegrams_become_points_of_equal_length(at_most: int, resolution_s: int, points: int) -> None:
    curve = curve_of_telegrams(every(1, count=3600), HOUR, HOUR, at_most)
    assert (curve.resolution_s, len(curve.points), curve.gaps) == (resolution_s, points, [])
    assert curve.points[0] == CurvePoint(AT_S, 0, (resolution_s - 1) // 2, resolution_s - 1)
    assert curve.points[-1].max_mw == 3599


def test_a_meter_that_sends_seldom_has_points_where_it_sent_and_no_gaps() -> None:
    curve = curve_of_telegrams(every(60, count=60), HOUR, HOUR, 3600)
    assert ([point.begin_s - AT_S for point in curve.points], curve.gaps) == (list(range(0, 3600, 60)), [])


def test_longer_silence_is_a_gap() -> None:
    assert len(curve_of_telegrams(every(61, count=59), HOUR, HOUR, 60).gaps) == 58
    silent = PowerValues([AT_S * 1000, (AT_S + 600) * 1000], [1, 2])
    assert curve_of_telegrams(silent, HOUR, HOUR, 60).gaps == [(AT_S, AT_S + 600)]


def test_silence_at_the_ends_is_a_gap_where_values_are_expected() -> None:
    some = every(1, count=60, first_s=AT_S + 7200)
    day = (AT_S, AT_S + 86_400)
    assert curve_of_telegrams(some, day, day, 60).gaps == [(AT_S, AT_S + 7200), (AT_S + 7259, AT_S + 86_400)]
    assert curve_of_telegrams(some, day, (AT_S + 7200, AT_S + 7300), 60).gaps == []
    assert curve_of_telegrams(PowerValues([], []), day, day, 60).gaps == [day]


def summed(first_s: int, last_s: int, *power_mw: int) -> PowerBlock:
    """A block of the hour, with its least, mean and most."""
    return PowerBlock(AT_S + first_s, AT_S + last_s, *power_mw)


def test_blocks_that_fill_points_are_as_good_as_their_telegrams() -> None:
    power_mw = [abs(second * 37 % 91 - 45) * 1000 for second in range(3600)]
    minutes = [power_mw[begin : begin + 60] for begin in range(0, 3600, 60)]
    blocks = [
        summed(60 * place, 60 * place + 59, min(minute), sum(minute) // 60, max(minute))
        for place, minute in enumerate(minutes)
    ]
    telegrams = PowerValues([(AT_S + second) * 1000 for second in range(3600)], power_mw)
    assert curve_of_blocks(blocks, HOUR, HOUR, 60) == curve_of_telegrams(telegrams, HOUR, HOUR, 60)


def test_a_block_counts_in_every_point_that_it_reaches_into() -> None:
    blocks = [summed(0, 59, -5, 100, 200), summed(60, 119, 50, 400, 900), summed(120, 179, 300, 500, 600)]
    curve = curve_of_blocks(blocks, (AT_S, AT_S + 180), HOUR, 2)
    assert curve.points == [CurvePoint(AT_S, -5, (60 * 100 + 30 * 400) // 90, 900), CurvePoint(AT_S + 90, 50, 466, 900)]


def test_no_least_and_no_most_is_lost() -> None:
    power_mw = [second * second * 7919 % 100_003 - 50_000 for second in range(3600)]
    blocks = [
        summed(begin, begin + len(some) - 1, min(some), sum(some) // len(some), max(some))
        for begin in range(0, 3600, 61)
        for some in (power_mw[begin : begin + 61],)
    ]
    exact = curve_of_telegrams(
        PowerValues([(AT_S + second) * 1000 for second in range(3600)], power_mw), HOUR, HOUR, 40
    )
    curve = curve_of_blocks(blocks, HOUR, HOUR, 40)
    assert [point.begin_s for point in curve.points] == [point.begin_s for point in exact.points]
    for point, wanted in zip(curve.points, exact.points, strict=True):
        assert point.min_mw <= wanted.min_mw <= wanted.mean_mw <= wanted.max_mw <= point.max_mw
        assert point.min_mw <= point.mean_mw <= point.max_mw


def test_only_the_part_of_a_block_within_the_period_weighs() -> None:
    blocks = [summed(-30, 29, 0, 100, 100), summed(30, 89, 0, 400, 400), summed(3590, 3649, 7, 7, 7)]
    curve = curve_of_blocks(blocks, HOUR, HOUR, 60)
    assert curve.points[0] == CurvePoint(AT_S, 0, 250, 400)
    assert [point.begin_s - AT_S for point in curve.points] == [0, 60, 3540]
    assert curve.gaps == [(AT_S + 89, AT_S + 3590)]


def test_silence_between_blocks_is_a_gap_and_has_no_points() -> None:
    blocks = [summed(0, 59, 1, 1, 1), summed(119, 130, 2, 2, 2), summed(191, 200, 3, 3, 3), summed(600, 600, 4, 4, 4)]
    curve = curve_of_blocks(blocks, HOUR, (AT_S, AT_S + 700), 60)
    assert curve.gaps == [(AT_S + 130, AT_S + 191), (AT_S + 200, AT_S + 600)]
    assert [point.begin_s - AT_S for point in curve.points] == [0, 60, 120, 180, 600]


def test_a_block_within_another_after_a_clock_went_back_makes_no_gap() -> None:
    blocks = [summed(0, 59, 1, 1, 1), summed(10, 15, 2, 2, 2), summed(110, 150, 3, 3, 3)]
    assert curve_of_blocks(blocks, HOUR, (AT_S, AT_S + 200), 60).gaps == []


def test_without_blocks_all_that_was_heard_is_a_gap() -> None:
    day = (AT_S, AT_S + 86_400)
    assert curve_of_blocks([], day, day, 60) == Curve(1440, [], [day])


def test_quarters_become_points_by_the_count_of_their_telegrams() -> None:
    few, many = power(QUARTER, 100), power(QUARTER + 1, 400)
    few = type(few)(METER_ID, few.quarter, -9, 100, 200, 1)
    curve = curve_of_quarters([few, many], HOUR, HOUR, 2)
    assert curve.resolution_s == 1800
    assert curve.points == [CurvePoint(AT_S, -1500, (100 + 900 * 400) // 901, 69_000_000_000)]


def test_a_quarter_is_the_finest() -> None:
    curve = curve_of_quarters([power(QUARTER + n, n) for n in range(4)], HOUR, HOUR, 5000)
    assert (curve.resolution_s, [point.mean_mw for point in curve.points], curve.gaps) == (900, [0, 1, 2, 3], [])


def test_an_absent_quarter_is_a_gap() -> None:
    day = (AT_S, AT_S + 86_400)
    curve = curve_of_quarters([power(QUARTER + place) for place in (1, 2, 5)], day, day, 5000)
    gaps = [(begin_s // 900 - QUARTER, end_s // 900 - QUARTER) for begin_s, end_s in curve.gaps]
    assert gaps == [(0, 1), (3, 5), (6, 96)]


def test_a_period_that_begins_within_a_quarter_has_that_quarter() -> None:
    period = (AT_S + 100, AT_S + 950)
    curve = curve_of_quarters([power(QUARTER), power(QUARTER + 1)], period, period, 5000)
    assert ([point.begin_s for point in curve.points], curve.gaps) == ([AT_S, AT_S + 900], [])
