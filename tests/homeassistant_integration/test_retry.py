"""When the integration asks history again."""

from datetime import UTC, datetime, timedelta

from homeassistant_integration.pure import module

retry = module("retry")
BEGIN = datetime(2026, 11, 27, 10, 0, 1, tzinfo=UTC)


def asked(seconds: range) -> list[int]:
    """In which of these seconds after `BEGIN` history is asked that never answers with more."""
    tested, found = retry.QuarterRetry(), []
    for second in seconds:
        at = BEGIN + timedelta(seconds=second)
        if tested.is_due(at):
            tested.note_request(at)
            found.append(second)
    return found


def test_history_is_asked_ever_less_within_a_quarter_hour_and_at_once_in_the_next() -> None:
    assert asked(range(1000)) == [0, 30, 90, 210, 450, 899, 929, 989]


def test_a_clock_that_is_put_back_asks_again() -> None:
    tested = retry.QuarterRetry()
    tested.note_request(BEGIN)
    assert tested.is_due(BEGIN - timedelta(days=1))
