from datetime import UTC, datetime

import pytest

from iskra_server.history.recording.writer_state import (
    WriterState,
    describe_unread,
    describe_unwritten,
    format_waiting,
    repeated,
)

AWAY = WriterState(False, "", datetime(2026, 11, 22, 10, tzinfo=UTC), 0, 0, 0, 0, None)


@pytest.mark.parametrize(
    ("records", "telegrams", "samples", "text"),
    [(0, 0, 0, ""), (1, 0, 0, "1 record"), (2, 1, 0, "2 records and 1 telegram"), (0, 60, 5, "65 telegrams")],
)
def test_what_waits_is_counted_in_words(records: int, telegrams: int, samples: int, text: str) -> None:
    state = WriterState(True, "", None, records, telegrams, 0, 0, None, pending_samples=samples)
    assert format_waiting(state) == text


def test_the_sentence_names_error_time_waiting_and_lost() -> None:
    local = AWAY.since.astimezone().strftime("%Y-%m-%d %H:%M %Z") if AWAY.since else ""
    assert (
        describe_unwritten("Away.", AWAY, "") == f"Away. History has not been written since {local}, nothing is lost."
    )
    state = WriterState(False, "", AWAY.since, 3, 0, 60, 0, None, dropped_ledger=1)
    assert describe_unwritten("Away.", state, "disk full") == (
        f"Away. History has not been written since {local}; still to be written, in memory only (disk full): "
        "3 records, 1 record and 60 telegrams are lost."
    )


def test_a_server_without_meters_says_nothing_of_writing() -> None:
    local = AWAY.since.astimezone().strftime("%Y-%m-%d %H:%M %Z") if AWAY.since else ""
    assert describe_unread("Away.", AWAY, "") == f"Away. History has not been read since {local}."


def test_of_errors_in_a_row_the_first_time_counts() -> None:
    first = repeated(None, "Away.")
    second = repeated(first, "Locked.")
    assert (second.sentence, second.since) == ("Locked.", first.since)
