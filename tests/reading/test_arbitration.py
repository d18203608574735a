from iskra_server.reading.arbitration import SILENCE_S, SourceArbiter

METER, OTHER = "1 ISK 00 12345678", "1 ISK 00 12345679"


class Head:
    """A source that reads a meter."""

    def __init__(self, reads: str | None = METER) -> None:
        self.reads = reads


def test_the_first_source_of_a_meter_speaks_for_it() -> None:
    arbiter, first, second = SourceArbiter(), Head(), Head()
    assert arbiter.holder(METER) is None
    assert [arbiter.accepts(head, METER, at_s) for at_s in (0.0, 1.0) for head in (first, second)] == [
        True,
        False,
        True,
        False,
    ]
    assert arbiter.holder(METER) is first


def test_another_takes_over_after_a_silence_and_keeps_the_word() -> None:
    arbiter, first, second = SourceArbiter(), Head(), Head()
    assert arbiter.accepts(first, METER, 0.0)
    assert not arbiter.accepts(second, METER, SILENCE_S)
    assert arbiter.accepts(second, METER, SILENCE_S + 0.1)
    assert not arbiter.accepts(first, METER, SILENCE_S + 0.2)


def test_a_plug_that_moved_is_followed_at_once() -> None:
    arbiter, first, second = SourceArbiter(), Head(), Head()
    assert arbiter.accepts(first, METER, 0.0)
    first.reads = OTHER
    assert arbiter.accepts(second, METER, 0.1)
    first.reads = METER
    second.reads = None
    assert arbiter.accepts(first, METER, 0.2)


def test_every_meter_has_its_own_voice() -> None:
    arbiter, first, second = SourceArbiter(), Head(), Head(OTHER)
    assert arbiter.accepts(first, METER, 0.0)
    assert arbiter.accepts(second, OTHER, 0.0)
