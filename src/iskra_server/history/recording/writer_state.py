"""State of the writer: what is wrong since when, what waits to be written, what is lost."""

import time
from datetime import UTC, datetime
from typing import NamedTuple

from msgspec import Struct


class WriterError(NamedTuple):
    sentence: str
    since: datetime


def repeated(before: WriterError | None, sentence: str) -> WriterError:
    """An error after another one, or the first; in a row, the time of the first counts."""
    return WriterError(sentence, before.since if before else datetime.now(UTC))


def hanging(name: str, passed_s: float) -> WriterError:
    began = datetime.fromtimestamp(time.time() - passed_s, UTC)
    return WriterError(f"{name} has not answered for {passed_s:.0f} s.", began)


class WriterState(Struct, frozen=True):
    """`sentence` describes what is wrong, "" while all is well; `since` is when that began.

    Waiting (in memory and on the disk): `pending_ledger` records, `pending_points` telegrams, and `pending_samples`
    telegrams that are not in the ledger yet. Lost: `dropped_ledger` records and `dropped_points` telegrams that no
    disk had room for, and `refused` records with a number that no column can hold.
    """

    ok: bool
    sentence: str
    since: datetime | None
    pending_ledger: int
    pending_points: int
    dropped_points: int
    refused: int
    last_flush: datetime | None
    pending_samples: int = 0
    dropped_ledger: int = 0


def describe_unread(error: str, state: WriterState, _spool_error: str) -> str:
    """The error with its beginning, of a server that writes nothing."""
    return f"{error} History has not been read since {_since(state)}."


def describe_unwritten(error: str, state: WriterState, spool_error: str) -> str:
    """The error with its beginning, what waits (where the spool fails: in memory only), and what is lost."""
    where = f", in memory only ({spool_error})" if spool_error else ""
    waiting = format_waiting(state)
    waiting = f"; still to be written{where}: {waiting}" if waiting else ""
    lost = _format_counts(state.dropped_ledger, state.dropped_points)
    lost = f"{lost} are lost" if lost else "nothing is lost"
    return f"{error} History has not been written since {_since(state)}{waiting}, {lost}."


def _since(state: WriterState) -> str:
    return f"{state.since.astimezone():%Y-%m-%d %H:%M %Z}" if state.since else ""


def format_waiting(state: WriterState) -> str:
    """ "2 records and 60 telegrams"; "" where nothing waits."""
    return _format_counts(state.pending_ledger, state.pending_points + state.pending_samples)


def _format_counts(records: int, telegrams: int) -> str:
    counts = ((records, "record"), (telegrams, "telegram"))
    return " and ".join(f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in counts if count)
