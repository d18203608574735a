import pytest

from iskra_server.meter.freshness import Pace


def arrived(*times_s: float, stale_after_s: float = 60.0) -> Pace:
    pace = Pace(stale_after_s)
    for time_s in times_s:
        pace.arrived(time_s)
    return pace


def test_nothing_is_fresh_before_the_first_telegram() -> None:
    assert not Pace(60.0).is_fresh(0.0)
    assert Pace(60.0).age_s(0.0) is None


def test_a_reading_is_stale_after_a_minute() -> None:
    pace = arrived(0.0, 1.0, 2.0)
    assert pace.is_fresh(62.0)
    assert not pace.is_fresh(62.1)


@pytest.mark.parametrize("interval_s", [1.0, 6.0, 30.0, 300.0])
def test_the_configured_limit_is_the_limit_however_rarely_telegrams_arrive(interval_s: float) -> None:
    pace = arrived(*(k * interval_s for k in range(10)), stale_after_s=2.0)
    assert pace.is_fresh(9 * interval_s + 2.0)
    assert not pace.is_fresh(9 * interval_s + 2.1)


def test_one_long_silence_does_not_make_a_habit() -> None:
    assert arrived(*map(float, range(10)), 3600.0, 3601.0).usual_s == 1.0
    assert arrived(0.0).usual_s is None


def test_a_pause_that_boot_time_did_not_count_makes_a_reading_old(monkeypatch: pytest.MonkeyPatch) -> None:
    pace = arrived(0.0, 1.0)
    monkeypatch.setattr("iskra_server.meter.freshness.possible_pause_s", lambda _: 8 * 3600.0)
    assert pace.age_s(3.0) == 2.0 + 8 * 3600.0
    assert not pace.is_fresh(3.0)
