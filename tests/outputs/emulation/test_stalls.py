"""Telegrams that waited while this process stood still are as old as that."""

import asyncio
import time

import pytest

from emulating import GridMeter, in_event_loop, running
from iskra_server.outputs.emulation import stalls
from iskra_server.outputs.emulation.stalls import READ_S, Stalls
from samples import power


def beaten(*seconds: float) -> Stalls:
    made = Stalls()
    for second in seconds:
        made.beat(second)
    return made


def test_a_telegram_in_time_has_not_waited() -> None:
    assert beaten(10.0, 10.3, 10.7).waited_s(10.8, 10.9) == 0
    # nothing is known before the first beat
    assert Stalls().waited_s(11.2, 99.0) == 0


def test_a_telegram_of_a_stall_may_have_waited_since_the_last_beat_before() -> None:
    stalled = beaten(10.2, 10.5)
    # whichever runs first afterwards, the beat or the reader
    assert stalled.waited_s(13.5, 13.5) == 3.0
    stalled.beat(13.6)
    assert stalled.waited_s(13.5 + READ_S, 14.0) == 3.0 + READ_S
    assert stalled.waited_s(14.1, 14.1) == 0
    # of one that is asked for later
    assert stalled.waited_s(13.5, 14.5) == 3.0


def test_each_of_two_stalls_counts_for_its_own_telegrams() -> None:
    stalled = beaten(10.0, 12.0, 12.3, 12.6, 12.9, 15.0)
    waited_s = [stalled.waited_s(read_s, 15.0) for read_s in (12.1, 12.7, 15.0)]
    assert waited_s == pytest.approx([2.1, 0, 2.1])


def test_a_reading_does_not_look_younger_while_stalls_follow() -> None:
    stalled = beaten(10.0, 13.6)
    for second in range(14, 60):
        stalled.beat(second)
    assert stalled.waited_s(13.6, 60.0) == pytest.approx(3.6)


@in_event_loop
async def test_the_age_of_a_reading_has_the_time_that_the_event_loop_stood_still(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stalls, "BEAT_S", 0.01)
    monkeypatch.setattr(stalls, "STALL_S", 0.02)
    meter = GridMeter(stale_after_s=60)
    async with running(meter.grid.run("test")):
        await asyncio.sleep(0.02)
        time.sleep(0.2)  # noqa: ASYNC251
        meter.send(power(400))
        assert (reading := meter.grid.newest()) and meter.grid.age_s(reading) >= 0.2
