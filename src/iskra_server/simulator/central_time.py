"""The clock of a meter in central Europe: one hour ahead of UTC, in summer two."""

from datetime import UTC, datetime, timedelta

_NORMAL_S, _SUMMER_S = 3600, 7200


def is_summer(second: int) -> bool:
    """Whether it is summer time at a Unix second: from the last Sunday of March to that of October, 1:00 UTC."""
    year = datetime.fromtimestamp(second, UTC).year
    return _last_sunday(year, 3) <= second < _last_sunday(year, 10)


def wall_clock(second: int) -> datetime:
    """What the clock shows, without a zone."""
    shift_s = _SUMMER_S if is_summer(second) else _NORMAL_S
    return datetime.fromtimestamp(second + shift_s, UTC).replace(tzinfo=None)


def _last_sunday(year: int, month: int) -> int:
    last = datetime(year, month, 31, 1, tzinfo=UTC)
    return int((last - timedelta(days=last.isoweekday() % 7)).timestamp())
