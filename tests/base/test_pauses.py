"""A process that did not run reads what was buffered meanwhile."""

from iskra_server.base.pauses import BURST_S, PauseDetector


def test_after_a_pause_data_may_have_been_buffered_since_its_beginning() -> None:
    pulse = PauseDetector()
    assert pulse.waited_since_s(5.0) is None
    for second in range(4):
        pulse.beat(10.0 + second)
    assert pulse.waited_since_s(13.5) is None
    # whichever runs first afterwards, the pulse or the reader
    assert pulse.waited_since_s(60.0) == 13.5
    pulse.beat(60.1)
    assert pulse.waited_since_s(60.0 + BURST_S) == 13.5
    assert pulse.waited_since_s(60.1 + BURST_S) is None
