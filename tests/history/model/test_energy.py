from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskra_server.history.model.energy import (
    Bucket,
    BucketLength,
    EpochMark,
    Gap,
    bucket_edges,
    continuous_total,
    energy_between,
    energy_in_buckets,
)
from iskra_server.history.model.records import EpochStart, Exact, Quality, QuarterReading
from samples import IMPORT, METER_ID

UTC_ZONE, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")


def quarter_reading(
    quarter: int, raw: int, scaler: int = 0, quality: Quality = "measured", epoch: int = 0
) -> QuarterReading:
    return QuarterReading(METER_ID, IMPORT, quarter, Exact(raw, scaler), quality, epoch)


def start(epoch: int, before: Exact | None, after: Exact, at_s: int = 0) -> EpochStart:
    return EpochStart(METER_ID, IMPORT, epoch, at_s, before, after)


class Series:
    """The boundaries of one counter, and how often they were asked for."""

    def __init__(self, *quarter_readings: QuarterReading) -> None:
        self.rows = {row.quarter: row for row in quarter_readings}
        self.seeks = 0
        self.nearest = 0

    def look_up(self, quarters: Sequence[int]) -> Mapping[int, QuarterReading]:
        self.seeks += len(quarters)
        return {quarter: self.rows[quarter] for quarter in quarters if quarter in self.rows}

    def before(self, quarter: int) -> QuarterReading | None:
        self.nearest += 1
        found = max((known for known in self.rows if known < quarter), default=None)
        return None if found is None else self.rows[found]

    def after(self, quarter: int) -> QuarterReading | None:
        self.nearest += 1
        found = min((known for known in self.rows if known > quarter), default=None)
        return None if found is None else self.rows[found]


def buckets(series: Series, *at: int) -> list[tuple[float | None, str]]:
    """Energy and quality; the numbers here are so small that a float holds them."""
    found = energy_in_buckets(at, series.look_up, series.before, series.after, ()).buckets
    assert [(bucket.begin, bucket.end) for bucket in found] == list(pairwise(at))
    return [(None if bucket.energy_wh is None else float(bucket.energy_wh), bucket.quality) for bucket in found]


def gaps(series: Series, *at: int) -> tuple[Gap, ...]:
    return energy_in_buckets(at, series.look_up, series.before, series.after, ()).gaps


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def hours(quarters: Sequence[int], zone: ZoneInfo) -> list[str]:
    return [datetime.fromtimestamp(quarter * 900, zone).strftime("%H:%M") for quarter in quarters]


def test_a_bar_is_the_difference_of_its_edges() -> None:
    series = Series(
        quarter_reading(0, 1000),
        quarter_reading(4, 1250),
        quarter_reading(8, 1250, quality="interpolated"),
        quarter_reading(9, 13, 2),
    )
    assert buckets(series, 0, 4, 8, 9) == [(250, "measured"), (0, "interpolated"), (50, "interpolated")]
    assert energy_in_buckets((0, 4, 8, 9), series.look_up, series.before, series.after, ()).total_wh == 300
    assert gaps(series, 0, 4, 8, 9) == ()


def test_bars_cost_one_seek_for_each_edge() -> None:
    series = Series(*(quarter_reading(quarter, 10 * quarter) for quarter in range(0, 4000)))
    assert len(buckets(series, *range(0, 4000, 96))) == 41
    assert (series.seeks, series.nearest) == (42, 0)


def test_an_absent_edge_costs_two_seeks_more_and_a_whole_gap_no_more_than_that() -> None:
    series = Series(*(quarter_reading(quarter, 10 * quarter) for quarter in (*range(0, 20), *range(60, 100), 104)))
    assert buckets(series, *range(0, 104, 4))[4:15] == [(30, "partial"), *[(None, "absent")] * 10]
    assert (series.seeks, series.nearest) == (26, 4)


def test_a_future_of_many_edges_costs_two_seeks_more() -> None:
    series = Series(quarter_reading(0, 0), quarter_reading(4, 40))
    assert buckets(series, *range(0, 100, 4)) == [(40, "measured"), *[(None, "absent")] * 23]
    assert (series.seeks, series.nearest) == (25, 2)


