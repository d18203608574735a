from iskra_server.meter.freshness import MISSED_TELEGRAMS, Pace


def arrived(*times_s: float) -> Pace:
    pace = Pace(60.0)
    for time_s in times_s:
        pace.arrived(time_s)
    return pace


def test_nothing_is_fresh_before_the_first_telegram() -> None:
    assert not Pace(60.0).is_fresh(0.0)


def test_a_reading_is_stale_after_a_minute() -> None:
    pace = arrived(0.0, 1.0, 2.0)
    assert pace.is_fresh(62.0)
    assert not pace.is_fresh(62.1)


def test_a_meter_that_sends_rarely_is_given_ten_of_its_intervals() -> None:
    pace = arrived(0.0, 30.0, 60.0)
    assert pace.limit_s == MISSED_TELEGRAMS * 30.0
    assert pace.is_fresh(300.0)


def test_one_long_silence_does_not_make_a_habit() -> None:
    assert arrived(*map(float, range(10)), 3600.0, 3601.0).limit_s == 60.0
