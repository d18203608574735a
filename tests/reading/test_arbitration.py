from iskra_server.reading.arbitration import SILENCE_S, SourceArbiter

METER, OTHER = "1 ISK 00 12345678", "1 ISK 00 12345679"


class Head:
    """A source that reads a meter."""

    def __init__(self, reads: str | None = METER) -> None:
        self.reads = reads


def test_the_first_source_of_a_meter_is_accepted() -> None:
    arbiter, first, second = SourceArbiter(), Head(), Head()
    assert [arbiter.accepts(head, METER, at_s) for at_s in (0.0, 1.0) for head in (first, second)] == [
        True,
        False,
        True,
        False,
    ]


def test_another_source_takes_over_after_silence_and_stays() -> None:
    arbiter, first, second = SourceArbiter(), Head(), Head()
    assert arbiter.accepts(first, METER, 0.0)
    assert not arbiter.accepts(second, METER, SILENCE_S)
    assert arbiter.accepts(second, METER, SILENCE_S + 0.1)
    assert not arbiter.accepts(first, METER, SILENCE_S + 0.2)


def test_a_head_that_moves_to_another_port_is_followed_at_once() -> None:
    arbiter, first, second = SourceArbiter(), Head(), Head()
    assert arbiter.accepts(first, METER, 0.0)
    first.reads = OTHER
    assert arbiter.accepts(second, METER, 0.1)
    first.reads = METER
    second.reads = None
    assert arbiter.accepts(first, METER, 0.2)


def test_each_meter_has_its_own_source() -> None:
    arbiter, first, second = SourceArbiter(), Head(), Head(OTHER)
    assert arbiter.accepts(first, METER, 0.0)
    assert arbiter.accepts(second, OTHER, 0.0)


def test_a_meter_that_is_asked_once_a_minute_keeps_its_source() -> None:
    arbiter, first, second = SourceArbiter(), Head(), Head()
    for minute in range(10):
        assert arbiter.accepts(first, METER, 60.0 * minute)
    assert not arbiter.accepts(second, METER, 9 * 60.0 + 119.0)
    assert arbiter.accepts(second, METER, 9 * 60.0 + 121.0)


def test_one_long_gap_does_not_keep_another_source_away() -> None:
    arbiter, first, second = SourceArbiter(), Head(), Head()
    for at_s in (0.0, 1.0, 2.0, 602.0):
        assert arbiter.accepts(first, METER, at_s)
    assert not arbiter.accepts(second, METER, 602.0 + 2 * SILENCE_S)
    assert arbiter.accepts(second, METER, 602.0 + 2 * SILENCE_S + 0.1)
