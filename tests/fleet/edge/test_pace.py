"""How many quarters of a meter go into one message, and when, after some were not kept."""

from iskra_server.fleet.edge.pace import MeterPace
from iskra_server.fleet.edge.uplink_queue import PARCEL


def test_fewer_quarters_at_a_time_until_one_is_left_and_more_again_while_they_are_kept() -> None:
    pace = MeterPace(60, 900)
    assert pace.is_usual
    sizes = []
    for _ in range(8):
        pace.split(pace.at_most)
        sizes.append(pace.at_most)
    assert sizes == [48, 24, 12, 6, 3, 1, 1, 1]
    for _ in range(7):
        assert not pace.is_usual
        pace.keep()
    assert (pace.at_most, pace.is_usual) == (PARCEL, True)


def test_delays_grow_while_a_meter_waits_and_begin_again_when_something_is_kept() -> None:
    pace, now_s = MeterPace(60, 900), 1e9
    delays = []
    for _ in range(7):
        pace.wait(now_s)
        # several messages were on their way
        pace.wait(now_s)
        delays.append(pace.retry_s - now_s)
        now_s = pace.retry_s
    assert all(
        limit / 2 <= delay <= limit + 1 for delay, limit in zip(delays, (60, 120, 240, 480, 900, 900), strict=False)
    )
    pace.keep()
    pace.wait(now_s)
    assert pace.retry_s - now_s <= 61
