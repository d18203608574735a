"""A process that did not run reads what was buffered meanwhile."""

from iskra_server.base.pauses import BURST_S, STALL_S, PauseDetector


def beaten(*seconds: float) -> PauseDetector:
    made = PauseDetector()
    for second in seconds:
        made.beat(second)
    return made


def test_a_telegram_in_time_has_not_waited() -> None:
    assert beaten(10.0, 10.5, 11.0).waited_since_s(11.4) is None
    # nothing is known before the first beat
    assert PauseDetector().waited_since_s(11.2) is None
    assert PauseDetector().paused_since_s(11.2) is None


def test_a_telegram_of_a_stall_may_have_waited_since_the_last_beat_before() -> None:
    stalled = beaten(10.0, 10.5)
    # whichever runs first afterwards, the beat or the reader
    assert stalled.waited_since_s(13.5) == 10.5
    stalled.beat(13.6)
    assert stalled.waited_since_s(13.5) == stalled.waited_since_s(13.6 + STALL_S) == 10.5
    # too short for what is recorded
    assert stalled.paused_since_s(13.5) is None
    stalled.beat(14.1)
    assert stalled.waited_since_s(14.5) is None
    # of those that were read before
    assert stalled.waited_since_s(13.5) == 10.5
    assert stalled.waited_since_s(10.4) is None


def test_each_of_two_stalls_counts_for_its_own_telegrams() -> None:
    stalled = beaten(10.0, 12.0, 12.5, 13.0, 13.5, 16.0)
    assert [stalled.waited_since_s(read_s) for read_s in (12.1, 13.1, 16.0)] == [10.0, None, 13.5]


def test_a_stall_that_follows_at_once_leaves_no_time_to_read() -> None:
    stalled = beaten(10.0, 12.0, 14.0)
    assert stalled.waited_since_s(14.1) == stalled.waited_since_s(15.9) == 10.0
    # each beat leaves some: a loop that stalls for ever does not make readings older and older
    for second in range(16, 61, 2):
        stalled.beat(second)
    assert stalled.waited_since_s(60.1) == 54.0


def test_after_a_pause_data_may_have_been_buffered_since_its_beginning() -> None:
    paused = beaten(12.5, 13.0)
    assert paused.paused_since_s(13.5) is None
    # whichever runs first afterwards, the beat or the reader
    assert paused.paused_since_s(60.0) == paused.waited_since_s(60.0) == 13.0
    paused.beat(60.1)
    # also where it stalls again
    for second in (60.6, 61.6, 62.1):
        paused.beat(second)
    assert paused.paused_since_s(60.1 + BURST_S) == paused.waited_since_s(60.1 + BURST_S) == 13.0
    assert paused.paused_since_s(60.2 + BURST_S) is None
    # of one that was read before it
    assert paused.paused_since_s(12.9) is None