def test_a_gap_is_one_block_with_its_sum() -> None:
    series = Series(quarter_reading(0, 0), quarter_reading(3, 30), quarter_reading(9, 95), quarter_reading(12, 120))
    assert buckets(series, 0, 4, 8, 12) == [(30, "partial"), (None, "absent"), (25, "partial")]
    assert gaps(series, 0, 4, 8, 12) == (Gap(3, 9, Decimal(65)),)


def test_a_gap_may_reach_out_of_the_period() -> None:
    series = Series(quarter_reading(0, 0), quarter_reading(5, 50), quarter_reading(6, 60), quarter_reading(13, 130))
    found = energy_in_buckets((4, 8, 12), series.look_up, series.before, series.after, ())
    assert [bucket.energy_wh for bucket in found.buckets] == [10, None]
    assert found.gaps == (Gap(0, 5, Decimal(50)), Gap(6, 13, Decimal(70)))
    assert found.total_wh == 10


def test_what_lies_before_the_first_and_after_the_last_boundary_is_no_gap() -> None:
    series = Series(quarter_reading(5, 50), quarter_reading(7, 70))
    found = energy_in_buckets((0, 4, 8, 12), series.look_up, series.before, series.after, ())
    assert found.buckets == (
        Bucket(0, 4, None, "absent"),
        Bucket(4, 8, Decimal(20), "partial"),
        Bucket(8, 12, None, "absent"),
    )
    assert (found.gaps, found.total_wh) == ((), Decimal(20))


def test_a_lone_boundary_measures_nothing() -> None:
    assert buckets(Series(quarter_reading(5, 50)), 4, 8) == [(None, "absent")]
    assert buckets(Series(), 4, 8) == [(None, "absent")]


def test_a_gap_inside_a_bar_leaves_its_sum_exact() -> None:
    assert buckets(Series(quarter_reading(0, 7), quarter_reading(96, 1007)), 0, 96) == [(1000, "measured")]


def test_an_empty_period_has_no_bars() -> None:
    series = Series(quarter_reading(4, 40))
    found = energy_in_buckets((4,), series.look_up, series.before, series.after, ())
    assert (found.buckets, found.gaps, found.total_wh) == ((), (), None)


def test_energy_over_an_epoch_start_counts_what_both_sides_measured() -> None:
    epochs = [start(1, Exact(10005, -1), Exact(3, 3), at_s=900), start(2, None, Exact(5, 0), at_s=9000)]
    series = Series(quarter_reading(0, 1000), quarter_reading(4, 31, 2, epoch=1), quarter_reading(9, 32, 2, epoch=1))
    found = energy_in_buckets((0, 4, 9), series.look_up, series.before, series.after, epochs)
    assert [str(bucket.energy_wh) for bucket in found.buckets] == ["100.5", "100"]
    assert found.epochs == (EpochMark(1, 900, Decimal("1000.5"), Decimal(3000)),)
    assert [str(continuous_total(row, epochs)) for row in series.rows.values()] == ["1000", "1100.5", "1200.5"]


def test_epochs_of_the_period_are_those_between_its_edges() -> None:
    series, epochs = Series(), [start(at, None, Exact(0, 0), at_s=900 * at) for at in (3, 4, 8, 9)]
    epochs.append(start(5, None, Exact(0, 0), at_s=900 * 9 - 1))
    found = energy_in_buckets((4, 9), series.look_up, series.before, series.after, epochs)
    assert [mark.epoch for mark in found.epochs] == [4, 8, 5]


def test_an_epoch_without_a_value_before_it_adds_nothing() -> None:
    epochs = [start(2, None, Exact(5, 0))]
    assert continuous_total(quarter_reading(1, 9, epoch=2), epochs) == 9
    assert energy_between(quarter_reading(0, 4, epoch=0), quarter_reading(1, 9, epoch=2), epochs) == 5


