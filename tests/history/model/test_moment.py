from datetime import datetime, timedelta, timezone

import pytest

from iskra_server.history.model.moment import Moment, is_same_clock, moment_of
from samples import START, energy, sample

START_US = int(START.timestamp()) * 1_000_000


def test_the_moment_of_a_sample_keeps_its_microseconds() -> None:
    moment = moment_of(sample(energy(1), at_s=899.999999))
    assert moment == Moment(START_US + 899_999_999, 899.999999)
    assert moment.quarter == START_US // 900_000_000


def test_a_moment_does_not_depend_on_the_zone_it_is_given_in() -> None:
    received = datetime(2026, 11, 22, 15, 45, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    assert received == START
    assert Moment(START_US, 0.0).quarter == int(received.timestamp()) // 900


@pytest.mark.parametrize(
    ("wall_s", "monotonic_s", "expected"),
    [(10, 10.0, True), (10, 10.9, True), (10, 9.1, True), (10, 8.9, False), (-3600, 10.0, False), (10, None, True)],
)
def test_a_changed_clock_shows_beside_the_monotonic_one(wall_s: int, monotonic_s: float | None, expected: bool) -> None:
    after = Moment(START_US + wall_s * 1_000_000, None if monotonic_s is None else 100.0 + monotonic_s)
    assert is_same_clock(Moment(START_US, 100.0), after) is expected
