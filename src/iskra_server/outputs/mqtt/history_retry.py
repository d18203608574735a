"""When history is asked again for what it lacks.

Only a new quarter-hour brings a new reading, within a minute (history.flush_s). So history is asked when one begins,
and then after 5, 10, 20 ... seconds within it; not every 5 s without end about a meter that it never records.
"""

from datetime import datetime, timedelta

from iskra_server.history.model.records import quarter_of

_FIRST_DELAY = timedelta(seconds=5)


class HistoryRetry:
    """Of one meter. `at` is the time of its newest telegram, or now."""

    def __init__(self) -> None:
        self._asked_at: datetime | None = None
        self._delay = _FIRST_DELAY

    def is_due(self, at: datetime) -> bool:
        if self._asked_at is None or _is_new_quarter(self._asked_at, at):
            return True
        return at - self._asked_at >= self._delay

    def note_request(self, at: datetime) -> None:
        is_first = self._asked_at is None or _is_new_quarter(self._asked_at, at)
        self._delay = _FIRST_DELAY if is_first else self._delay * 2
        self._asked_at = at


def _is_new_quarter(before: datetime, now: datetime) -> bool:
    return quarter_of(before.timestamp()) != quarter_of(now.timestamp())