def test_many_digits_stay_exact() -> None:
    largest = (1 << 63) - 1
    found = energy_between(quarter_reading(0, 1, -12), quarter_reading(1, largest, 6), ())
    assert str(found) == f"{largest * 10**6 - 1}.999999999999"


VALUES = st.lists(
    st.tuples(st.integers(1, 9), st.integers(0, 10**6), st.sampled_from([-3, -1, 0, 3]), st.sampled_from([0, 0, 0, 1])),
    min_size=1,
    max_size=40,
)


@given(VALUES, st.lists(st.integers(-5, 200), min_size=2, max_size=12, unique=True).map(sorted))
def test_bars_and_gaps_add_up_to_the_difference_of_the_ends(
    steps: list[tuple[int, int, int, int]], at: list[int]
) -> None:
    quarter, epoch, value, true_wh, rows, starts = 0, 0, Decimal(0), Decimal(0), [], []
    truth: dict[int, Decimal] = {}
    for step, grown, scaler, renewed in steps:
        quarter += step
        if renewed:
            epoch += 1
            starts.append(start(epoch, Exact(int(value.scaleb(3)), -3), Exact(7, 0)))
            value = Decimal(7)
        growth = Decimal(grown) if scaler == 3 else Decimal(grown).scaleb(-3)
        value, true_wh = value + growth, true_wh + growth
        raw = Exact(int(value.scaleb(3)), -3) if scaler < 3 else Exact(int(value.scaleb(6)), -6)
        rows.append(QuarterReading(METER_ID, IMPORT, quarter, raw, "measured", epoch))
        truth[quarter] = true_wh
    series = Series(*rows)
    found = energy_in_buckets(at, series.look_up, series.before, series.after, starts)
    parts = [bucket.energy_wh for bucket in found.buckets if bucket.energy_wh is not None]
    first = max((known for known in truth if known <= at[0]), default=min(truth))
    last = min((known for known in truth if known >= at[-1]), default=max(truth))
    with localcontext(prec=200):
        total = sum(parts, Decimal(0)) + sum((gap.energy_wh for gap in found.gaps), Decimal(0))
        inside = [gap.energy_wh for gap in found.gaps if gap.begin >= at[0] and gap.end <= at[-1]]
        # a period wholly before or after all that was measured has nothing to add up
        if first < last and min(truth) < at[-1] and max(truth) > at[0]:
            assert total == truth[last] - truth[first]
        assert sum(parts + inside, Decimal(0)) == (found.total_wh or 0)
    absent = [edge for edge in at if edge not in truth]
    assert (series.seeks, series.nearest <= 2 * len(absent)) == (len(at), True)


@pytest.mark.parametrize(
    ("day", "quarters"),
    [((2026, 3, 29), 92), ((2026, 10, 25), 100), ((2026, 6, 21), 96)],
    ids=["short", "long", "usual"],
)
def test_a_day_has_as_many_quarters_and_hours_as_the_clocks_make_it(day: tuple[int, int, int], quarters: int) -> None:
    begin = datetime(*day, tzinfo=BERLIN)
    end = begin + timedelta(days=1)
    assert len(bucket_edges(begin, end, "15min", BERLIN)) == quarters + 1
    assert len(bucket_edges(begin, end, "hour", BERLIN)) == quarters // 4 + 1
    assert len(bucket_edges(begin, end, "day", BERLIN)) == 2


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        ("day", 366),
        ("week", 54),
        ("month", 13),
        ("year", 2),
        ("hour", 8761),
        ("15min", 35041),
    ],
)
def test_a_year_in_bars(length: BucketLength, expected: int) -> None:
    found = bucket_edges(datetime(2026, 1, 1, tzinfo=BERLIN), datetime(2027, 1, 1, tzinfo=BERLIN), length, BERLIN)
    assert len(found) == expected
    assert (found[-1] - found[0]) == 35040


