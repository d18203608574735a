"""When history is asked again for what it lacks. Pure.

Only a new quarter-hour brings a new reading, within a minute. So history is asked when one begins, and then after 30,
60, 120 ... seconds within it; not more often about a meter that it never records.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

FIRST_DELAY_S: Final = 30.0
_QUARTER_S: Final = 900


class QuarterRetry:
    """Of one meter. `at` is the time of its newest telegram, or now."""

    def __init__(self) -> None:
        self._asked_at: datetime | None = None
        self._delay_s = FIRST_DELAY_S

    def is_due(self, at: datetime) -> bool:
        if self._asked_at is None or is_new_quarter(self._asked_at, at):
            return True
        return at - self._asked_at >= timedelta(seconds=self._delay_s)

    def note_request(self, at: datetime) -> None:
        is_first = self._asked_at is None or is_new_quarter(self._asked_at, at)
        self._delay_s = FIRST_DELAY_S if is_first else self._delay_s * 2
        self._asked_at = at


def is_new_quarter(before: datetime, now: datetime) -> bool:
    return int(before.timestamp()) // _QUARTER_S != int(now.timestamp()) // _QUARTER_S
