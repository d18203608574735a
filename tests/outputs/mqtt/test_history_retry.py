"""When history is asked again for what it lacks."""

from datetime import UTC, datetime, timedelta

from iskra_server.outputs.mqtt.history_retry import HistoryRetry

BEGIN = datetime(2026, 11, 27, 10, 0, 1, tzinfo=UTC)


def test_history_is_asked_ever_less_within_a_quarter_hour_and_at_once_in_the_next() -> None:
    retry, asked = HistoryRetry(), []
    for second in range(1000):
        at = BEGIN + timedelta(seconds=second)
        if retry.is_due(at):
            retry.note_request(at)
            asked.append(second)
    assert asked == [0, 5, 15, 35, 75, 155, 315, 635, 899, 904, 914, 934, 974]


def test_a_clock_that_is_put_back_asks_again() -> None:
    retry = HistoryRetry()
    retry.note_request(BEGIN)
    assert retry.is_due(BEGIN - timedelta(days=1))