def test_weeks_begin_on_monday_and_the_first_and_last_bar_may_be_shorter() -> None:
    found = bucket_edges(utc(2026, 11, 22, 10, 7), utc(2026, 12, 1, 9, 59), "week", UTC_ZONE)
    assert [datetime.fromtimestamp(quarter * 900, UTC) for quarter in found] == [
        utc(2026, 11, 22, 10),
        utc(2026, 11, 23),
        utc(2026, 11, 30),
        utc(2026, 12, 1, 9, 45),
    ]


@pytest.mark.parametrize(
    ("zone", "begin", "end", "expected"),
    [
        ("Asia/Kathmandu", utc(2026, 1, 1, 0, 15), utc(2026, 1, 1, 2, 30), ["06:00", "07:00", "08:00", "08:15"]),
        # half an hour forward at 02:00, and back at 02:00
        (
            "Australia/Lord_Howe",
            utc(2026, 10, 3, 14),
            utc(2026, 10, 3, 17),
            ["00:30", "01:00", "02:30", "03:00", "04:00"],
        ),
        ("Australia/Lord_Howe", utc(2026, 4, 4, 14), utc(2026, 4, 4, 16), ["01:00", "01:30", "02:00", "02:30"]),
        # from half past two to three
        ("America/Caracas", utc(2016, 5, 1, 6, 30), utc(2016, 5, 1, 8), ["02:00", "03:00", "04:00"]),
        ("Europe/Berlin", utc(2026, 3, 29, 0), utc(2026, 3, 29, 2), ["01:00", "03:00", "04:00"]),
        ("Europe/Berlin", utc(2026, 10, 25, 0), utc(2026, 10, 25, 2), ["02:00", "02:00", "03:00"]),
    ],
)
def test_hours_follow_the_local_clock(zone: str, begin: datetime, end: datetime, expected: list[str]) -> None:
    assert hours(bucket_edges(begin, end, "hour", ZoneInfo(zone)), ZoneInfo(zone)) == expected


def test_a_day_that_a_zone_has_skipped_has_no_bar() -> None:
    zone = ZoneInfo("Pacific/Apia")
    found = bucket_edges(utc(2011, 12, 29, 10), utc(2012, 1, 1, 10), "day", zone)
    assert [datetime.fromtimestamp(quarter * 900, zone).day for quarter in found] == [29, 31, 1, 2]


def test_begin_and_end_are_aligned_down_to_their_quarters() -> None:
    assert bucket_edges(utc(1970, 1, 1, 0, 14), utc(1970, 1, 1, 0, 30), "15min", UTC_ZONE) == (0, 1, 2)
    assert bucket_edges(utc(1970, 1, 1, 0, 1), utc(1970, 1, 1, 0, 14), "day", UTC_ZONE) == (0,)
    with pytest.raises(ValueError, match="the period ends at 1970-01-01T00:00:00"):
        bucket_edges(utc(1970, 1, 2), utc(1970, 1, 1), "day", UTC_ZONE)


ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia"]


@given(
    st.integers(10**9 // 900, 2 * 10**9 // 900),
    st.integers(0, 6000),
    st.sampled_from(get_args(BucketLength)),
    st.sampled_from(ZONES),
)
def test_edges_cover_the_period_and_bars_hold_one_local_unit(
    first: int, quarters: int, length: BucketLength, zone_name: str
) -> None:
    zone = ZoneInfo(zone_name)
    begin, end = (datetime.fromtimestamp(quarter * 900, UTC) for quarter in (first, first + quarters))
    found = bucket_edges(begin, end, length, zone)
    assert (found[0], found[-1]) == (first, first + quarters)
    assert list(found) == sorted(set(found))
    form = {"day": "%F", "week": "%G-%V", "month": "%Y-%m", "year": "%Y", "hour": "%F %H %z", "15min": "%F %H:%M %z"}
    units = [
        {datetime.fromtimestamp(quarter * 900, zone).strftime(form[length]) for quarter in range(*bar)}
        for bar in pairwise(found)
    ]
    assert all(len(unit) == 1 for unit in units)
    assert all(left != right for left, right in pairwise(units))
