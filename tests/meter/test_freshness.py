import pytest

from iskra_server.meter.freshness import Freshness


def arrived(*times_s: float, stale_after_s: float = 60.0) -> Freshness:
    freshness = Freshness(stale_after_s)
    for time_s in times_s:
        freshness.note_arrival(time_s)
    return freshness


def test_nothing_is_fresh_before_the_first_telegram() -> None:
    assert not Freshness(60.0).is_fresh(0.0)
    assert Freshness(60.0).age_s(0.0) is None


def test_a_reading_is_stale_after_a_minute() -> None:
    freshness = arrived(0.0, 1.0, 2.0)
    assert freshness.is_fresh(62.0)
    assert not freshness.is_fresh(62.1)


def test_the_time_that_a_telegram_may_have_waited_is_part_of_its_age_and_not_of_the_interval() -> None:
    freshness = arrived(0.0, 1.0)
    freshness.note_arrival(2.0, waited_s=1.5)
    assert freshness.age_s(3.0) == 2.5
    assert freshness.usual_s == 1.0


@pytest.mark.parametrize("interval_s", [1.0, 6.0, 30.0, 300.0])
def test_the_configured_limit_is_the_limit_however_rarely_telegrams_arrive(interval_s: float) -> None:
    freshness = arrived(*(k * interval_s for k in range(10)), stale_after_s=2.0)
    assert freshness.is_fresh(9 * interval_s + 2.0)
    assert not freshness.is_fresh(9 * interval_s + 2.1)


def test_one_long_silence_does_not_make_a_habit() -> None:
    assert arrived(*map(float, range(10)), 3600.0, 3601.0).usual_s == 1.0
    assert arrived(0.0).usual_s is None


def test_a_pause_that_boot_time_did_not_count_makes_a_reading_old(monkeypatch: pytest.MonkeyPatch) -> None:
    freshness = arrived(0.0, 1.0)
    monkeypatch.setattr("iskra_server.meter.freshness.possible_pause_s", lambda _: 8 * 3600.0)
    assert freshness.age_s(3.0) == 2.0 + 8 * 3600.0
    assert not freshness.is_fresh(3.0)
